//! Shared commits, callers that go away, and the end.

use futures_util::{future::join_all, poll};

use super::*;
use crate::store::{StoreError, job::Operation, sqlite::Writing};

fn commits(store: &SqliteStore) -> u64 {
    match &store.access {
        Writing::Possible(writer) => writer.commits(),
        Writing::Impossible { .. } => 0,
    }
}

fn talks(count: usize) -> Vec<(Talk, TurnRecord)> {
    let talk = |number| {
        let mut talk = Talk::new(an_owner(), &format!("Talk {number}"));
        let turn = talk.turn(None, "hello");
        talk.conversation.head = turn.id;
        (talk, turn)
    };
    (0..count).map(talk).collect()
}

#[tokio::test]
async fn those_who_write_at_once_share_a_commit() {
    let Fixture { store, folder: _folder } = fixture().await;
    let talks = talks(100);
    let writes = talks
        .iter()
        .map(|(talk, turn)| store.accept(talk.conversation.clone(), turn.clone(), None, None));
    for outcome in join_all(writes).await {
        assert_eq!(outcome, Ok(()));
    }
    assert_eq!(commits(&store), 1);
    for (talk, turn) in &talks {
        let owner = talk.conversation.owner;
        assert_eq!(store.path(owner, turn.id, 10).await.expect("read").len(), 1);
    }
}

#[tokio::test]
async fn one_bad_job_harms_no_other() {
    let Fixture { store, folder: _folder } = fixture().await;
    let mut talks = talks(9);
    talks[4].1.parent = Some(TurnId::new());
    let writes = talks
        .iter()
        .map(|(talk, turn)| store.accept(talk.conversation.clone(), turn.clone(), None, None));
    let outcomes = join_all(writes).await;
    for (number, ((talk, turn), outcome)) in talks.iter().zip(outcomes).enumerate() {
        let stored = store.turn(talk.conversation.owner, turn.id).await.expect("read");
        if number == 4 {
            assert!(matches!(outcome, Err(StoreError::Other(_))), "{outcome:?}");
            assert_eq!(stored, None);
        } else {
            assert_eq!(outcome, Ok(()));
            assert_eq!(stored.map(|step| step.turn), Some(turn.clone()));
        }
    }
    assert_eq!(commits(&store), 8, "each of the others had a transaction of its own");
    assert_eq!(store.fault(), None);
}

struct Panics;

impl Operation for Panics {
    type Connection = SqliteConnection;
    type Output = ();

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        sqlx::query("DELETE FROM owners").execute(connection).await?;
        panic!("as a test has it");
    }
}

#[tokio::test]
async fn a_change_that_panics_leaves_nothing_and_ends_nothing() {
    let Fixture { store, folder: _folder } = fixture().await;
    let mut talks = talks(2);
    let (mut talk, turn) = talks.remove(0);
    talk.accept(&store, &turn, None).await;
    let broken_off = store.write(Panics).await;
    assert!(matches!(broken_off, Err(StoreError::Other(_))), "{broken_off:?}");
    assert_eq!(store.fault(), broken_off.err());
    assert_eq!(store.path(turn.owner, turn.id, 10).await.expect("read").len(), 1);

    let (mut talk, turn) = talks.remove(0);
    talk.accept(&store, &turn, None).await;
    assert_eq!(store.fault(), None);
}

#[tokio::test]
async fn a_write_whose_caller_goes_away_is_made_whole() {
    let Fixture { store, folder } = fixture().await;
    let (talk, turn) = talks(1).remove(0);
    let mut write = Box::pin(store.accept(talk.conversation.clone(), turn.clone(), None, None));
    assert!(poll!(&mut write).is_pending());
    drop(write);
    store.close().await;
    let store = open(folder.path()).await;
    let stored = store.turn(turn.owner, turn.id).await.expect("read");
    assert_eq!(stored.map(|step| step.turn), Some(turn));
    assert_eq!(
        store.conversation(talk.conversation.owner, talk.id()).await,
        Ok(Some(talk.conversation))
    );
}

#[tokio::test]
async fn it_ends_with_everything_in_one_file() {
    let Fixture { store, folder } = fixture().await;
    let (talk, turn) = talks(1).remove(0);
    let accepted = store.accept(talk.conversation.clone(), turn.clone(), None, None);
    let (accepted, (), ()) = tokio::join!(accepted, store.close(), store.close());
    assert_eq!(accepted, Ok(()), "what came before the end is still written");
    assert_eq!(store.update(turn.clone()).await, Err(StoreError::Closed));
    assert_eq!(store.turn(turn.owner, turn.id).await, Err(StoreError::Closed));
    assert_eq!(store.search(turn.owner, "hello", 1).await, Err(StoreError::Closed));
    let mut names: Vec<_> = std::fs::read_dir(folder.path())
        .expect("a folder")
        .map(|file| file.expect("a file").file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["anteroom.db", "lock", "reserve"]);
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_said_is_for_this_user_only() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().expect("a folder");
    let data_dir = folder.path().join("new").join("data");
    let store = open(&data_dir).await;
    let (talk, turn) = talks(1).remove(0);
    store
        .accept(talk.conversation, turn, None, None)
        .await
        .expect("accepted");
    let mode = |path: &Path| path.metadata().expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&data_dir), 0o700);
    for file in std::fs::read_dir(&data_dir).expect("a folder") {
        let path = file.expect("a file").path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}
