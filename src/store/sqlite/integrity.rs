//! Whether the database is what it should be: looked through in the background, for reading it whole takes long.

use std::time::Duration;

use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{faults, schema::TABLES};
use crate::store::StoreError;

/// SQLite asks so often whether to go on: about every millisecond.
const STEPS: i32 = 1_000;
/// SQLite's code for what was told to stop.
const INTERRUPTED: &str = "9";

/// What looking through the database has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Every table and index is as it should be.
    Sound,
    /// So far as there was time for, it is.
    Unfinished,
    /// It is not.
    Damaged(String),
}

/// Looks through the database, table by table, for `longest` at most or until `stop`. Those who clean up wait for whoever
/// reads, so it is not read in one go.
///
/// # Errors
/// It cannot be read at all.
pub(super) async fn check(
    options: &SqliteConnectOptions,
    longest: Duration,
    stop: &CancellationToken,
) -> Result<Verdict, StoreError> {
    let mut connection = options.connect().await.map_err(|error| faults::meaning(&error))?;
    let deadline = Instant::now() + longest;
    let stop = stop.clone();
    connection
        .lock_handle()
        .await
        .map_err(|error| faults::meaning(&error))?
        .set_progress_handler(STEPS, move || Instant::now() < deadline && !stop.is_cancelled());
    let verdict = tables(&mut connection).await;
    // It has only read.
    let _ = connection.close().await;
    match verdict {
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(INTERRUPTED) => Ok(Verdict::Unfinished),
        Err(error) => match faults::meaning(&error) {
            StoreError::Damaged(reason) => Ok(Verdict::Damaged(reason)),
            fault => Err(fault),
        },
        Ok(verdict) => Ok(verdict),
    }
}

async fn tables(connection: &mut SqliteConnection) -> sqlx::Result<Verdict> {
    for table in TABLES {
        let said: Option<String> = sqlx::query_scalar("SELECT quick_check FROM pragma_quick_check(?1) LIMIT 1")
            .bind(table)
            .fetch_optional(&mut *connection)
            .await?;
        if let Some(said) = said.filter(|said| said != "ok") {
            return Ok(Verdict::Damaged(format!("table {table}: {said}")));
        }
    }
    Ok(Verdict::Sound)
}
