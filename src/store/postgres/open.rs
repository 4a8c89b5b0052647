//! Opening the database.

use std::time::Duration;

use sqlx::{PgConnection, Row as _};
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use super::{
    OpenError, Tuning, contents, faults,
    link::{Link, Place},
    node::{self, Node},
    schema,
};
use crate::settings::Secret;

/// The oldest server that is known to work, as it numbers itself.
const OLDEST: u32 = 150_000;
/// Between two tries to reach it.
const AGAIN: Duration = Duration::from_millis(200);

/// What opening has found.
pub(super) struct Opened {
    /// Holds the lock.
    pub(super) connection: PgConnection,
    pub(super) link: Link,
    pub(super) node: Node,
    /// What is odd and lets it start all the same, a sentence each.
    pub(super) warnings: Vec<String>,
}

/// Opens the database of this address and brings it up to date.
pub(super) async fn open(address: &Secret, tuning: Tuning) -> Result<Opened, OpenError> {
    let link = Link::new(address, tuning).map_err(|error| OpenError::Address(faults::said(&error)))?;
    let place = link.place();
    let mut connection = reach(&link, &place, tuning.start).await?;
    fits(&mut connection, &place).await?;
    let of = |error: sqlx::Error| OpenError::of(&error, &place);
    link.settle(&mut connection).await.map_err(of)?;
    if !node::hold(&mut connection, tuning.lock).await.map_err(of)? {
        let holder = node::holder(&mut connection).await.map_err(of)?;
        return Err(OpenError::InUse { place, holder });
    }
    schema::migrate(&mut connection, &place).await?;
    // What is set for migrations is not for what comes.
    link.settle(&mut connection).await.map_err(of)?;
    let node = Node::new();
    node.register(&mut connection).await.map_err(of)?;
    contents::sweep(&mut connection).await.map_err(of)?;
    let warnings = look(&mut connection).await.map_err(of)?;
    info!(server = %place, database = place.database, "conversations are kept here");
    Ok(Opened {
        connection,
        link,
        node,
        warnings,
    })
}

/// Connects. A server that is not there, or not yet, is waited for.
async fn reach(link: &Link, place: &Place, patience: Duration) -> Result<PgConnection, OpenError> {
    let deadline = Instant::now() + patience;
    let mut told = false;
    loop {
        let error = match link.bare().await {
            Ok(connection) => return Ok(connection),
            Err(error) => error,
        };
        let wrong = faults::is_tls(&error) || matches!(faults::code(&error).as_deref(), Some("28P01" | "3D000"));
        if !faults::is_lost(&error) || wrong || Instant::now() >= deadline {
            return Err(OpenError::of(&error, place));
        }
        if !told {
            told = true;
            let seconds = patience.as_secs();
            warn!(server = %place, error = faults::said(&error), seconds, "PostgreSQL cannot be reached yet; waiting for it");
        }
        sleep(AGAIN).await;
    }
}

/// Whether the server and the database are such as can be used.
async fn fits(connection: &mut PgConnection, place: &Place) -> Result<(), OpenError> {
    let place = place.clone();
    let row = sqlx::query(
        "SELECT current_setting('server_version_num')::bigint AS number, current_setting('server_version') AS version, \
         current_setting('server_encoding') AS encoding, pg_is_in_recovery() AS standby, \
         current_setting('default_transaction_read_only')::boolean AS read_only",
    )
    .fetch_one(connection)
    .await
    .map_err(|error| OpenError::of(&error, &place))?;
    let of = |error: sqlx::Error| OpenError::of(&error, &place);
    let number: i64 = row.try_get("number").map_err(of)?;
    if number < i64::from(OLDEST) {
        let version = row.try_get("version").map_err(of)?;
        return Err(OpenError::TooOld { place, version });
    }
    let encoding: String = row.try_get("encoding").map_err(of)?;
    if encoding != "UTF8" {
        return Err(OpenError::Encoding { place, encoding });
    }
    let reasons = [
        (row.try_get("standby").map_err(of)?, "the server is a standby"),
        (
            row.try_get("read_only").map_err(of)?,
            "default_transaction_read_only is on",
        ),
    ];
    match reasons.into_iter().find(|(is_so, _)| *is_so) {
        Some((_, reason)) => Err(OpenError::ReadOnly {
            place,
            reason: reason.to_owned(),
        }),
        None => Ok(()),
    }
}

/// Looks for what makes the server lose what it has acknowledged.
async fn look(connection: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    let odd: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off'",
    )
    .fetch_all(connection)
    .await?;
    let warnings = odd.into_iter().map(|name| {
        format!("PostgreSQL runs with {name} = off: a crash of its machine may cost messages that were accepted, or the database.")
    });
    Ok(warnings.inspect(|warning| warn!("{warning}")).collect())
}
