//! Limits, lines, tickets and estimates: what this project exists for.
//!
//! This room imports nothing of the other rooms; it could be a crate of its own.
//! A caller joins with an event and a session, waits for its [`Permit`], and drops it when the work is over.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::Instant};

/// A kind of work, by its place in [`Policy::events`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventIndex(pub usize);

/// Whoever shares the line fairly with others; for Anteroom a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Owner(pub u128);

/// One request's place in a line. Grows with every join; never used twice in one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TicketId(pub u64);

/// The order in which waiting tickets start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Owners take turns, one ticket a round.
    Fair,
    /// Plain arrival.
    Fifo,
}

/// One event's part of the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventPolicy {
    /// Its name, and the name of its limit where it shares none.
    pub name: String,
    /// How many may run at once; `None` is unlimited.
    pub limit: Option<usize>,
    /// Events with the same id share one limit: the lowest of theirs.
    pub concurrency_id: Option<String>,
}

/// Everything an operator can tune about the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Every event there is.
    pub events: Vec<EventPolicy>,
    /// `false`: all events share one line and run one at a time.
    pub concurrent: bool,
    /// `false`: nobody waits.
    pub queue: bool,
    /// The order of every line.
    pub order: Order,
    /// Caps everything together; `None` is unlimited.
    pub max_running: Option<usize>,
    /// Most tickets that may wait, all lines together; `None` is unlimited.
    pub max_size: Option<usize>,
    /// Most tickets that one owner may have waiting; `None` is unlimited.
    pub max_waiting_per_owner: Option<usize>,
    /// Longest wait; `None` is unlimited.
    pub max_wait: Option<Duration>,
}

/// Why a ticket was not let into the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Nobody may wait, and no slot is free.
    Busy,
    /// The line holds as many as it may.
    Full,
    /// This owner has as many waiting as it may.
    TooManyOfYours,
    /// The queue has been closed.
    Closed,
}

/// How a waiting ticket left the line without starting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// Its owner took it back.
    Cancelled,
    /// It waited longer than it may.
    Expired,
    /// Its owner stayed away too long.
    Abandoned,
    /// The queue has been closed.
    Closed,
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

/// Seconds from now until a start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StartRange {
    /// Hopeful.
    pub low: Duration,
    /// Careful.
    pub high: Duration,
}

/// A waiting ticket's standing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// 1 starts next.
    pub position: u64,
    /// How many wait in its line.
    pub waiting: u64,
    /// When it is likely to start.
    pub estimate: Option<StartRange>,
}

/// One line, for whoever looks at it.
#[derive(Clone, Debug, PartialEq)]
pub struct LineState {
    /// The limit's name.
    pub name: String,
    /// The events that share it.
    pub events: Vec<EventIndex>,
    /// Slots in use.
    pub running: usize,
    /// Slots there are; `None` is unlimited.
    pub limit: Option<usize>,
    /// Tickets that wait.
    pub waiting: usize,
    /// How long the one that has waited longest has waited.
    pub longest_wait: Option<Duration>,
    /// When a ticket that joined now would start.
    pub estimate: Option<StartRange>,
}

/// Told of what happens, for figures. Called outside the queue's lock, in no guaranteed order.
pub trait Observer: Send + Sync + 'static {
    /// A ticket was not let in.
    fn refused(&self, event: EventIndex, why: Refused);
    /// A ticket got its slot after `waited`.
    fn started(&self, event: EventIndex, waited: Duration);
    /// A ticket left the line without starting.
    fn left(&self, event: EventIndex, how: Left);
    /// A permit came back after `held`.
    fn ended(&self, event: EventIndex, outcome: Outcome, held: Duration);
}

/// The queue. Cheap to clone; all clones are the same queue.
#[derive(Clone)]
pub struct Queue {
    _todo: Arc<()>,
}

/// A place in the line. Dropping it leaves the line (as [`Left::Cancelled`]), or gives back the slot it was just given.
pub struct Ticket {
    _todo: (),
}

/// A slot. Dropping it frees the slot at once and starts the next ticket.
pub struct Permit {
    _todo: (),
}

#[expect(unused_variables, clippy::todo, reason = "the queue's own helper fills this in")]
impl Queue {
    /// A queue under `policy`.
    pub fn new(policy: Policy, observer: Arc<dyn Observer>) -> Self {
        todo!()
    }
    /// Takes a place in the line of `event`. `joined` is when it first joined (earlier than now for one that comes
    /// back after a restart): its longest wait counts from there.
    ///
    /// # Errors
    /// [`Refused`], and then nothing has changed.
    pub fn join(&self, event: EventIndex, owner: Owner, joined: Instant) -> Result<Ticket, Refused> {
        todo!()
    }
    /// Takes a waiting ticket out of its line. `false`: it is not waiting (any more).
    pub fn leave(&self, ticket: TicketId, how: Left) -> bool {
        todo!()
    }
    /// The standing of a waiting ticket; `None` once it does not wait.
    pub fn standing(&self, ticket: TicketId) -> Option<Standing> {
        todo!()
    }
    /// Every line.
    pub fn lines(&self) -> Vec<LineState> {
        todo!()
    }
    /// The line that `event` waits in.
    pub fn line_of(&self, event: EventIndex) -> LineState {
        todo!()
    }
    /// Changes whenever some position, some count or some limit has changed.
    pub fn changes(&self) -> watch::Receiver<u64> {
        todo!()
    }
    /// The policy in force.
    pub fn policy(&self) -> Policy {
        todo!()
    }
    /// Puts another policy in force: growing starts waiting tickets, shrinking lets running ones finish, nobody
    /// leaves and no owner's first waiting ticket moves back.
    pub fn retune(&self, policy: Policy) {
        todo!()
    }
    /// Lets nobody in and starts nobody any more; those who wait end as [`Left::Closed`]. For shutdown.
    pub fn close(&self) {
        todo!()
    }
}

#[expect(clippy::todo, reason = "the queue's own helper fills this in")]
impl Ticket {
    /// Its name.
    pub fn id(&self) -> TicketId {
        todo!()
    }
    /// Waits for the slot. Cancel-safe: dropping the future keeps the place, dropping the ticket leaves it.
    ///
    /// # Errors
    /// [`Left`], once it has left the line without starting.
    pub async fn admitted(&mut self) -> Result<Permit, Left> {
        todo!()
    }
}

#[expect(unused_variables, clippy::todo, reason = "the queue's own helper fills this in")]
impl Permit {
    /// Frees the slot and says how the work ended.
    pub fn finish(self, outcome: Outcome) {
        todo!()
    }
    /// How long its ticket waited.
    pub fn waited(&self) -> Duration {
        todo!()
    }
}
