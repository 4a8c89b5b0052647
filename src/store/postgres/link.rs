//! Connections to the server.

use std::{fmt, process, str::FromStr as _, time::Duration};

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection, postgres::PgConnectOptions};
use tokio::time::timeout;

use super::{Tuning, faults};
use crate::{settings::Secret, store::readers::Connect};

/// What a connection is set to. A transaction that nobody goes on with lets its locks go, and a client whose machine has gone is noticed;
/// a commit is on the disk when it returns, whatever the server's default is.
const SETTINGS: &str = "SET client_min_messages = warning; SET idle_in_transaction_session_timeout = '60s'; \
     SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; \
     SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

/// How connections are made.
#[derive(Clone)]
pub(super) struct Link {
    options: PgConnectOptions,
    /// How long making one may take.
    patience: Duration,
    /// How long to wait for what another session has locked.
    locked: Duration,
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
    /// To the database of this address.
    ///
    /// # Errors
    /// The address is none.
    pub(super) fn new(address: &Secret, tuning: Tuning) -> sqlx::Result<Self> {
        let options = PgConnectOptions::from_str(&address.0)?
            .application_name(&application())
            .disable_statement_logging();
        Ok(Self {
            options,
            patience: tuning.connect,
            locked: tuning.locked,
        })
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

/// What this process is called in the server's lists.
pub(super) fn application() -> String {
    format!("anteroom (process {})", process::id())
}
