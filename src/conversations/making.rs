//! An answer that is being made for everybody who asks the same at that time. One turn **leads**: it has the slot. The others read along, from the
//! beginning, without one. The answer is made for as long as somebody reads it, whoever has begun it; should its leader not want it any more, the
//! slot stays with it.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, resume_unwind},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::{
    agents::{Agent, AgentError, AnswerKey, Answered, Part, Parts, Question},
    queue::{Owner, Slot},
    wire::TurnNotice,
};

/// Parts that may wait until they are noted.
const AHEAD: usize = 64;

type Made = Result<Answered, Unmade>;

/// Why nothing whole has come of it.
#[derive(Clone)]
enum Unmade {
    Failed(AgentError),
    /// The agent panicked: what it said is its leader's to tell.
    Panicked(Arc<Mutex<Option<Box<dyn Any + Send>>>>),
}

/// An answer that is being made, or is about to be.
pub(super) struct Making {
    key: AnswerKey,
    /// Whose turn leads.
    owner: Owner,
    notes: Arc<Notes>,
    /// What makes it, as soon as its leader has asked.
    work: OnceLock<Shared<BoxFuture<'static, Made>>>,
    /// What of documents the model is told.
    excerpts: OnceLock<Vec<TurnNotice>>,
    /// Nothing comes of it any more.
    cut: CancellationToken,
    /// The slot that its leader has left it.
    slot: Mutex<Option<Slot>>,
}

/// What has been said so far.
#[derive(Default)]
struct Notes {
    parts: Mutex<Vec<Part>>,
    /// Something is new.
    news: watch::Sender<()>,
    over: CancellationToken,
}

impl Notes {
    fn parts(&self) -> MutexGuard<'_, Vec<Part>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, part: Part) {
        self.parts().push(part);
        self.news.send_replace(());
    }

    /// The parts from there on.
    fn from(&self, next: &mut usize) -> Vec<Part> {
        let parts = self.parts();
        let new = parts[*next..].to_vec();
        *next = parts.len();
        new
    }
}

impl Making {
    /// Nothing has been asked yet.
    pub(super) fn new(key: AnswerKey, owner: Owner) -> Arc<Self> {
        Arc::new(Self {
            key,
            owner,
            notes: Arc::default(),
            work: OnceLock::new(),
            excerpts: OnceLock::new(),
            cut: CancellationToken::new(),
            slot: Mutex::new(None),
        })
    }

    pub(super) const fn key(&self) -> AnswerKey {
        self.key
    }

    pub(super) const fn owner(&self) -> Owner {
        self.owner
    }

    /// Its leader asks. It goes on while somebody [reads](Self::read).
    pub(super) fn begin(&self, agent: Arc<dyn Agent>, question: Question, excerpts: Vec<TurnNotice>) {
        let notes = Arc::clone(&self.notes);
        let work = make(agent, question, Arc::clone(&notes)).in_current_span();
        let work = AssertUnwindSafe(work).catch_unwind();
        let work = async move {
            let made = work.await;
            notes.over.cancel();
            match made {
                Ok(Ok(answered)) => Ok(answered),
                Ok(Err(error)) => Err(Unmade::Failed(error)),
                Err(panic) => Err(Unmade::Panicked(Arc::new(Mutex::new(Some(panic))))),
            }
        };
        // Its leader asks once.
        let _ = self.excerpts.set(excerpts);
        let _ = self.work.set(work.boxed().shared());
        self.notes.news.send_replace(());
    }

    /// What of documents the model is told.
    pub(super) fn excerpts(&self) -> Vec<TurnNotice> {
        self.excerpts.get().cloned().unwrap_or_default()
    }

    /// Whether something may still come of it.
    pub(super) fn goes_on(&self) -> bool {
        !self.cut.is_cancelled() && !self.notes.over.is_cancelled()
    }

    /// Reads it, from its beginning to its end. `None`: nothing whole comes of it, or its reader has gone. Cancel-safe, in that others go on reading.
    ///
    /// # Panics
    /// For the first who reads of it, if the agent has.
    async fn to_its_end(&self, parts: &Parts) -> Option<Result<Answered, AgentError>> {
        let mut news = self.notes.news.subscribe();
        let (mut next, mut made) = (0, None);
        let mut work = pin!(self.made());
        loop {
            news.borrow_and_update();
            for part in self.notes.from(&mut next) {
                parts.send(part).await.ok()?;
            }
            match made.take() {
                Some(Ok(answered)) => return Some(Ok(answered)),
                Some(Err(Unmade::Failed(error))) => return Some(Err(error)),
                Some(Err(Unmade::Panicked(panic))) => {
                    let panic = panic.lock().unwrap_or_else(PoisonError::into_inner).take();
                    resume_unwind(panic?);
                }
                None => {}
            }
            tokio::select! {
                biased;
                () = self.cut.cancelled() => return None,
                ended = &mut work => made = Some(ended),
                // The sender lives as long as this.
                _ = news.changed() => {}
            }
        }
    }

    /// What has come of it, once it has been asked for.
    async fn made(&self) -> Made {
        let mut news = self.notes.news.subscribe();
        loop {
            if let Some(work) = self.work.get() {
                return work.clone().await;
            }
            let _ = news.changed().await;
        }
    }

    /// The same for its leader, who is told why it fails.
    pub(super) async fn lead(&self, parts: &Parts) -> Result<Answered, AgentError> {
        let made = self.to_its_end(parts).await;
        made.unwrap_or(Ok(Answered::default()))
    }

    /// The same for one who reads along. `None`: nothing whole has come of it.
    pub(super) async fn read(&self, parts: &Parts) -> Option<Answered> {
        let made = AssertUnwindSafe(self.to_its_end(parts)).catch_unwind().await;
        let answered = made.ok()??.ok()?;
        answered.incomplete.is_none().then_some(answered)
    }

    /// Nothing more comes of it: whoever reads it is told so.
    pub(super) fn cut(&self) {
        self.cut.cancel();
    }

    /// Its leader does not want it any more: from here on it has the slot by itself.
    pub(super) fn keep(&self, slot: Slot) {
        *self.slot() = Some(slot);
    }

    /// Whether its leader has left it.
    pub(super) fn is_left(&self) -> bool {
        self.slot().is_some()
    }

    /// Gives back the slot that its leader has left it.
    pub(super) fn free(&self) {
        let slot = self.slot().take();
        drop(slot);
    }

    fn slot(&self) -> MutexGuard<'_, Option<Slot>> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What its leader holds of it, as long as it has the slot. Dropped, nothing comes of it any more, unless it is over.
#[derive(Debug)]
pub(super) struct Lead(Arc<Making>);

impl Lead {
    pub(super) const fn new(making: Arc<Making>) -> Self {
        Self(making)
    }

    pub(super) fn making(&self) -> Arc<Making> {
        Arc::clone(&self.0)
    }

    /// Whether somebody else reads it, and something may come of it.
    pub(super) fn is_read_along(&self) -> bool {
        // Those who have let go of it by now let go of the slot, too.
        self.0.goes_on() && self.0.work.get().is_some() && Arc::strong_count(&self.0) > 1
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        if self.0.goes_on() && !self.0.is_left() {
            self.0.cut();
        }
    }
}

impl std::fmt::Debug for Making {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Making").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Has an agent answer, and notes what it says. Dropped, the request to the model server is closed.
async fn make(agent: Arc<dyn Agent>, question: Question, notes: Arc<Notes>) -> Result<Answered, AgentError> {
    let (parts, mut said) = mpsc::channel(AHEAD);
    let mut answering = pin!(agent.answer(question, parts, CancellationToken::new()));
    let (mut ended, mut open) = (None, true);
    loop {
        tokio::select! {
            biased;
            part = said.recv(), if open => match part {
                Some(part) => notes.put(part),
                None => open = false,
            },
            answered = &mut answering, if ended.is_none() => ended = Some(answered),
        }
        if !open && let Some(ended) = ended.take() {
            return ended;
        }
    }
}
