//! Shared commits, callers that go away, and the end.

use futures_util::{future::join_all, poll};
use sqlx::PgConnection;

use super::*;
use crate::{
    store::{TurnRecord, job::Operation},
    wire::TurnId,
};

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
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let store = open(&cluster.url(&cluster.database())).await;
    let talks = talks(100);
    let writes = talks
        .iter()
        .map(|(talk, turn)| store.accept(talk.conversation.clone(), turn.clone(), None, None));
    for outcome in join_all(writes).await {
        assert_eq!(outcome, Ok(()));
    }
    assert_eq!(store.writer.commits(), 1);
    for (talk, turn) in &talks {
        let owner = talk.conversation.owner;
        assert_eq!(store.path(owner, turn.id, 10).await.expect("read").len(), 1);
    }
}

#[tokio::test]
async fn one_bad_job_harms_no_other() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let store = open(&cluster.url(&cluster.database())).await;
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
    assert_eq!(store.writer.commits(), 1, "the others shared one");
    assert_eq!(store.fault(), None);
}

struct Panics;

impl Operation for Panics {
    type Connection = PgConnection;
    type Output = ();

    async fn run(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        sqlx::query("DELETE FROM owners").execute(connection).await?;
        panic!("as a test has it");
    }
}

#[tokio::test]
async fn a_change_that_panics_leaves_nothing_and_ends_nothing() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let store = open(&cluster.url(&cluster.database())).await;
    let mut talks = talks(2);
    let (mut talk, turn) = talks.remove(0);
    talk.accept(&store, &turn, None).await;
    let broken_off = store.write(Panics).await;
    assert!(matches!(broken_off, Err(StoreError::Other(_))), "{broken_off:?}");
    assert_eq!(store.path(turn.owner, turn.id, 10).await.expect("read").len(), 1);

    let (mut talk, turn) = talks.remove(0);
    talk.accept(&store, &turn, None).await;
    assert_eq!(store.fault(), None);
}

#[tokio::test]
async fn a_write_whose_caller_goes_away_is_made_whole() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let address = cluster.url(&cluster.database());
    let store = open(&address).await;
    let (talk, turn) = talks(1).remove(0);
    let mut write = Box::pin(store.accept(talk.conversation.clone(), turn.clone(), None, None));
    assert!(poll!(&mut write).is_pending());
    drop(write);
    store.close().await;
    let store = open(&address).await;
    let stored = store.turn(turn.owner, turn.id).await.expect("read");
    assert_eq!(stored.map(|step| step.turn), Some(turn));
}
