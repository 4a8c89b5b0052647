//! How many ways to the server and back a change takes, and what becomes of one that cannot go in one.
//!
//! On one thread, where what is given at once is taken at once.

use futures_util::future::join_all;

use super::{
    appends::{A, NODE, something, start, written},
    between::{Between, Cut},
    *,
};
use crate::{
    nodes::Reply,
    store::{
        TurnRecord,
        testing::{a_choice, file},
    },
    wire::{TurnId, TurnState},
};

/// One that does not look after its connection meanwhile, which would be a way, too.
const BUSY: Tuning = Tuning {
    look_after: Duration::from_secs(600),
    ..NODE
};

/// A message that begins a conversation.
fn message() -> (Talk, TurnRecord) {
    let mut talk = Talk::new(an_owner(), "It's a \\ title");
    let turn = talk.turn(None, "hello");
    talk.conversation.head = turn.id;
    (talk, turn)
}

#[tokio::test]
async fn what_somebody_waits_for_is_one_way_to_the_server_with_its_entry() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let between = Between::stand(cluster.port()).await;
    let (store, log) = start(between.url(cluster, &cluster.database()), A, BUSY).await;
    let mut ways: [Vec<u64>; 5] = Default::default();
    for round in 0..3 {
        let mut sequence = 3 * round;
        let mut next = || {
            sequence += 1;
            log.append(A, sequence, something(), None)
        };
        let (talk, turn) = message();
        let before = between.answers();
        let accept = store.accept_to_join(talk.conversation.clone(), turn.clone(), None);
        let (accepted, reply) = tokio::join!(accept, next());
        assert_eq!((accepted, written(&reply)), (Ok(()), Some(3 * round + 1)));
        ways[0].push(between.answers() - before);

        let before = between.answers();
        let running = TurnRecord {
            state: TurnState::Running,
            ..turn.clone()
        };
        assert_eq!(store.update(running).await, Ok(()));
        ways[1].push(between.answers() - before);

        let before = between.answers();
        let over = answered(turn.clone(), "An answer.");
        let (ended, reply) = tokio::join!(store.end(over.clone()), next());
        assert_eq!((ended, written(&reply)), (Ok(()), Some(3 * round + 2)));
        ways[2].push(between.answers() - before);
        let stored = store.turn(turn.owner, turn.id).await.expect("read");
        assert_eq!(stored.map(|step| step.turn), Some(over));

        let before = between.answers();
        assert_eq!(written(&next().await), Some(3 * round + 3));
        ways[4].push(between.answers() - before);

        // The same once more, as where a reply was lost.
        let before = between.answers();
        let accept = store.accept(talk.conversation.clone(), turn.clone(), None, None);
        assert_eq!(accept.await, Ok(()));
        ways[3].push(between.answers() - before);
        let stored = store.turn(turn.owner, turn.id).await.expect("read");
        assert_eq!(stored.map(|step| step.turn), Some(turn));
    }
    // The first time, the statement is made known to the server.
    assert_eq!(ways, [[2, 1, 1]; 5]);
}

#[tokio::test]
async fn what_is_cut_off_is_made_once_whatever_became_of_it() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    let between = Between::stand(cluster.port()).await;
    let (store, log) = start(between.url(cluster, &database), A, BUSY).await;
    let cuts = [Cut::Never, Cut::After, Cut::Before, Cut::After, Cut::Never];
    for (sequence, cut) in (0..).map(|pair| 2 * pair).zip(cuts) {
        let told = |reply: &Reply| match cut {
            Cut::After => *reply == Reply::Already,
            _ => written(reply).is_some(),
        };
        let (talk, turn) = message();
        between.next(cut);
        let accept = store.accept_to_join(talk.conversation.clone(), turn.clone(), None);
        let (accepted, reply) = tokio::join!(accept, log.append(A, sequence + 1, something(), None));
        assert_eq!(accepted, Ok(()), "{cut:?}");
        assert!(told(&reply), "{cut:?}: {reply:?}");

        between.next(cut);
        let over = answered(turn, "An answer.");
        let (ended, reply) = tokio::join!(store.end(over.clone()), log.append(A, sequence + 2, something(), None));
        assert_eq!(ended, Ok(()), "{cut:?}");
        assert!(told(&reply), "{cut:?}: {reply:?}");
        let stored = store.turn(over.owner, over.id).await.expect("read");
        assert_eq!(stored.map(|step| step.turn), Some(over), "{cut:?}");
        let entries = (sequence + 2).to_string();
        assert_eq!(cluster.sql(&database, "SELECT count(*) FROM log"), entries, "{cut:?}");
    }
}

#[tokio::test]
async fn what_is_too_long_for_one_way_goes_by_steps() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let between = Between::stand(cluster.port()).await;
    let (store, log) = start(between.url(cluster, &cluster.database()), A, BUSY).await;
    let mut ways = Vec::new();
    for sequence in [1, 2] {
        let (mut talk, turn) = message();
        talk.accept(&store, &turn, None).await;
        let over = answered(turn, &"An answer. ".repeat(1_000));
        let before = between.answers();
        let (ended, reply) = tokio::join!(store.end(over.clone()), log.append(A, sequence, something(), None));
        assert_eq!((ended, written(&reply)), (Ok(()), Some(sequence)));
        ways.push(between.answers() - before);
        let stored = store.turn(over.owner, over.id).await.expect("read");
        assert_eq!(stored.map(|step| step.turn), Some(over));
    }
    assert_eq!(ways, [4, 3]);
}

#[tokio::test]
async fn what_cannot_go_in_one_way_harms_nothing() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    let (store, log) = start(cluster.url(&database), A, NODE).await;
    // It follows one that is not there: nothing of it is written, and the entry is.
    let (talk, mut turn) = message();
    turn.parent = Some(TurnId::new());
    let accept = store.accept_to_join(talk.conversation.clone(), turn, None);
    let (accepted, reply) = tokio::join!(accept, log.append(A, 1, something(), None));
    assert!(matches!(accepted, Err(StoreError::Other(_))), "{accepted:?}");
    assert_eq!(written(&reply), Some(1));
    assert_eq!(
        store.conversation(talk.conversation.owner, talk.conversation.id).await,
        Ok(None)
    );
    assert_eq!(cluster.sql(&database, "SELECT count(*) FROM owners"), "0");
    // An outcome of a turn that has gone changes nothing.
    let (_, turn) = message();
    let (ended, reply) = tokio::join!(store.end(turn), log.append(A, 2, something(), None));
    assert_eq!((ended, written(&reply)), (Ok(()), Some(2)));
    // An entry that cannot be appended.
    cluster.sql(&database, "ALTER TABLE log ADD CONSTRAINT never CHECK (number < 3)");
    let (talk, turn) = message();
    let accept = store.accept_to_join(talk.conversation.clone(), turn.clone(), None);
    let (accepted, reply) = tokio::join!(accept, log.append(A, 3, something(), None));
    assert_eq!((accepted, reply), (Ok(()), Reply::Away));
    let stored = store.turn(turn.owner, turn.id).await.expect("read");
    assert_eq!(stored.map(|step| step.turn), Some(turn));
    cluster.sql(&database, "ALTER TABLE log DROP CONSTRAINT never");
    // What takes several statements.
    let (talk, mut turn) = message();
    turn.files = vec![file("notes.txt")];
    let choice = a_choice("demo@builtin");
    let accept = store.accept_to_join(talk.conversation.clone(), turn.clone(), Some(choice.clone()));
    let (accepted, reply) = tokio::join!(accept, log.append(A, 3, something(), None));
    assert_eq!((accepted, written(&reply)), (Ok(()), Some(3)));
    let stored = store.turn(turn.owner, turn.id).await.expect("read");
    assert_eq!(stored.map(|step| step.turn), Some(turn.clone()));
    let chosen = store.chosen(turn.owner, talk.conversation.id).await.expect("read");
    assert_eq!(chosen.map(|(_, choice)| choice), Some(choice));
    // Without its files, it has none any more.
    turn.files.clear();
    let accept = store.accept(talk.conversation.clone(), turn.clone(), None, None);
    assert_eq!(accept.await, Ok(()));
    let stored = store.turn(turn.owner, turn.id).await.expect("read");
    assert_eq!(stored.map(|step| step.turn), Some(turn));
}

#[tokio::test]
async fn who_has_no_row_any_more_writes_nothing_in_one_way_either() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    let (store, log) = start(cluster.url(&database), A, NODE).await;
    let (mut talk, turn) = message();
    talk.accept(&store, &turn, None).await;
    cluster.sql(&database, "DELETE FROM nodes");
    let over = answered(turn.clone(), "An answer.");
    let (ended, reply) = tokio::join!(store.end(over.clone()), log.append(A, 1, something(), None));
    assert!(matches!(ended, Err(StoreError::ReadOnly(_))), "{ended:?}");
    assert_eq!(reply, Reply::Fenced);
    let alone = store.update(over).await;
    assert!(matches!(alone, Err(StoreError::ReadOnly(_))), "{alone:?}");
    let (other, next) = message();
    let accepted = store.accept(other.conversation.clone(), next, None, None).await;
    assert!(matches!(accepted, Err(StoreError::ReadOnly(_))), "{accepted:?}");
    let stored = store.turn(turn.owner, turn.id).await.expect("read");
    assert_eq!(stored.map(|step| step.turn), Some(turn));
    assert_eq!(
        cluster.sql(&database, "SELECT count(*), (SELECT count(*) FROM log) FROM owners"),
        "1|0"
    );
}

#[tokio::test]
async fn several_at_once_still_share_a_commit() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let (store, log) = start(cluster.url(&cluster.database()), A, NODE).await;
    let messages: Vec<_> = (0..50).map(|_| message()).collect();
    let accepts = messages
        .iter()
        .map(|(talk, turn)| store.accept_to_join(talk.conversation.clone(), turn.clone(), None));
    let (accepted, reply) = tokio::join!(join_all(accepts), log.append(A, 1, something(), None));
    assert!(accepted.iter().all(Result::is_ok), "{accepted:?}");
    assert_eq!(written(&reply), Some(1));
    assert_eq!(store.writer.commits(), 1);
}
