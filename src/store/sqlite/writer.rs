//! The one task that writes.
//!
//! A commit costs a wait for the disk, so it is shared: the task takes all that waits, runs it in one transaction, commits once
//! and then tells everybody. While it does, the next batch gathers. If one job of a batch fails, the batch is rolled back
//! and each of its jobs runs in a transaction of its own, so that it harms no other.

use std::{
    panic::AssertUnwindSafe,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt as _;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::{sync::mpsc, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{Instrument as _, info, info_span, warn};

use super::{
    cleaning, faults,
    lock::Lock,
    reserve::Reserve,
    transaction::{self, Failure},
};
use crate::store::{
    StoreError,
    job::{Job, Operation, job},
};

/// Most jobs of one transaction.
const BATCH: usize = 256;
/// Most jobs that wait; who comes then waits to be let in.
const WAITING: usize = 1024;
/// How long after a cleaning that somebody's reading stood in the way of, to try again.
const CLEAN_AGAIN: Duration = Duration::from_secs(10);

/// What is said of a change that panicked.
const BROKE_OFF: &str = "a change broke off; the log says where";

/// The way to the writing task. The task ends with [`Writer::close`] or when this is dropped, in both cases once all that it
/// was given is done.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Box<dyn Job<SqliteConnection>>>,
    shared: Arc<Shared>,
    closing: CancellationToken,
    task: TaskTracker,
}

#[derive(Debug, Default)]
struct Shared {
    fault: Mutex<Option<StoreError>>,
    commits: AtomicU64,
}

/// What the task begins with.
pub(super) struct Beginning {
    pub(super) connection: SqliteConnection,
    pub(super) options: SqliteConnectOptions,
    /// The data directory.
    pub(super) folder: PathBuf,
    /// Held until the last job is done.
    pub(super) lock: Lock,
    pub(super) reserve: Reserve,
    /// How long after a fault to see whether it has passed, and again.
    pub(super) try_again: Duration,
}

impl Writer {
    /// Starts the task.
    pub(super) fn start(beginning: Beginning) -> Self {
        let (sender, jobs) = mpsc::channel(WAITING);
        let shared = Arc::new(Shared::default());
        let closing = CancellationToken::new();
        let task = TaskTracker::new();
        let work = Work {
            connection: Some(beginning.connection),
            options: beginning.options,
            folder: beginning.folder,
            _lock: beginning.lock,
            jobs,
            shared: Arc::clone(&shared),
            closing: closing.clone(),
            clean_at: None,
            reserve: beginning.reserve,
            try_again: beginning.try_again,
            try_at: None,
        };
        task.spawn(work.run().instrument(info_span!("store")));
        task.close();
        Self {
            jobs: sender,
            shared,
            closing,
            task,
        }
    }

    /// Makes a change, and returns once it is on the disk.
    ///
    /// Cancel-safe: dropped before the task has taken it in, it is not made; after that, it is made whole.
    pub(super) async fn write<O: Operation<Connection = SqliteConnection>>(
        &self,
        operation: O,
    ) -> Result<O::Output, StoreError> {
        let (job, outcome) = job(operation);
        self.jobs.send(job).await.map_err(|_closed| StoreError::Closed)?;
        outcome.await.map_err(|_dropped| {
            if self.closing.is_cancelled() {
                StoreError::Closed
            } else {
                StoreError::Other(BROKE_OFF.into())
            }
        })?
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

    /// Has what was given done, takes no more, and closes the database.
    pub(super) async fn close(&self) {
        self.closing.cancel();
        self.task.wait().await;
    }
}

impl Shared {
    fn fault(&self) -> std::sync::MutexGuard<'_, Option<StoreError>> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, error: &StoreError) {
        let before = self.fault().replace(error.clone());
        if before.as_ref() != Some(error) {
            warn!(%error, "nothing can be kept at the moment");
        }
    }

    fn succeeded(&self, wrote: bool) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        if wrote && self.fault().take().is_some() {
            info!("what happens is kept again");
        }
    }
}

struct Work {
    /// `None` after a fault that has left it in doubt.
    connection: Option<SqliteConnection>,
    options: SqliteConnectOptions,
    folder: PathBuf,
    _lock: Lock,
    jobs: mpsc::Receiver<Box<dyn Job<SqliteConnection>>>,
    shared: Arc<Shared>,
    closing: CancellationToken,
    /// When to try again to remove from the disk what somebody's reading has kept there.
    clean_at: Option<Instant>,
    reserve: Reserve,
    try_again: Duration,
    /// When to see whether a fault has passed.
    try_at: Option<Instant>,
}

impl Work {
    async fn run(mut self) {
        let mut batch = Vec::with_capacity(BATCH);
        let closing = self.closing.clone();
        let mut open = true;
        loop {
            let (clean_at, try_at) = (self.clean_at, self.try_at());
            tokio::select! {
                biased;
                () = closing.cancelled(), if open => {
                    self.jobs.close();
                    open = false;
                }
                taken = self.jobs.recv_many(&mut batch, BATCH) => {
                    if taken == 0 {
                        break;
                    }
                    self.write_or_break_off(std::mem::take(&mut batch)).await;
                }
                () = tokio::time::sleep_until(clean_at.unwrap_or_else(Instant::now)), if clean_at.is_some() => {
                    self.clean().await;
                }
                () = tokio::time::sleep_until(try_at.unwrap_or_else(Instant::now)), if try_at.is_some() => {
                    self.try_at = None;
                    self.try_again().await;
                }
            }
        }
        self.end().await;
    }

    fn try_at(&mut self) -> Option<Instant> {
        let faulty = match *self.shared.fault() {
            // A small change says nothing about the place that is damaged.
            Some(StoreError::Damaged(_)) => false,
            ref fault => fault.is_some() || self.reserve.is_partial(),
        };
        self.try_at = faulty.then(|| self.try_at.unwrap_or_else(|| Instant::now() + self.try_again));
        self.try_at
    }

    /// Sees whether a fault has passed, by a change that changes nothing: nobody need send a message for that.
    async fn try_again(&mut self) {
        // What is kept for deleting comes first.
        if self.reserve.is_partial() && !self.reserve.take_again().await {
            return;
        }
        let fault = self.shared.fault().clone();
        match fault {
            None => return,
            // The log may have room of its own for a small change, when there is none for a message.
            Some(StoreError::Full) if !faults::has_room(&self.folder).await => return,
            Some(_) => {}
        }
        let outcome = match self.connected().await {
            Ok(connection) => transaction::changing_nothing(connection).await,
            Err(error) => Err(error),
        };
        match outcome {
            Ok(()) => {
                self.shared.succeeded(true);
                self.reserve.make_again().await;
            }
            Err(error) => {
                if let Some(connection) = &mut self.connection
                    && !transaction::rolled_back(connection).await
                {
                    self.connection = None;
                }
                self.transaction_failed(&error).await;
            }
        }
    }

    /// Writes a batch. A panic harms that batch alone: its callers are told when their jobs are dropped.
    async fn write_or_break_off(&mut self, batch: Vec<Box<dyn Job<SqliteConnection>>>) {
        if AssertUnwindSafe(self.write(batch)).catch_unwind().await.is_err() {
            // Closing it rolls back.
            self.connection = None;
            self.shared.failed(&StoreError::Other(BROKE_OFF.into()));
        }
    }

    /// Writes a batch and tells its callers.
    async fn write(&mut self, mut batch: Vec<Box<dyn Job<SqliteConnection>>>) {
        match self.attempt(&mut batch).await {
            Ok(wrote) => {
                self.shared.succeeded(wrote);
                self.settle(batch).await;
            }
            Err(Failure::Job(_)) if batch.len() > 1 => self.write_one_by_one(batch).await,
            Err(Failure::Job(error)) => {
                let error = self.job_failed(&error).await;
                self.turn_away(batch, &error).await;
            }
            Err(Failure::Transaction(error)) => {
                let error = self.transaction_failed(&error).await;
                self.turn_away(batch, &error).await;
            }
        }
    }

    /// Refuses a batch. Of one that found the disk full, what leads to more room is done with what is kept for that.
    async fn turn_away(&mut self, batch: Vec<Box<dyn Job<SqliteConnection>>>, error: &StoreError) {
        let full = *error == StoreError::Full;
        let (freeing, others): (Vec<_>, Vec<_>) = batch.into_iter().partition(|job| full && job.frees());
        refuse(others, error);
        if freeing.is_empty() || !self.reserve.give_back().await {
            refuse(freeing, error);
            return;
        }
        for job in freeing {
            let mut alone = vec![job];
            match self.attempt(&mut alone).await {
                // The fault stays, until there is room for others, too.
                Ok(_) => {
                    self.shared.succeeded(false);
                    self.settle(alone).await;
                }
                Err(Failure::Job(error) | Failure::Transaction(error)) => {
                    let error = self.transaction_failed(&error).await;
                    refuse(alone, &error);
                }
            }
        }
        self.reserve.take_again().await;
    }

    async fn write_one_by_one(&mut self, batch: Vec<Box<dyn Job<SqliteConnection>>>) {
        let mut rest = batch.into_iter();
        while let Some(job) = rest.next() {
            let mut alone = vec![job];
            match self.attempt(&mut alone).await {
                Ok(wrote) => {
                    self.shared.succeeded(wrote);
                    self.settle(alone).await;
                }
                Err(Failure::Job(error)) => {
                    let error = self.job_failed(&error).await;
                    self.turn_away(alone, &error).await;
                }
                Err(Failure::Transaction(error)) => {
                    let error = self.transaction_failed(&error).await;
                    alone.extend(rest.by_ref());
                    self.turn_away(alone, &error).await;
                }
            }
        }
    }

    /// Runs a batch in one transaction: all of it, or nothing. Says whether it is known to have written anything; a full disk takes
    /// a change of nothing without complaint.
    async fn attempt(&mut self, batch: &mut [Box<dyn Job<SqliteConnection>>]) -> Result<bool, Failure> {
        let faulty = self.shared.fault().is_some();
        let connection = self.connected().await.map_err(Failure::Transaction)?;
        let outcome = if faulty {
            transaction::counted(connection, batch).await
        } else {
            transaction::run(connection, batch).await.map(|()| true)
        };
        if outcome.is_err() && !transaction::rolled_back(connection).await {
            self.connection = None;
        }
        outcome
    }

    async fn connected(&mut self) -> sqlx::Result<&mut SqliteConnection> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.options.connect().await?,
        };
        Ok(self.connection.insert(connection))
    }

    async fn job_failed(&self, error: &sqlx::Error) -> StoreError {
        let meaning = faults::diagnosis(error, &self.folder).await;
        // Anything else is the job's own fault, and says nothing about the next one.
        if !matches!(meaning, StoreError::Other(_)) {
            self.shared.failed(&meaning);
        }
        meaning
    }

    async fn transaction_failed(&self, error: &sqlx::Error) -> StoreError {
        let meaning = faults::diagnosis(error, &self.folder).await;
        self.shared.failed(&meaning);
        meaning
    }

    /// Tells the callers of a batch that it is on the disk; those who removed something, once that is gone.
    async fn settle(&mut self, batch: Vec<Box<dyn Job<SqliteConnection>>>) {
        let (removals, others): (Vec<_>, Vec<_>) = batch.into_iter().partition(|job| job.removed());
        for job in others {
            job.settle(Ok(()));
        }
        if !removals.is_empty() {
            self.clean().await;
        }
        for job in removals {
            job.settle(Ok(()));
        }
    }

    /// Gives back room and empties the log. What has been removed is removed whether this works or not, so it is tried again
    /// later rather than reported to somebody who could do nothing about it.
    async fn clean(&mut self) {
        let mut outcome = self.cleaned().await;
        let full = |error: &sqlx::Error| faults::meaning(error) == StoreError::Full;
        if outcome.as_ref().is_err_and(full) && self.reserve.give_back().await {
            outcome = self.cleaned().await;
            self.reserve.take_again().await;
        }
        let clean = outcome.unwrap_or_else(|error| {
            if self.clean_at.is_none() {
                warn!(%error, "what was deleted cannot be removed from the disk yet; it will be tried again");
            }
            false
        });
        self.clean_at = (!clean).then(|| Instant::now() + CLEAN_AGAIN);
    }

    async fn cleaned(&mut self) -> sqlx::Result<bool> {
        cleaning::clean(self.connected().await?).await
    }

    async fn end(&mut self) {
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        let emptied = cleaning::clean(&mut connection).await;
        let closed = connection.close().await;
        if let Err(error) = emptied.and(closed) {
            warn!(%error, "the database was not closed well; nothing is lost, and the next start will see to it");
        }
    }
}

fn refuse(batch: impl IntoIterator<Item = Box<dyn Job<SqliteConnection>>>, error: &StoreError) {
    for job in batch {
        job.settle(Err(error.clone()));
    }
}
