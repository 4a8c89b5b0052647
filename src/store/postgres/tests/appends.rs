//! What is appended to the log, in one transaction with what was given before it.
//!
//! On one thread, where what is given at once is taken at once.

use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::{Either, join_all, select};
use sqlx::PgConnection;

use super::{
    between::{Between, Cut},
    commits::Count,
    *,
};
use crate::{
    nodes::{Beaten, Change, Database, Number, Peer, Reply},
    queue::{EventPolicy, Policy, machine::Command},
    store::job::Operation,
};

pub(super) const A: Incarnation = Incarnation(1);
const B: Incarnation = Incarnation(2);

/// A node that has been heard of so often.
const fn heard(node: Incarnation, beats: u64) -> Peer {
    Peer {
        node,
        beats,
        applied: Number(0),
    }
}

/// Impatient, but for what a transaction may wait for.
pub(super) const NODE: Tuning = Tuning {
    locked: Duration::from_secs(20),
    still: Duration::from_millis(500),
    lock: Duration::from_secs(5),
    patience: Duration::from_secs(60),
    answer: Duration::from_secs(60),
    ..IMPATIENT
};

pub(super) async fn start(
    address: String,
    incarnation: Incarnation,
    tuning: Tuning,
) -> (PostgresStore, Arc<dyn Database>) {
    let opener = node(incarnation.0, &format!("{incarnation:?}:1"));
    let store = PostgresStore::open_tuned(&Secret(address), &opener, tuning).await;
    let store = store.expect("it opens");
    let policy = Policy::new([EventPolicy::new("chat", 1)]);
    let log = store.log(&policy).await.expect("it is there");
    (store, log)
}

pub(super) fn something() -> Vec<Change> {
    vec![Change::Line(Command::Expire)]
}

pub(super) fn written(reply: &Reply) -> Option<u64> {
    match reply {
        Reply::Written(batch) => Some(batch.number.0),
        _ => None,
    }
}

/// Entries of the log, and what the counter shows.
fn counts(cluster: &Cluster, database: &str) -> String {
    cluster.sql(
        database,
        "SELECT (SELECT count(*) FROM log), (SELECT count FROM counter)",
    )
}

/// A change that is always refused.
struct Fails;

impl Operation for Fails {
    type Connection = PgConnection;
    type Output = ();

    async fn run(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        sqlx::query("SELECT 1 / 0").execute(connection).await.map(drop)
    }
}

#[tokio::test]
async fn what_was_given_before_an_entry_is_committed_with_it_and_the_rest_after_it() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    let (store, log) = start(cluster.url(&database), A, NODE).await;
    Count::begin(cluster, &database);
    let before = join_all((0..5).map(|_| store.write(Count)));
    let after = join_all((0..5).map(|_| store.write(Count)));
    let (before, reply, after) = tokio::join!(before, log.append(A, 1, something(), None), after);
    assert_eq!(before, (1..=5).map(Ok).collect::<Vec<_>>());
    assert_eq!(written(&reply), Some(1));
    assert_eq!(after, (6..=10).map(Ok).collect::<Vec<_>>());
    assert_eq!(store.writer.commits(), 2);
    let Reply::Written(batch) = reply else { panic!() };
    let read = log.read(crate::nodes::Number(0)).await.expect("it is there");
    assert_eq!(read.batches, [*batch], "what is told is what is there");

    // One that fails harms neither the others nor the entry, and one that comes to nothing harms no change.
    let (failed, reply) = tokio::join!(store.write(Fails), log.append(A, 2, something(), None));
    assert!(matches!(failed, Err(StoreError::Other(_))), "{failed:?}");
    assert_eq!(written(&reply), Some(2));
    let stranger = Some(heard(B, 7));
    let (counted, reply) = tokio::join!(store.write(Count), log.append(A, 3, something(), stranger));
    assert_eq!((counted, reply), (Ok(11), Reply::Nothing));
    let (counted, reply) = tokio::join!(store.write(Count), log.append(A, 2, something(), None));
    assert_eq!((counted, reply), (Ok(12), Reply::Already));
    assert_eq!(store.writer.commits(), 5);
    assert_eq!(counts(cluster, &database), "2|12");
}

#[tokio::test]
async fn a_change_and_the_entry_that_it_goes_with_share_a_commit() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    let (store, log) = start(cluster.url(&database), A, NODE).await;
    Count::begin(cluster, &database);
    // The entry has some tasks to pass before it is given; whatever comes meanwhile goes along.
    let late = async {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        let counted = store.write(Count);
        tokio::join!(counted, log.append(A, 1, something(), None))
    };
    let (first, (second, reply)) = tokio::join!(store.writer.write_with_entry(Count), late);
    assert_eq!((first, second, written(&reply)), (Ok(1), Ok(2), Some(1)));
    assert_eq!(store.writer.commits(), 1);
    assert_eq!(counts(cluster, &database), "1|2");

    // One whose entry does not come is written all the same, and so is the entry that comes after all.
    assert_eq!(store.writer.write_with_entry(Count).await, Ok(3));
    assert_eq!(written(&log.append(A, 2, something(), None).await), Some(2));
    assert_eq!(store.writer.commits(), 3);

    // If the entry cannot be appended, its change waits for no other.
    cluster.sql(&database, "ALTER TABLE log ADD CONSTRAINT never CHECK (number < 3)");
    let (counted, reply) = tokio::join!(
        store.writer.write_with_entry(Count),
        log.append(A, 3, something(), None)
    );
    assert_eq!((counted, reply), (Ok(4), Reply::Away));
    assert_eq!(counts(cluster, &database), "2|4");
}

#[tokio::test]
async fn an_entry_that_cannot_be_appended_harms_no_change_and_is_told() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    let (store, log) = start(cluster.url(&database), A, NODE).await;
    Count::begin(cluster, &database);
    cluster.sql(
        &database,
        "ALTER TABLE log ADD CONSTRAINT never CHECK (payload <> payload)",
    );
    let (counted, reply, later) = tokio::join!(
        store.write(Count),
        log.append(A, 1, something(), None),
        store.write(Count)
    );
    assert_eq!((counted, reply, later), (Ok(1), Reply::Away, Ok(2)));
    cluster.sql(&database, "ALTER TABLE log DROP CONSTRAINT never");
    assert_eq!(written(&log.append(A, 1, something(), None).await), Some(1));
    assert_eq!(counts(cluster, &database), "1|2");
}

#[tokio::test]
async fn an_entry_whose_commit_is_cut_off_is_written_once_and_its_fate_is_told() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    let between = Between::stand(cluster.port()).await;
    let (store, log) = start(between.url(cluster, &database), A, NODE).await;
    Count::begin(cluster, &database);
    let stranger = Some(heard(B, 7));
    let cuts = [
        (Cut::Before, None),
        (Cut::After, None),
        (Cut::After, stranger),
        (Cut::Before, stranger),
        (Cut::Never, None),
    ];
    let (mut entries, mut made) = (0, 0);
    for (sequence, (cut, unless_heard)) in (1..).zip(cuts) {
        for with_a_change in [true, false] {
            let sequence = sequence * 2 + u64::from(!with_a_change);
            between.next(cut);
            let append = log.append(A, sequence, something(), unless_heard);
            let reply = if with_a_change {
                let (counted, reply) = tokio::join!(store.write(Count), append);
                made += 1;
                assert_eq!(counted, Ok(made), "{cut:?}");
                reply
            } else {
                append.await
            };
            entries += i32::from(unless_heard.is_none());
            match (cut, unless_heard) {
                (_, Some(_)) => assert_eq!(reply, Reply::Nothing, "{cut:?}"),
                (Cut::After, None) => assert_eq!(reply, Reply::Already),
                _ => assert!(written(&reply).is_some(), "{cut:?}: {reply:?}"),
            }
            assert_eq!(counts(cluster, &database), format!("{entries}|{made}"), "{cut:?}");
        }
    }
}

#[tokio::test]
async fn a_crash_of_the_server_leaves_a_change_and_its_entry_or_neither() {
    if !anteroom_pgtest::present() {
        return;
    }
    let cluster = Arc::new(Cluster::start());
    let database = cluster.database();
    let (store, log) = start(cluster.url(&database), A, NODE).await;
    Count::begin(&cluster, &database);
    let stop = tokio_util::sync::CancellationToken::new();
    let made = AtomicU64::new(0);
    let pairs = async {
        let mut pairs = 0;
        while !stop.is_cancelled() {
            pairs += 1;
            let (counted, reply) = tokio::join!(store.write(Count), log.append(A, pairs, something(), None));
            assert_eq!(counted, Ok(pairs.cast_signed()));
            assert!(written(&reply).is_some() || reply == Reply::Already, "{reply:?}");
            made.store(pairs, Ordering::Relaxed);
        }
        pairs
    };
    let crashes = async {
        for round in 0..5 {
            // Some between two crashes, however slow the machine is.
            let so_far = made.load(Ordering::Relaxed);
            until("some are made", || made.load(Ordering::Relaxed) >= so_far + 2).await;
            tokio::time::sleep(Duration::from_millis(50 + 13 * round)).await;
            let (server, database) = (Arc::clone(&cluster), database.clone());
            let crashed = tokio::task::spawn_blocking(move || {
                server.crash();
                server.start_again();
                let counts = counts(&server, &database);
                let (entries, made) = counts.split_once('|').expect("two");
                assert_eq!(entries, made);
            });
            crashed.await.expect("no panic");
        }
        stop.cancel();
    };
    let (pairs, ()) = tokio::join!(pairs, crashes);
    assert!(pairs > 5, "{pairs}");
    assert_eq!(counts(&cluster, &database), format!("{pairs}|{pairs}"));
}

#[tokio::test]
async fn one_that_is_stopped_in_its_transaction_holds_up_no_other_and_is_declared_gone() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    let between = Between::stand(cluster.port()).await;
    let (stopped, its_log) = start(between.url(cluster, &database), A, NODE).await;
    let (store, log) = start(cluster.url(&database), B, NODE).await;
    Count::begin(cluster, &database);
    between.next(Cut::Hold);
    let held = async {
        tokio::join!(
            stopped.write(Count),
            its_log.append(A, 1, vec![Change::Up { address: None }], None)
        )
    };
    let others = async {
        until("it stands still", || between.is_at_it()).await;
        // Neither the end of the log nor a beat waits for it at all.
        let reply = log.append(B, 1, vec![Change::Up { address: None }], None).await;
        assert_eq!(written(&reply), Some(1));
        let Beaten::Noted { peers, head } = log.beat(B, Number(0)).await else {
            panic!("it is there")
        };
        assert_eq!((peers.len(), head.0.0), (1, 1));
        // What it has locked is let go by the server.
        assert_eq!(store.write(Count).await, Ok(1));
        let reply = log.append(B, 2, vec![Change::Gone(A)], Some(peers[0])).await;
        assert_eq!(written(&reply), Some(2));
        between.go_on();
    };
    let ((counted, reply), ()) = tokio::join!(held, others);
    assert!(matches!(counted, Err(StoreError::ReadOnly(_))), "{counted:?}");
    assert_eq!(reply, Reply::Fenced);
    assert_eq!(counts(cluster, &database), "2|1");
}

/// A change that takes its time.
struct Slow;

impl Operation for Slow {
    type Connection = PgConnection;
    type Output = ();

    async fn run(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        sqlx::query("SELECT pg_sleep(3)").execute(connection).await.map(drop)
    }
}

#[tokio::test]
async fn a_beat_waits_for_no_change_and_makes_a_declaration_come_to_nothing() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    let (store, a) = start(cluster.url(&database), A, NODE).await;
    let (_other, b) = start(cluster.url(&database), B, NODE).await;
    b.append(B, 1, vec![Change::Up { address: None }], None).await;
    let slow = Box::pin(store.write(Slow));
    let beats = Box::pin(async {
        for _ in 0..3 {
            let beaten = a.beat(A, Number(0)).await;
            let Beaten::Noted { peers, .. } = beaten else {
                panic!("{beaten:?}")
            };
            assert_eq!(peers, [heard(B, 0)]);
        }
    });
    let Either::Right((_, slow)) = select(slow, beats).await else {
        panic!("the change was first")
    };
    assert_eq!(slow.await, Ok(()));
    // Heard of since.
    let seen = heard(A, 2);
    let reply = b.append(B, 2, vec![Change::Gone(A)], Some(seen)).await;
    assert_eq!(reply, Reply::Nothing);
    let seen = heard(A, 3);
    let reply = b.append(B, 2, vec![Change::Gone(A)], Some(seen)).await;
    assert_eq!(written(&reply), Some(2));
    assert_eq!(a.beat(A, Number(0)).await, Beaten::Fenced);
}

#[tokio::test]
async fn a_database_that_stays_away_is_told_and_what_was_not_written_is_sent_again() {
    if !anteroom_pgtest::present() {
        return;
    }
    let cluster = Cluster::start();
    let database = cluster.database();
    let (store, log) = start(cluster.url(&database), A, IMPATIENT).await;
    log.append(A, 1, vec![Change::Up { address: None }], None).await;
    cluster.stop();
    let mut talk = Talk::new(an_owner(), "Title");
    let turn = talk.turn(None, "hello");
    talk.conversation.head = turn.id;
    let (reply, refused) = tokio::join!(
        log.append(A, 2, something(), None),
        store.accept(talk.conversation.clone(), turn, None, None)
    );
    assert_eq!(reply, Reply::Away);
    assert!(matches!(refused, Err(StoreError::Away(_))), "{refused:?}");
    assert_eq!(log.beat(A, Number(0)).await, Beaten::Away);
    cluster.start_again();
    until("it is well", || store.fault().is_none()).await;
    assert_eq!(written(&log.append(A, 2, something(), None).await), Some(2));
    assert!(matches!(log.beat(A, Number(0)).await, Beaten::Noted { .. }));
    store.close().await;
    assert_eq!(log.append(A, 3, something(), None).await, Reply::Away);
}
