//! The way to the one task that writes (`work.rs`).

#[cfg(test)]
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, atomic::AtomicU64};

use sqlx::PgConnection;
use tokio::{sync::mpsc, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{Instrument as _, info, info_span, warn};

use super::{
    Tuning,
    append::Append,
    group::{BROKE_OFF, Given, Goes},
    link::Link,
    node::Node,
    work::Work,
};
use crate::{
    nodes::{Entry, Incarnation, Peer, Reply},
    store::{
        StoreError,
        job::{Operation, job},
    },
};

/// Most jobs that wait; who comes then waits to be let in.
const WAITING: usize = 1024;

/// The way to the writing task. The task ends with [`Writer::close`] or when this is dropped, in both cases once all that it
/// was given is done.
#[derive(Debug)]
pub(super) struct Writer {
    given: mpsc::Sender<Given>,
    shared: Arc<Shared>,
    closing: CancellationToken,
    task: TaskTracker,
}

/// What is known of the task from outside.
#[derive(Debug, Default)]
pub(super) struct Shared {
    fault: Mutex<Option<StoreError>>,
    pub(super) commits: AtomicU64,
}

/// What the task begins with.
pub(super) struct Beginning {
    /// Holds the lock.
    pub(super) connection: PgConnection,
    pub(super) link: Link,
    pub(super) node: Node,
    pub(super) tuning: Tuning,
}

impl Writer {
    /// Starts the task.
    pub(super) fn start(beginning: Beginning) -> Self {
        let (sender, given) = mpsc::channel(WAITING);
        let shared = Arc::new(Shared::default());
        let closing = CancellationToken::new();
        let task = TaskTracker::new();
        let work = Work::new(beginning, given, Arc::clone(&shared), closing.clone());
        task.spawn(work.run().instrument(info_span!("store")));
        task.close();
        Self {
            given: sender,
            shared,
            closing,
            task,
        }
    }

    /// Makes a change, and returns once it is on the server's disk.
    ///
    /// Cancel-safe: dropped before the task has taken it in, it is not made; after that, it is made whole.
    pub(super) async fn write<O: Operation<Connection = PgConnection>>(
        &self,
        operation: O,
    ) -> Result<O::Output, StoreError> {
        self.give(operation, Goes::Alone).await
    }

    /// The same for a change whose entry of the log is asked for as soon as this future has been polled once: both are committed together, unless the
    /// entry is late.
    pub(super) async fn write_with_entry<O: Operation<Connection = PgConnection>>(
        &self,
        operation: O,
    ) -> Result<O::Output, StoreError> {
        self.give(operation, Goes::WithEntry).await
    }

    async fn give<O: Operation<Connection = PgConnection>>(
        &self,
        operation: O,
        goes: Goes,
    ) -> Result<O::Output, StoreError> {
        let (job, outcome) = job(operation);
        let sent = self.given.send(Given::Job(job, Instant::now(), goes)).await;
        sent.map_err(|_closed| StoreError::Closed)?;
        outcome.await.map_err(|_dropped| {
            if self.closing.is_cancelled() {
                StoreError::Closed
            } else {
                StoreError::Other(BROKE_OFF.into())
            }
        })?
    }

    /// Appends an entry to the log, and returns once it is known what has become of it; what was given before is committed with it or
    /// before it. [`Reply::Away`]: not within the time that any change is given.
    ///
    /// Cancel-safe: dropped before the task has taken it in, it is not appended; after that, whole or not at all. Sent again, it is
    /// appended once.
    pub(super) async fn append(&self, entry: Entry, gone: Vec<Incarnation>, unless_heard: Option<Peer>) -> Reply {
        let (append, reply) = Append::new(entry, gone, unless_heard);
        if self.given.send(Given::Append(append)).await.is_err() {
            return Reply::Away;
        }
        reply.await.unwrap_or(Reply::Away)
    }

    /// Why the last attempt to write failed, if it did.
    pub(super) fn fault(&self) -> Option<StoreError> {
        self.shared.fault().clone()
    }

    /// How many transactions have been committed.
    #[cfg(test)]
    pub(super) fn commits(&self) -> u64 {
        self.shared.commits.load(Ordering::Relaxed)
    }

    /// Has what was given done, takes no more, and closes the connection.
    pub(super) async fn close(&self) {
        self.closing.cancel();
        self.task.wait().await;
    }
}

impl Shared {
    pub(super) fn fault(&self) -> std::sync::MutexGuard<'_, Option<StoreError>> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn failed(&self, error: &StoreError) {
        let before = self.fault().replace(error.clone());
        if before.as_ref() != Some(error) {
            warn!(%error, "nothing can be kept at the moment");
        }
    }

    pub(super) fn succeeded(&self) {
        if self.fault().take().is_some() {
            info!("what happens is kept again");
        }
    }
}
