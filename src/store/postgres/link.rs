//! Connections to the server.

use std::{fmt, process, str::FromStr as _, time::Duration};

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection, postgres::PgConnectOptions};
use tokio::time::timeout;

use super::{Tuning, faults};
use crate::{nodes::Incarnation, settings::Secret, store::readers::Connect};

/// What a connection is set to. A transaction that nobody goes on with lets its locks go, and a client whose machine has gone is noticed
/// within some ten seconds, also in the middle of a statement (where the server's system can tell); a commit is on the disk when it
/// returns, whatever the server's default is.
///
/// There is no `statement_timeout`: it would end a commit's wait for a synchronous standby, and PostgreSQL then says that it is committed.
const SETTINGS: &str = "SET client_min_messages = warning; SET idle_in_transaction_session_timeout = '60s'; \
     SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3; SET tcp_user_timeout = '10s'; \
     DO $$ BEGIN PERFORM set_config('client_connection_check_interval', '2s', false); EXCEPTION WHEN others THEN NULL; END $$; \
     SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

/// How connections are made.
#[derive(Clone)]
pub(super) struct Link {
    options: PgConnectOptions,
    /// How long making one may take.
    patience: Duration,
    /// How long to wait for what another session has locked.
    locked: Duration,
    /// How long a transaction that writes may stand still.
    still: Duration,
}

/// Where the database is, for the operator: nothing of it is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its host and port, or its socket.
    pub(crate) server: String,
    /// Its name.
    pub(crate) database: String,
    /// The role.
    pub(crate) user: String,
}

impl Link {
    /// To the database of this address, for this start of this process.
    ///
    /// # Errors
    /// The address is none.
    pub(super) fn new(address: &Secret, incarnation: Incarnation, tuning: Tuning) -> sqlx::Result<Self> {
        let application = application(process::id(), incarnation);
        let options = PgConnectOptions::from_str(&address.0)?
            .application_name(&application)
            .disable_statement_logging();
        Ok(Self {
            options,
            patience: tuning.connect,
            locked: tuning.locked,
            still: tuning.still,
        })
    }

    /// How its connections are made, before anything is set at them.
    pub(super) const fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    pub(super) fn place(&self) -> Place {
        let (host, port) = (self.options.get_host(), self.options.get_port());
        let user = self.options.get_username().to_owned();
        Place {
            server: match self.options.get_socket() {
                Some(folder) => format!("{} (port {port})", folder.display()),
                None if host.contains(':') => format!("[{host}]:{port}"),
                None => format!("{host}:{port}"),
            },
            // As PostgreSQL has it.
            database: self.options.get_database().unwrap_or(&user).to_owned(),
            user,
        }
    }

    /// A connection as the server gives it.
    pub(super) async fn bare(&self) -> sqlx::Result<PgConnection> {
        let connected = timeout(self.patience, self.options.connect()).await;
        connected.map_err(|_elapsed| faults::silence())?
    }

    /// What is to be set at a connection.
    pub(super) async fn settle(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        let set = format!("SET lock_timeout = {}; {SETTINGS}", self.locked.as_millis());
        self.set(connection, set).await
    }

    /// What is to be set beside at the connection that writes. A process that is stopped in the middle of a transaction lets others wait no longer
    /// than this for what it has locked, its own row included, which is less than they wait for a lock. A statement that is a transaction by itself has
    /// the isolation of those that are begun.
    pub(super) async fn settle_writing(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        let still = self.still.as_millis();
        let set = format!(
            "SET idle_in_transaction_session_timeout = {still}; SET default_transaction_isolation = 'read committed'"
        );
        self.set(connection, set).await
    }

    async fn set(&self, connection: &mut PgConnection, set: String) -> sqlx::Result<()> {
        let set = timeout(self.patience, sqlx::raw_sql(AssertSqlSafe(set)).execute(connection)).await;
        set.map_err(|_elapsed| faults::silence())?.map(drop)
    }
}

#[async_trait]
impl Connect for Link {
    type Connection = PgConnection;

    async fn connect(&self) -> sqlx::Result<PgConnection> {
        let mut connection = self.bare().await?;
        self.settle(&mut connection).await?;
        Ok(connection)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The options hold the password.
        f.debug_tuple("Link").field(&self.place()).finish()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.server)
    }
}

/// What this process is called, for people.
pub(super) fn process_name() -> String {
    name(process::id())
}

fn name(process: u32) -> String {
    format!("anteroom (process {process})")
}

/// What a process's sessions are called in the server's lists.
fn application(process: u32, incarnation: Incarnation) -> String {
    format!("{} {:032x}", name(process), incarnation.0)
}

/// The name of a process out of that of its sessions, which tells people nothing beside.
pub(super) fn without_incarnation(application: &str) -> String {
    let end = application.find(')').map_or(application.len(), |end| end + 1);
    application[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_session_is_as_long_as_the_server_takes_it_and_short_for_people() {
        let application = application(u32::MAX, Incarnation(u128::MAX));
        assert!(application.len() <= 63, "PostgreSQL cuts off the rest: {application}");
        assert!(application.ends_with(&"f".repeat(32)));
        assert_eq!(without_incarnation(&application), "anteroom (process 4294967295)");
        assert_eq!(without_incarnation("psql"), "psql");
    }
}
