//! The queue as a deterministic state machine: commands go in, each with its time, and effects come out.
//!
//! Nothing in here looks at a clock, draws a random number, wakes a task or waits. The same commands with the same times, applied
//! to machines under the same policy, give the same effects and the same state, wherever and whenever that is. So a line can be
//! kept by several processes that apply one log, be rebuilt from a log, or start from a [`Snapshot`] in the middle of one.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use anteroom::queue::machine::{Command, Effect, Machine, TicketState, Time};
//! use anteroom::queue::{EventIndex, EventPolicy, Owner, Policy};
//!
//! let chat = EventIndex(0);
//! let policy = Policy::new([EventPolicy::new("chat", 1)]);
//! let mut machine = Machine::new(policy);
//! let mut effects = Vec::new();
//! for owner in [1, 2] {
//!     let (owner, joined) = (Owner(owner), Time(0));
//!     machine.apply(Time(0), Command::Join { work: chat.into(), owner, joined }, &mut effects)?;
//! }
//! let [Effect::Joined { ticket: first, .. }, Effect::Joined { ticket: second, state, .. }] = effects[..] else {
//!     panic!("both are let in");
//! };
//! assert_eq!(state, TicketState::Waiting);
//!
//! // A machine made from this snapshot starts the same ticket at the same command.
//! let mut copy = Machine::from_snapshot(machine.snapshot())?;
//! let release = Command::Release { ticket: first, worked: true };
//! for machine in [&mut machine, &mut copy] {
//!     effects.clear();
//!     machine.apply(Time(5_000_000_000), release.clone(), &mut effects)?;
//!     assert!(matches!(effects[1], Effect::Started { ticket, .. } if ticket == second));
//! }
//! assert_eq!(machine.snapshot(), copy.snapshot());
//! # Ok(())
//! # }
//! ```
//!
//! - `command`, `effect`, `ticket`, `time`, `work`: the words; `snapshot`: the whole state, to keep, to send and to compare.
//! - `line`, `backlog`, `rank`, `list`, `waiter`: the order, what each owner has waiting, and positions in O(log n).
//! - `admit`: slots, and who gets the next one; `limit`, `backend`: where they are; `turns`: whose turn it is between lines.
//! - `again`: another place for a ticket; `park`: none for a while; `expire`: who has waited too long; `restore`, `retune`: a line is put together; `read`, `inside`:
//!   what the state shows of itself.
//! - `story`: what a wait was like, counted as it goes on. `spare`: which slots nobody needs.
//! - `estimate`: when a ticket is likely to start; `situation`: what an estimate is made from.

mod admit;
mod again;
mod arena;
mod backend;
mod backlog;
mod command;
mod effect;
pub(super) mod estimate;
mod expire;
pub(super) mod ids;
mod inside;
mod limit;
mod line;
mod list;
mod park;
mod rank;
mod read;
mod restore;
mod retune;
mod situation;
mod snapshot;
mod spare;
mod story;
#[cfg(test)]
mod tests;
mod ticket;
mod time;
mod turns;
mod waiter;
mod work;

use std::collections::BTreeMap;

use super::{BackendIndex, JoinError, LeaveReason, Owner, Policy, PoolIndex, TicketId, Work};
use arena::{Arena, Key};
use backend::Backend;
use estimate::Window;
use ids::IdMap;
use limit::Limit;
use line::Line;
use park::Parked;
use story::Stories;
use ticket::{Record, Running};
use turns::Turns;
use waiter::Waiter;
use work::Packed;

pub use command::{Command, Restored, UnknownWork};
pub use effect::Effect;
pub use snapshot::{Snapshot, SnapshotError};
pub use story::Wait;
pub use ticket::{Grant, TicketState};
pub use time::Time;

/// The state of a queue. See the [module](self).
pub struct Machine {
    policy: Policy,
    limits: Vec<Limit>,
    lines: Vec<Line>,
    /// By event, the line of its tickets that need no back end. Those of the pools follow it, where its limit has some.
    line_of: Vec<usize>,
    /// By the places of the policy.
    backends: Vec<Backend>,
    turns: Turns,
    waiters: Arena<Waiter>,
    /// Of those, by the same keys.
    stories: Stories,
    running: Arena<Running>,
    parked: BTreeMap<TicketId, Parked>,
    /// Where the records of the tickets are.
    by_id: IdMap<Record>,
    /// By event, how long its last ones held their slots.
    windows: Vec<Window>,
    /// The same of each pool at each of its back ends.
    held_at: BTreeMap<(PoolIndex, BackendIndex), Window>,
    /// By event.
    waiting: Vec<usize>,
    /// The last id given.
    tickets: u64,
    arrivals: u64,
    /// How often a back end has been chosen.
    choices: u64,
    /// The last [`Limit::epoch`] given; none is given twice, whatever becomes of the limits.
    epochs: u64,
    closed: bool,
}

impl Machine {
    /// A queue under `policy`, with nobody in it.
    #[must_use]
    pub fn new(mut policy: Policy) -> Self {
        policy.drop_unknown_backends();
        let mut machine = Self {
            limits: Vec::new(),
            lines: Vec::new(),
            line_of: Vec::new(),
            backends: vec![Backend::default(); policy.backends.len()],
            turns: Turns::default(),
            waiters: Arena::default(),
            stories: Stories::default(),
            running: Arena::default(),
            parked: BTreeMap::new(),
            by_id: IdMap::default(),
            windows: vec![Window::default(); policy.events.len()],
            held_at: BTreeMap::new(),
            waiting: vec![0; policy.events.len()],
            tickets: 0,
            arrivals: 0,
            choices: 0,
            epochs: 0,
            closed: false,
            policy,
        };
        machine.lay_out(machine.policy.plan());
        machine
    }

    /// Carries out a command. What comes of it is added to `effects`, in the order in which it happens. `now` may lie before the time
    /// of an earlier command; no time that has passed is negative.
    ///
    /// # Errors
    /// [`UnknownWork`], and then nothing has changed.
    pub fn apply(&mut self, now: Time, command: Command, effects: &mut impl Extend<Effect>) -> Result<(), UnknownWork> {
        match command {
            Command::Join { work, owner, joined } => {
                let at = self.line_of(work)?;
                let joined = self.join(at, work, owner, joined, now, effects);
                effects.extend([joined]);
            }
            Command::Restore(tickets) => {
                tickets
                    .iter()
                    .try_for_each(|ticket| self.line_of(ticket.work).map(drop))?;
                self.restore(&tickets, now, effects);
            }
            Command::Leave { ticket, reason } => match self.by_id.get(ticket).copied() {
                Some(Record::Waiter(key)) => self.leave(key, reason, effects),
                Some(Record::Parked) => self.leave_parked(ticket, reason, effects),
                Some(Record::Running(_)) | None => {}
            },
            Command::Release { ticket, worked } => self.release(ticket, worked, now, effects),
            Command::StartBack { ticket } => self.start_back(ticket, now, effects),
            Command::Park { ticket } => self.park(ticket, now, effects),
            Command::Pause { ticket } => self.pause(ticket, now, effects),
            Command::Resume { ticket } => self.resume(ticket, now, effects),
            Command::ChangePool { ticket, pool } => self.change_pool(ticket, pool, now, effects)?,
            Command::Recall { ticket, pool } => self.recall(ticket, pool, now, effects)?,
            Command::Throttle { backend, cap } => self.throttle(backend, cap, now, effects),
            Command::Expire => self.expire(now, effects),
            Command::Retune(policy) => self.retune(*policy, now, effects),
            Command::Close => self.close(effects),
        }
        Ok(())
    }

    /// The only way in. One command decides on everything, so a burst cannot overfill anything.
    fn join(
        &mut self,
        at: usize,
        work: Work,
        owner: Owner,
        joined: Time,
        now: Time,
        effects: &mut impl Extend<Effect>,
    ) -> Effect {
        let event = work.event;
        let refused = |why| Effect::Refused { event, why };
        if self.closed {
            return refused(JoinError::Closed);
        }
        self.expire(now, effects);
        let let_in = |ticket, state| Effect::Joined { ticket, event, state };
        if self.is_due(joined, now) {
            return let_in(self.new_id(), TicketState::Left(LeaveReason::Expired));
        }
        if self.can_start(at, work.pool) {
            self.arrivals += 1;
            let running = Running {
                id: self.new_id(),
                work,
                backend: None,
                owner,
                joined,
                started: now,
                order: self.lines[at].place_at_once(self.arrivals),
                wait: None,
                resumed: false,
            };
            let (record, grant) = self.start(at, running, None);
            self.by_id.insert_new(running.id, record);
            return let_in(running.id, TicketState::Running(grant));
        }
        if let Some(why) = self.no_room(owner) {
            return refused(why);
        }
        let ticket = self.new_id();
        let key = self.add_waiter(Waiter::new(ticket, Packed::new(work, None), joined));
        self.arrivals += 1;
        self.lines[at].push(key, owner, self.arrivals, &mut self.waiters);
        self.lines[at].enter_by_age(key, &mut self.waiters);
        self.begin_story(at, key, owner);
        self.mix_changed(at);
        let_in(ticket, TicketState::Waiting)
    }

    /// A waiting ticket leaves its line without starting: cancelled, expired or abandoned.
    fn leave(&mut self, key: Key, reason: LeaveReason, effects: &mut impl Extend<Effect>) {
        let Waiter { id, work, .. } = self.waiters[key];
        let (event, at) = (work.event(), self.at(work.work()));
        self.lines[at].leave(key, &mut self.waiters);
        self.remove_waiter(key);
        self.by_id.remove(id);
        self.mix_changed(at);
        effects.extend([Effect::Left {
            ticket: id,
            event,
            reason,
        }]);
    }

    fn close(&mut self, effects: &mut impl Extend<Effect>) {
        self.closed = true;
        for at in 0..self.lines.len() {
            while let Some(oldest) = self.lines[at].oldest() {
                self.leave(oldest, LeaveReason::Closed, effects);
            }
        }
        while let Some(ticket) = self.parked.keys().next().copied() {
            self.leave_parked(ticket, LeaveReason::Closed, effects);
        }
        effects.extend([Effect::Closed]);
    }

    fn throttle(
        &mut self,
        BackendIndex(at): BackendIndex,
        cap: Option<usize>,
        now: Time,
        effects: &mut impl Extend<Effect>,
    ) {
        let Some(backend) = self.backends.get_mut(at as usize) else {
            return;
        };
        backend.cap = cap;
        self.touch_all();
        effects.extend([Effect::Throttled]);
        self.start_waiting(now, effects);
    }

    fn new_id(&mut self) -> TicketId {
        self.tickets += 1;
        TicketId(self.tickets)
    }

    /// The record of a waiting ticket, which its line has to be given.
    fn add_waiter(&mut self, waiter: Waiter) -> Key {
        let (ticket, event) = (waiter.id, waiter.work.event());
        let key = self.waiters.insert(waiter);
        self.by_id.insert_new(ticket, Record::Waiter(key));
        self.waiting[event.0] += 1;
        key
    }

    /// The line has given it up. Its id still leads here.
    fn remove_waiter(&mut self, key: Key) -> Waiter {
        let waiter = self.waiters.remove(key);
        self.waiting[waiter.work.event().0] -= 1;
        if self.waiters.len() == 0 {
            self.stories.clear();
        }
        waiter
    }

    /// All lines together.
    fn waiting_of(&self, owner: Owner) -> usize {
        self.lines.iter().map(|line| line.waiting_of(owner)).sum()
    }

    /// Where events share a line, its estimates depend on who waits, not only on what runs.
    fn mix_changed(&mut self, at: usize) {
        let Line { limit, pool, .. } = self.lines[at];
        if pool.is_none() && self.limits[limit].plan.events.len() > 1 {
            self.touch(at);
        }
    }

    /// What was computed from this line's limit holds no more.
    fn touch(&mut self, at: usize) {
        self.epochs += 1;
        let limit = self.lines[at].limit;
        self.limits[limit].epoch = self.epochs;
    }

    /// What was computed from any line holds no more.
    fn touch_all(&mut self) {
        for limit in &mut self.limits {
            self.epochs += 1;
            limit.epoch = self.epochs;
        }
    }
}
