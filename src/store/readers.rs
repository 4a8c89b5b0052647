//! Connections that read, to whatever database. Reading goes on while writing waits or fails.
//!
//! sqlx's own pool is not used: it sets a timer for each look-up, which under tests' paused time runs out while SQLite
//! works in its own thread. Its health checks before each look-up are a way to the server and back, and reaping is of no use for so few.

use std::{
    ops::{Deref, DerefMut},
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use sqlx::Connection;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How connections are made.
#[async_trait]
pub(super) trait Connect: Send + Sync {
    /// What it makes.
    type Connection: Connection + Send;

    /// Makes one.
    async fn connect(&self) -> sqlx::Result<Self::Connection>;
}

/// A few connections, made when they are first needed.
#[derive(Debug)]
pub(super) struct Readers<L: Connect> {
    link: L,
    most: u32,
    idle: Mutex<Vec<L::Connection>>,
    free: Semaphore,
}

/// A connection that is in use. Goes back on drop; a query that was dropped halfway ends with the next one.
#[derive(Debug)]
pub(super) struct Reader<'a, L: Connect> {
    connection: Option<L::Connection>,
    in_doubt: bool,
    readers: &'a Readers<L>,
    _permit: SemaphorePermit<'a>,
}

impl<L: Connect> Readers<L> {
    /// At most so many connections at once.
    pub(super) fn new(link: L, most: u32) -> Self {
        Self {
            link,
            most,
            idle: Mutex::default(),
            free: Semaphore::new(most as usize),
        }
    }

    /// A connection, once one is free.
    ///
    /// # Errors
    /// [`sqlx::Error::PoolClosed`] after [`Readers::close`]; there is none and none can be made.
    pub(super) async fn get(&self) -> sqlx::Result<Reader<'_, L>> {
        let permit = self.free.acquire().await.map_err(|_closed| sqlx::Error::PoolClosed)?;
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.link.connect().await?,
        };
        Ok(Reader {
            connection: Some(connection),
            in_doubt: false,
            readers: self,
            _permit: permit,
        })
    }

    /// Ends the connections that wait: one has been lost, and so may they be.
    pub(super) fn forget(&self) {
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        drop(idle);
    }

    /// Waits for those who read, and closes all connections.
    pub(super) async fn close(&self) {
        if let Ok(all) = self.free.acquire_many(self.most).await {
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

impl<L: Connect> Reader<'_, L> {
    /// Has it end on drop, instead of going back, or not after all.
    pub(super) fn doubt(&mut self, in_doubt: bool) {
        self.in_doubt = in_doubt;
    }
}

impl<L: Connect> Deref for Reader<'_, L> {
    type Target = L::Connection;

    fn deref(&self) -> &L::Connection {
        self.connection.as_ref().expect("there until drop")
    }
}

impl<L: Connect> DerefMut for Reader<'_, L> {
    fn deref_mut(&mut self) -> &mut L::Connection {
        self.connection.as_mut().expect("there until drop")
    }
}

impl<L: Connect> Drop for Reader<'_, L> {
    fn drop(&mut self) {
        if !self.in_doubt {
            let mut idle = self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.extend(self.connection.take());
        }
    }
}
