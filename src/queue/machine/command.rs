//! What the machine can be told to do.

use serde::{Deserialize, Serialize};

use super::Time;
use crate::queue::{EventIndex, LeaveReason, OrderKey, Owner, Policy, TicketId};

/// A change of the queue. It means the same wherever and whenever it is applied: it holds no reference to one process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Somebody asks for a place. Answered by [`Joined`](super::Effect::Joined) or [`JoinError`](super::Effect::Refused).
    Join {
        /// What it wants to do.
        event: EventIndex,
        /// Whose it is.
        owner: Owner,
        /// When it first joined: its longest wait counts from there.
        joined: Time,
    },
    /// Tickets come back after a restart, all at once, in the order of their keys. Each is answered by a
    /// [`Joined`](super::Effect::Joined), in the same order.
    Restore(Vec<Restored>),
    /// A waiting ticket leaves its line. One that does not wait stays as it is.
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
    /// Nothing but the time: those who have waited as long as they may leave. Every [`Join`](Self::Join), and all that starts
    /// tickets, does this too.
    Expire,
    /// Another policy comes into force. Events keep their places in [`Policy::events`]; one that it lacks stays as it is.
    Retune(Box<Policy>),
    /// Nobody is let in and nobody starts any more; those who wait leave.
    Close,
}

/// A ticket that comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// What it wants to do.
    pub event: EventIndex,
    /// Whose it is.
    pub owner: Owner,
    /// When it first joined.
    pub joined: Time,
    /// Its place; `None`: it is not known, and counts as before all others.
    pub key: Option<OrderKey>,
    /// Whether it had started: its round had begun then.
    pub ran: bool,
}

/// A command names an event that the policy has not. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the policy has no event {}", .0.0)]
pub struct UnknownEvent(pub EventIndex);
