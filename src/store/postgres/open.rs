//! Opening the database.

use std::time::Duration;

use sqlx::{PgConnection, Row as _, postgres::PgRow};
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use super::{
    OpenError, Opener, Tuning, contents, faults,
    link::{Link, Place},
    node::{self, Holder, Node},
    schema,
};
use crate::settings::Secret;

/// The oldest server that is known to work, as it numbers itself.
const OLDEST: i64 = 150_000;
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
pub(super) async fn open(address: &Secret, opener: &Opener, tuning: Tuning) -> Result<Opened, OpenError> {
    let node = Node {
        incarnation: opener.incarnation,
        shares: opener.address.is_some(),
    };
    let link =
        Link::new(address, opener.incarnation, tuning).map_err(|error| OpenError::Address(faults::said(&error)))?;
    let place = link.place();
    let mut connection = reach(&link, &place, tuning.start).await?;
    fits(&mut connection, &place).await?;
    let of = |error: sqlx::Error| OpenError::of(&error, &place);
    link.settle(&mut connection).await.map_err(of)?;
    if !node.hold(&mut connection, tuning.lock).await.map_err(of)? {
        let holder = node::holder(&mut connection).await.map_err(of)?;
        return Err(in_use(place, holder, node));
    }
    schema::migrate(&mut connection, &place).await?;
    // What is set for migrations is not for what comes.
    link.settle(&mut connection).await.map_err(of)?;
    let address = opener.address.as_deref();
    let registered = node.register(&mut connection, address, tuning.lock).await.map_err(of)?;
    if !registered {
        let address = address.unwrap_or_default().to_owned();
        return Err(OpenError::AddressInUse { place, address });
    }
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

fn in_use(place: Place, holder: Holder, node: Node) -> OpenError {
    let Holder { name: holder, shares } = holder;
    match shares {
        Some(true) if !node.shares => OpenError::InUseByNodes { place, holder },
        Some(false) if node.shares => OpenError::InUseAlone { place, holder },
        _ => OpenError::InUse { place, holder },
    }
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

/// What a server says of itself and of the database.
#[derive(Clone, Debug)]
struct Said {
    /// Its version, as it numbers itself.
    number: i64,
    /// The same for people.
    version: String,
    encoding: String,
    standby: bool,
    read_only: bool,
}

const SAY: &str = "SELECT current_setting('server_version_num')::bigint AS number, current_setting('server_version') AS version, \
     current_setting('server_encoding') AS encoding, pg_is_in_recovery() AS standby, \
     current_setting('default_transaction_read_only')::boolean AS read_only";

/// Whether the server and the database are such as can be used.
async fn fits(connection: &mut PgConnection, place: &Place) -> Result<(), OpenError> {
    let row = sqlx::query(SAY).fetch_one(connection).await;
    let said = row.and_then(|row| Said::of(&row));
    said.map_err(|error| OpenError::of(&error, place))?.fits(place)
}

impl Said {
    fn of(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            number: row.try_get("number")?,
            version: row.try_get("version")?,
            encoding: row.try_get("encoding")?,
            standby: row.try_get("standby")?,
            read_only: row.try_get("read_only")?,
        })
    }

    fn fits(self, place: &Place) -> Result<(), OpenError> {
        let place = place.clone();
        let read_only = |reason: &str| OpenError::ReadOnly {
            place: place.clone(),
            reason: reason.to_owned(),
        };
        match self {
            Self { number, version, .. } if number < OLDEST => Err(OpenError::TooOld { place, version }),
            Self { encoding, .. } if encoding != "UTF8" => Err(OpenError::Encoding { place, encoding }),
            Self { standby: true, .. } => Err(read_only("the server is a standby")),
            Self { read_only: true, .. } => Err(read_only("default_transaction_read_only is on")),
            _ => Ok(()),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_from_15_on_that_takes_every_text_and_writes_is_used() {
        let place = Place {
            server: "db:5432".to_owned(),
            database: "anteroom".to_owned(),
            user: "me".to_owned(),
        };
        let good = Said {
            number: 150_000,
            version: "15.0".to_owned(),
            encoding: "UTF8".to_owned(),
            standby: false,
            read_only: false,
        };
        assert!(good.clone().fits(&place).is_ok());
        let of = |change: &dyn Fn(&mut Said)| {
            let mut said = good.clone();
            change(&mut said);
            said.fits(&place).expect_err("it is refused").to_string()
        };
        let old = of(&|said| (said.number, said.version) = (149_999, "14.99".to_owned()));
        assert!(old.contains("version 14.99") && old.contains("15 or later"), "{old}");
        assert!(of(&|said| said.encoding = "SQL_ASCII".to_owned()).contains("SQL_ASCII"));
        assert!(of(&|said| said.standby = true).contains("standby"));
    }
}
