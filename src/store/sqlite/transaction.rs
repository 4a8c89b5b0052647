//! The writing task's transactions.

use std::convert::Infallible;

use sqlx::{AssertSqlSafe, SqliteConnection};

use crate::store::job::{Job, Writes};

impl Writes for SqliteConnection {
    /// Nothing is far from it, so no statement is spared.
    type Rest = Infallible;
}

/// How an attempt at a batch failed.
pub(super) enum Failure {
    /// One of its jobs.
    Job(sqlx::Error),
    /// The transaction itself: so will that of any other batch now.
    Transaction(sqlx::Error),
}

/// Runs a batch in one transaction.
pub(super) async fn run(
    connection: &mut SqliteConnection,
    batch: &mut [Box<dyn Job<SqliteConnection>>],
) -> Result<(), Failure> {
    // Locked for writing from the beginning, so that it is not found locked halfway. sqlx's own transactions are not used:
    // they lose count where SQLite has rolled back by itself.
    execute(connection, "BEGIN IMMEDIATE")
        .await
        .map_err(Failure::Transaction)?;
    for job in batch {
        job.run(connection).await.map_err(Failure::Job)?;
    }
    execute(connection, "COMMIT").await.map_err(Failure::Transaction)
}

/// The same, and whether it has changed anything.
pub(super) async fn counted(
    connection: &mut SqliteConnection,
    batch: &mut [Box<dyn Job<SqliteConnection>>],
) -> Result<bool, Failure> {
    let before = changes(connection).await.map_err(Failure::Transaction)?;
    run(connection, batch).await?;
    // Committed it is, whether this can be told or not.
    Ok(changes(connection).await.is_ok_and(|after| after > before))
}

async fn changes(connection: &mut SqliteConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT total_changes()").fetch_one(connection).await
}

/// Writes what is there once more: a number that nobody uses. The page it is on goes through the log to the disk, as any change does.
pub(super) async fn changing_nothing(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    execute(connection, "BEGIN IMMEDIATE").await?;
    let version: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut *connection)
        .await?;
    sqlx::raw_sql(AssertSqlSafe(format!("PRAGMA user_version = {version}")))
        .execute(&mut *connection)
        .await?;
    execute(connection, "COMMIT").await
}

/// Ends a transaction that has failed. `false`: the connection is in doubt.
pub(super) async fn rolled_back(connection: &mut SqliteConnection) -> bool {
    match execute(connection, "ROLLBACK").await {
        Ok(()) => true,
        // SQLite has done it already, or none was begun.
        Err(error) => error
            .as_database_error()
            .is_some_and(|error| error.message().contains("no transaction is active")),
    }
}

async fn execute(connection: &mut SqliteConnection, sql: &'static str) -> sqlx::Result<()> {
    sqlx::query(sql).execute(connection).await.map(drop)
}
