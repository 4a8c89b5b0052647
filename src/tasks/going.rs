//! One task on its way: out of the store, into the line, answered, stored.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tokio::{
    sync::oneshot,
    time::{Instant, sleep},
};
use tracing::{Instrument as _, error, info, info_span, warn};
use uuid::Uuid;

use super::{Tasks, answer, feed::Feed, feeder::AGAIN, read};
use crate::{
    agents::Door,
    clock::now_ms,
    jobs,
    programs::{Done, Keeper, ProgramFault, Request, Said},
    queue::{LeaveReason, OrderKey, PoolIndex, RestoredTicket, Ticket, machine::Restored},
    settings::ModelName,
    store::{OpenTask, StoreError, TaskEnd, TaskState},
    wire::Reason,
};

/// How often a task is begun. One that takes the whole server down each time must not do so for ever.
const MAX_ATTEMPTS: u32 = 10;
/// Between two tries to store an end.
const RETRY: Duration = Duration::from_secs(5);
/// Longest result, in bytes.
const MAX_RESULT_BYTES: usize = 16 * 1024 * 1024;

/// How a task has left its way.
enum Left {
    /// It is over.
    Over,
    /// It is not, and goes into the line again.
    Again,
    /// It is not, and the line or the store has no room for it now.
    Refused,
    /// It is in the line, and this process is yet to hear that it is to take it up.
    InLine,
}

impl Tasks {
    /// Has a task go its way that the feed has on its way. What is returned is over once it has a place in the line, or the feed knows that it has got none.
    pub(super) fn set_off(&self, feed: &Arc<Feed>, task: OpenTask, ticket: Option<Ticket>) -> oneshot::Receiver<()> {
        let span = info_span!(parent: None, "task", id = %task.id);
        let (lined_up, receiver) = oneshot::channel();
        let work = self.clone().go(Arc::clone(feed), task, ticket, LinedUp::new(lined_up));
        self.inner.tasks.spawn(work.instrument(span));
        receiver
    }

    async fn go(self, feed: Arc<Feed>, task: OpenTask, ticket: Option<Ticket>, lined_up: LinedUp) {
        let mut broken_off = BrokenOff {
            feed: &feed,
            id: task.id,
            is: true,
        };
        let left = self.take_through(&feed, &task, ticket, &lined_up).await;
        broken_off.is = false;
        match left {
            Left::Over => feed.over(task.id),
            Left::Again => feed.back(task.id, None),
            Left::Refused => feed.back(task.id, Some(Instant::now() + AGAIN)),
            Left::InLine => feed.left_to_the_line(task.id),
        }
        // Only now: whoever lets the next ones in has to know of a refusal.
        lined_up.tell();
    }

    async fn take_through(
        &self,
        feed: &Arc<Feed>,
        task: &OpenTask,
        mut ticket: Option<Ticket>,
        lined_up: &LinedUp,
    ) -> Left {
        let failed = |reason| TaskEnd {
            reason: Some(reason),
            ..end(task, TaskState::Failed)
        };
        if task.attempts.saturating_sub(task.stopped) >= MAX_ATTEMPTS {
            warn!(
                attempts = task.attempts,
                "a task is not answered again: the server ended each time"
            );
            drop(ticket);
            return self.end(feed, failed(Reason::GivenUp), false).await;
        }
        let request = match self.request(task).await {
            Ok(Some(Ok(request))) => request,
            Ok(Some(Err(reason))) => {
                drop(ticket);
                return self.end(feed, failed(reason), false).await;
            }
            Ok(None) => return Left::Over,
            Err(error) => {
                warn!(%error, "a task cannot be read yet");
                return Left::Refused;
            }
        };
        let model = ModelName::of_id(&task.model);
        let found = model.and_then(|model| Some((model.clone(), self.deps().backends.pool(&model)?)));
        let Some((model, pool)) = found else {
            drop(ticket);
            let model = task.model.clone();
            return self.end(feed, failed(Reason::ModelGone { model }), false).await;
        };
        loop {
            let keeping = Arc::new(Keeping {
                tasks: self.clone(),
                feed: Arc::clone(feed),
                task: task.clone(),
                lined_up: lined_up.clone(),
                begun: AtomicU32::new(0),
                over: AtomicBool::new(false),
            });
            let keeper = Arc::clone(&keeping) as _;
            let at = (model.clone(), pool);
            let programs = &self.deps().programs;
            let (kept, run) = programs.keep((task.id, task.owner), request.clone(), at, ticket.take(), keeper);
            if !feed.asked(task.id, kept.clone()) {
                return Left::Over;
            }
            match run.await {
                Err(ProgramFault::Left(LeaveReason::Expired, _)) => {
                    // The longest wait is meant for somebody who waits.
                    match self.back_in_place(task, pool, kept.key()).await {
                        Some(returned) => ticket = Some(returned),
                        None => return Left::InLine,
                    }
                }
                Err(ProgramFault::Line(_)) => return Left::Refused,
                Err(ProgramFault::Cancelled) => return Left::Over,
                _ if keeping.over.load(Ordering::Relaxed) => return Left::Over,
                _ => return Left::Again,
            }
        }
    }

    /// What is asked, with the results that it uses; or why it cannot be; `None`: the task is over.
    async fn request(&self, task: &OpenTask) -> Result<Option<Result<Request, Reason>>, StoreError> {
        let Some(stored) = self.store().request_of(task.id).await? else {
            return Ok(None);
        };
        let used = read::used(&stored);
        let results = match used.is_empty() {
            true => Vec::new(),
            false => self.store().results(task.owner, used).await?,
        };
        let body = read::filled(&stored, |id| {
            let known = results.iter().find(|(known, _)| known.to_string() == id);
            known.map(|(_, result)| answer::text(result)).unwrap_or_default()
        });
        let request = body.and_then(|body| Request::read(Door::Chat, body));
        Ok(Some(request.map_err(|fault| Reason::Told {
            sentence: fault.message,
        })))
    }

    /// Puts a task back where it stood in the line. `None`: its ticket comes as one that is to be taken up.
    async fn back_in_place(&self, task: &OpenTask, pool: PoolIndex, key: Option<OrderKey>) -> Option<Ticket> {
        let queue = &self.deps().queue;
        let work = jobs::work(Some(pool), None);
        if let Some(membership) = &self.deps().membership {
            let (_, _, now) = membership.known(std::iter::empty());
            let restored = Restored {
                work,
                owner: task.owner,
                joined: now,
                key,
                ran: false,
                parked: false,
            };
            // Only at the end of the process it does not come back.
            let _ = queue.recover(vec![(task.id.as_u128(), restored)]).await;
            return None;
        }
        let returning = RestoredTicket {
            work,
            owner: task.owner,
            joined: Instant::now(),
            key,
            ran: false,
            parked: false,
        };
        queue.restore(&[returning]).pop()
    }

    /// Stores how a task has ended, as soon as the store takes it, and what follows from it.
    async fn end(&self, feed: &Feed, end: TaskEnd, gives_slot: bool) -> Left {
        loop {
            match self.store().end_task(end.clone(), gives_slot).await {
                Ok(ended) => {
                    if let Some(ended) = ended {
                        info!(state = end.state.name(), "task ended");
                        self.count_end(end.state, 1, &ended);
                        feed.ended(&ended);
                        self.inner.outbox.notify_one();
                    }
                    return Left::Over;
                }
                // The next start answers it again.
                Err(StoreError::Closed) => return Left::Again,
                Err(error) => error!(%error, "the end of a task could not be stored yet"),
            }
            tokio::select! {
                () = sleep(RETRY) => {}
                () = self.inner.closing.cancelled() => return Left::Again,
            }
        }
    }
}

/// A task that ends so now; what it needs to be whole comes on top.
fn end(task: &OpenTask, state: TaskState) -> TaskEnd {
    TaskEnd {
        id: task.id,
        state,
        reason: None,
        behind: Some(Reason::TaskNeedsFailed {
            name: task.name.clone().unwrap_or_else(|| task.id.to_string()),
        }),
        result: None,
        usage: None,
        at: now_ms(),
    }
}

/// Who waits until a task has a place in the line.
#[derive(Clone)]
struct LinedUp(Arc<Mutex<Option<oneshot::Sender<()>>>>);

impl LinedUp {
    fn new(waits: oneshot::Sender<()>) -> Self {
        Self(Arc::new(Mutex::new(Some(waits))))
    }

    /// It has one, or is not going to have one now.
    fn tell(&self) {
        drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// Stores the start and the end of one task.
struct Keeping {
    tasks: Tasks,
    feed: Arc<Feed>,
    task: OpenTask,
    lined_up: LinedUp,
    /// How often its start has been stored.
    begun: AtomicU32,
    /// Whether its end has been.
    over: AtomicBool,
}

#[async_trait]
impl Keeper for Keeping {
    fn lined_up(&self) {
        self.lined_up.tell();
    }

    async fn started(&self, round: u32) {
        // Its place is free for the next one.
        self.feed.tell();
        if self.begun.load(Ordering::Relaxed) > round {
            return;
        }
        match self.tasks.store().begin_task(self.task.id, now_ms()).await {
            Ok(Some(_)) => {
                self.begun.store(round + 1, Ordering::Relaxed);
                self.feed.begun(self.task.id, round + 1);
            }
            // Somebody else has ended it.
            Ok(None) => self.feed.cancel(self.task.id),
            Err(error) => warn!(%error, "the start of a task could not be stored"),
        }
    }

    async fn over(&self, how: &Result<Done, ProgramFault>, said: Said, gives_slot: bool) {
        let outcome = match how {
            Ok(done) => {
                let whole = answer::whole(said.events.iter().chain([&done.last]));
                let whole = answer::marked(whole, said.source).to_string();
                if whole.len() > MAX_RESULT_BYTES {
                    Err(Reason::AnswerTooLong)
                } else {
                    Ok((whole, done.usage))
                }
            }
            Err(ProgramFault::Stopped) => {
                // That was no fault of its own.
                if self.begun.load(Ordering::Relaxed) > 0
                    && let Err(error) = self.tasks.store().stop_task(self.task.id).await
                {
                    warn!(%error, "a task that was stopped counts as begun");
                }
                return;
            }
            Err(ProgramFault::Line(_) | ProgramFault::Left(..) | ProgramFault::Cancelled | ProgramFault::Moved) => {
                return;
            }
            Err(ProgramFault::Unfit(fault)) => Err(Reason::Told {
                sentence: fault.message.clone(),
            }),
            Err(fault) => Err(fault.reason()),
        };
        let end = match outcome {
            Ok((whole, usage)) => TaskEnd {
                result: Some(whole),
                usage: Some(usage),
                ..end(&self.task, TaskState::Done)
            },
            Err(reason) => TaskEnd {
                reason: Some(reason),
                ..end(&self.task, TaskState::Failed)
            },
        };
        if matches!(self.tasks.end(&self.feed, end, gives_slot).await, Left::Over) {
            self.over.store(true, Ordering::Relaxed);
        }
    }
}

/// Says so if a task breaks off.
struct BrokenOff<'a> {
    feed: &'a Feed,
    id: Uuid,
    is: bool,
}

impl Drop for BrokenOff<'_> {
    fn drop(&mut self) {
        if self.is {
            self.feed.lost(self.id);
        }
    }
}
