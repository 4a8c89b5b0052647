//! Connections that read. Reading goes on while writing waits or fails.
//!
//! sqlx's own pool is not used: it sets a timer for each look-up, which under tests' paused time runs out while SQLite
//! works in its own thread, and nothing else of it (reaping, health checks) is of use for a file.

use std::{
    ops::{Deref, DerefMut},
    sync::{Mutex, PoisonError},
};

use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::faults;
use crate::store::StoreError;

/// How many read at once. Each connection has a thread, and the disk is one.
const MOST: u32 = 4;

/// A few connections, made when they are first needed.
#[derive(Debug)]
pub(super) struct Readers {
    options: SqliteConnectOptions,
    idle: Mutex<Vec<SqliteConnection>>,
    free: Semaphore,
}

/// A connection that is in use. Goes back on drop; a query that was dropped halfway ends with it.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    connection: Option<SqliteConnection>,
    readers: &'a Readers,
    _permit: SemaphorePermit<'a>,
}

impl Readers {
    pub(super) fn new(options: SqliteConnectOptions) -> Self {
        Self {
            options,
            idle: Mutex::default(),
            free: Semaphore::new(MOST as usize),
        }
    }

    /// A connection, once one is free.
    pub(super) async fn get(&self) -> Result<Reader<'_>, StoreError> {
        let permit = self.free.acquire().await.map_err(|_closed| StoreError::Closed)?;
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.options.connect().await.map_err(|error| faults::meaning(&error))?,
        };
        Ok(Reader {
            connection: Some(connection),
            readers: self,
            _permit: permit,
        })
    }

    /// Waits for those who read, and closes all connections.
    pub(super) async fn close(&self) {
        if let Ok(all) = self.free.acquire_many(MOST).await {
            self.free.close();
            drop(all);
        }
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        for connection in idle {
            // Nothing is lost: it has only read.
            let _ = connection.close().await;
        }
    }
}

impl Deref for Reader<'_> {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        self.connection.as_ref().expect("there until drop")
    }
}

impl DerefMut for Reader<'_> {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        self.connection.as_mut().expect("there until drop")
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let mut idle = self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.extend(self.connection.take());
    }
}
