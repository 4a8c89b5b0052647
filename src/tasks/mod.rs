//! Tasks: requests to models that outlive whoever asked and the process too. One is stored, answered when its turn comes, and its result is kept.
//!
//! - `read`: a batch as its program writes it; `graph`: which of its tasks needs which; `results`: where a message uses results of others.
//! - `feed`: one owner's tasks. Few of them are in the line at a time, the rest stand behind it (`held`), so that ten thousand of one owner hold
//!   nobody up; `feeder` lets the next ones in. `going` has one taken through by `programs`, and stores its end; `answer` is what is stored of it.
//! - `resume`: those of an earlier start, and of other nodes.
//! - `follow`: what becomes of a task or a batch, for those who watch.
//! - `figures`: how many are where.
//! - `webhooks`: programs are told what is over; `view`: in what words; `described`: what else the document of the API says of them.
//!
//! What is told of a task is stored before. Its end is stored once, whoever may have worked on it: the store takes the first, and no other. So two
//! nodes that both believe that a task is theirs cost work, and never a second result.

mod answer;
mod described;
mod error;
mod feed;
mod feeder;
mod figures;
mod follow;
mod going;
mod graph;
mod held;
mod read;
mod results;
mod resume;
mod view;
mod webhooks;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::sync::{Notify, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::info;
use uuid::Uuid;

pub(crate) use self::{
    described::{Chunk, Sent},
    error::TaskFault,
    feed::{Behind, Stands},
    figures::TaskFigures,
    follow::{BatchFollower, BatchNews, Cursor, TaskFollower, TaskNews},
    view::{BatchView, StandsView, TaskView},
    webhooks::Message,
};
use self::{feed::Feed, figures::Counts, webhooks::Guarded};
use crate::{
    agents::Backends,
    clock::now_ms,
    nodes::{Homes, Membership},
    programs::Programs,
    queue::{Owner, Queue, TicketId},
    settings::Settings,
    store::{BatchRecord, Ended, NewBatch, Store, TakenIn, TaskEnd, TaskFilter, TaskRecord, TaskState},
    wire::Reason,
};

/// What tasks need of the other rooms.
pub struct Deps {
    /// The line they wait in.
    pub queue: Queue,
    /// Where they are kept.
    pub store: Arc<dyn Store>,
    /// Who has requests answered.
    pub programs: Programs,
    /// Who answers.
    pub backends: Arc<Backends>,
    /// Where owners are at home.
    pub homes: Arc<dyn Homes>,
    /// `None`: this process keeps its line alone.
    pub membership: Option<Arc<Membership>>,
    /// The settings in force.
    pub settings: watch::Receiver<Arc<Settings>>,
}

/// What was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The batch.
    pub batch: Uuid,
    /// Its tasks, in their order, with their names.
    pub tasks: Vec<(Uuid, Option<String>)>,
    /// Whether it was written as one task.
    pub single: bool,
}

/// All tasks. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct Tasks {
    inner: Arc<Inner>,
}

struct Inner {
    deps: Deps,
    /// Owners who have something on its way here, or are followed.
    feeds: Mutex<HashMap<Owner, Arc<Feed>>>,
    tasks: TaskTracker,
    /// Cancelled when no more tasks start, at the beginning of the grace.
    closing: CancellationToken,
    /// There may be something to tell programs.
    outbox: Notify,
    /// The way to them.
    guarded: Guarded,
    counts: Counts,
}

impl Tasks {
    /// None on their way yet.
    #[must_use]
    pub fn new(deps: Deps) -> Self {
        let guarded = Guarded::new(deps.settings.clone());
        Self {
            inner: Arc::new(Inner {
                deps,
                feeds: Mutex::default(),
                tasks: TaskTracker::new(),
                closing: CancellationToken::new(),
                outbox: Notify::new(),
                guarded,
                counts: Counts::default(),
            }),
        }
    }

    fn deps(&self) -> &Deps {
        &self.inner.deps
    }

    fn store(&self) -> &dyn Store {
        &*self.inner.deps.store
    }

    fn feeds(&self) -> MutexGuard<'_, HashMap<Owner, Arc<Feed>>> {
        self.inner.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a batch in, or one task: all of it, or nothing. `key`: by which it may be sent again. `named` hears of the id of each task before that is
    /// stored, whether or not it comes to that.
    ///
    /// Cancel-safe: dropped before it returns, all of it is taken in or nothing.
    ///
    /// # Errors
    /// [`TaskFault`].
    pub async fn take_in(
        &self,
        owner: Owner,
        body: Bytes,
        key: Option<String>,
        named: impl Fn(Uuid) + Send,
    ) -> Result<Accepted, TaskFault> {
        let backends = Arc::clone(&self.deps().backends);
        // Ten thousand of them take a while, which nobody else is to wait for.
        let read = tokio::task::spawn_blocking(move || read::read(&body, &backends)).await;
        let read = read.map_err(|fault| TaskFault::Unreadable(fault.to_string()))??;
        if let Some(webhook) = &read.webhook {
            self.inner.guarded.check(webhook).map_err(TaskFault::Webhook)?;
        }
        let names: Vec<_> = read.tasks.iter().map(|task| (task.id, task.name.clone())).collect();
        names.iter().for_each(|(id, _)| named(*id));
        let batch = NewBatch {
            id: Uuid::now_v7(),
            owner,
            key,
            hash: read.hash,
            webhook: read.webhook,
            created_at: now_ms(),
            tasks: read.tasks,
            needs: read.needs,
        };
        let (id, most) = (batch.id, self.deps().settings.borrow().tasks_max_open as u64);
        let single = read.single;
        let told = |ids: Vec<Uuid>| read::list(ids.into_iter().map(|id| id.to_string()));
        let tasks = match self.store().take_in(batch, most).await? {
            TakenIn::New => {
                info!(batch = %id, tasks = names.len(), "tasks are taken in");
                self.add(owner, names.iter().map(|(id, _)| *id).collect()).await;
                names
            }
            TakenIn::Known(batch, tasks) => return Ok(Accepted { batch, tasks, single }),
            TakenIn::OtherBatch => return Err(TaskFault::OtherBatch),
            TakenIn::TooMany(_) => return Err(TaskFault::TooManyOpen(most)),
            TakenIn::Unknown(ids) => return Err(TaskFault::Unknown(told(ids))),
            TakenIn::Failed(ids) => return Err(TaskFault::NeedsFailed(told(ids))),
        };
        Ok(Accepted {
            batch: id,
            tasks,
            single,
        })
    }

    /// Ends a task for its owner, and what needs it; returns how it is then. One that is over stays as it is.
    ///
    /// # Errors
    /// [`TaskFault::Gone`], [`TaskFault::Store`].
    pub async fn cancel(&self, owner: Owner, id: Uuid) -> Result<TaskRecord, TaskFault> {
        let task = self.task(owner, id).await?;
        if task.state.is_over() {
            return Ok(task);
        }
        let end = TaskEnd {
            id,
            state: TaskState::Cancelled,
            reason: None,
            behind: Some(Reason::TaskNeedsFailed {
                name: task.name.unwrap_or_else(|| id.to_string()),
            }),
            result: None,
            usage: None,
            at: now_ms(),
        };
        if let Some(ended) = self.store().end_task(end, false).await? {
            info!(task = %id, "task cancelled");
            self.count_end(TaskState::Cancelled, 1, &ended);
            self.with_feed(owner, |feed| {
                feed.ended(&ended);
                feed.cancel(id);
            });
            self.inner.outbox.notify_one();
        }
        self.task(owner, id).await
    }

    /// Ends what is not over of a batch for its owner, in one change, and what needs that; returns how the batch is then.
    ///
    /// # Errors
    /// [`TaskFault::Gone`], [`TaskFault::Store`].
    pub async fn cancel_batch(&self, owner: Owner, id: Uuid) -> Result<BatchRecord, TaskFault> {
        let ended = self.store().cancel_batch(owner, id, now_ms()).await?;
        let ended = ended.ok_or(TaskFault::Gone)?;
        if !ended.cancelled.is_empty() {
            info!(batch = %id, tasks = ended.cancelled.len(), "a batch is cancelled");
            let (count, others) = (
                ended.cancelled.len(),
                Ended {
                    ready: Vec::new(),
                    failed: ended.failed,
                },
            );
            self.count_end(TaskState::Cancelled, count, &others);
            self.with_feed(owner, |feed| {
                feed.ended(&others);
                feed.cancel_all(&ended.cancelled);
            });
            self.inner.outbox.notify_one();
        }
        self.batch(owner, id).await
    }

    /// Ends all open tasks of an owner who is at home here. Returns how many it has found.
    ///
    /// # Errors
    /// [`TaskFault::Store`].
    pub async fn cancel_all(&self, owner: Owner) -> Result<usize, TaskFault> {
        if !self.is_home(owner) {
            return Ok(0);
        }
        let open = self.store().open_tasks(owner).await?;
        for task in &open {
            match self.cancel(owner, task.id).await {
                Ok(_) | Err(TaskFault::Gone) => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(open.len())
    }

    /// Counts tasks that have ended so, and those that have come to nothing with them.
    fn count_end(&self, how: TaskState, count: usize, behind: &Ended) {
        self.inner.counts.ended(how, count);
        self.inner.counts.ended(TaskState::Failed, behind.failed.len());
    }

    /// One task of an owner.
    ///
    /// # Errors
    /// [`TaskFault::Gone`], [`TaskFault::Store`].
    pub async fn task(&self, owner: Owner, id: Uuid) -> Result<TaskRecord, TaskFault> {
        self.store().task(owner, id).await?.ok_or(TaskFault::Gone)
    }

    /// Tasks of an owner, the last stored first, without their results.
    ///
    /// # Errors
    /// [`TaskFault::Store`].
    pub async fn tasks(&self, owner: Owner, filter: TaskFilter, most: usize) -> Result<Vec<TaskRecord>, TaskFault> {
        Ok(self.store().tasks(owner, filter, most).await?)
    }

    /// One batch of an owner.
    ///
    /// # Errors
    /// [`TaskFault::Gone`], [`TaskFault::Store`].
    pub async fn batch(&self, owner: Owner, id: Uuid) -> Result<BatchRecord, TaskFault> {
        self.store().batch(owner, id).await?.ok_or(TaskFault::Gone)
    }

    /// Where a task that is not over stands, as far as this process knows.
    #[must_use]
    pub fn stands(&self, owner: Owner, id: Uuid) -> Stands {
        let feed = self.feeds().get(&owner).cloned();
        feed.map_or(Stands::Elsewhere, |feed| feed.stands(id))
    }

    /// The tickets of an owner's tasks that are on their way here, and how many stand behind the line, as far as this process knows.
    #[must_use]
    pub fn tickets(&self, owner: Owner) -> (Vec<(Uuid, TicketId)>, Behind) {
        let feed = self.feeds().get(&owner).cloned();
        feed.map_or_else(Default::default, |feed| (feed.tickets(), feed.held()))
    }

    /// Ends all of an owner, of which nothing is stored any more.
    pub fn forget(&self, owner: Owner) {
        let feed = self.feeds().get(&owner).cloned();
        if let Some(feed) = feed {
            feed.forget();
        }
    }

    /// How many tasks are in the line, or are being answered.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.feeds().values().map(|feed| feed.going()).sum()
    }

    /// Lets no more tasks into the line.
    pub fn close(&self) {
        self.inner.closing.cancel();
    }

    /// The same, and waits until none is on its way. The queue has to be closed before.
    pub async fn finished(&self) {
        self.close();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }

    /// Removes permanently what has been over for as long as results are kept.
    pub async fn purge(&self) {
        let keep = self.deps().settings.borrow().tasks_keep_after;
        let before = now_ms().saturating_sub(u64::try_from(keep.as_millis()).unwrap_or(u64::MAX));
        match self.store().purge_tasks(before).await {
            Ok(0) | Err(crate::store::StoreError::ReadOnly(_)) => {}
            Ok(batches) => info!(batches, "batches of tasks older than TASKS_KEEP_AFTER are removed"),
            Err(error) => tracing::warn!(%error, "tasks that are too old could not be removed yet"),
        }
    }
}
