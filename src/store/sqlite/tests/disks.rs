//! Disks that are full or can only be read: real ones, made of memory. Mounting is for root; for anybody else these tests say
//! that they are skipped, or fail where [`REQUIRED`] is set.

#![cfg(target_os = "linux")]

use std::{
    ffi::OsStr,
    io::Write as _,
    path::PathBuf,
    process::{Command, Output},
    thread,
};

use super::{
    faults::{IMPATIENT, well},
    *,
};
use crate::store::{StoreError, sqlite::OpenError};

/// Set to anything in the environment, a test that cannot be run on this machine fails.
const REQUIRED: &str = "ANTEROOM_TEST_REQUIRE_MOUNTS";

/// Says that the test that calls this cannot be run here.
fn skipped(why: &str) {
    let test = thread::current().name().unwrap_or("a test").to_owned();
    let required = std::env::var_os(REQUIRED).is_some_and(|value| !value.is_empty());
    assert!(!required, "{REQUIRED} is set, and this could not be run: {why}");
    // Not by `eprintln!`: of a test that passes, the harness would keep it to itself.
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {why}");
}

/// A small disk; unmounted on drop.
struct Disk {
    folder: TempDir,
}

impl Disk {
    fn new(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let options = format!("size={size},mode=0700");
        let place = folder.path().as_os_str();
        let arguments = [
            OsStr::new("-t"),
            "tmpfs".as_ref(),
            "-o".as_ref(),
            options.as_ref(),
            "tmpfs".as_ref(),
            place,
        ];
        let mounted = run("mount", &arguments);
        mounted.map(|()| Self { folder }).map_err(|why| skipped(&why)).ok()
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        // Busy while another test starts a process, which has this one's files for a moment.
        let done = (0..200).any(|_| {
            let done = run("mount", &["-o".as_ref(), options.as_ref(), self.path().as_os_str()]).is_ok();
            if !done {
                thread::sleep(Duration::from_millis(10));
            }
            done
        });
        assert!(done, "{options}");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a thread of SQLite may still have a file open.
        let _ = run("umount", &["-l".as_ref(), self.path().as_os_str()]);
    }
}

/// Runs a program. The error says why it could not.
fn run(program: &str, arguments: &[&OsStr]) -> Result<(), String> {
    match Command::new(program).args(arguments).output() {
        Ok(Output { status, .. }) if status.success() => Ok(()),
        Ok(Output { stderr, .. }) => Err(format!(
            "could not {program}: {}",
            String::from_utf8_lossy(&stderr).trim()
        )),
        Err(error) => Err(format!("could not {program}: {error}")),
    }
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_is_told_until_there_is_room() {
    let Some(disk) = Disk::new("2m") else { return };
    let store = open(&disk.data()).await;
    let owner = an_owner();
    let mut talk = Talk::new(owner, "Title");
    let mut stored: Vec<TurnRecord> = Vec::new();
    let text = "no room for this ".repeat(4_000);
    let refused = loop {
        assert!(stored.len() < 100, "the disk is not full after 6 MB");
        let turn = talk.turn(stored.last().map(|turn| turn.id), &text);
        let mut conversation = talk.conversation.clone();
        conversation.head = turn.id;
        match store.accept(conversation.clone(), turn.clone(), None, None).await {
            Ok(()) => {
                talk.conversation = conversation;
                stored.push(turn);
            }
            Err(error) => {
                assert_eq!(error, StoreError::Full);
                break turn;
            }
        }
    };
    assert_eq!(store.fault(), Some(StoreError::Full));
    assert!(stored.len() > 5, "only {} fit", stored.len());
    assert_eq!(store.turn(owner, refused.id).await, Ok(None), "nothing of it is there");
    assert_eq!(
        store.conversation(owner, talk.id()).await,
        Ok(Some(talk.conversation.clone()))
    );
    assert_eq!(store.turns(owner, talk.id()).await.expect("reading goes on"), stored);

    disk.remount("size=16m");
    talk.accept(&store, &refused, None).await;
    assert_eq!(store.fault(), None);
    stored.push(refused);
    store.close().await;
    drop(store);
    let store = open(&disk.data()).await;
    assert_eq!(store.turns(owner, talk.id()).await.expect("read"), stored);
}

/// A full disk with two conversations on it, of which one is to go.
async fn full(disk: &Disk) -> (SqliteStore, Talk, Talk) {
    let store = SqliteStore::open_tuned(&disk.data(), IMPATIENT)
        .await
        .expect("it opens");
    let owner = an_owner();
    let (mut goes, mut stays) = (Talk::new(owner, "Goes"), Talk::new(owner, "Stays"));
    let text = "what takes room on the disk ".repeat(2_000);
    let mut last = None;
    for _ in 0..20 {
        last = Some(goes.say(&store, last, &text).await.id);
    }
    stays.say(&store, None, &text).await;
    // Whatever is left, as far as the log has not taken it already.
    let mut filler = std::fs::File::create(disk.path().join("filler")).expect("made");
    for size in [1 << 16, 1 << 12, 1] {
        while std::io::Write::write_all(&mut filler, &vec![b'x'; size]).is_ok() {}
    }
    // With only the log's own room left, some changes are still taken.
    for _ in 0..1_000 {
        let turn = stays.turn(None, &text);
        match store.accept(stays.conversation.clone(), turn, None, None).await {
            Ok(()) => {}
            Err(error) => {
                assert_eq!(error, StoreError::Full);
                return (store, goes, stays);
            }
        }
    }
    panic!("the disk is not full");
}

#[tokio::test]
async fn what_was_deleted_is_removed_although_the_disk_is_full() {
    let Some(disk) = Disk::new("32m") else { return };
    let (store, goes, stays) = full(&disk).await;
    let owner = goes.conversation.owner;
    assert_eq!(store.delete(owner, goes.id(), 10).await, Ok(true));
    assert_eq!(
        store.fault(),
        Some(StoreError::Full),
        "what is kept for deleting is nobody else's"
    );
    store.purge(11, None).await.expect("purged");
    assert_eq!(store.undelete(owner, goes.id()).await, Ok(None));

    // There is room again, for the next removal first.
    well(&store).await;
    let kept = std::fs::metadata(disk.data().join("reserve")).expect("there").len();
    assert_eq!(kept, 8 << 20);
    assert_eq!(store.delete(owner, stays.id(), 10).await, Ok(true));
}

#[tokio::test]
async fn everything_of_somebody_is_removed_although_the_disk_is_full() {
    let Some(disk) = Disk::new("32m") else { return };
    let (store, goes, _) = full(&disk).await;
    let owner = goes.conversation.owner;
    store.forget(owner).await.expect("forgotten");
    assert_eq!(store.conversations(owner, None, 10).await, Ok(vec![]));
    assert!(!on_disk(&disk.data(), "what takes room on the disk"));
    well(&store).await;
}

#[tokio::test]
async fn a_disk_with_little_room_is_left_it() {
    let Some(disk) = Disk::new("7m") else { return };
    let store = open(&disk.data()).await;
    assert!(!disk.data().join("reserve").exists());
    Talk::new(an_owner(), "Title").say(&store, None, "hello").await;
}

#[tokio::test]
async fn a_disk_that_was_full_is_found_out_to_have_room_without_a_message() {
    // With nothing kept for deleting, and with it.
    for size in ["4m", "32m"] {
        let Some(disk) = Disk::new(size) else { return };
        let (store, ..) = full(&disk).await;
        tokio::time::sleep(IMPATIENT.try_again * 4).await;
        assert_eq!(store.fault(), Some(StoreError::Full), "{size}");
        std::fs::remove_file(disk.path().join("filler")).expect("removed");
        disk.remount("size=64m");
        well(&store).await;
    }
}

#[tokio::test]
async fn a_start_on_a_full_disk_says_so() {
    let Some(disk) = Disk::new("64k") else { return };
    std::fs::write(disk.path().join("filler"), vec![0; 64 * 1024]).unwrap_or_default();
    let error = SqliteStore::open(&disk.data()).await.expect_err("no room");
    assert!(matches!(error, OpenError::Full { .. }), "{error:?}");
    assert!(error.to_string().contains("is full. Make room"), "{error}");
}

#[tokio::test]
async fn a_disk_that_can_only_be_read_is_read() {
    let Some(disk) = Disk::new("8m") else { return };
    let store = open(&disk.data()).await;
    let owner = an_owner();
    let mut talk = Talk::new(owner, "Title");
    let turn = talk.say(&store, None, "hello").await;
    store.close().await;
    drop(store);

    disk.remount("ro");
    let store = open(&disk.data()).await;
    assert_eq!(
        store.turn(owner, turn.id).await.expect("read").expect("there").turn,
        turn
    );
    assert_eq!(store.search(owner, "HELLO", 5).await.expect("read").len(), 1);
    let Err(StoreError::ReadOnly(reason)) = store.update(answered(turn.clone(), "no")).await else {
        panic!("it cannot be written");
    };
    assert!(reason.contains("restart Anteroom"), "{reason}");
    assert_eq!(store.fault(), Some(StoreError::ReadOnly(reason)));
    store.close().await;
    drop(store);

    disk.remount("rw");
    let store = open(&disk.data()).await;
    assert_eq!(store.fault(), None);
    store.update(answered(turn, "yes")).await.expect("updated");
}

/// What a server that was killed has left, on a disk that can only be read.
#[tokio::test]
async fn a_log_that_cannot_be_emptied_is_read_along() {
    let (Some(disk), Fixture { store, folder }) = (Disk::new("24m"), fixture().await) else {
        return;
    };
    let owner = an_owner();
    let mut talk = Talk::new(owner, "Title");
    let turn = talk.say(&store, None, "hello").await;
    // By another process: closing the files in this one would let go of its locks.
    let copy = |to: &Path| run("cp", &["-r".as_ref(), folder.path().as_os_str(), to.as_os_str()]);
    assert_eq!(copy(&disk.data()), Ok(()));
    disk.remount("ro");
    let killed = open(&disk.data()).await;
    assert_eq!(
        killed.turn(owner, turn.id).await.expect("read").expect("there").turn,
        turn
    );
    assert!(matches!(killed.fault(), Some(StoreError::ReadOnly(_))));
    killed.close().await;
    drop(killed);

    disk.remount("rw");
    std::fs::remove_file(disk.data().join("anteroom.db-shm")).expect("there");
    disk.remount("ro");
    let error = SqliteStore::open(&disk.data())
        .await
        .expect_err("the log cannot be read");
    assert!(matches!(error, OpenError::Unreadable { .. }), "{error:?}");

    disk.remount("rw");
    let mended = open(&disk.data()).await;
    assert_eq!(
        mended.turn(owner, turn.id).await.expect("read").expect("there").turn,
        turn
    );
}

#[tokio::test]
async fn a_read_only_disk_without_a_database_is_told() {
    let Some(disk) = Disk::new("1m") else { return };
    std::fs::create_dir(disk.data()).expect("made");
    disk.remount("ro");
    for place in [disk.data(), disk.path().join("new")] {
        let error = SqliteStore::open(&place).await.expect_err("nothing to read");
        assert!(matches!(error, OpenError::ReadOnly { .. }), "{error:?}");
        assert!(error.to_string().contains("Make DATA_DIR writable"), "{error}");
    }
}

/// Root may write whatever the permissions say, but not what is immutable.
#[tokio::test]
async fn a_file_that_can_only_be_read_is_read() {
    let Fixture { store, folder } = fixture().await;
    let owner = an_owner();
    let mut talk = Talk::new(owner, "Title");
    let turn = talk.say(&store, None, "hello").await;
    store.close().await;
    drop(store);
    let file = folder.path().join("anteroom.db");
    let change = |flag: &str| run("chattr", &[flag.as_ref(), file.as_os_str()]);
    if let Err(why) = change("+i") {
        skipped(&why);
        return;
    }
    let outcome = SqliteStore::open(folder.path()).await;
    assert_eq!(change("-i"), Ok(()));
    let store = outcome.expect("it opens");
    assert_eq!(
        store.turn(owner, turn.id).await.expect("read").expect("there").turn,
        turn
    );
    let written = store.update(answered(turn, "no")).await;
    assert!(matches!(written, Err(StoreError::ReadOnly(_))), "{written:?}");
}
