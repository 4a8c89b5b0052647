//! The record of a ticket that did not start at once.

use std::task::Waker;

use tokio::time::Instant;

use super::{EventIndex, Left, TicketId, arena::Key, state::Grant};

/// A ticket that did not start at once, from joining until its [`Ticket`](super::Ticket) has learnt how it ended.
pub(super) struct Waiter {
    pub(super) id: TicketId,
    pub(super) event: EventIndex,
    pub(super) joined: Instant,
    pub(super) state: WaiterState,
    /// Whom to wake when `state` changes.
    pub(super) waker: Option<Waker>,
    /// Whose it is: a key of the line's turns.
    pub(super) turn: Key,
    /// Neighbours in the line by age.
    pub(super) age: Links,
}

/// Where a [`Waiter`] is.
#[derive(Clone, Copy, Debug)]
pub(super) enum WaiterState {
    Waiting,
    /// It has a slot that its ticket has not taken yet.
    Granted(Grant),
    Left(Left),
}

/// Both neighbours in the list that runs through the waiters.
#[derive(Clone, Copy, Default)]
pub(super) struct Links {
    pub(super) before: Option<Key>,
    pub(super) after: Option<Key>,
}

impl Waiter {
    pub(super) fn new(id: TicketId, event: EventIndex, joined: Instant) -> Self {
        Self {
            id,
            event,
            joined,
            state: WaiterState::Waiting,
            waker: None,
            turn: 0,
            age: Links::default(),
        }
    }
}
