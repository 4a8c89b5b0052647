//! The record of a waiting ticket.

use super::{Time, arena::Key, work::Packed};
use crate::queue::TicketId;

/// A ticket, from joining its line until it starts or leaves.
pub(super) struct Waiter {
    pub(super) id: TicketId,
    pub(super) work: Packed,
    pub(super) joined: Time,
    /// It was parked before it came to this line.
    pub(super) resumed: bool,
    /// Whose it is: a key of the line's backlogs.
    pub(super) backlog: Key,
    /// Neighbours in the line by age.
    pub(super) age: Links,
}

/// The order of an owner's tickets among themselves: first those that have been parked, then those that have not started yet, each as they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Precedence(u64);

impl Precedence {
    /// Higher than any id.
    const LATER: u64 = 1 << 63;

    pub(super) fn new(TicketId(id): TicketId, resumed: bool) -> Self {
        Self(if resumed { id } else { id | Self::LATER })
    }
}

/// Both neighbours in the list that runs through the waiters.
#[derive(Clone, Copy, Default)]
pub(super) struct Links {
    pub(super) before: Option<Key>,
    pub(super) after: Option<Key>,
}

impl Waiter {
    pub(super) fn new(id: TicketId, work: Packed, joined: Time) -> Self {
        Self {
            id,
            work,
            joined,
            resumed: false,
            backlog: 0,
            age: Links::default(),
        }
    }

    /// The same of one that was parked, or was not.
    pub(super) fn resumed(self, resumed: bool) -> Self {
        Self { resumed, ..self }
    }

    pub(super) fn precedence(&self) -> Precedence {
        Precedence::new(self.id, self.resumed)
    }

    /// Who has waited longer has the lower one. Tickets that joined at one moment are in the order of their ids.
    pub(super) fn age(&self) -> (Time, TicketId) {
        (self.joined, self.id)
    }
}
