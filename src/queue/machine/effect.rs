//! What a command brings about.

use std::time::Duration;

use super::{Grant, TicketState};
use crate::queue::{EventIndex, JoinError, LeaveReason, TicketId};

/// Something that has happened, in the order in which it did. The machine calls nobody: the code that applies commands tells those whom
/// it concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A ticket was let in. One that can start at once runs from the first moment; one that could not wait any more when it came
    /// has left.
    Joined {
        /// Its name.
        ticket: TicketId,
        /// What it wants to do.
        event: EventIndex,
        /// Where it stands.
        state: TicketState,
    },
    /// A ticket was not let in; nothing else has changed.
    Refused {
        /// What it wanted to do.
        event: EventIndex,
        /// Why not.
        why: JoinError,
    },
    /// A waiting ticket got a slot.
    Started {
        /// Which.
        ticket: TicketId,
        /// What it got.
        grant: Grant,
    },
    /// A running ticket has given its slot back and waits again, in its old place.
    Returned {
        /// Which.
        ticket: TicketId,
    },
    /// A running ticket has given its slot back, or a waiting one its place, and is parked.
    Parked {
        /// Which.
        ticket: TicketId,
    },
    /// A parked ticket is in its line again. Where a slot is free, it starts at once.
    Resumed {
        /// Which.
        ticket: TicketId,
    },
    /// A ticket that waits is in the line of another pool, or one that is parked will be.
    Moved {
        /// Which.
        ticket: TicketId,
    },
    /// A ticket that waited or was parked has left without starting.
    Left {
        /// Which.
        ticket: TicketId,
        /// What it wanted to do.
        event: EventIndex,
        /// Why.
        reason: LeaveReason,
    },
    /// A slot came back.
    Released {
        /// Whose it was.
        ticket: TicketId,
        /// What it was for.
        event: EventIndex,
        /// How long it was held.
        held: Duration,
    },
    /// Another policy is in force.
    Retuned {
        /// The longest wait is another one, so every waiting ticket has another deadline.
        deadlines_moved: bool,
    },
    /// A back end may have another number of tickets.
    Throttled,
    /// The queue has been closed.
    Closed,
}

impl Effect {
    /// Whether some position, some count or some limit may have changed by it.
    #[must_use]
    pub fn changes_lines(&self) -> bool {
        match self {
            Self::Joined { state, .. } => !matches!(state, TicketState::Left(_)),
            Self::Refused { .. } => false,
            Self::Started { .. }
            | Self::Returned { .. }
            | Self::Parked { .. }
            | Self::Resumed { .. }
            | Self::Moved { .. }
            | Self::Left { .. }
            | Self::Released { .. }
            | Self::Retuned { .. }
            | Self::Throttled
            | Self::Closed => true,
        }
    }
}
