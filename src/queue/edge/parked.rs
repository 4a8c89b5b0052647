//! Tickets that have given their slot back for a while.

use super::{Edge, Queue};
use crate::queue::{TicketId, machine::TicketState};

impl Queue {
    /// A parked ticket of this process comes back to its line: see [`Ticket::resume`](super::Ticket::resume). `false`: it is not parked (any more).
    pub fn resume(&self, ticket: TicketId) -> bool {
        self.edge.resume(ticket)
    }

    /// Whether a ticket is parked: it holds no slot, and is in no line.
    #[must_use]
    pub fn is_parked(&self, ticket: TicketId) -> bool {
        self.edge.is_parked(ticket)
    }

    /// Tickets that are parked.
    #[must_use]
    pub fn parked(&self) -> usize {
        self.edge.show(|machine| machine.parked())
    }
}

impl Edge {
    /// A running ticket gives its slot back for a while.
    pub(super) fn park(&self, ticket: TicketId) {
        match self {
            Self::Local(local) => local.park(ticket),
            Self::Common(common) => common.park(ticket),
        }
    }

    /// A running ticket gives its slot back until it may go on from where it stood.
    pub(super) fn pause(&self, ticket: TicketId) {
        match self {
            Self::Local(local) => local.pause(ticket),
            Self::Common(common) => common.pause(ticket),
        }
    }

    /// A parked ticket comes back to its line. `false`: it is not parked.
    pub(super) fn resume(&self, ticket: TicketId) -> bool {
        match self {
            Self::Local(local) => local.resume(ticket),
            Self::Common(common) => common.resume(ticket),
        }
    }

    /// Whether a ticket is parked, as far as its holder has said.
    pub(super) fn is_parked(&self, ticket: TicketId) -> bool {
        let known = || self.show(|machine| machine.state_of(ticket) == Some(TicketState::Parked));
        match self {
            Self::Local(_) => known(),
            Self::Common(common) => common.is_parked_here(ticket).unwrap_or_else(known),
        }
    }
}
