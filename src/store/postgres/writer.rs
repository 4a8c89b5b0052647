//! The one task that writes.
//!
//! A commit costs a wait for the disk, so it is shared: the task takes all that waits, runs it in one transaction, commits once and then
//! tells everybody. While it does, the next group gathers.
//!
//! A server that is away (it restarts, another takes its place) is waited for, a moment for each change: nobody is told of a fault
//! that has passed before they would have tried again. What was certainly not committed is simply run again. Where the connection was
//! lost during the commit, nobody is told anything before it is known what became of that: each group writes its number into the row
//! of its process (`node.rs`), so the next connection can read which one was the last. That also holds where another server has taken
//! over that lacks it.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt as _;
use sqlx::{Connection as _, PgConnection};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{Instrument as _, error, info, info_span, warn};

use super::{
    Tuning, faults,
    group::{BROKE_OFF, Group, told},
    link::Link,
    node::{self, Node},
    transaction::{self, Failure},
};
use crate::{
    store::{
        StoreError,
        job::{Job, Operation, job},
        readers::Connect as _,
    },
    wire::MAX_MESSAGE_BYTES,
};

/// Most jobs of one transaction.
const GROUP: usize = 256;
/// Most jobs that wait; who comes then waits to be let in.
const WAITING: usize = 1024;
/// Between two tries to reach a server that is away.
const AGAIN: Duration = Duration::from_millis(100);
/// Bytes that the change takes which stores a message, with every page that it touches.
const MESSAGE: usize = 4 * MAX_MESSAGE_BYTES;

/// The way to the writing task. The task ends with [`Writer::close`] or when this is dropped, in both cases once all that it
/// was given is done.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: mpsc::Sender<(Box<dyn Job<PgConnection>>, Instant)>,
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
    /// Holds the lock.
    pub(super) connection: PgConnection,
    pub(super) link: Link,
    pub(super) node: Node,
    pub(super) tuning: Tuning,
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
            link: beginning.link,
            node: beginning.node,
            batch: 0,
            committed: 0,
            jobs,
            shared: Arc::clone(&shared),
            closing: closing.clone(),
            tuning: beginning.tuning,
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

    /// Makes a change, and returns once it is on the server's disk.
    ///
    /// Cancel-safe: dropped before the task has taken it in, it is not made; after that, it is made whole.
    pub(super) async fn write<O: Operation<Connection = PgConnection>>(
        &self,
        operation: O,
    ) -> Result<O::Output, StoreError> {
        let (job, outcome) = job(operation);
        let sent = self.jobs.send((job, Instant::now())).await;
        sent.map_err(|_closed| StoreError::Closed)?;
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

    /// Has what was given done, takes no more, and closes the connection.
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

    fn succeeded(&self) {
        if self.fault().take().is_some() {
            info!("what happens is kept again");
        }
    }
}

struct Work {
    /// `None` after a fault that has left it in doubt.
    connection: Option<PgConnection>,
    link: Link,
    node: Node,
    /// The number of the last group that was begun.
    batch: i64,
    /// The number of the last group that is known to be committed.
    committed: i64,
    jobs: mpsc::Receiver<(Box<dyn Job<PgConnection>>, Instant)>,
    shared: Arc<Shared>,
    closing: CancellationToken,
    tuning: Tuning,
}

impl Work {
    async fn run(mut self) {
        let mut taken = Vec::with_capacity(GROUP);
        let closing = self.closing.clone();
        let mut open = true;
        let mut look_at = Instant::now() + self.tuning.look_after;
        loop {
            tokio::select! {
                biased;
                () = closing.cancelled(), if open => {
                    self.jobs.close();
                    open = false;
                }
                count = self.jobs.recv_many(&mut taken, GROUP) => {
                    if count == 0 {
                        break;
                    }
                    self.write_or_break_off(Group::of(&mut taken)).await;
                }
                () = sleep_until(look_at) => self.look().await,
            }
            let faulty = self.shared.fault().is_some();
            let pause = if faulty {
                self.tuning.try_again
            } else {
                self.tuning.look_after
            };
            look_at = Instant::now() + pause;
        }
        if let Some(connection) = self.connection.take() {
            // Nothing is lost: all is committed.
            let _ = timeout(self.tuning.answer, connection.close()).await;
        }
    }

    /// Sees whether the server is there, and after a fault whether that has passed, by a change that changes nothing: nobody need send a
    /// message for that.
    async fn look(&mut self) {
        let fault = self.shared.fault().clone();
        let outcome = match fault {
            None => {
                if let Some(connection) = &mut self.connection {
                    let answer = timeout(self.tuning.answer, connection.ping()).await;
                    if !matches!(answer, Ok(Ok(()))) {
                        self.connection = None;
                    }
                }
                self.connected().await.map(drop)
            }
            // A small change may find room where a message would find none.
            Some(StoreError::Full) => self.room().await,
            Some(_) => self.attempt(&mut Group::default(), false).await,
        };
        match outcome {
            Ok(()) => self.shared.succeeded(),
            // Whether it was written does not matter: nothing was.
            Err(failure) => self.shared.failed(&told(&failure)),
        }
    }

    async fn room(&mut self) -> Result<(), Failure> {
        let answer = self.tuning.answer;
        let connection = self.connected().await?;
        // What can be compressed would need less.
        let bytes = std::iter::repeat_with(rand::random).take(MESSAGE).collect();
        let written = timeout(answer, transaction::has_room(connection, bytes)).await;
        let written = written.unwrap_or_else(|_elapsed| Err(faults::silence()));
        self.after(written.map_err(Failure::of)).await
    }

    /// Writes a group. A panic harms that group alone: its callers are told when their jobs are dropped.
    async fn write_or_break_off(&mut self, group: Group) {
        if AssertUnwindSafe(self.write(group)).catch_unwind().await.is_err() {
            // Closing it rolls back.
            self.connection = None;
            self.shared.failed(&StoreError::Other(BROKE_OFF.into()));
        }
    }

    /// Writes a group and tells its callers.
    async fn write(&mut self, mut group: Group) {
        let mut careful = false;
        while !group.members.is_empty() {
            match self.attempt(&mut group, careful).await {
                Ok(()) => {
                    self.written(&group);
                    return group.settle();
                }
                Err(Failure::Job) => careful = true,
                Err(Failure::Unknown(error)) => {
                    let mut later = Group::default();
                    match self.fate(error, &mut later).await {
                        Ok(true) => {
                            self.written(&group);
                            std::mem::take(&mut group).settle();
                        }
                        Ok(false) => {}
                        Err(error) => std::mem::take(&mut group).refuse(&error),
                    }
                    group.append(later);
                    careful = false;
                }
                Err(failure @ (Failure::Passing(_) | Failure::Held)) => {
                    let error = told(&failure);
                    self.shared.failed(&error);
                    group.refuse_older_than(self.patience(), &error);
                    self.wait_for(&mut group).await;
                }
                Err(failure @ (Failure::Transaction(_) | Failure::Replaced)) => {
                    let error = told(&failure);
                    self.shared.failed(&error);
                    return group.refuse(&error);
                }
            }
        }
    }

    /// How long a change waits for a server that is away.
    fn patience(&self) -> Duration {
        // Whoever ends a server does not want to wait for another one.
        if self.closing.is_cancelled() {
            self.tuning.patience / 4
        } else {
            self.tuning.patience
        }
    }

    /// Lets a moment pass, in which others join the group.
    async fn wait_for(&mut self, group: &mut Group) {
        let pause = sleep(AGAIN);
        tokio::pin!(pause);
        loop {
            let room = GROUP.saturating_sub(group.members.len());
            tokio::select! {
                () = &mut pause => return,
                Some((job, since)) = self.jobs.recv(), if room > 0 => group.add(job, since),
                else => return pause.await,
            }
        }
    }

    fn written(&self, group: &Group) {
        self.shared.commits.fetch_add(1, Ordering::Relaxed);
        let full = *self.shared.fault() == Some(StoreError::Full);
        let refusals = group.members.iter().filter_map(|member| member.refusal.as_ref());
        // Anything else is the job's own fault, and says nothing about the next one.
        match refusals
            .into_iter()
            .find(|error| !matches!(error, StoreError::Other(_)))
        {
            Some(error) => self.shared.failed(error),
            // There may be room for a removal, and none for others.
            None if full && group.members.iter().all(|member| member.job.frees()) => {}
            None => self.shared.succeeded(),
        }
    }

    /// Runs a group in one transaction: all of it, or nothing.
    async fn attempt(&mut self, group: &mut Group, careful: bool) -> Result<(), Failure> {
        let (node, answer) = (self.node, self.tuning.answer);
        self.connected().await?;
        self.batch += 1;
        let batch = self.batch;
        let Some(connection) = self.connection.as_mut() else {
            return Err(Failure::Passing(faults::silence()));
        };
        let outcome = timeout(
            answer,
            transaction::run(connection, node, batch, &mut group.members, careful),
        );
        // It may have been silent during the commit.
        let outcome = outcome
            .await
            .unwrap_or_else(|_elapsed| Err(Failure::Unknown(faults::silence())));
        if outcome.is_ok() {
            self.committed = batch;
        }
        self.after(outcome).await
    }

    /// Makes the connection ready for the next group, or drops it where it is in doubt.
    async fn after(&mut self, outcome: Result<(), Failure>) -> Result<(), Failure> {
        let lost = match &outcome {
            Ok(()) => false,
            Err(Failure::Unknown(_)) => true,
            Err(Failure::Passing(error)) => faults::is_lost(error),
            Err(_) => false,
        };
        if outcome.is_err()
            && let Some(connection) = &mut self.connection
        {
            let clean = !lost
                && timeout(self.tuning.answer, transaction::rolled_back(connection))
                    .await
                    .unwrap_or(false);
            if !clean {
                self.connection = None;
            }
        }
        outcome
    }

    /// The connection, with the lock; made anew where there is none.
    async fn connected(&mut self) -> Result<&mut PgConnection, Failure> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let answer = self.tuning.answer;
                let made = timeout(answer, self.connect()).await;
                made.unwrap_or_else(|_elapsed| Err(Failure::Passing(faults::silence())))?
            }
        };
        Ok(self.connection.insert(connection))
    }

    async fn connect(&mut self) -> Result<PgConnection, Failure> {
        // Whatever keeps it from being made may pass.
        let mut connection = self.link.connect().await.map_err(Failure::Passing)?;
        if !node::hold(&mut connection, Duration::ZERO)
            .await
            .map_err(Failure::Passing)?
        {
            let replaced = !self.node.is_known(&mut connection).await.map_err(Failure::Passing)?;
            // Mostly it is this process's session of before, which the server has not ended yet.
            return Err(if replaced { Failure::Replaced } else { Failure::Held });
        }
        let committed = self.node.committed(&mut connection).await.map_err(Failure::Passing)?;
        let committed = committed.ok_or(Failure::Replaced)?;
        if committed < self.committed {
            let groups = self.committed - committed;
            error!(
                groups,
                "the database lacks what it had acknowledged: another server has taken over that did not have it"
            );
        }
        self.committed = committed;
        Ok(connection)
    }

    /// What became of the group that was being committed when the connection was lost: `true`, it is written. Takes as long as the server
    /// is away, for nobody may be told anything else; those who come meanwhile, and are `later` to be written, are told that it is.
    async fn fate(&mut self, lost: sqlx::Error, later: &mut Group) -> Result<bool, StoreError> {
        let mut error = told(&Failure::Passing(lost));
        loop {
            self.shared.failed(&error);
            match self.connected().await.map(drop) {
                Ok(()) => return Ok(self.committed == self.batch),
                Err(Failure::Replaced) => return Err(told(&Failure::Replaced)),
                Err(_) if self.closing.is_cancelled() => return Err(error),
                Err(failure) => error = told(&failure),
            }
            self.wait_for(later).await;
            later.refuse_older_than(self.tuning.patience, &error);
        }
    }
}
