//! What the machine can be told to do.

use serde::{Deserialize, Serialize};

use super::Time;
use crate::queue::{BackendIndex, LeaveReason, OrderKey, Owner, Policy, PoolIndex, TicketId, Work};

/// A change of the queue. It means the same wherever and whenever it is applied: it holds no reference to one process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Somebody asks for a place. Answered by [`Joined`](super::Effect::Joined) or [`JoinError`](super::Effect::Refused).
    Join {
        /// What it is for.
        work: Work,
        /// Whose it is.
        owner: Owner,
        /// When it first joined: its longest wait counts from there.
        joined: Time,
    },
    /// Tickets come back after a restart, all at once, in the order of their keys. Each is answered by a
    /// [`Joined`](super::Effect::Joined), in the same order.
    Restore(Vec<Restored>),
    /// A ticket that waits or is parked leaves. One that runs stays as it is.
    Leave {
        /// Which.
        ticket: TicketId,
        /// Why.
        reason: LeaveReason,
    },
    /// A running ticket gives its slot back. One that does not run stays as it is.
    Release {
        /// Which.
        ticket: TicketId,
        /// Whether work was done in the slot. If not, estimates learn nothing from how long it was held.
        worked: bool,
    },
    /// A running ticket whose back end has failed goes back to the front of its line, in its old order, and gives its slots back. It
    /// avoids that back end where another one of the pool has room. One that does not run stays as it is.
    StartBack {
        /// Which.
        ticket: TicketId,
    },
    /// A running ticket gives its slots back for a while: it is in no line and cannot start until it is told to resume. Estimates learn from how
    /// long it has held them. One that does not run stays as it is.
    Park {
        /// Which.
        ticket: TicketId,
    },
    /// A running ticket gives its slots back until it may go on from where it stood, as after a fault of its back end that is gone in a moment. It
    /// is parked, and comes back by [`Resume`](Self::Resume) as [`StartBack`](Self::StartBack) has it. Estimates learn nothing. One that waits leaves its
    /// line, and comes back as its owner's next. One that is parked stays as it is.
    Pause {
        /// Which.
        ticket: TicketId,
    },
    /// A parked ticket comes back to its line as its owner's next ticket; one that has run and paused, to the front in its old order. One that is not
    /// parked stays as it is.
    Resume {
        /// Which.
        ticket: TicketId,
    },
    /// A waiting ticket changes to the line of another pool, as its owner's next ticket there; one that is parked will come back to that one. One
    /// that runs stays as it is.
    ChangePool {
        /// Which.
        ticket: TicketId,
        /// Where to.
        pool: PoolIndex,
    },
    /// The same for one that may have started without having been told that it has: it gives its slots back then. Nothing has been done in them.
    Recall {
        /// Which.
        ticket: TicketId,
        /// Where to.
        pool: PoolIndex,
    },
    /// A back end may have at most so many tickets for now, whatever its limit: none while it is out of service, one while it is tried again.
    /// What it has goes on. One that is not known stays as it is.
    Throttle {
        /// Which.
        backend: BackendIndex,
        /// `None`: as many as its limit says.
        cap: Option<usize>,
    },
    /// Nothing but the time: those who have waited as long as they may leave. Every [`Join`](Self::Join), and all that starts
    /// tickets, does this too.
    Expire,
    /// Another policy comes into force. Events, pools and back ends keep their places in it; events that it lacks stay as they are, pools
    /// and back ends that it lacks get no more tickets.
    Retune(Box<Policy>),
    /// Nobody is let in and nobody starts any more; those who wait leave.
    Close,
}

/// A ticket that comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// What it is for.
    pub work: Work,
    /// Whose it is.
    pub owner: Owner,
    /// When it first joined.
    pub joined: Time,
    /// Its place; `None`: it is not known, and counts as before all others.
    pub key: Option<OrderKey>,
    /// Whether it had started: its round had begun then.
    pub ran: bool,
    /// Whether it comes back parked.
    #[serde(default)]
    pub parked: bool,
}

/// A command names an event or a pool that the policy has not, or a pool for an event that needs none. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the policy has no such work as {0:?}")]
pub struct UnknownWork(pub Work);
