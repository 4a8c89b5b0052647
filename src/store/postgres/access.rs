//! Looking things up on one of a few connections. A server that is away is waited for, a moment.

use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::PgConnection;
use tokio::time::{Instant, sleep, timeout};

use super::{Tuning, faults, link::Link};
use crate::store::readers::Readers;

/// Between two tries.
const AGAIN: Duration = Duration::from_millis(100);

/// The way to the server for whatever may be done twice.
#[derive(Debug)]
pub(super) struct Access {
    readers: Readers<Link>,
    tuning: Tuning,
}

impl Access {
    /// Over at most so many connections at once.
    pub(super) fn new(link: Link, most: u32, tuning: Tuning) -> Self {
        Self {
            readers: Readers::new(link, most),
            tuning,
        }
    }

    /// Does something, again where the connection was lost.
    pub(super) async fn run<T: Send>(
        &self,
        work: impl for<'c> Fn(&'c mut PgConnection) -> BoxFuture<'c, sqlx::Result<T>> + Send + Sync,
    ) -> sqlx::Result<T> {
        let begun = Instant::now();
        loop {
            let done = timeout(self.tuning.answer, self.once(&work)).await;
            match done.unwrap_or_else(|_elapsed| Err(faults::silence())) {
                Err(error) if faults::is_lost(&error) && begun.elapsed() < self.tuning.patience => sleep(AGAIN).await,
                done => return done,
            }
        }
    }

    async fn once<T: Send>(
        &self,
        work: &(impl for<'c> Fn(&'c mut PgConnection) -> BoxFuture<'c, sqlx::Result<T>> + Send + Sync),
    ) -> sqlx::Result<T> {
        let mut reader = self.readers.get().await?;
        // What is dropped halfway would have to be read to its end by whoever comes next.
        reader.doubt(true);
        let done = work(&mut reader).await;
        match &done {
            Err(error) if faults::is_lost(error) => self.readers.forget(),
            _ => reader.doubt(false),
        }
        done
    }

    /// Waits for those who are at it, and closes all connections.
    pub(super) async fn close(&self) {
        self.readers.close().await;
    }
}
