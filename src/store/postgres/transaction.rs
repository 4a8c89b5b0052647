//! The writing task's transactions.
//!
//! A group of jobs shares one. First each runs as it is, for nearly always all go well; one that is alone mostly is the
//! transaction, in one statement (`whole.rs`). If one fails, the group runs again, each job behind a savepoint, so that the one that fails harms
//! no other. An entry of the log is the last that a group writes: it is on the disk if, and only if, the group is.

use sqlx::PgConnection;
use tokio::time::Instant;

use super::{
    append::Append,
    faults,
    group::{Goes, Group},
    node::Node,
    whole::Rest,
};
use crate::store::{StoreError, job::Job};

/// A job, when it came, whether it goes alone, and why it was refused where it was.
pub(super) struct Member {
    pub(super) job: Box<dyn Job<PgConnection>>,
    pub(super) since: Instant,
    pub(super) goes: Goes,
    pub(super) refusal: Option<StoreError>,
}

/// How an attempt at a group failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// One of its jobs did. Nothing is written.
    Job,
    /// Its entry of the log could not be appended. Nothing is written.
    Append(sqlx::Error),
    /// Nothing is written, and tried again it may go.
    Passing(sqlx::Error),
    /// The server was lost while it committed: it may be written or not.
    Unknown(sqlx::Error),
    /// The transaction itself: so will that of any other group now.
    Transaction(sqlx::Error),
    /// Somebody holds the lock: another process, or a session of this one that the server has not ended yet.
    Held,
    /// This process may write no more, and why.
    Fenced(&'static str),
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
    group: &mut Group,
    careful: bool,
) -> Result<(), Failure> {
    let fenced = Failure::Fenced(node.why_fenced());
    let Group { members, append } = group;
    if let Some(append) = append.as_mut().filter(|_| members.is_empty()) {
        let mut rest = Rest::of(node, batch, Some(&**append));
        if let Some(said) = rest.say_alone(connection).await {
            said.map_err(of_commit)?;
            append.hear(&rest.answer.ok_or(fenced)?);
            return Ok(());
        }
        // All of it in one way to the server and back.
        commit_with(connection, append, &format!("{}; ", node.beginning(batch))).await?;
        return if append.is_fenced() { Err(fenced) } else { Ok(()) };
    }
    if !careful
        && let [member] = &mut members[..]
        && let Some(made) = whole(connection, node, batch, member, append.as_deref_mut()).await
    {
        return made;
    }
    if !node.begin(connection, batch).await.map_err(Failure::of)? {
        return Err(fenced);
    }
    for member in members {
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
    match append {
        Some(append) => commit_with(connection, append, "").await,
        None => execute(connection, "COMMIT").await.map_err(|error| {
            if faults::is_lost(&error) {
                Failure::Unknown(error)
            } else {
                Failure::of(error)
            }
        }),
    }
}

/// Makes a change, appends and commits, all in one. `None`: that change cannot be made so.
async fn whole(
    connection: &mut PgConnection,
    node: Node,
    batch: i64,
    member: &mut Member,
    append: Option<&mut Append>,
) -> Option<Result<(), Failure>> {
    member.refusal = None;
    let mut rest = Rest::of(node, batch, append.as_deref());
    let made = member.job.run_whole(connection, &mut rest).await?;
    Some(match (made, rest.answer) {
        (Ok(()), None) => Err(Failure::Fenced(node.why_fenced())),
        (Ok(()), Some(said)) => {
            if let Some(append) = append {
                append.hear(&said);
            }
            Ok(())
        }
        (Err(error), _) => Err(match Failure::of(error) {
            Failure::Passing(error) if faults::is_lost(&error) => Failure::Unknown(error),
            // Whether it was the change, the entry or the commit is found out by steps.
            Failure::Transaction(_) => Failure::Job,
            failure => failure,
        }),
    })
}

/// Appends and commits.
async fn commit_with(connection: &mut PgConnection, append: &mut Append, before: &str) -> Result<(), Failure> {
    append.commit(connection, before).await.map_err(of_commit)
}

/// Of what went wrong while an entry was appended and committed.
fn of_commit(error: sqlx::Error) -> Failure {
    match Failure::of(error) {
        Failure::Passing(error) if faults::is_lost(&error) => Failure::Unknown(error),
        // Somebody else has the end of the log, or the row of a node that is declared gone: that passes.
        Failure::Transaction(error) if faults::is_locked(&error) => Failure::Passing(error),
        Failure::Transaction(error) => Failure::Append(error),
        failure => failure,
    }
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
