//! A disk of the server that is full: a small one of its own, with the tables on it and the log elsewhere.
#![cfg(target_os = "linux")]

use std::{io::Write as _, path::PathBuf, process::Command};

use tempfile::TempDir;

use super::*;
use crate::store::testing::a_choice;

/// Set to anything in the environment, a test that cannot be run on this machine fails.
const REQUIRED: &str = "ANTEROOM_TEST_REQUIRE_MOUNTS";

struct Disk(TempDir);

impl Disk {
    fn mount() -> Option<Self> {
        let disk = Self(tempfile::tempdir().expect("a folder"));
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"])
            .arg(disk.0.path());
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        if !mounted {
            let required = std::env::var_os(REQUIRED).is_some_and(|value| !value.is_empty());
            assert!(!required, "{REQUIRED} is set, and nothing can be mounted here");
            let _ = writeln!(std::io::stderr(), "skipped: a full disk of PostgreSQL: could not mount");
        }
        mounted.then_some(disk)
    }

    fn fill(&self) -> PathBuf {
        let path = self.0.path().join("filler");
        let mut file = std::fs::File::create(&path).expect("made");
        for size in [1 << 16, 1 << 12, 1] {
            while file.write_all(&vec![b'x'; size]).is_ok() {}
        }
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[tokio::test]
async fn a_full_disk_refuses_what_needs_room_takes_what_frees_some_and_is_found_to_have_it_again() {
    if !anteroom_pgtest::present() {
        return;
    }
    let Some(disk) = Disk::mount() else { return };
    let cluster = Cluster::start();
    let tables = disk.0.path().join("tables");
    std::fs::create_dir(&tables).expect("made");
    // Whoever may enter it: the server's user is another one.
    let open_up = Command::new("chmod").arg("755").arg(disk.0.path()).status();
    assert!(open_up.expect("it runs").success());
    cluster.own(&tables);
    cluster.sql(
        "postgres",
        &format!("CREATE TABLESPACE small LOCATION '{}'", tables.display()),
    );
    cluster.sql("postgres", "CREATE DATABASE small TABLESPACE small");
    let store = open_impatiently(&cluster.url("small")).await.expect("it opens");
    let owner = an_owner();
    let mut talk = Talk::new(owner, "Title");
    let turn = talk.say(&store, None, "hello").await;
    // The first deletion of all takes room, that of an index.
    assert_eq!(store.delete(owner, talk.id(), 7).await, Ok(true));
    assert!(store.undelete(owner, talk.id()).await.expect("brought back").is_some());

    let filler = disk.fill();
    // What cannot be compressed needs its room.
    let long: String = std::iter::repeat_with(|| rand::random_range('a'..='z'))
        .take(60_000)
        .collect();
    let mut refused = Ok(());
    for _ in 0..50 {
        let mut next = talk.turn(Some(turn.id), &long);
        next.answer = long.clone();
        refused = store
            .accept(talk.conversation.clone(), next, None, Some(a_choice("m")))
            .await;
        if refused.is_err() {
            break;
        }
    }
    assert_eq!(refused, Err(StoreError::Full));
    assert_eq!(store.fault(), Some(StoreError::Full));
    assert_eq!(store.delete(owner, talk.id(), 7).await, Ok(true));
    let purged = store.purge(8, None).await;
    assert!(purged.is_ok(), "{purged:?}");
    assert_eq!(store.fault(), Some(StoreError::Full), "there is no room for others yet");

    std::fs::remove_file(filler).expect("removed");
    until("it is well", || store.fault().is_none()).await;
    let mut talk = Talk::new(owner, "After");
    talk.say(&store, None, &long).await;
}
