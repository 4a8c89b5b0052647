//! What programs have been told, and what is too old.

use sqlx::SqliteConnection;

use crate::store::{job::Operation, sqlite::rows::integer};

/// Most batches that one transaction removes: others wait for it.
pub(super) const AT_A_TIME: u64 = 20;

/// A result stays for as long as something that needs it is not over.
const PURGE: &str = "DELETE FROM batches WHERE key IN ( \
       SELECT b.key FROM batches b WHERE b.ended_at IS NOT NULL AND b.ended_at < ?1 AND NOT EXISTS ( \
         SELECT 1 FROM tasks t JOIN task_needs n ON n.needs = t.key JOIN tasks w ON w.key = n.task \
         WHERE t.batch = b.key AND w.state IN ('open', 'running')) LIMIT ?2)";

/// See [`crate::store::TaskStore::delivered`].
pub(super) struct Delivered(pub(super) i64);

impl Operation for Delivered {
    type Connection = SqliteConnection;
    type Output = ();

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        let removed = sqlx::query("DELETE FROM deliveries WHERE key = ?1").bind(self.0);
        removed.execute(connection).await.map(drop)
    }
}

/// See [`crate::store::TaskStore::put_off`].
pub(super) struct PutOff(pub(super) i64, pub(super) Option<u64>);

impl Operation for PutOff {
    type Connection = SqliteConnection;
    type Output = ();

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        sqlx::query("UPDATE deliveries SET attempts = attempts + 1, due_at = ?2 WHERE key = ?1")
            .bind(self.0)
            .bind(self.1.map(integer))
            .execute(connection)
            .await
            .map(drop)
    }
}

/// A part of [`crate::store::TaskStore::purge_tasks`].
pub(super) struct Purge(pub(super) u64);

impl Operation for Purge {
    type Connection = SqliteConnection;
    type Output = u64;
    const FREES: bool = true;

    fn removed(count: &u64) -> bool {
        *count > 0
    }

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<u64> {
        let purged = sqlx::query(PURGE).bind(integer(self.0)).bind(integer(AT_A_TIME));
        Ok(purged.execute(connection).await?.rows_affected())
    }
}
