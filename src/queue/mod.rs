//! Limits, lines, tickets and estimates: what this project exists for.
//!
//! This room imports nothing of the other rooms; it could be a crate of its own.
//! A caller joins with an event and an owner, waits for its [`Permit`], and drops it when the work is over.
//!
//! - `policy`: what an operator tunes, and the lines that follow. `throttle`: what a back end may have for now.
//! - [`machine`]: all that is decided (joining, leaving, admission, retuning), as a state machine that knows no clock and no tasks.
//! - `edge`: the edge around it within one process: the lock, wakers, timers, and what callers hold.

mod edge;
pub mod machine;
mod policy;
#[cfg(test)]
mod tests;
mod throttle;

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

pub use edge::{
    Changes, CommonLine, Difference, Ended, Held, IdleSlot, JoinAsk, Permit, Queue, Reporter, Retuning, Slot, Stray,
    Ticket,
};
pub use machine::{Wait, estimate::StartRange};
pub use policy::{BackendPolicy, Balance, EventPolicy, Order, Policy, PoolPolicy};
pub use throttle::{InForce, Outage, Teller, Throttle};

/// A kind of work, by its place in [`Policy::events`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EventIndex(pub usize);

/// Back ends that may stand in for each other, by their place in [`Policy::pools`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PoolIndex(pub u32);

/// A back end, by its place in [`Policy::backends`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BackendIndex(pub u32);

/// What a ticket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// The kind of work.
    pub event: EventIndex,
    /// Who may do it; `None`: it needs no back end.
    pub pool: Option<PoolIndex>,
    /// The back end of the pool that it had best be done by. It gets the ticket if it has a free slot and at most one more to do
    /// than the one that has the least; nobody waits for it.
    pub prefers: Option<BackendIndex>,
}

impl From<EventIndex> for Work {
    /// Work that needs no back end.
    fn from(event: EventIndex) -> Self {
        Self {
            event,
            pool: None,
            prefers: None,
        }
    }
}

/// Whom fairness counts as one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Owner(pub u128);

impl fmt::Debug for Owner {
    /// A short form for logs: it tells owners apart, and is of no use to anybody who would pose as one. Numbers as small as those of tests
    /// are whole; ids are random and never so small.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match u32::try_from(self.0) {
            Ok(small) => write!(f, "o-{small}"),
            Err(_) => write!(f, "o-{:06x}", self.0 >> 104),
        }
    }
}

/// One request's place in a line. Grows with every join; never used twice in one queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TicketId(pub u64);

/// A ticket's place in the order of its line: who starts earlier has the lower one, and keeps it while it runs. Kept somewhere that
/// outlasts the process, it brings the ticket back to its place after a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OrderKey {
    /// The round, in fair order; plain arrival has one for all.
    pub tag: u64,
    /// The order within a round.
    pub arrival: u64,
}

/// A ticket that comes back after a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestoredTicket {
    /// What it is for.
    pub work: Work,
    /// Whose it is.
    pub owner: Owner,
    /// When it first joined: its longest wait counts from there.
    pub joined: Instant,
    /// Its place; `None`: it is not known, and counts as before all others.
    pub key: Option<OrderKey>,
    /// Whether it had started: its round had begun then.
    pub ran: bool,
    /// Whether it comes back parked: in no line, until it resumes. When it joined does not matter then.
    pub parked: bool,
}

/// Why a ticket was not let into the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// Nobody may wait, and no slot is free.
    #[error("every slot is in use, and nobody may wait")]
    Busy,
    /// The line holds as many as it may.
    #[error("the line is full")]
    Full,
    /// This owner has as many waiting as it may.
    #[error("this owner has as many waiting as it may")]
    TooManyOfYours,
    /// The queue has been closed.
    #[error("the queue has been closed")]
    Closed,
    /// What several processes have in common cannot be reached at the moment.
    #[error("what the processes have in common cannot be reached")]
    Away,
}

/// How a ticket that waited or was parked left without starting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LeaveReason {
    /// Its owner took it back.
    Cancelled,
    /// It waited longer than it may.
    Expired,
    /// Its owner stayed away too long.
    Abandoned,
    /// The queue has been closed.
    Closed,
    /// What it was for was not accepted after all.
    Withdrawn,
    /// What it waited for has been done without it.
    Done,
}

/// How the work that held a permit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Well.
    Done,
    /// With a fault; a permit dropped without a word ended so.
    Failed,
    /// Its owner stopped it.
    Cancelled,
    /// It ran longer than it may.
    Expired,
}

/// A waiting ticket's standing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// The pool in whose line it is, if it is in one's.
    pub pool: Option<PoolIndex>,
    /// 1 starts next.
    pub position: u64,
    /// How many wait in its line.
    pub waiting: u64,
    /// When it is likely to start.
    pub estimate: Option<StartRange>,
}

/// One line, as it can be looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct LineState {
    /// The limit's name.
    pub name: String,
    /// The events that share it.
    pub events: Vec<EventIndex>,
    /// The pool whose line it is; `None`: the line of all who need no back end.
    pub pool: Option<PoolIndex>,
    /// Slots in use, by whatever line.
    pub running: usize,
    /// Slots there are: of the limit, or of the pool's back ends where they are fewer; `None` is unlimited.
    pub limit: Option<usize>,
    /// Tickets that wait.
    pub waiting: usize,
    /// The position of a ticket that joined now, of an owner with nothing waiting; 0: it would start at once.
    pub newcomer: u64,
    /// How long the one that has waited longest has waited.
    pub longest_wait: Option<Duration>,
    /// When a ticket that joined now would start.
    pub estimate: Option<StartRange>,
    /// What runs in its slots, the eldest first: the first few of them, and none where there are very many.
    pub inside: Vec<Inside>,
    /// How long such a slot is held, in the mean; `None`: none has come back yet.
    pub usual: Option<Duration>,
}

/// A ticket that holds a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inside {
    /// Which.
    pub ticket: TicketId,
    /// For how long.
    pub age: Duration,
}

/// A limit, as it can be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitState {
    /// Its name.
    pub name: String,
    /// The events that share it.
    pub events: Vec<EventIndex>,
    /// Slots in use, all its lines together.
    pub running: usize,
    /// Slots there are: its own, or those of the back ends where they are fewer; `None` is unlimited.
    pub limit: Option<usize>,
    /// Tickets that have given their slot back for a while and are in no line.
    pub parked: usize,
}

/// A back end, as it can be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackendState {
    /// Tickets that it has.
    pub running: usize,
    /// How many it may have now; `None` is unlimited.
    pub limit: Option<usize>,
}

/// Told of what happens, for figures. Called outside the queue's lock, in no guaranteed order.
pub trait Observer: Send + Sync + 'static {
    /// A ticket was not let in.
    fn refused(&self, event: EventIndex, why: JoinError);
    /// A ticket got its slot after `waited`.
    fn started(&self, event: EventIndex, waited: Duration);
    /// A ticket left the line without starting, or was withdrawn, which it may have been after its start.
    fn left(&self, event: EventIndex, how: LeaveReason);
    /// A permit came back after `held`.
    fn ended(&self, event: EventIndex, outcome: Outcome, held: Duration);
}

/// Keeps no figures.
impl Observer for () {
    fn refused(&self, _: EventIndex, _: JoinError) {}
    fn started(&self, _: EventIndex, _: Duration) {}
    fn left(&self, _: EventIndex, _: LeaveReason) {}
    fn ended(&self, _: EventIndex, _: Outcome, _: Duration) {}
}
