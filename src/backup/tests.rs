//! Back-ups, and what comes out of them.

use std::{fs, path::PathBuf, process::Command};

use tempfile::TempDir;

use super::*;
use crate::{
    files::Vault,
    papers::samples,
    queue::Owner,
    sessions::CookieKey,
    store::{
        Store as _,
        sqlite::SqliteStore,
        testing::{Talk, an_owner},
    },
    wire::{FileView, TurnId},
};

struct Fixture {
    store: SqliteStore,
    folder: TempDir,
}

async fn fixture() -> Fixture {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path()).await;
    Fixture { store, folder }
}

async fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(folder).await.expect("it opens")
}

/// Uploads a file.
async fn upload(vault: &Vault, store: &SqliteStore, owner: Owner, content: impl AsRef<[u8]>) -> FileView {
    let mut upload = vault.begin("notes.txt", 10_000).await.expect("begun");
    upload.write(content.as_ref()).await.expect("taken");
    let view = upload.finish().await.expect("kept");
    store.add_file(owner, view.clone(), 1).await.expect("added");
    view
}

/// As docs/operating.md says.
fn unpack(tar: &Path, into: &Path) {
    fs::create_dir(into).expect("made");
    let mut command = Command::new("tar");
    let done = command
        .arg("-xf")
        .arg(tar)
        .arg("-C")
        .arg(into)
        .status()
        .expect("started");
    assert!(done.success(), "{done}");
}

fn names(folder: &Path) -> Vec<PathBuf> {
    let all = fs::read_dir(folder).expect("a folder");
    all.map(|entry| entry.expect("an entry").path()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_back_up_made_while_it_is_written_to_is_whole() {
    let Fixture { store, folder } = fixture().await;
    CookieKey::load(None, folder.path()).expect("a key");
    let vault = Vault::open(folder.path()).await.expect("a vault");
    let owner = an_owner();
    let mut talk = Talk::new(owner, "Before");
    let carried = upload(&vault, &store, owner, "carried").await;
    let removed = upload(&vault, &store, owner, "removed meanwhile").await;
    let document = upload(&vault, &store, owner, samples::pdf_with_picture("A page")).await;
    let mut turn = talk.turn(None, "hello");
    turn.files = vec![carried.clone(), document.clone()];
    talk.accept(&store, &turn, None).await;
    // The store knows it, its content is gone: as when it is removed between the two.
    vault.remove(&[removed.id]).await.expect("removed");

    let mut busy = Talk::new(an_owner(), "Meanwhile");
    let away = tempfile::tempdir().expect("a folder");
    let target = away.path().join("monday.tar");
    let made = backup(folder.path(), &target);
    let mut made = std::pin::pin!(made);
    let mut written: Vec<TurnId> = Vec::new();
    let summary = loop {
        tokio::select! {
            summary = &mut made => break summary.expect("made"),
            turn = busy.say(&store, written.last().copied(), "meanwhile") => written.push(turn.id),
        }
    };
    assert_eq!((summary.files, summary.skipped, summary.key), (2, 1, true));
    assert!(summary.turns >= 1 && summary.conversations >= 1, "{summary:?}");
    assert_eq!(summary.bytes, fs::metadata(&target).expect("there").len());
    assert_eq!(
        names(away.path()),
        std::slice::from_ref(&target),
        "nothing else is left there"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            fs::metadata(&target).expect("there").permissions().mode() & 0o777,
            0o600
        );
    }

    let restored = away.path().join("restored");
    unpack(&target, &restored);
    let key = |folder: &Path| fs::read(folder.join("secret.key")).expect("there");
    assert_eq!(key(&restored), key(folder.path()));
    let back = open(&restored).await;
    assert_eq!(
        back.turn(owner, turn.id).await.expect("read").expect("there").turn,
        turn
    );
    let vault = Vault::open(&restored).await.expect("a vault");
    assert_eq!(vault.read(carried.id, 100).await.expect("there"), b"carried");
    assert_eq!(vault.text(document.id).await.expect("there"), "\u{0C}page 1\nA page\n");
    assert_eq!(vault.pictures(document.id).await.expect("there").len(), 1);
    // Of what was written meanwhile, a first part.
    let meanwhile = back.turns(busy.conversation.owner, busy.id()).await.expect("read");
    let meanwhile: Vec<_> = meanwhile.into_iter().map(|turn| turn.id).collect();
    assert_eq!(written[..meanwhile.len()], meanwhile);
    // It goes on as any other, and gives back room as any other.
    let raw = sqlx::sqlite::SqliteConnectOptions::new().filename(restored.join(DATABASE));
    let mut raw = sqlx::ConnectOptions::connect(&raw).await.expect("connected");
    let vacuum: i64 = sqlx::query_scalar("PRAGMA auto_vacuum")
        .fetch_one(&mut raw)
        .await
        .expect("read");
    assert_eq!(vacuum, 2, "incremental");
    talk.say(&back, Some(turn.id), "after").await;
}

#[tokio::test]
async fn a_back_up_needs_no_server_and_no_key() {
    let Fixture { store, folder } = fixture().await;
    let mut talk = Talk::new(an_owner(), "Title");
    talk.say(&store, None, "hello").await;
    store.close().await;
    let target = folder.path().join("backup.tar");
    let summary = backup(folder.path(), &target).await.expect("made");
    assert_eq!(
        (summary.conversations, summary.turns, summary.files, summary.key),
        (1, 1, 0, false)
    );
    let restored = folder.path().join("restored");
    unpack(&target, &restored);
    let back = open(&restored).await;
    assert_eq!(
        back.conversation(talk.conversation.owner, talk.id()).await,
        Ok(Some(talk.conversation))
    );
}

#[tokio::test]
async fn nothing_is_overwritten_and_nothing_left_behind() {
    let Fixture { store, folder } = fixture().await;
    let away = tempfile::tempdir().expect("a folder");
    let target = away.path().join("monday.tar");
    fs::write(&target, "last week's").expect("written");
    let refused = backup(folder.path(), &target).await;
    assert!(matches!(refused, Err(BackupError::Exists(_))), "{refused:?}");
    assert_eq!(fs::read(&target).expect("there"), b"last week's");

    let nowhere = away.path().join("no such folder").join("monday.tar");
    let refused = backup(folder.path(), &nowhere).await;
    assert!(matches!(refused, Err(BackupError::Unwritable { .. })), "{refused:?}");
    let refused = backup(away.path(), &away.path().join("tuesday.tar")).await;
    assert!(matches!(refused, Err(BackupError::NothingThere(_))), "{refused:?}");
    assert_eq!(names(away.path()), [target]);
    store.close().await;

    fs::write(folder.path().join("anteroom.db"), "garbage".repeat(1_000)).expect("written");
    let refused = backup(folder.path(), &away.path().join("tuesday.tar")).await;
    assert!(matches!(refused, Err(BackupError::Unreadable { .. })), "{refused:?}");
    assert_eq!(names(away.path()).len(), 1);
}
