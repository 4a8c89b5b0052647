//! What stands in the way of a start, and what does not.

use futures_util::future::join_all;

use super::*;

/// An address where nobody is.
fn nobody() -> String {
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
    format!(
        "postgres://me:{}@{}/anteroom",
        anteroom_pgtest::PASSWORD,
        free.expect("a free port")
    )
}

#[tokio::test]
async fn what_was_kept_is_there_at_the_next_start() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let address = cluster.url(&cluster.database());
    let store = open(&address).await;
    assert_eq!(store.is_empty().await, Ok(true));
    assert_eq!(store.warnings(), [""; 0]);
    let mut talk = Talk::new(an_owner(), "Title");
    let turn = talk.say(&store, None, "hello").await;
    store.close().await;
    assert_eq!(store.update(turn.clone()).await, Err(StoreError::Closed));
    assert_eq!(store.turn(turn.owner, turn.id).await, Err(StoreError::Closed));
    let store = open(&address).await;
    assert_eq!(store.is_empty().await, Ok(false));
    assert_eq!(store.turns(turn.owner, talk.id()).await, Ok(vec![turn]));
}

#[tokio::test]
async fn one_at_a_time_has_a_database() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let address = cluster.url(&cluster.database());
    let first = open(&address).await;
    let error = refused(&address).await;
    let said = error.to_string();
    assert!(matches!(error, OpenError::InUse { .. }), "{said}");
    for part in [
        &format!("process {}", std::process::id()),
        "127.0.0.1",
        "DATABASE_URL",
        "NODE_ADDR",
    ] {
        assert!(said.contains(part), "{said}");
    }
    drop(first);
    // It ends a moment later, which a start waits for.
    open(&address).await;
}

#[tokio::test]
async fn of_eight_that_start_at_once_each_finds_the_tables_and_one_stays() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let address = cluster.url(&cluster.database());
    let starts = join_all((0..8).map(|_| open_impatiently(&address))).await;
    let (opened, refused): (Vec<_>, Vec<_>) = starts.into_iter().partition(Result::is_ok);
    assert_eq!(opened.len(), 1);
    for error in refused.into_iter().filter_map(Result::err) {
        assert!(matches!(error, OpenError::InUse { .. }), "{error}");
    }
}

#[tokio::test]
async fn migrations_at_once_are_made_one_after_the_other() {
    use sqlx::Connection as _;

    use crate::store::{postgres::link::Link, readers::Connect as _};

    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let address = Secret(cluster.url(&cluster.database()));
    let link = Link::new(&address, Incarnation(1), IMPATIENT).expect("an address");
    let migrate = async || {
        let mut connection = link.connect().await.expect("connected");
        crate::store::postgres::schema::migrate(&mut connection, &link.place())
            .await
            .expect("migrated");
        connection.close().await.expect("closed");
    };
    join_all((0..8).map(|_| migrate())).await;
    let address = address.0;
    let store = open(&address).await;
    assert_eq!(store.is_empty().await, Ok(true));
}

#[tokio::test]
async fn the_tables_are_those_of_the_migrations() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    open(&cluster.url(&database)).await.close().await;
    let there = cluster.sql(
        &database,
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
    );
    let mut expected = [&crate::store::postgres::schema::TABLES[..], &["_sqlx_migrations"]].concat();
    expected.sort_unstable();
    assert_eq!(there.lines().collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_database_of_before_the_log_loses_nothing() {
    use sqlx::Connection as _;

    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    let address = cluster.url(&database);
    let mut connection = sqlx::PgConnection::connect(&address).await.expect("connected");
    let migrator = crate::store::postgres::schema::up_to(1);
    migrator
        .run_direct(None, &mut connection, false)
        .await
        .expect("migrated");
    connection.close().await.expect("closed");
    let [owner, talk, turn] = [1, 2, 3].map(uuid::Uuid::from_u128);
    cluster.sql(
        &database,
        &format!(
            "INSERT INTO nodes (id, name, batch) VALUES (gen_random_uuid(), 'before', 7); \
             UPDATE site SET fingerprint = 'key'; \
             INSERT INTO owners (id) VALUES ('{owner}'); \
             INSERT INTO conversations (owner, id, head, updated_at, title) VALUES (1, '{talk}', '{turn}', 5, 'Title'); \
             INSERT INTO turns (owner, conversation, parent, id, state, attempts, accepted_at, counted, model, notices, message, answer, reasoning) \
             VALUES (1, 1, 0, '{turn}', 'waiting', 0, 5, false, 'm', '[]', 'hello', '', ''); \
             INSERT INTO files (owner, id, name, kind, mime, size, uploaded_at) VALUES (1, '{turn}', 'n', 'text', 'text/plain', 3, 5); \
             INSERT INTO contents (id, finished) VALUES ('{turn}', true), ('{owner}', false); \
             INSERT INTO pieces (content, number, bytes) VALUES ('{turn}', 0, 'abc')"
        ),
    );
    let store = open(&address).await;
    let unfinished = store.unfinished().await.expect("read");
    assert_eq!(unfinished.len(), 1);
    assert_eq!(unfinished[0].turn.turn.message, "hello");
    assert_eq!(store.admits_key("another").await, Ok(false));
    let file = crate::wire::FileId(turn);
    let vault = crate::files::Vault::over(store.contents());
    assert_eq!(vault.read(file, 10).await.expect("there"), b"abc");
    let left = cluster.sql(
        &database,
        "SELECT (SELECT count(*) FROM contents), (SELECT count(*) FROM nodes)",
    );
    assert_eq!(left, "1|1");
    store.update(unfinished[0].turn.turn.clone()).await.expect("updated");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_waited_for_and_then_named() {
    let error = refused(&nobody()).await;
    let said = error.to_string();
    assert!(matches!(error, OpenError::Unreachable { .. }), "{said}");
    assert!(said.contains("127.0.0.1:") && said.contains("refused"), "{said}");
}

#[tokio::test]
async fn a_server_that_comes_up_meanwhile_is_found() {
    if !anteroom_pgtest::present() {
        return;
    }
    let cluster = Cluster::start();
    let address = cluster.url(&cluster.database());
    cluster.crash();
    // It takes no connections until it has recovered.
    cluster.start_and_do_not_wait();
    open(&address).await;
}

#[tokio::test]
async fn a_wrong_password_or_name_is_told_at_once() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    let wrong = cluster.url_of("postgres", "not-the-one", &database);
    let error = refused(&wrong).await;
    assert!(matches!(error, OpenError::Refused { .. }), "{error}");
    let said = error.to_string();
    assert!(
        said.contains("the role postgres") && !said.contains("not-the-one"),
        "{said}"
    );
    let error = refused(&cluster.url_of("nobody", anteroom_pgtest::PASSWORD, &database)).await;
    assert!(matches!(error, OpenError::Refused { .. }), "{error}");
    let error = refused(&cluster.url("missing")).await;
    assert!(matches!(error, OpenError::NoDatabase { .. }), "{error}");
    assert!(error.to_string().contains("createdb"), "{error}");
}

#[tokio::test]
async fn a_server_without_tls_is_refused_where_it_is_asked_for() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let address = format!("{}?sslmode=require", cluster.url(&cluster.database()));
    let error = refused(&address).await;
    assert!(matches!(error, OpenError::Tls { .. }), "{error:?}");
}

#[tokio::test]
async fn another_encoding_is_refused() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    cluster.sql(
        "postgres",
        "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0",
    );
    let error = refused(&cluster.url("latin")).await;
    assert!(matches!(error, OpenError::Encoding { .. }), "{error}");
    assert!(error.to_string().contains("LATIN1"), "{error}");
}

#[tokio::test]
async fn a_role_without_rights_is_told_what_it_lacks() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    cluster.sql(&database, "CREATE ROLE weak LOGIN PASSWORD 'weak'");
    let address = cluster.url_of("weak", "weak", &database);
    let error = refused(&address).await;
    assert!(matches!(error, OpenError::Rights { .. }), "{error:?}");
    assert!(error.to_string().contains("OWNER TO weak"), "{error}");
    // As it is said, so it works.
    cluster.sql("postgres", &format!("ALTER DATABASE {database} OWNER TO weak"));
    open(&address).await;
}

#[tokio::test]
async fn a_role_that_may_make_no_tables_uses_those_that_are_there() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    open(&cluster.url(&database)).await.close().await;
    // As docs/postgres.md has it.
    cluster.sql(
        &database,
        "CREATE ROLE user_only LOGIN PASSWORD 'x'; \
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO user_only; \
         GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO user_only",
    );
    let store = open(&cluster.url_of("user_only", "x", &database)).await;
    let owner = an_owner();
    let mut talk = Talk::new(owner, "Title");
    let turn = talk.say(&store, None, "hello").await;
    store.update(answered(turn, "done")).await.expect("updated");
    assert_eq!(store.delete(owner, talk.id(), 5).await, Ok(true));
    assert_eq!(store.purge(6, None).await.map(|purged| purged.files), Ok(vec![]));
}

#[tokio::test]
async fn what_can_only_be_read_is_refused() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    cluster.sql(
        "postgres",
        &format!("ALTER DATABASE {database} SET default_transaction_read_only = on"),
    );
    let error = refused(&cluster.url(&database)).await;
    assert!(matches!(error, OpenError::ReadOnly { .. }), "{error}");
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_as_it_is() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    let address = cluster.url(&database);
    open(&address).await.close().await;
    cluster.sql(
        &database,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', true, '', 0)",
    );
    let nodes = cluster.sql(&database, "SELECT id FROM nodes");
    let error = refused(&address).await;
    assert!(matches!(error, OpenError::Newer { version: 9999, .. }), "{error}");
    assert_eq!(cluster.sql(&database, "SELECT id FROM nodes"), nodes);
    cluster.sql(&database, "DELETE FROM _sqlx_migrations WHERE version = 9999");
    cluster.sql(
        &database,
        "UPDATE _sqlx_migrations SET checksum = 'x' WHERE version = 1",
    );
    let error = refused(&address).await;
    assert!(matches!(error, OpenError::Changed { version: 1, .. }), "{error}");
}

#[tokio::test]
async fn a_database_of_something_else_is_left_as_it_is() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    cluster.sql(&database, "CREATE TABLE files (precious text)");
    let error = refused(&cluster.url(&database)).await;
    assert!(matches!(error, OpenError::Taken { .. }), "{error:?}");
    assert_eq!(cluster.sql(&database, "SELECT count(*) FROM files"), "0");
}

#[tokio::test]
async fn a_database_whose_table_has_gone_does_not_start() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    let address = cluster.url(&database);
    open(&address).await.close().await;
    cluster.sql(&database, "DROP TABLE orphans");
    let error = refused(&address).await;
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("orphans"), "{error}");
}

#[tokio::test]
async fn a_server_that_may_lose_what_it_acknowledged_is_warned_of() {
    if !anteroom_pgtest::present() {
        return;
    }
    let cluster = Cluster::start_with("fsync = off\nsynchronous_commit = off\n");
    let database = cluster.database();
    let store = open(&cluster.url(&database)).await;
    let warnings = store.warnings();
    assert!(matches!(warnings, [one] if one.contains("fsync = off")), "{warnings:?}");
    // This one is ours to set.
    let mut talk = Talk::new(an_owner(), "Title");
    talk.say(&store, None, "hello").await;
    use crate::store::{postgres::link::Link, readers::Connect as _};
    let link = Link::new(&Secret(cluster.url(&database)), Incarnation(1), IMPATIENT).expect("an address");
    let mut connection = link.connect().await.expect("connected");
    let set: String = sqlx::query_scalar("SHOW synchronous_commit")
        .fetch_one(&mut connection)
        .await
        .expect("read");
    assert_eq!(set, "on");
}
