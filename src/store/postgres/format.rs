//! The format of the log, where versions meet.
//!
//! Nodes of two formats never work on one log: out of the same entries they might make two lines. A node of a newer version waits until those of
//! the older ones have ended, and then goes on with their line in its own format. One of an older version is refused.

use std::time::Duration;

use sqlx::{Connection as _, PgConnection};
use tokio::time::{Instant, sleep};
use tracing::{info, warn};
use uuid::Uuid;

use super::{
    faults,
    link::{self, Link},
    log,
};
use crate::{
    nodes::{FORMAT, Incarnation, Replica},
    store::{StoreError, readers::Connect as _},
};

/// Between two looks whether the others have ended.
const AGAIN: Duration = Duration::from_secs(1);
/// Between two words about them.
const SAID: Duration = Duration::from_secs(30);

/// Those of an older format that are there. The name of each one's sessions bears its incarnation.
const OLDER: &str = "SELECT coalesce(n.address, n.name) FROM nodes n WHERE n.format < $1 AND n.id <> $2 AND EXISTS \
     (SELECT FROM pg_stat_activity a WHERE position(replace(n.id::text, '-', '') IN a.application_name) > 0) ORDER BY 1";

/// What stands in the way of this version's format.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// Nothing.
    Ours,
    /// Nodes that keep the log in an older one.
    Older(Vec<String>),
    /// The log is in a newer one.
    Newer(i32),
}

/// Waits until the log is in this version's format, and brings it there if it can. `empty` is the line with which it begins where what is there
/// cannot be read.
///
/// # Errors
/// The log is in a newer format; the database is away.
pub(super) async fn enter(link: &Link, me: Incarnation, empty: &Replica) -> Result<(), StoreError> {
    let mut told: Option<Instant> = None;
    loop {
        let look = async { settle(&mut link.connect().await?, me, empty).await };
        match look.await.map_err(|error| faults::meaning(&error))? {
            Found::Ours => return Ok(()),
            Found::Newer(format) => {
                return Err(StoreError::Other(format!(
                    "a newer version of Anteroom keeps the line in it (format {format} of the log, this version has {FORMAT}): start that one"
                )));
            }
            Found::Older(nodes) => {
                if told.is_none_or(|told| told.elapsed() >= SAID) {
                    told = Some(Instant::now());
                    let nodes = nodes.join(", ");
                    warn!(
                        nodes,
                        "nodes of an older version keep the line, which this one keeps otherwise: it takes part once they have ended"
                    );
                }
            }
        }
        sleep(AGAIN).await;
    }
}

async fn settle(connection: &mut PgConnection, me: Incarnation, empty: &Replica) -> sqlx::Result<Found> {
    let mut transaction = connection.begin().await?;
    // The end of the log is this transaction's until it is over: nothing is appended meanwhile, and of two that come at once the second finds it done.
    let format: i32 = sqlx::query_scalar("SELECT format FROM log_head FOR UPDATE")
        .fetch_one(&mut *transaction)
        .await?;
    if format >= FORMAT {
        return Ok(if format == FORMAT {
            Found::Ours
        } else {
            Found::Newer(format)
        });
    }
    let older: Vec<String> = sqlx::query_scalar(OLDER)
        .bind(FORMAT)
        .bind(Uuid::from_u128(me.0))
        .fetch_all(&mut *transaction)
        .await?;
    if !older.is_empty() {
        return Ok(Found::Older(
            older.iter().map(|name| link::without_incarnation(name)).collect(),
        ));
    }
    // One that has only lost its connection writes nothing any more.
    sqlx::query("DELETE FROM nodes WHERE format < $1")
        .bind(FORMAT)
        .execute(&mut *transaction)
        .await?;
    match log::load(&mut transaction).await {
        Ok(replica) => log::replace(&mut transaction, &replica).await?,
        Err(sqlx::Error::Decode(error)) => {
            warn!(%error, "the line of the older version cannot be read: it begins anew, and what waits comes back by the time of its sending");
            log::restart(&mut transaction, empty).await?;
        }
        Err(error) => return Err(error),
    }
    sqlx::query("UPDATE log_head SET format = $1")
        .bind(FORMAT)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    info!(
        from = format,
        to = FORMAT,
        "the line is kept in this version's format from now on"
    );
    Ok(Found::Ours)
}
