//! Who follows a request.

use std::sync::Arc;

use tokio::time::Instant;
use uuid::Uuid;

use super::{Job, Phase, Step};
use crate::{
    programs::{ProgramFault, Source, registry::Registry},
    queue::Standing,
};

/// Sees what becomes of a request, from its beginning. Dropped as the last one, the request is given up, unless its program may come back.
#[derive(Debug)]
pub struct Follower {
    job: Arc<Job>,
    registry: Arc<Registry>,
    /// It is another request.
    shares: bool,
    seen: Phase,
    /// Of which round its events are.
    round: u32,
    next: usize,
    over: bool,
    heedless: bool,
}

impl Follower {
    /// One that begins with this round. `shares`: it is another request.
    pub(super) const fn new(job: Arc<Job>, registry: Arc<Registry>, shares: bool, round: u32) -> Self {
        Self {
            job,
            registry,
            shares,
            seen: Phase::Joining,
            round,
            next: 0,
            over: false,
            heedless: false,
        }
    }

    /// The request's id.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.job.id
    }

    /// Where it stands; `None`: it does not wait.
    #[must_use]
    pub fn standing(&self) -> Option<Standing> {
        self.job.standing()
    }

    /// Where its answer comes from, if it is not, or will not be, made for it.
    #[must_use]
    pub fn source(&self) -> Option<Source> {
        self.job.source()
    }

    /// From here on it may hear that the request has started only with what comes next, where it has started at once. Nobody is woken for that alone.
    pub fn heed_no_start(&mut self) {
        if !std::mem::replace(&mut self.heedless, true) {
            self.job.lock().heedless += 1;
        }
    }

    /// What happens next. After [`Step::Over`] nothing does, and this never returns. Cancel-safe.
    pub async fn next(&mut self) -> Step {
        loop {
            let job = Arc::clone(&self.job);
            let changed = job.changed.notified();
            if let Some(step) = self.look() {
                return step;
            }
            changed.await;
        }
    }

    fn look(&mut self) -> Option<Step> {
        let mut state = self.job.lock();
        if state.dismissed && !self.shares {
            drop(state);
            let ended = !std::mem::replace(&mut self.over, true);
            return ended.then_some(Step::Over(Err(ProgramFault::Cancelled)));
        }
        if state.round != self.round {
            // What it has been told belongs to an answer that was dropped.
            if self.next > 0 {
                drop(state);
                let ended = !std::mem::replace(&mut self.over, true);
                return ended.then_some(Step::Over(Err(ProgramFault::Moved)));
            }
            self.round = state.round;
        }
        if let Some(events) = state.events.get(self.next).cloned() {
            state.begun |= !self.shares;
            self.next += 1;
            return Some(Step::Events(events));
        }
        if let Some(over) = state.end().cloned().filter(|_| !self.over) {
            state.taken |= !self.shares;
            drop(state);
            self.over = true;
            self.registry.taken(&self.job);
            return Some(Step::Over(over));
        }
        let phase = state.phase;
        if phase == self.seen || self.over {
            return None;
        }
        self.seen = phase;
        Some(if phase == Phase::Waiting {
            Step::Waiting
        } else {
            Step::Started
        })
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let given_up = {
            let mut state = self.job.lock();
            state.followers -= 1;
            state.sharers -= usize::from(self.shares);
            state.heedless -= usize::from(self.heedless);
            let alone = state.followers == 0 && state.over.is_none();
            if alone {
                state.alone_since = Some(Instant::now());
            }
            let for_nobody = state.dismissed && state.sharers == 0;
            let stays = self.job.kept || self.job.may_be_repeated(&state);
            for_nobody || alone && !stays
        };
        if given_up {
            self.job.end();
        }
        self.job.moved.notify_waiters();
    }
}
