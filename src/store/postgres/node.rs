//! This process, as the database knows it: a lock, which says whether it shares the database, and a row, which says what it has committed.
//!
//! The lock is the writing connection's, so that nothing can be written without it, and goes with it. A process that has the database to
//! itself holds it alone; nodes hold it together. A process that has lost its connection takes it again with the next one. If its row is
//! gone by then (somebody has started who has the database to himself, or the other nodes have declared it gone), so is the right to write:
//! what this process has in memory may not be so any more.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::link;
use crate::nodes::{FORMAT, Incarnation};

/// The lock's number: "anteroom" in ASCII.
const LOCK: i64 = 0x616e_7465_726f_6f6d;
/// Between two tries to take it.
const AGAIN: Duration = Duration::from_millis(50);
/// What is said where somebody has started who has the database to himself.
const REPLACED: &str = "another Anteroom has been started over the same database. Restart this one";
/// What is said where the other nodes have done without it.
const DECLARED_GONE: &str =
    "this node was declared gone, since the others had heard nothing of it: it has to begin anew";

/// Who else holds the lock than the session that asks.
macro_rules! others {
    () => {
        "FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid \
         WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.pid <> pg_backend_pid() \
         AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
         AND ((l.classid::bigint << 32) | l.objid::bigint) = $1"
    };
}

const HOLDER: &str = concat!(
    "SELECT l.mode, a.application_name, host(a.client_addr) AS address ",
    others!()
);
const ALONE: &str = concat!("SELECT NOT EXISTS (SELECT 1 ", others!(), ")");

/// Rows of who has the database to himself are of before: he would hold the lock. So are those of this address whose sessions have ended,
/// each of which bears the incarnation in its name.
const CLEAR: &str = "DELETE FROM nodes n WHERE n.address IS NULL OR (n.address = $1 AND NOT EXISTS \
       (SELECT FROM pg_stat_activity a WHERE position(replace(n.id::text, '-', '') IN a.application_name) > 0))";

/// A process, for as long as it runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) incarnation: Incarnation,
    /// Whether others work over the same database.
    pub(super) shares: bool,
}

/// Who stands in the way of the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    /// In words.
    pub(super) name: String,
    /// Whether it holds the lock together with others; `None`: it has ended meanwhile.
    pub(super) shares: Option<bool>,
}

/// What a process has written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// The number of the last group that is committed.
    pub(super) batch: i64,
    /// The sequence of what it has appended to the log last.
    pub(super) sequence: u64,
}

impl Node {
    /// What its row is found by.
    pub(super) const fn id(self) -> Uuid {
        Uuid::from_u128(self.incarnation.0)
    }

    /// Takes the lock, if need be once the one before has ended: after a crash, the server may take a moment to notice. `false`: somebody
    /// has it.
    pub(super) async fn hold(self, connection: &mut PgConnection, patience: Duration) -> sqlx::Result<bool> {
        let take = if self.shares {
            "SELECT pg_try_advisory_lock_shared($1)"
        } else {
            "SELECT pg_try_advisory_lock($1)"
        };
        let deadline = Instant::now() + patience;
        loop {
            let held = sqlx::query_scalar(take).bind(LOCK).fetch_one(&mut *connection).await?;
            if held || Instant::now() >= deadline {
                return Ok(held);
            }
            sleep(AGAIN).await;
        }
    }

    /// Gives this process its row; the lock is to be held. Who has the database to himself takes the place of all before, whose row makes
    /// them write no more. One of several takes the place of its own starts of before, at its address. `false`: another process has that
    /// address, and stays for longer than `patience`.
    pub(super) async fn register(
        self,
        connection: &mut PgConnection,
        address: Option<&str>,
        patience: Duration,
    ) -> sqlx::Result<bool> {
        let deadline = Instant::now() + patience;
        loop {
            let mut transaction = connection.begin().await?;
            let clear = match address {
                None => sqlx::query("DELETE FROM nodes"),
                Some(address) => sqlx::query(CLEAR).bind(address),
            };
            clear.execute(&mut *transaction).await?;
            let made = sqlx::query(
                "INSERT INTO nodes (id, name, batch, address, format) VALUES ($1, $2, 0, $3, $4) \
                 ON CONFLICT (address) DO NOTHING",
            )
            .bind(self.id())
            .bind(link::process_name())
            .bind(address)
            .bind(FORMAT)
            .execute(&mut *transaction)
            .await?;
            if made.rows_affected() == 1 {
                sqlx::query("INSERT INTO beats (node) VALUES ($1)")
                    .bind(self.id())
                    .execute(&mut *transaction)
                    .await?;
                transaction.commit().await?;
                return Ok(true);
            }
            transaction.rollback().await?;
            if Instant::now() >= deadline {
                return Ok(false);
            }
            sleep(AGAIN).await;
        }
    }

    /// Whether it has its row still.
    pub(super) async fn is_known(self, connection: &mut PgConnection) -> sqlx::Result<bool> {
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM nodes WHERE id = $1)")
            .bind(self.id())
            .fetch_one(connection)
            .await
    }

    /// What this process has committed last. `None`: its row is gone.
    pub(super) async fn written(self, connection: &mut PgConnection) -> sqlx::Result<Option<Written>> {
        // Locked, so that a transaction which the server has not ended yet is waited for.
        let row = sqlx::query("SELECT batch, sequence FROM nodes WHERE id = $1 FOR UPDATE")
            .bind(self.id())
            .fetch_optional(connection)
            .await?;
        let written = row.map(|row| {
            Ok(Written {
                batch: row.try_get("batch")?,
                sequence: row.try_get::<i64, _>("sequence")?.cast_unsigned(),
            })
        });
        written.transpose()
    }

    /// The statements that begin a transaction with the number of its group. The row is this transaction's until it ends, so that nobody
    /// is declared gone in the middle of one; where there is none, nothing is to be written.
    pub(super) fn beginning(self, batch: i64) -> String {
        // An id has nothing in it that would have to be quoted. A number never goes back: a message of a connection that was given up may
        // reach the server after the next one's.
        format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED; UPDATE nodes SET batch = {batch} WHERE id = '{}' AND batch < {batch}",
            self.id()
        )
    }

    /// Begins a transaction with the number of its group, in one way to the server and back. `false`: this process's row is gone, and
    /// nothing is to be written.
    pub(super) async fn begin(self, connection: &mut PgConnection, batch: i64) -> sqlx::Result<bool> {
        let begin = AssertSqlSafe(self.beginning(batch));
        let begun = sqlx::raw_sql(begin).execute(connection).await?;
        Ok(begun.rows_affected() == 1)
    }

    /// Why a process without a row writes no more, in words.
    pub(super) const fn why_fenced(self) -> &'static str {
        if self.shares { DECLARED_GONE } else { REPLACED }
    }
}

/// Takes a process's row back, unless it has said something in the log by then: from that moment on others know it as a node.
pub(super) async fn withdraw(connection: &mut PgConnection, node: Incarnation) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM nodes WHERE id = $1 AND sequence = 0")
        .bind(Uuid::from_u128(node.0))
        .execute(connection)
        .await
        .map(drop)
}

/// Whether no other session holds the lock, also not together with this one.
pub(super) async fn is_alone(connection: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar(ALONE).bind(LOCK).fetch_one(connection).await
}

/// Who holds the lock.
pub(super) async fn holder(connection: &mut PgConnection) -> sqlx::Result<Holder> {
    let found = sqlx::query(HOLDER).bind(LOCK).fetch_optional(connection).await?;
    let Some(row) = found else {
        return Ok(Holder {
            name: "one that has just ended; start again".to_owned(),
            shares: None,
        });
    };
    let name: Option<String> = row.try_get("application_name")?;
    let address: Option<String> = row.try_get("address")?;
    // Another role's sessions have no name here.
    let name = name.filter(|name| !name.is_empty());
    let name = name.map_or_else(|| "another role's".to_owned(), |name| link::without_incarnation(&name));
    Ok(Holder {
        name: match address {
            Some(address) => format!("{name} at {address}"),
            None => name,
        },
        shares: Some(row.try_get::<&str, _>("mode")? == "ShareLock"),
    })
}
