//! The record of a waiting ticket.

use super::{Time, arena::Key, work::Packed};
use crate::queue::TicketId;

/// A ticket, from joining its line until it starts or leaves.
pub(super) struct Waiter {
    pub(super) id: TicketId,
    pub(super) work: Packed,
    pub(super) joined: Time,
    /// Whose it is: a key of the line's backlogs.
    pub(super) backlog: Key,
    /// Neighbours in the line by age.
    pub(super) age: Links,
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
            backlog: 0,
            age: Links::default(),
        }
    }

    /// Who has waited longer has the lower one. Tickets that joined at one moment are in the order of their ids.
    pub(super) fn age(&self) -> (Time, TicketId) {
        (self.joined, self.id)
    }
}
