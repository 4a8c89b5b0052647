//! The minutes of the line.

use sqlx::SqliteConnection;

use crate::store::{Minute, minutes::minute, rows::integer};

const SINCE: &str = "SELECT node, at, running, waiting, started, waited_ms, ended, browsers, memory FROM minutes \
     WHERE at >= ?1 ORDER BY at, node";

/// Those that began at `since` or later, the oldest first.
pub(in crate::store::sqlite) async fn since(
    connection: &mut SqliteConnection,
    since: u64,
) -> sqlx::Result<Vec<Minute>> {
    let found = sqlx::query(SINCE).bind(integer(since)).fetch_all(connection).await?;
    found.iter().map(minute).collect()
}
