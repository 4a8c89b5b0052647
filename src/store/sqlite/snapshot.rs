//! A copy of the database as it is at one moment.

use std::path::Path;

use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use uuid::Uuid;

use super::{
    faults,
    options::{self, Tuning},
};
use crate::{store::StoreError, wire::FileId};

/// What a copy holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// Conversations, with those that can still be brought back.
    pub(crate) conversations: u64,
    /// Turns, all versions.
    pub(crate) turns: u64,
    /// The uploaded files that it knows.
    pub(crate) files: Vec<FileId>,
}

/// There is no copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SnapshotError {
    /// The database cannot be read.
    Unreadable(StoreError),
    /// The copy cannot be written.
    Unwritable(StoreError),
}

/// Copies a database, whether a server runs on it or not; writers are not disturbed. What happens meanwhile is in the copy or not, each
/// change as a whole. `copy` must not be there yet.
///
/// # Errors
/// [`SnapshotError`]; a part of the copy may be there then.
pub(crate) async fn snapshot(database: &Path, copy: &Path) -> Result<Snapshot, SnapshotError> {
    let unreadable = |error: sqlx::Error| SnapshotError::Unreadable(faults::meaning(&error));
    let path = copy
        .to_str()
        .ok_or_else(|| SnapshotError::Unwritable(StoreError::Other("its name is not UTF-8".into())))?;
    let options = options::reading(database, Tuning::default());
    let mut connection = options.connect().await.map_err(unreadable)?;
    let copied = sqlx::query("VACUUM INTO ?1").bind(path).execute(&mut connection).await;
    // It has only read.
    let _ = connection.close().await;
    copied.map_err(|error| match faults::meaning(&error) {
        reason @ (StoreError::Full | StoreError::ReadOnly(_)) => SnapshotError::Unwritable(reason),
        _ => unreadable(error),
    })?;
    contents(copy).await.map_err(unreadable)
}

async fn contents(copy: &Path) -> sqlx::Result<Snapshot> {
    let mut connection = options::reading(copy, Tuning::default()).connect().await?;
    let conversations = count(&mut connection, "SELECT count(*) FROM conversations").await?;
    let turns = count(&mut connection, "SELECT count(*) FROM turns").await?;
    let ids: Vec<Vec<u8>> = sqlx::query_scalar("SELECT DISTINCT id FROM files ORDER BY id")
        .fetch_all(&mut connection)
        .await?;
    let ids = ids.iter().map(|id| Uuid::from_slice(id).map(FileId));
    let files = ids
        .collect::<Result<_, _>>()
        .map_err(|error| sqlx::Error::Decode(error.into()))?;
    connection.close().await?;
    Ok(Snapshot {
        conversations,
        turns,
        files,
    })
}

async fn count(connection: &mut SqliteConnection, sql: &'static str) -> sqlx::Result<u64> {
    let count: i64 = sqlx::query_scalar(sql).fetch_one(connection).await?;
    Ok(count.unsigned_abs())
}
