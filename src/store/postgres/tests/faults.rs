//! Servers that go away, come back, fill up or refuse: each of it real.

use futures_util::future::join_all;

use super::*;
use crate::queue::OrderKey;

/// Writes as fast as it can until told to stop; each write that was acknowledged has to be there afterwards, and only those.
struct Load {
    task: tokio::task::JoinHandle<(Talk, Vec<crate::store::TurnRecord>)>,
    stop: tokio_util::sync::CancellationToken,
}

impl Load {
    fn begin(store: &Arc<PostgresStore>) -> Self {
        let (store, stop) = (Arc::clone(store), tokio_util::sync::CancellationToken::new());
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            let mut talk = Talk::new(an_owner(), "Load");
            let mut accepted: Vec<crate::store::TurnRecord> = Vec::new();
            while !stopped.is_cancelled() {
                let turn = talk.turn(accepted.last().map(|turn| turn.id), &format!("{}", accepted.len()));
                let key = OrderKey {
                    tag: 1,
                    arrival: accepted.len() as u64,
                };
                // It panics where it is refused: a retry could have prevented that.
                talk.accept(&*store, &turn, Some(key)).await;
                accepted.push(turn);
            }
            (talk, accepted)
        });
        Self { task, stop }
    }

    async fn end(self, store: &PostgresStore) -> usize {
        self.stop.cancel();
        let (talk, accepted) = self.task.await.expect("nothing was refused");
        let stored = store.turns(talk.conversation.owner, talk.id()).await.expect("read");
        assert_eq!(stored, accepted);
        accepted.len()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_the_server_refuses_nobody_and_loses_nothing() {
    if !anteroom_pgtest::present() {
        return;
    }
    let cluster = Arc::new(Cluster::start());
    let address = cluster.url(&cluster.database());
    let store = Arc::new(open(&address).await);
    for round in 0..6 {
        let loads: Vec<_> = (0..4).map(|_| Load::begin(&store)).collect();
        tokio::time::sleep(Duration::from_millis(100 + 37 * round)).await;
        let server = Arc::clone(&cluster);
        let restarted = tokio::task::spawn_blocking(move || {
            if round % 2 == 0 {
                server.stop();
            } else {
                server.crash();
            }
            server.start_again();
        });
        restarted.await.expect("restarted");
        let reads = store.is_empty().await;
        assert_eq!(reads, Ok(false), "who reads is waited for, too");
        tokio::time::sleep(Duration::from_millis(100)).await;
        for load in loads {
            assert!(load.end(&store).await > 0);
        }
    }
    assert_eq!(store.fault(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_connection_is_made_anew_and_nothing_is_written_twice() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    let store = Arc::new(open(&cluster.url(&database)).await);
    let loads: Vec<_> = (0..4).map(|_| Load::begin(&store)).collect();
    let end = format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{database}' AND pid <> pg_backend_pid()"
    );
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(30)).await;
        let (end, database) = (end.clone(), database.clone());
        tokio::task::spawn_blocking(move || cluster.sql(&database, &end))
            .await
            .expect("ended");
    }
    for load in loads {
        load.end(&store).await;
    }
}

#[tokio::test]
async fn a_server_that_stays_away_is_told_and_found_again() {
    if !anteroom_pgtest::present() {
        return;
    }
    let cluster = Cluster::start();
    let address = cluster.url(&cluster.database());
    let store = open_impatiently(&address).await.expect("it opens");
    let mut talk = Talk::new(an_owner(), "Title");
    let turn = talk.say(&store, None, "hello").await;
    cluster.stop();
    // Nobody need write for that.
    until("it is known", || matches!(store.fault(), Some(StoreError::Away(_)))).await;
    let refused = store.update(turn.clone()).await;
    assert!(matches!(refused, Err(StoreError::Away(_))), "{refused:?}");
    let unread = store.turn(turn.owner, turn.id).await;
    assert!(matches!(unread, Err(StoreError::Away(_))), "{unread:?}");
    cluster.start_again();
    until("it is well", || store.fault().is_none()).await;
    store.update(answered(turn.clone(), "done")).await.expect("updated");
    assert_eq!(
        store.turns(turn.owner, talk.id()).await,
        Ok(vec![answered(turn, "done")])
    );
}

#[tokio::test]
async fn a_server_that_answers_no_more_is_given_up_and_found_again() {
    if !anteroom_pgtest::present() {
        return;
    }
    let cluster = Cluster::start();
    let address = cluster.url(&cluster.database());
    let store = open_impatiently(&address).await.expect("it opens");
    let mut talk = Talk::new(an_owner(), "Title");
    let turn = talk.say(&store, None, "hello").await;
    cluster.freeze(true);
    // The connection is there, and nothing comes: whether it was written is not known, so nothing is said of it until it is.
    let (written, ()) = tokio::join!(store.update(answered(turn.clone(), "done")), async {
        until("it is known", || matches!(store.fault(), Some(StoreError::Away(_)))).await;
        cluster.freeze(false);
    });
    assert_eq!(written, Ok(()));
    until("it is well", || store.fault().is_none()).await;
    assert_eq!(
        store.turns(turn.owner, talk.id()).await,
        Ok(vec![answered(turn, "done")])
    );
}

#[tokio::test]
async fn who_has_been_replaced_writes_no_more() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    let address = cluster.url(&database);
    let store = open_impatiently(&address).await.expect("it opens");
    let mut talk = Talk::new(an_owner(), "Title");
    let turn = talk.say(&store, None, "hello").await;
    // As another that has started while this one had no connection.
    cluster.sql(&database, "DELETE FROM nodes");
    let refused = store.update(answered(turn.clone(), "too late")).await;
    assert!(
        matches!(&refused, Err(StoreError::ReadOnly(reason)) if reason.contains("another Anteroom")),
        "{refused:?}"
    );
    assert_eq!(store.fault(), refused.err());
    assert_eq!(store.turns(turn.owner, talk.id()).await, Ok(vec![turn]));
}

#[tokio::test]
async fn what_may_not_be_written_is_told_and_found_again() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    cluster.sql("postgres", &format!("CREATE ROLE of_{database} LOGIN PASSWORD 'x'"));
    cluster.sql("postgres", &format!("ALTER DATABASE {database} OWNER TO of_{database}"));
    let address = cluster.url_of(&format!("of_{database}"), "x", &database);
    let store = open_impatiently(&address).await.expect("it opens");
    let mut talk = Talk::new(an_owner(), "Title");
    let turn = talk.say(&store, None, "hello").await;
    cluster.sql(&database, &format!("REVOKE UPDATE ON nodes, turns FROM of_{database}"));
    cluster.sql(
        &database,
        "ALTER TABLE nodes OWNER TO postgres; ALTER TABLE turns OWNER TO postgres",
    );
    let refused = store.update(answered(turn.clone(), "no")).await;
    assert!(matches!(refused, Err(StoreError::ReadOnly(_))), "{refused:?}");
    assert!(store.fault().is_some());
    cluster.sql(&database, &format!("GRANT ALL ON nodes, turns TO of_{database}"));
    until("it is well", || store.fault().is_none()).await;

    // A server that has become a standby, or an operator's switch.
    cluster.sql(
        "postgres",
        &format!("ALTER DATABASE {database} SET default_transaction_read_only = on"),
    );
    let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'");
    cluster.sql("postgres", &end);
    until("it is known", || matches!(store.fault(), Some(StoreError::ReadOnly(_)))).await;
    let refused = store.update(answered(turn.clone(), "no")).await;
    assert!(matches!(refused, Err(StoreError::ReadOnly(_))), "{refused:?}");
    cluster.sql(
        "postgres",
        &format!("ALTER DATABASE {database} RESET default_transaction_read_only"),
    );
    cluster.sql("postgres", &end);
    until("it is well", || store.fault().is_none()).await;
    store.update(answered(turn.clone(), "done")).await.expect("updated");
    assert_eq!(
        store.turns(turn.owner, talk.id()).await,
        Ok(vec![answered(turn, "done")])
    );
}

#[tokio::test]
async fn a_table_that_somebody_locks_is_told_and_those_who_wait_for_another_are_not_refused() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    let store = open_impatiently(&cluster.url(&database)).await.expect("it opens");
    let mut talk = Talk::new(an_owner(), "Title");
    let turn = talk.say(&store, None, "hello").await;
    // For longer than a change waits for a lock.
    let locked = database.clone();
    let locking = tokio::task::spawn_blocking(move || {
        cluster.sql(&locked, "BEGIN; LOCK TABLE turns; SELECT pg_sleep(3); COMMIT");
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    let owner = turn.owner;
    let (refused, renamed) = tokio::join!(
        store.update(answered(turn, "no")),
        store.rename(owner, talk.id(), "Other")
    );
    assert_eq!(refused, Err(StoreError::Locked));
    assert_eq!(renamed, Ok(true));
    locking.await.expect("no panic");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_wait_are_written_in_their_order_after_an_outage() {
    if !anteroom_pgtest::present() {
        return;
    }
    let cluster = Cluster::start();
    let address = cluster.url(&cluster.database());
    let store = open(&address).await;
    let mut talk = Talk::new(an_owner(), "Title");
    let turn = talk.say(&store, None, "hello").await;
    cluster.crash();
    let versions: Vec<_> = (0..50)
        .map(|number| answered(turn.clone(), &format!("{number}")))
        .collect();
    let writes = join_all(versions.iter().map(|version| store.update(version.clone())));
    let (outcomes, ()) = tokio::join!(writes, async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        tokio::task::block_in_place(|| cluster.start_again());
    });
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(store.turns(turn.owner, talk.id()).await.as_deref(), Ok(&versions[49..]));
}
