//! The minutes of the line.

use sqlx::SqliteConnection;

use crate::store::{Minute, job::Operation, minutes::KEPT, rows::integer};

/// A process that has ended within a minute and has come back has two parts of it.
const KEEP: &str = "INSERT INTO minutes (node, at, running, waiting, started, waited_ms, ended, browsers, memory) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (at, node) DO UPDATE SET \
     running = MAX(minutes.running, excluded.running), waiting = MAX(minutes.waiting, excluded.waiting), \
     started = minutes.started + excluded.started, waited_ms = minutes.waited_ms + excluded.waited_ms, \
     ended = minutes.ended + excluded.ended, browsers = excluded.browsers, memory = excluded.memory";

const DROP_OLD: &str = "DELETE FROM minutes WHERE at <= ?1";

/// See [`crate::store::Store::keep_minute`].
pub(in crate::store::sqlite) struct KeepMinute(pub(in crate::store::sqlite) Minute);

impl Operation for KeepMinute {
    type Connection = SqliteConnection;
    type Output = ();

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        let minute = &self.0;
        sqlx::query(KEEP)
            .bind(minute.node.as_str())
            .bind(integer(minute.at))
            .bind(integer(minute.running))
            .bind(integer(minute.waiting))
            .bind(integer(minute.started))
            .bind(integer(minute.waited_ms))
            .bind(integer(minute.ended))
            .bind(integer(minute.sessions))
            .bind(minute.memory.map(integer))
            .execute(&mut *connection)
            .await?;
        sqlx::query(DROP_OLD)
            .bind(integer(minute.at.saturating_sub(KEPT)))
            .execute(connection)
            .await?;
        Ok(())
    }
}
