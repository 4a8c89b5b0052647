//! Everything that the queue's one lock guards. Nothing here waits, wakes or calls out: what is to be done after the lock
//! has been released is put into [`Effects`].

mod effects;
mod estimates;
mod read;
mod restore;
mod retune;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    task::Waker,
    time::Duration,
};

use tokio::{sync::OwnedSemaphorePermit, time::Instant};

use super::{
    EventIndex, Left, OrderKey, Owner, Policy, Refused, TicketId,
    arena::{Arena, Key},
    estimate::{CurveCache, Window},
    ids::IdMap,
    line::Line,
    slots::Slots,
    waiter::{Waiter, WaiterState},
};

pub(super) use effects::Effects;
pub(super) use estimates::Reading;

/// One counter for the whole process, so that an id names one ticket whichever queue it is in.
static TICKETS: AtomicU64 = AtomicU64::new(1);

/// A slot handed to a ticket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grant {
    pub(super) running: Key,
    pub(super) waited: Duration,
    /// The place that it had, or would have had.
    pub(super) order: OrderKey,
}

/// Something that holds a slot of its line and one of all.
pub(super) struct Running {
    event: EventIndex,
    started: Instant,
    slot: OwnedSemaphorePermit,
    overall: OwnedSemaphorePermit,
}

/// How a join went that was not refused.
#[derive(Clone, Copy)]
pub(super) enum Joined {
    /// It has its slot at once and never waited.
    Started(Grant),
    Waits(Key),
    /// It could not wait any more when it came.
    Ended(Left),
}

/// What a ticket sees when it looks.
pub(super) enum Seen {
    Granted(Grant),
    Left(Left),
    Waits {
        /// When it leaves as [`Left::Expired`].
        deadline: Option<Instant>,
    },
}

pub(super) struct State {
    policy: Policy,
    lines: Vec<Line>,
    /// By event, the line it belongs to.
    line_of: Vec<usize>,
    /// The slots of everything together.
    overall: Slots,
    running: Arena<Running>,
    waiters: Arena<Waiter>,
    /// Waiting tickets only.
    by_id: IdMap<Key>,
    /// By event, how long its last ones held their slots.
    windows: Vec<Window>,
    /// By event.
    waiting: Vec<usize>,
    /// By line.
    curves: Vec<CurveCache>,
    arrivals: u64,
    /// The last [`Line::epoch`] given; none is given twice, whatever becomes of the lines.
    epochs: u64,
    closed: bool,
}

/// Capacity of the index of waiting tickets that is kept when nobody waits any more.
const KEPT: usize = 1024;

impl State {
    pub(super) fn new(policy: Policy) -> Self {
        let mut state = Self {
            overall: Slots::new(policy.max_running),
            lines: Vec::new(),
            line_of: Vec::new(),
            running: Arena::default(),
            waiters: Arena::default(),
            by_id: IdMap::default(),
            windows: vec![Window::default(); policy.events.len()],
            waiting: vec![0; policy.events.len()],
            curves: Vec::new(),
            arrivals: 0,
            epochs: 0,
            closed: false,
            policy,
        };
        state.lay_out(state.policy.plan());
        state
    }

    /// The only way in. One critical section decides on everything, so a burst cannot overfill anything.
    pub(super) fn join(
        &mut self,
        event: EventIndex,
        owner: Owner,
        joined: Instant,
        now: Instant,
        effects: &mut Effects,
    ) -> Result<(TicketId, Joined), Refused> {
        if self.closed {
            return Err(Refused::Closed);
        }
        self.expire(now, effects);
        if self.is_due(joined, now) {
            return Ok((new_id(), Joined::Ended(Left::Expired)));
        }
        let at = self.line_of[event.0];
        if self.lines[at].waiting() == 0
            && let Some(running) = self.try_start(at, event, now)
        {
            effects.changed = true;
            self.arrivals += 1;
            let grant = Grant {
                running,
                waited: now.saturating_duration_since(joined),
                order: self.lines[at].place_at_once(self.arrivals),
            };
            return Ok((new_id(), Joined::Started(grant)));
        }
        if !self.policy.queue {
            return Err(Refused::Busy);
        }
        if self
            .policy
            .max_waiting_per_owner
            .is_some_and(|most| self.waiting_of(owner) >= most)
        {
            return Err(Refused::TooManyOfYours);
        }
        if self.policy.max_size.is_some_and(|most| self.by_id.len() >= most) {
            return Err(Refused::Full);
        }
        let id = new_id();
        let key = self.waiters.insert(Waiter::new(id, event, joined));
        self.by_id.insert(id, key);
        self.waiting[event.0] += 1;
        self.arrivals += 1;
        self.lines[at].push(key, owner, self.arrivals, &mut self.waiters);
        self.mix_changed(at);
        effects.changed = true;
        Ok((id, Joined::Waits(key)))
    }

    /// Takes a waiting ticket out; `false` if it does not wait.
    pub(super) fn leave(&mut self, ticket: TicketId, how: Left, effects: &mut Effects) -> bool {
        let Some(key) = self.by_id.get(&ticket).copied() else {
            return false;
        };
        self.take_out(key, how, effects);
        true
    }

    /// What a ticket sees when it looks. Once its wait has ended it takes what it finds, and its record is gone; else
    /// `waker` is kept and will be woken. What is `replaced` is to be dropped outside the lock.
    pub(super) fn look(&mut self, key: Key, waker: &Waker, replaced: &mut Option<Waker>) -> Seen {
        let waiter = &mut self.waiters[key];
        let seen = match waiter.state {
            WaiterState::Waiting => {
                if waiter.waker.as_ref().is_none_or(|known| !known.will_wake(waker)) {
                    *replaced = waiter.waker.replace(waker.clone());
                }
                let joined = waiter.joined;
                return Seen::Waits {
                    deadline: self.deadline(joined),
                };
            }
            WaiterState::Granted(grant) => Seen::Granted(grant),
            WaiterState::Left(how) => Seen::Left(how),
        };
        *replaced = self.waiters.remove(key).waker;
        seen
    }

    /// A ticket is dropped before it learnt how it ended.
    pub(super) fn abandon(&mut self, key: Key, how: Left, now: Instant, effects: &mut Effects) {
        match self.waiters[key].state {
            WaiterState::Waiting => self.take_out(key, how, effects),
            WaiterState::Granted(grant) => {
                effects.left.push((self.waiters[key].event, how));
                self.give_back(grant.running, now, effects);
            }
            WaiterState::Left(_) => {}
        }
        effects.wake.push(self.waiters.remove(key).waker);
    }

    /// A slot comes back that nobody took, or in which nothing was done that counts: nothing has been learnt from it.
    pub(super) fn give_back(&mut self, running: Key, now: Instant, effects: &mut Effects) -> EventIndex {
        let (event, _) = self.free(running);
        self.start_waiting(now, effects);
        event
    }

    /// A slot comes back after work; how long it was held.
    pub(super) fn release(&mut self, running: Key, now: Instant, effects: &mut Effects) -> (EventIndex, Duration) {
        let (event, started) = self.free(running);
        let held = now.saturating_duration_since(started);
        self.windows[event.0].push(held);
        self.start_waiting(now, effects);
        (event, held)
    }

    /// Those whose time is over leave. Every change of the queue does this first, so that nobody starts late, or
    /// takes up room, because a timer has yet to fire.
    pub(super) fn expire(&mut self, now: Instant, effects: &mut Effects) {
        if self.policy.max_wait.is_none() {
            return;
        }
        for at in 0..self.lines.len() {
            while let Some(oldest) = self.lines[at]
                .oldest()
                .filter(|key| self.is_due(self.waiters[*key].joined, now))
            {
                self.take_out(oldest, Left::Expired, effects);
            }
        }
    }

    /// When a ticket has to have started.
    fn deadline(&self, joined: Instant) -> Option<Instant> {
        joined.checked_add(self.policy.max_wait?)
    }

    pub(super) fn close(&mut self, effects: &mut Effects) {
        self.closed = true;
        for at in 0..self.lines.len() {
            while let Some(oldest) = self.lines[at].oldest() {
                self.take_out(oldest, Left::Closed, effects);
            }
        }
        effects.changed = true;
    }

    /// Hands free slots to the waiting until there is no slot or nobody to use it. Where the overall cap leaves one
    /// slot and several lines could use it, the head that has waited longest gets it.
    fn start_waiting(&mut self, now: Instant, effects: &mut Effects) {
        effects.changed = true;
        if self.closed {
            return;
        }
        self.expire(now, effects);
        while self.overall.has_free() {
            let heads = self
                .lines
                .iter()
                .enumerate()
                .filter(|(_, line)| line.waiting() > 0 && line.slots.has_free());
            let longest = heads
                .filter_map(|(at, line)| Some((at, line.head()?)))
                .min_by_key(|(_, key)| (self.waiters[*key].joined, self.waiters[*key].id));
            let Some((at, key)) = longest else { return };
            let (event, joined) = (self.waiters[key].event, self.waiters[key].joined);
            let Some(running) = self.try_start(at, event, now) else {
                return;
            };
            let grant = Grant {
                running,
                waited: now.saturating_duration_since(joined),
                order: self.lines[at].admit(key, &mut self.waiters),
            };
            self.end_wait(key, WaiterState::Granted(grant), effects);
        }
    }

    /// Takes a slot of the line and one of all, or neither.
    fn try_start(&mut self, at: usize, event: EventIndex, started: Instant) -> Option<Key> {
        let line = &mut self.lines[at];
        let overall = self.overall.try_take()?;
        let Some(slot) = line.slots.try_take() else {
            self.overall.give_back(overall);
            return None;
        };
        line.running += 1;
        self.touch(at);
        Some(self.running.insert(Running {
            event,
            started,
            slot,
            overall,
        }))
    }

    fn free(&mut self, running: Key) -> (EventIndex, Instant) {
        let Running {
            event,
            started,
            slot,
            overall,
        } = self.running.remove(running);
        let at = self.line_of[event.0];
        self.lines[at].slots.give_back(slot);
        self.lines[at].running -= 1;
        self.touch(at);
        self.overall.give_back(overall);
        (event, started)
    }

    /// All lines together.
    fn waiting_of(&self, owner: Owner) -> usize {
        self.lines.iter().map(|line| line.waiting_of(owner)).sum()
    }

    fn is_due(&self, joined: Instant, now: Instant) -> bool {
        self.deadline(joined).is_some_and(|deadline| deadline <= now)
    }

    fn take_out(&mut self, key: Key, how: Left, effects: &mut Effects) {
        let event = self.waiters[key].event;
        let at = self.line_of[event.0];
        self.lines[at].remove(key, &mut self.waiters);
        self.end_wait(key, WaiterState::Left(how), effects);
        self.mix_changed(at);
        effects.left.push((event, how));
        effects.changed = true;
    }

    /// The part of an ending that admission and leaving share.
    fn end_wait(&mut self, key: Key, state: WaiterState, effects: &mut Effects) {
        let waiter = &mut self.waiters[key];
        waiter.state = state;
        effects.wake.push(waiter.waker.take());
        self.waiting[waiter.event.0] -= 1;
        self.by_id.remove(&waiter.id);
        if self.by_id.is_empty() && self.by_id.capacity() > KEPT {
            self.by_id.shrink_to_fit();
        }
    }

    /// Where events share a line, its estimates depend on who waits, not only on what runs.
    fn mix_changed(&mut self, at: usize) {
        if self.lines[at].plan.events.len() > 1 {
            self.touch(at);
        }
    }

    /// What was computed from this line holds no more.
    fn touch(&mut self, at: usize) {
        self.epochs += 1;
        self.lines[at].epoch = self.epochs;
    }
}

fn new_id() -> TicketId {
    TicketId(TICKETS.fetch_add(1, Ordering::Relaxed))
}
