//! This process, as the database knows it: a lock, so that one at a time writes, and a row, which says what it has committed.
//!
//! The lock is the writing connection's, so that nothing can be written without it, and goes with it. A process that has lost its
//! connection takes it again with the next one. If another has had it meanwhile, the row is gone, and with it the right to write: what
//! this process has in memory may not be so any more.

use std::time::Duration;

use sqlx::{AssertSqlSafe, PgConnection, Row as _};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::link;

/// The lock's number: "anteroom" in ASCII.
const LOCK: i64 = 0x616e_7465_726f_6f6d;
/// Between two tries to take it.
const AGAIN: Duration = Duration::from_millis(50);

const HOLDER: &str = "SELECT a.application_name, host(a.client_addr) AS address FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid \
     WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 \
     AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
     AND ((l.classid::bigint << 32) | l.objid::bigint) = $1";

/// A process, for as long as it runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node(Uuid);

impl Node {
    pub(super) fn new() -> Self {
        Self(Uuid::new_v4())
    }

    /// Puts this process in the place of all before, whose row makes them write no more. The lock is to be held.
    pub(super) async fn register(self, connection: &mut PgConnection) -> sqlx::Result<()> {
        sqlx::query("WITH gone AS (DELETE FROM nodes) INSERT INTO nodes (id, name, batch) VALUES ($1, $2, 0)")
            .bind(self.0)
            .bind(link::application())
            .execute(connection)
            .await
            .map(drop)
    }

    /// Whether no other has taken this process's place.
    pub(super) async fn is_known(self, connection: &mut PgConnection) -> sqlx::Result<bool> {
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM nodes WHERE id = $1)")
            .bind(self.0)
            .fetch_one(connection)
            .await
    }

    /// The number of the last group that this process has committed. `None`: another has taken its place.
    pub(super) async fn committed(self, connection: &mut PgConnection) -> sqlx::Result<Option<i64>> {
        // Locked, so that a transaction which the server has not ended yet is waited for.
        sqlx::query_scalar("SELECT batch FROM nodes WHERE id = $1 FOR UPDATE")
            .bind(self.0)
            .fetch_optional(connection)
            .await
    }

    /// Begins a transaction with the number of its group. `false`: another has taken this process's place, and nothing is to be written.
    pub(super) async fn begin(self, connection: &mut PgConnection, batch: i64) -> sqlx::Result<bool> {
        // One way to the server and back. An id has nothing in it that would have to be quoted.
        let begin = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED; UPDATE nodes SET batch = {batch} WHERE id = '{}'",
            self.0
        );
        let begun = sqlx::raw_sql(AssertSqlSafe(begin)).execute(connection).await?;
        Ok(begun.rows_affected() == 1)
    }
}

/// Takes the lock, if need be once the one before has ended: after a crash, the server may take a moment to notice. `false`: somebody
/// has it.
pub(super) async fn hold(connection: &mut PgConnection, patience: Duration) -> sqlx::Result<bool> {
    let deadline = Instant::now() + patience;
    loop {
        let held = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
            .bind(LOCK)
            .fetch_one(&mut *connection)
            .await?;
        if held || Instant::now() >= deadline {
            return Ok(held);
        }
        sleep(AGAIN).await;
    }
}

/// Who holds the lock, in words.
pub(super) async fn holder(connection: &mut PgConnection) -> sqlx::Result<String> {
    let found = sqlx::query(HOLDER).bind(LOCK).fetch_optional(connection).await?;
    let Some(row) = found else {
        return Ok("one that has just ended; start again".to_owned());
    };
    let name: Option<String> = row.try_get("application_name")?;
    let address: Option<String> = row.try_get("address")?;
    // Another role's sessions have no name here.
    let name = name.filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| "another role's".to_owned());
    Ok(match address {
        Some(address) => format!("{name} at {address}"),
        None => name,
    })
}
