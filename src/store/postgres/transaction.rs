//! The writing task's transactions.
//!
//! A group of jobs shares one. First each runs as it is, for nearly always all go well. If one fails, the group runs again, each job behind
//! a savepoint, so that the one that fails harms no other. What belongs to a group as a whole has its place between its last job and the
//! commit: it is on the disk if, and only if, the group is.

use sqlx::PgConnection;

use super::{faults, node::Node};
use crate::store::{StoreError, job::Job};

/// A job, and why it was refused where it was.
pub(super) struct Member {
    pub(super) job: Box<dyn Job<PgConnection>>,
    pub(super) refusal: Option<StoreError>,
}

/// How an attempt at a group failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// One of its jobs did. Nothing is written.
    Job,
    /// Nothing is written, and tried again it may go.
    Passing(sqlx::Error),
    /// The server was lost while it committed: it may be written or not.
    Unknown(sqlx::Error),
    /// The transaction itself: so will that of any other group now.
    Transaction(sqlx::Error),
    /// Somebody holds the lock: another process, or a session of this one that the server has not ended yet.
    Held,
    /// Another process has taken the place of this one.
    Replaced,
}

impl Failure {
    /// Of what went wrong before the commit.
    pub(super) fn of(error: sqlx::Error) -> Self {
        if faults::is_lost(&error) || faults::is_passing(&error) {
            Self::Passing(error)
        } else {
            Self::Transaction(error)
        }
    }
}

/// Runs a group in one transaction.
pub(super) async fn run(
    connection: &mut PgConnection,
    node: Node,
    batch: i64,
    group: &mut [Member],
    careful: bool,
) -> Result<(), Failure> {
    if !node.begin(connection, batch).await.map_err(Failure::of)? {
        return Err(Failure::Replaced);
    }
    for member in group {
        member.refusal = None;
        if careful {
            alone(connection, member).await?;
        } else if let Err(error) = member.job.run(connection).await {
            return Err(match Failure::of(error) {
                Failure::Transaction(_) => Failure::Job,
                failure => failure,
            });
        }
    }
    execute(connection, "COMMIT").await.map_err(|error| {
        if faults::is_lost(&error) {
            Failure::Unknown(error)
        } else {
            Failure::of(error)
        }
    })
}

/// Runs a job so that it leaves nothing behind where it fails.
async fn alone(connection: &mut PgConnection, member: &mut Member) -> Result<(), Failure> {
    execute(connection, "SAVEPOINT job").await.map_err(Failure::of)?;
    let end = match member.job.run(connection).await {
        Ok(()) => "RELEASE SAVEPOINT job",
        Err(error) => match Failure::of(error) {
            Failure::Transaction(error) => {
                member.refusal = Some(faults::meaning(&error));
                "ROLLBACK TO SAVEPOINT job"
            }
            failure => return Err(failure),
        },
    };
    execute(connection, end).await.map_err(Failure::of)
}

/// Ends a transaction that has failed. `false`: the connection is in doubt.
pub(super) async fn rolled_back(connection: &mut PgConnection) -> bool {
    // Where none was begun, that is a warning.
    execute(connection, "ROLLBACK").await.is_ok()
}

/// Whether there is room for a message again, of the longest kind: writes as much, and takes it back.
pub(super) async fn has_room(connection: &mut PgConnection, bytes: Vec<u8>) -> sqlx::Result<()> {
    execute(connection, "BEGIN").await?;
    let nobody = uuid::Uuid::nil();
    sqlx::query("INSERT INTO contents (id, finished) VALUES ($1, false)")
        .bind(nobody)
        .execute(&mut *connection)
        .await?;
    sqlx::query("INSERT INTO pieces (content, number, bytes) VALUES ($1, 0, $2)")
        .bind(nobody)
        .bind(bytes)
        .execute(&mut *connection)
        .await?;
    execute(connection, "ROLLBACK").await
}

async fn execute(connection: &mut PgConnection, sql: &'static str) -> sqlx::Result<()> {
    sqlx::raw_sql(sql).execute(connection).await.map(drop)
}
