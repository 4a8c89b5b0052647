//! Removing from the disk what has been deleted.
//!
//! `secure_delete` overwrites what is deleted with zeros, in pages that stay and in those that become free. Until the log
//! beside the database has been emptied into it, though, the old pages are still in the database's file, and in the log.

use sqlx::{Row as _, SqliteConnection};

/// Gives back free pages, copies what is in the log into the database, and makes the log a file of no bytes. `false`:
/// somebody who reads stood in the way.
pub(super) async fn clean(connection: &mut SqliteConnection) -> sqlx::Result<bool> {
    let vacuumed = vacuum(connection).await;
    let emptied = empty_log(connection).await?;
    if vacuumed.is_ok() {
        return Ok(emptied);
    }
    // On a disk that is full, the log had no room for the pages that move. It has some now.
    vacuum(connection).await?;
    empty_log(connection).await
}

async fn vacuum(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    // Frees a page for each row that is asked for.
    sqlx::raw_sql("PRAGMA incremental_vacuum")
        .fetch_all(connection)
        .await
        .map(drop)
}

async fn empty_log(connection: &mut SqliteConnection) -> sqlx::Result<bool> {
    let row = sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        .fetch_one(connection)
        .await?;
    Ok(row.try_get::<i64, _>(0)? == 0)
}
