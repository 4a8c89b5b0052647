//! Several processes over one database, and one that wants it to itself.

use futures_util::future::join_all;
use sqlx::Connection as _;

use super::*;
use crate::{
    files::Vault,
    nodes::{Beaten, Change, Database, Number, Peer, Reply},
    queue::{EventPolicy, Policy},
    store::{Purged, TurnRecord, postgres::link::Link, readers::Connect as _},
    wire::FileView,
};

fn policy() -> Policy {
    Policy::new([EventPolicy::new("chat", 1)])
}

const A: Incarnation = Incarnation(1);
const B: Incarnation = Incarnation(2);

async fn opened(address: &str, incarnation: u128, reached_at: &str) -> PostgresStore {
    let opener = node(incarnation, reached_at);
    let opened = PostgresStore::open(&Secret(address.to_owned()), &opener).await;
    opened.expect("it opens")
}

/// Those that have a row.
fn rows(cluster: &Cluster, database: &str) -> Vec<u128> {
    let rows = cluster.sql(database, "SELECT id FROM nodes ORDER BY id");
    let rows = rows
        .lines()
        .map(|id| id.parse::<uuid::Uuid>().expect("an id").as_u128());
    rows.collect()
}

#[tokio::test]
async fn two_write_at_once_and_one_that_is_declared_gone_writes_no_more_while_the_other_goes_on() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    let address = cluster.url(&database);
    let stores = [opened(&address, 1, "a:1").await, opened(&address, 2, "b:1").await];
    assert_eq!(rows(cluster, &database), [1, 2]);
    // Of one owner, so that they get into each other's way.
    let owner = an_owner();
    let writes = (0..60).map(|number| {
        let store = &stores[number % 2];
        async move {
            let mut talk = Talk::new(owner, "Title");
            let turn = talk.say(store, None, "hello").await;
            let turn = answered(turn, "done");
            store.update(turn.clone()).await.expect("updated");
            (talk.id(), turn)
        }
    });
    for (number, (talk, turn)) in join_all(writes).await.into_iter().enumerate() {
        // What one has written, the other reads.
        assert_eq!(stores[1 - number % 2].turns(owner, talk).await, Ok(vec![turn]));
    }
    let (a, b) = (
        stores[0].log(&policy()).await.expect("there"),
        stores[1].log(&policy()).await.expect("there"),
    );
    let first = a.append(A, 1, vec![Change::Up { address: None }], None).await;
    assert!(matches!(first, Reply::Written(_)), "{first:?}");
    let second = b
        .append(B, 1, vec![Change::Up { address: None }, Change::Gone(A)], None)
        .await;
    assert!(matches!(second, Reply::Written(_)), "{second:?}");
    assert_eq!(rows(cluster, &database), [2]);

    let mut talk = Talk::new(owner, "Title");
    let turn = talk.turn(None, "too late");
    let refused = stores[0]
        .accept(talk.conversation.clone(), turn.clone(), None, None)
        .await;
    assert!(
        matches!(&refused, Err(StoreError::ReadOnly(why)) if why.contains("declared gone")),
        "{refused:?}"
    );
    assert_eq!(a.append(A, 2, vec![Change::Leaving], None).await, Reply::Fenced);
    assert_eq!(a.beat(A, Number(0)).await, Beaten::Fenced);
    assert_eq!(stores[1].turn(owner, turn.id).await, Ok(None));
    talk.say(&stores[1], None, "hello").await;
    let third = b.append(B, 2, vec![Change::Leaving], None).await;
    assert!(matches!(third, Reply::Written(_)), "{third:?}");
    assert_eq!(
        b.append(A, 3, vec![Change::Up { address: None }], None).await,
        Reply::Fenced,
        "each for itself"
    );
}

/// A session of a node that is there.
async fn session(address: &str, node: u128) -> sqlx::PgConnection {
    let opener = self::node(node, "older:1");
    let link = Link::new(&Secret(address.to_owned()), opener.incarnation, IMPATIENT).expect("an address");
    link.bare().await.expect("connected")
}

#[tokio::test]
async fn a_newer_version_waits_for_the_older_ones_and_goes_on_with_their_line() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    let address = cluster.url(&database);
    let store = opened(&address, 1, "a:1").await;
    let log = store.log(&policy()).await.expect("there");
    let up = vec![Change::Up {
        address: Some("a:1".to_owned()),
    }];
    assert!(matches!(log.append(A, 1, up, None).await, Reply::Written(_)));
    let before = log.load().await.expect("read").snapshot();
    drop(log);
    store.close().await;
    // As an older version leaves it: one of its nodes is there, another has ended without a word.
    let older = "UPDATE log_head SET format = 0; UPDATE nodes SET format = 0; \
         INSERT INTO nodes (id, name, batch, address, format) VALUES ('00000000-0000-0000-0000-000000000007', 'older', 0, 'older:1', 0)";
    cluster.sql(&database, older);
    let there = session(&address, 7).await;

    let newer = opened(&address, 2, "b:1").await;
    // Another one of the same version is nobody to wait for.
    let beside = opened(&address, 3, "c:1").await;
    let policy = policy();
    let waits = async { tokio::join!(newer.log(&policy), beside.log(&policy)) };
    tokio::pin!(waits);
    let early = tokio::time::timeout(Duration::from_secs(2), &mut waits).await;
    assert!(early.is_err(), "it takes part beside an older one");
    assert_eq!(rows(cluster, &database), [1, 2, 3, 7]);
    there.close().await.expect("closed");
    let (newer, beside) = waits.await;
    let (newer, beside) = (newer.expect("it goes on"), beside.expect("it goes on"));
    assert_eq!(
        rows(cluster, &database),
        [2, 3],
        "those of the older version write no more"
    );
    for log in [&newer, &beside] {
        assert_eq!(
            log.load().await.expect("read").snapshot(),
            before,
            "the line is the same"
        );
    }
    let up = vec![Change::Up {
        address: Some("b:1".to_owned()),
    }];
    assert!(matches!(newer.append(B, 1, up, None).await, Reply::Written(batch) if batch.number == Number(2)));
}

#[tokio::test]
async fn a_line_that_this_version_cannot_read_begins_anew_and_one_of_a_newer_version_is_left_alone() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    let address = cluster.url(&database);
    let store = opened(&address, 1, "a:1").await;
    let log = store.log(&policy()).await.expect("there");
    let up = vec![Change::Up { address: None }];
    assert!(matches!(log.append(A, 1, up.clone(), None).await, Reply::Written(_)));
    let broken = "UPDATE log_head SET format = 0; UPDATE log SET payload = '[\"Unheard\"]'";
    cluster.sql(&database, broken);
    let log = store.log(&policy()).await.expect("it begins anew");
    let read = log.load().await.expect("read");
    assert_eq!((read.applied(), read.members().count()), (Number(0), 0));
    assert!(matches!(log.append(A, 2, up, None).await, Reply::Written(batch) if batch.number == Number(1)));
    assert_eq!(log.load().await.expect("read").members().count(), 1);

    cluster.sql(&database, "UPDATE log_head SET format = 1000");
    let refused = store.log(&policy()).await.err().expect("it is refused");
    for part in ["newer version", "1000"] {
        assert!(refused.to_string().contains(part), "{refused}");
    }
    assert_eq!(
        log.load().await.expect("read").members().count(),
        1,
        "nothing has changed"
    );
}

#[tokio::test]
async fn one_that_has_it_to_itself_and_several_exclude_each_other() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    let address = cluster.url(&database);
    let alone = open(&address).await;
    let error = open_as(&address, 1, "a:1").await.expect_err("it is refused");
    assert!(matches!(error, OpenError::InUseAlone { .. }), "{error}");
    let process = format!("(anteroom (process {}) at 127.0.0.1)", std::process::id());
    for part in [&process, "NODE_ADDR", "to itself"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    drop(alone);
    let (a, b) = (opened(&address, 1, "a:1").await, opened(&address, 2, "b:1").await);
    // Who had it to himself has no row any more.
    assert_eq!(rows(cluster, &database), [1, 2]);
    let error = refused(&address).await;
    assert!(matches!(error, OpenError::InUseByNodes { .. }), "{error}");
    for part in ["process", "NODE_ADDR", "several"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    a.close().await;
    refused(&address).await;
    b.close().await;
    open(&address).await;
    let rows = rows(cluster, &database);
    assert!(rows.len() == 1 && !rows.contains(&1) && !rows.contains(&2), "{rows:?}");
}

#[tokio::test]
async fn an_address_is_one_nodes_and_its_next_starts_take_its_place() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    let address = cluster.url(&database);
    let first = opened(&address, 1, "a:1").await;
    let other = opened(&address, 9, "b:1").await;
    let error = open_as(&address, 2, "a:1").await.expect_err("it is refused");
    assert!(matches!(error, OpenError::AddressInUse { .. }), "{error}");
    assert!(error.to_string().contains("NODE_ADDR a:1"), "{error}");
    assert_eq!(rows(cluster, &database), [1, 9]);
    drop(first);
    // The server may take its time to notice.
    let opener = node(3, "a:1");
    let patient = Tuning {
        lock: Duration::from_secs(60),
        ..Tuning::default()
    };
    let second = PostgresStore::open_tuned(&Secret(address.clone()), &opener, patient).await;
    let next = second.expect("it opens");
    assert_eq!(rows(cluster, &database), [3, 9]);
    // The others hear of that by what is missing.
    let log = other.log(&policy()).await.expect("it is there");
    let peers = async |log: &Arc<dyn Database>, node, applied| match log.beat(node, applied).await {
        Beaten::Noted { peers, .. } => peers,
        other => panic!("it is there: {other:?}"),
    };
    let seen = |node, beats, applied| Peer { node, beats, applied };
    let (first, second) = (Incarnation(9), Incarnation(3));
    assert_eq!(peers(&log, first, Number(5)).await, [seen(second, 0, Number(0))]);
    // Each says how far it is in the log.
    let log = next.log(&policy()).await.expect("it is there");
    assert_eq!(peers(&log, second, Number(7)).await, [seen(first, 1, Number(5))]);
}

#[tokio::test]
async fn of_several_that_start_at_once_at_one_address_one_stays() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let address = cluster.url(&cluster.database());
    let starts = join_all((1..=4).map(|incarnation| open_as(&address, incarnation, "a:1"))).await;
    let (opened, refused): (Vec<_>, Vec<_>) = starts.into_iter().partition(Result::is_ok);
    assert_eq!(opened.len(), 1);
    for error in refused.into_iter().filter_map(Result::err) {
        assert!(matches!(error, OpenError::AddressInUse { .. }), "{error}");
    }
}

#[tokio::test]
async fn several_that_start_at_once_on_an_empty_database_have_one_key_and_one_log() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let address = cluster.url(&cluster.database());
    let starts = (0..6).map(|number| {
        let address = address.clone();
        async move {
            let store = opened(&address, number + 1, &format!("node{number}:1")).await;
            let key = if number % 2 == 0 { "one" } else { "other" };
            let admitted = store.admits_key(key).await.expect("written");
            store.log(&policy()).await.expect("it is there");
            (store, key, admitted)
        }
    });
    let starts = join_all(starts).await;
    let admitted: Vec<_> = starts
        .iter()
        .filter(|(_, _, admitted)| *admitted)
        .map(|(_, key, _)| key)
        .collect();
    assert!(
        admitted.len() == 3 && admitted.iter().all(|key| *key == admitted[0]),
        "{admitted:?}"
    );
    for (store, key, admitted) in &starts {
        assert_eq!(store.admits_key(key).await, Ok(*admitted));
    }
    for (store, ..) in &starts {
        store.close().await;
    }
    // Nobody is there any more, and nothing that would be hidden.
    let next = opened(&address, 9, "next:1").await;
    assert_eq!(next.admits_key("a third").await, Ok(true));
}

async fn upload(vault: &Vault, content: &[u8]) -> FileView {
    let mut upload = vault.begin("notes.txt", 1_000).await.expect("begun");
    upload.write(content).await.expect("written");
    upload.finish().await.expect("kept")
}

#[tokio::test]
async fn a_start_removes_no_upload_of_another_that_is_at_work() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    let address = cluster.url(&database);
    let first = opened(&address, 1, "a:1").await;
    let vault = Vault::over(first.contents());
    let noted = upload(&vault, b"noted").await;
    first.add_file(an_owner(), noted.clone(), 5).await.expect("added");
    let to_be_noted = upload(&vault, b"to be noted").await;
    let mut unfinished = vault.begin("notes.txt", 1_000).await.expect("begun");
    unfinished.write(b"first ").await.expect("written");
    let _second = opened(&address, 2, "b:1").await;
    unfinished.write(b"second").await.expect("written");
    let finished = unfinished.finish().await.expect("kept");
    assert_eq!(vault.read(finished.id, 100).await.expect("there"), b"first second");
    assert_eq!(vault.read(to_be_noted.id, 100).await.expect("there"), b"to be noted");
    // Once it can note nothing any more, they are of no use.
    cluster.sql(&database, "DELETE FROM nodes WHERE address = 'a:1'");
    let third = opened(&address, 3, "c:1").await;
    let vault = Vault::over(third.contents());
    assert_eq!(vault.read(noted.id, 100).await.expect("there"), b"noted");
    assert_eq!(cluster.sql(&database, "SELECT count(*) FROM contents"), "1");
}

/// How many wait for what another has locked.
fn waiting(cluster: &Cluster, database: &str) -> String {
    let waiting =
        format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND wait_event_type = 'Lock'");
    cluster.sql(database, &waiting)
}

#[tokio::test]
async fn a_purge_removes_nothing_that_another_has_just_brought_back_or_carried() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    let address = cluster.url(&database);
    let store = opened(&address, 1, "a:1").await;
    let owner = an_owner();
    let mut talk = Talk::new(owner, "Title");
    let turn = talk.say(&store, None, "hello").await;
    store.update(answered(turn.clone(), "done")).await.expect("updated");
    assert_eq!(store.delete(owner, talk.id(), 5).await, Ok(true));
    let vault = Vault::over(store.contents());
    let file = upload(&vault, b"carried").await;
    store.add_file(owner, file.clone(), 5).await.expect("added");

    let link = Link::new(&Secret(address), Incarnation(9), Tuning::default()).expect("an address");
    let mut other = link.connect().await.expect("connected");
    for (change, unused_before, what) in [
        (
            "UPDATE conversations SET deleted_at = NULL, updated_at = 1000",
            None,
            "a message into it",
        ),
        (
            "INSERT INTO turn_files SELECT t.key, 0, f.key FROM turns t, files f",
            Some(100),
            "a message with the file",
        ),
    ] {
        let mut transaction = other.begin().await.expect("begun");
        sqlx::query(change).execute(&mut *transaction).await.expect(what);
        let (purged, ()) = tokio::join!(store.purge(100, unused_before), async {
            until("it waits for that", || waiting(cluster, &database) == "1").await;
            transaction.commit().await.expect("committed");
        });
        assert_eq!(purged, Ok(Purged::default()), "{what}");
    }
    let turn = TurnRecord {
        files: vec![file],
        ..answered(turn, "done")
    };
    assert_eq!(store.turns(owner, talk.id()).await, Ok(vec![turn]));
}

#[tokio::test]
async fn a_start_that_comes_to_nothing_takes_its_row_back_unless_it_is_a_node_by_then() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    let address = cluster.url(&database);
    let (first, second) = (opened(&address, 1, "a:1").await, opened(&address, 2, "b:1").await);
    let log = first.log(&policy()).await.expect("it is there");
    let up = vec![Change::Up { address: None }];
    assert!(matches!(log.append(A, 1, up, None).await, Reply::Written(_)));
    first.withdraw().await;
    second.withdraw().await;
    assert_eq!(rows(cluster, &database), [1]);
    second.withdraw().await;
    let down = Cluster::start();
    let away = opened(&down.url(&down.database()), 3, "c:1").await;
    down.crash();
    // It is said, and nobody waits for long.
    away.withdraw().await;
}
