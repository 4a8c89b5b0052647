//! The one connection that writes.
//!
//! What waits to be written is taken together, put into one transaction and committed once, so that a burst of messages costs
//! one flush of the disk and not one each. Should one of them fail, each is tried alone, and harms no other.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use sqlx::{Connection as _, SqliteConnection};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};
use tracing::{Instrument as _, info_span, warn};

use crate::store::StoreError;

/// Writes that may wait. Whoever comes when it is full waits to be let in.
const WAITING: usize = 1024;
/// Most writes of one commit.
const BATCH: usize = 256;

pub(super) type Running<'c, T> = Pin<Box<dyn Future<Output = sqlx::Result<T>> + Send + 'c>>;

/// Something to write. It may be run more than once, of which one counts.
pub(super) trait Write: Send + 'static {
    type Output: Send + 'static;

    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> Running<'c, Self::Output>;
}

/// A [`Write`] with the one who waits for it.
struct Job<W: Write> {
    write: W,
    output: Option<W::Output>,
    reply: oneshot::Sender<Result<W::Output, StoreError>>,
}

trait AnyJob: Send {
    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> Running<'c, ()>;
    fn done(self: Box<Self>, result: Result<(), StoreError>);
}

impl<W: Write> AnyJob for Job<W> {
    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> Running<'c, ()> {
        Box::pin(async move {
            self.output = Some(self.write.run(connection).await?);
            Ok(())
        })
    }

    fn done(self: Box<Self>, result: Result<(), StoreError>) {
        let Self { output, reply, .. } = *self;
        let never = || StoreError::Other("a write was not run".into());
        // Whoever has gone meanwhile does not hear of it; what is written is written.
        let _ = reply.send(result.and_then(|()| output.ok_or_else(never)));
    }
}

enum Message {
    Write(Box<dyn AnyJob>),
    /// Gives freed pages back to the disk, and empties the log.
    Compact(oneshot::Sender<Result<(), StoreError>>),
}

/// The way to the connection that writes. Its task ends when this is closed or dropped, after what has come until then.
pub(super) struct Writer {
    messages: Mutex<Option<mpsc::Sender<Message>>>,
    fault: Arc<Mutex<Option<StoreError>>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(connection: SqliteConnection) -> Self {
        let (messages, waiting) = mpsc::channel(WAITING);
        let fault = Arc::new(Mutex::new(None));
        let work = serve(connection, waiting, Arc::clone(&fault));
        let task = tokio::spawn(work.instrument(info_span!("store")));
        Self {
            messages: Mutex::new(Some(messages)),
            fault,
            task: Mutex::new(Some(task)),
        }
    }

    /// One that writes nothing, because nothing can be written.
    pub(super) fn none(fault: StoreError) -> Self {
        Self {
            messages: Mutex::default(),
            fault: Arc::new(Mutex::new(Some(fault))),
            task: Mutex::default(),
        }
    }

    pub(super) fn fault(&self) -> Option<StoreError> {
        lock(&self.fault).clone()
    }

    fn sender(&self) -> Result<mpsc::Sender<Message>, StoreError> {
        let sender = lock(&self.messages).clone();
        sender.ok_or_else(|| self.fault().unwrap_or(StoreError::Closed))
    }

    /// Writes, and returns once it is on the disk. Dropped before, it is written whole or not at all.
    pub(super) async fn write<W: Write>(&self, write: W) -> Result<W::Output, StoreError> {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Job {
            write,
            output: None,
            reply,
        });
        self.sender()?
            .send(Message::Write(job))
            .await
            .map_err(|_| StoreError::Closed)?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Has what was removed leave the disk.
    pub(super) async fn compact(&self) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.sender()?
            .send(Message::Compact(reply))
            .await
            .map_err(|_| StoreError::Closed)?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    pub(super) async fn close(&self) {
        drop(lock(&self.messages).take());
        let task = lock(&self.task).take();
        if let Some(task) = task
            && let Err(error) = task.await
        {
            warn!(%error, "the task that writes did not end well");
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(
    mut connection: SqliteConnection,
    mut waiting: mpsc::Receiver<Message>,
    fault: Arc<Mutex<Option<StoreError>>>,
) {
    let mut messages = Vec::with_capacity(BATCH);
    while waiting.recv_many(&mut messages, BATCH).await > 0 {
        let mut jobs = Vec::with_capacity(messages.len());
        for message in messages.drain(..) {
            match message {
                Message::Write(job) => jobs.push(job),
                Message::Compact(reply) => {
                    // What came before it comes before it.
                    commit(&mut connection, std::mem::take(&mut jobs), &fault).await;
                    let compacted = compact(&mut connection).await;
                    let _ = reply.send(compacted.map_err(StoreError::from));
                }
            }
        }
        commit(&mut connection, jobs, &fault).await;
    }
    // Everything into the one file.
    if let Err(error) = sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        .execute(&mut connection)
        .await
    {
        warn!(%error, "the log was not emptied; the next start does it");
    }
    if let Err(error) = connection.close().await {
        warn!(%error, "the database was not closed well");
    }
}

/// Writes all in one transaction; or, should that fail, each in one of its own.
async fn commit(connection: &mut SqliteConnection, mut jobs: Vec<Box<dyn AnyJob>>, fault: &Mutex<Option<StoreError>>) {
    if jobs.is_empty() {
        return;
    }
    match attempt(connection, &mut jobs).await {
        Ok(()) => {
            *lock(fault) = None;
            for job in jobs {
                job.done(Ok(()));
            }
        }
        Err(error) if jobs.len() == 1 => {
            let error = StoreError::from(error);
            *lock(fault) = Some(error.clone());
            for job in jobs {
                job.done(Err(error.clone()));
            }
        }
        Err(_) => {
            for job in jobs {
                let mut one = vec![job];
                let result = attempt(connection, &mut one).await.map_err(StoreError::from);
                *lock(fault) = result.as_ref().err().cloned();
                for job in one {
                    job.done(result.clone());
                }
            }
        }
    }
}

async fn attempt(connection: &mut SqliteConnection, jobs: &mut [Box<dyn AnyJob>]) -> sqlx::Result<()> {
    // The lock is taken now, or waited for now: not in the middle.
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *connection).await?;
    let mut result = Ok(());
    for job in jobs {
        result = job.run(connection).await;
        if result.is_err() {
            break;
        }
    }
    if result.is_ok() {
        result = sqlx::raw_sql("COMMIT").execute(&mut *connection).await.map(drop);
    }
    if result.is_err() {
        // Some faults have rolled back by themselves; a second time is an error that says just that.
        let _ = sqlx::raw_sql("ROLLBACK").execute(&mut *connection).await;
    }
    result
}

async fn compact(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    sqlx::raw_sql("PRAGMA incremental_vacuum")
        .execute(&mut *connection)
        .await?;
    sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        .execute(&mut *connection)
        .await?;
    Ok(())
}
