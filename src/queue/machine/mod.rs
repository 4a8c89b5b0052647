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
//!     machine.apply(Time(0), Command::Join { event: chat, owner, joined }, &mut effects)?;
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
//! - `command`, `effect`, `ticket`, `time`: the words; `snapshot`: the whole state, to keep, to send and to compare.
//! - `line`, `backlog`, `rank`, `list`, `waiter`: the order, what each owner has waiting, and positions in O(log n).
//! - `expire`: who has waited too long; `restore`, `retune`: a line is put together; `read`: what the state shows of itself.
//! - `estimate`: when a ticket is likely to start; `situation`: what an estimate is made from.

mod arena;
mod backlog;
mod command;
mod effect;
pub(super) mod estimate;
mod expire;
pub(super) mod ids;
mod line;
mod list;
mod rank;
mod read;
mod restore;
mod retune;
mod situation;
mod snapshot;
#[cfg(test)]
mod tests;
mod ticket;
mod time;
mod waiter;

use super::{EventIndex, JoinError, LeaveReason, Owner, Policy, TicketId};
use arena::{Arena, Key};
use estimate::Window;
use ids::IdMap;
use line::Line;
use ticket::{Record, Running};
use waiter::Waiter;

pub use command::{Command, Restored, UnknownEvent};
pub use effect::Effect;
pub use snapshot::{Snapshot, SnapshotError};
pub use ticket::{Grant, TicketState};
pub use time::Time;

/// The state of a queue. See the [module](self).
pub struct Machine {
    policy: Policy,
    lines: Vec<Line>,
    /// By event, the line it belongs to.
    line_of: Vec<usize>,
    waiters: Arena<Waiter>,
    running: Arena<Running>,
    /// Where the records of the tickets are.
    by_id: IdMap<Record>,
    /// By event, how long its last ones held their slots.
    windows: Vec<Window>,
    /// By event.
    waiting: Vec<usize>,
    /// The last id given.
    tickets: u64,
    arrivals: u64,
    /// The last [`Line::epoch`] given; none is given twice, whatever becomes of the lines.
    epochs: u64,
    closed: bool,
}

impl Machine {
    /// A queue under `policy`, with nobody in it.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        let mut machine = Self {
            lines: Vec::new(),
            line_of: Vec::new(),
            waiters: Arena::default(),
            running: Arena::default(),
            by_id: IdMap::default(),
            windows: vec![Window::default(); policy.events.len()],
            waiting: vec![0; policy.events.len()],
            tickets: 0,
            arrivals: 0,
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
    /// [`UnknownEvent`], and then nothing has changed.
    pub fn apply(
        &mut self,
        now: Time,
        command: Command,
        effects: &mut impl Extend<Effect>,
    ) -> Result<(), UnknownEvent> {
        match command {
            Command::Join { event, owner, joined } => {
                self.line_of(event)?;
                let joined = self.join(event, owner, joined, now, effects);
                effects.extend([joined]);
            }
            Command::Restore(tickets) => {
                tickets
                    .iter()
                    .try_for_each(|ticket| self.line_of(ticket.event).map(drop))?;
                self.restore(&tickets, now, effects);
            }
            Command::Leave { ticket, reason } => {
                if let Some(Record::Waiter(key)) = self.by_id.get(ticket).copied() {
                    self.leave(key, reason, effects);
                }
            }
            Command::Release { ticket, worked } => self.release(ticket, worked, now, effects),
            Command::Expire => self.expire(now, effects),
            Command::Retune(policy) => self.retune(*policy, now, effects),
            Command::Close => self.close(effects),
        }
        Ok(())
    }

    /// The only way in. One command decides on everything, so a burst cannot overfill anything.
    fn join(
        &mut self,
        event: EventIndex,
        owner: Owner,
        joined: Time,
        now: Time,
        effects: &mut impl Extend<Effect>,
    ) -> Effect {
        let refused = |why| Effect::Refused { event, why };
        if self.closed {
            return refused(JoinError::Closed);
        }
        self.expire(now, effects);
        let let_in = |ticket, state| Effect::Joined { ticket, event, state };
        if self.is_due(joined, now) {
            return let_in(self.new_id(), TicketState::Left(LeaveReason::Expired));
        }
        let at = self.line_of[event.0];
        if self.lines[at].waiting() == 0 && self.can_start(at) {
            self.arrivals += 1;
            let running = Running {
                id: self.new_id(),
                event,
                owner,
                joined,
                started: now,
                order: self.lines[at].place_at_once(self.arrivals),
            };
            let record = self.start(at, running);
            self.by_id.insert_new(running.id, record);
            return let_in(running.id, TicketState::Running(running.grant()));
        }
        if !self.policy.queue {
            return refused(JoinError::Busy);
        }
        let most = self.policy.max_waiting_per_owner;
        if most.is_some_and(|most| self.waiting_of(owner) >= most) {
            return refused(JoinError::TooManyOfYours);
        }
        if self.policy.max_size.is_some_and(|most| self.waiters.len() >= most) {
            return refused(JoinError::Full);
        }
        let ticket = self.new_id();
        let key = self.add_waiter(ticket, event, joined);
        self.arrivals += 1;
        self.lines[at].push(key, owner, self.arrivals, &mut self.waiters);
        self.lines[at].enter_by_age(key, &mut self.waiters);
        self.mix_changed(at);
        let_in(ticket, TicketState::Waiting)
    }

    /// A waiting ticket leaves its line without starting: cancelled, expired or abandoned.
    fn leave(&mut self, key: Key, reason: LeaveReason, effects: &mut impl Extend<Effect>) {
        let Waiter { id, event, .. } = self.waiters[key];
        let at = self.line_of[event.0];
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

    fn release(&mut self, ticket: TicketId, worked: bool, now: Time, effects: &mut impl Extend<Effect>) {
        let Some(Record::Running(key)) = self.by_id.get(ticket).copied() else {
            return;
        };
        self.by_id.remove(ticket);
        let Running { event, started, .. } = self.running.remove(key);
        let at = self.line_of[event.0];
        self.lines[at].running -= 1;
        self.touch(at);
        let held = now.saturating_since(started);
        if worked {
            self.windows[event.0].push(held);
        }
        effects.extend([Effect::Released { ticket, event, held }]);
        self.start_waiting(now, effects);
    }

    fn close(&mut self, effects: &mut impl Extend<Effect>) {
        self.closed = true;
        for at in 0..self.lines.len() {
            while let Some(oldest) = self.lines[at].oldest() {
                self.leave(oldest, LeaveReason::Closed, effects);
            }
        }
        effects.extend([Effect::Closed]);
    }

    /// Hands free slots to the waiting until there is no slot or nobody to use it. Where the overall cap leaves one
    /// slot and several lines could use it, the head that has waited longest gets it.
    fn start_waiting(&mut self, now: Time, effects: &mut impl Extend<Effect>) {
        if self.closed {
            return;
        }
        self.expire(now, effects);
        while self.is_below_cap() {
            let heads = self.lines.iter().enumerate().filter(|(_, line)| line.has_free());
            let longest = heads
                .filter_map(|(at, line)| Some((at, line.head()?)))
                .min_by_key(|(_, key)| self.waiters[*key].age());
            let Some((at, key)) = longest else { return };
            let owner = self.lines[at].owner_of(&self.waiters[key]);
            let order = self.lines[at].admit(key, &mut self.waiters);
            let Waiter { id, event, joined, .. } = self.remove_waiter(key);
            let running = Running {
                id,
                event,
                owner,
                joined,
                started: now,
                order,
            };
            let record = self.start(at, running);
            *self.by_id.get_mut(id).expect("it has waited") = record;
            effects.extend([Effect::Started {
                ticket: id,
                grant: running.grant(),
            }]);
        }
    }

    fn is_below_cap(&self) -> bool {
        self.policy.max_running.is_none_or(|most| self.running.len() < most)
    }

    /// Whether the line has a slot, and there is one of all.
    fn can_start(&self, at: usize) -> bool {
        self.lines[at].has_free() && self.is_below_cap()
    }

    /// The only way to a slot. To be asked first: [`Machine::can_start`]. The ticket's id has to be led to its new record.
    fn start(&mut self, at: usize, running: Running) -> Record {
        self.touch(at);
        self.lines[at].running += 1;
        Record::Running(self.running.insert(running))
    }

    fn new_id(&mut self) -> TicketId {
        self.tickets += 1;
        TicketId(self.tickets)
    }

    /// The record of a waiting ticket, which its line has to be given.
    fn add_waiter(&mut self, ticket: TicketId, event: EventIndex, joined: Time) -> Key {
        let key = self.waiters.insert(Waiter::new(ticket, event, joined));
        self.by_id.insert_new(ticket, Record::Waiter(key));
        self.waiting[event.0] += 1;
        key
    }

    /// The line has given it up. Its id still leads here.
    fn remove_waiter(&mut self, key: Key) -> Waiter {
        let waiter = self.waiters.remove(key);
        self.waiting[waiter.event.0] -= 1;
        waiter
    }

    /// All lines together.
    fn waiting_of(&self, owner: Owner) -> usize {
        self.lines.iter().map(|line| line.waiting_of(owner)).sum()
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
