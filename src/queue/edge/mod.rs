//! The edge of the queue: what callers hold, and the lock, wakers and timers around a [`Machine`](super::machine::Machine).
//!
//! - `handle`, `ticket`, `permit`, `changes`: what callers hold. `parked`: what they do with a ticket that is parked.
//! - `local`: a queue of this process alone, with its lock, and the wakes and calls that follow it. `seats`: what the lock guards: the
//!   machine, and who is to be woken when a ticket's state changes.
//! - `common`: a line that several processes keep, as one of them sees it.
//! - `idle`: a slot that nobody needs, lent to work that is no ticket.
//! - `curves`: estimates, computed outside the lock. `clock`: tokio's time and the machine's.

mod changes;
mod clock;
mod common;
mod curves;
mod few;
mod handle;
mod idle;
mod local;
mod parked;
mod permit;
mod seats;
mod ticket;

use std::{
    sync::{Arc, Mutex},
    task::Waker,
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

pub use changes::Changes;
pub use common::{CommonLine, Difference, Held, JoinAsk, Reporter, Retuning, Stray};
pub use handle::Queue;
pub use idle::IdleSlot;
pub use permit::{Ended, Permit, Slot};
pub use ticket::Ticket;

use super::{
    EventIndex, LeaveReason, Observer, OrderKey, TicketId,
    machine::{Grant, Machine, TicketState, Time},
};
use common::{Common, Names};
use curves::Curves;
use local::Local;

/// Who keeps a line. Cheap to clone.
#[derive(Clone)]
enum Edge {
    /// This process alone: what is asked for has happened when the call returns.
    Local(Arc<Local>),
    /// Several processes: it happens once all of them have it in common.
    Common(Arc<Common>),
}

impl Edge {
    /// Shows the line as it is at one moment, what has been computed from it, and under which names this process knows its pools.
    fn with<T>(&self, look: impl FnOnce(&Machine, &mut Curves, Time, &Names) -> T) -> T {
        match self {
            Self::Local(local) => {
                let now = local.clock.now();
                let seats = &mut *local.lock();
                look(&seats.machine, &mut seats.curves, now, &Names::SAME)
            }
            Self::Common(common) => common.with(look),
        }
    }

    /// The same for those who want nothing but the line.
    fn show<T>(&self, look: impl FnOnce(&Machine) -> T) -> T {
        self.with(|machine, _, _, _| look(machine))
    }

    fn observer(&self) -> &dyn Observer {
        match self {
            Self::Local(local) => local.observer(),
            Self::Common(common) => common.observer(),
        }
    }

    /// Held while a curve is computed. Never taken under another lock.
    fn computing(&self) -> &Mutex<()> {
        match self {
            Self::Local(local) => &local.computing,
            Self::Common(common) => &common.computing,
        }
    }

    /// Those who follow the changes.
    fn told(&self) -> &Notify {
        match self {
            Self::Local(local) => &local.told,
            Self::Common(common) => &common.told,
        }
    }

    /// How often some position, count or limit has changed.
    fn changes(&self) -> u64 {
        match self {
            Self::Local(local) => local.lock().changes,
            Self::Common(common) => common.changes(),
        }
    }

    /// The place in the order of a ticket that has not learnt yet how its wait ended.
    fn order_key(&self, ticket: TicketId) -> Option<OrderKey> {
        match self {
            Self::Local(local) => local.lock().order_key(ticket),
            Self::Common(common) => common.order_key(ticket),
        }
    }

    /// The slot that a ticket had when it was let in, where that is only known now.
    fn granted_at_once(&self, ticket: TicketId) -> Option<Grant> {
        match self {
            Self::Local(_) => None,
            Self::Common(common) => common.granted(ticket),
        }
    }

    /// Where a ticket that had to wait stands; while it waits, `waker` will be woken when that changes, and the moment is returned at
    /// which its longest wait is over.
    fn look(&self, ticket: TicketId, waker: &Waker) -> (TicketState, Option<Instant>) {
        match self {
            Self::Local(local) => local.look(ticket, waker),
            Self::Common(common) => common.look(ticket, waker),
        }
    }

    /// A timer has seen `deadline` pass.
    fn expire(&self, deadline: Option<Instant>) {
        match self {
            Self::Local(local) => local.expire(deadline),
            Self::Common(common) => common.expire(),
        }
    }

    /// A ticket is dropped before it learnt how its wait ended.
    fn drop_ticket(&self, ticket: TicketId, event: EventIndex, how: LeaveReason) {
        match self {
            Self::Local(local) => local.drop_ticket(ticket, event, how),
            Self::Common(common) => common.drop_ticket(ticket, how),
        }
    }

    /// Frees a slot in which nothing was done that counts.
    fn give_back(&self, ticket: TicketId, event: EventIndex, how: LeaveReason) {
        self.release(ticket, false);
        self.observer().left(event, how);
    }

    /// Frees a slot. Returns how long it was held.
    fn release(&self, ticket: TicketId, worked: bool) -> Duration {
        match self {
            Self::Local(local) => local.free(ticket, worked),
            Self::Common(common) => common.release(ticket, worked),
        }
    }

    /// How long a slot has been held.
    fn held(&self, ticket: TicketId) -> Duration {
        self.with(|machine, _, now, _| machine.age_of(ticket, now))
            .unwrap_or_default()
    }

    /// Work is over. Returns how long it took, and the ticket whose slot is to be freed once that has been stored.
    fn end(&self, ticket: TicketId) -> (Duration, Option<TicketId>) {
        match self {
            Self::Local(local) => (local.free(ticket, true), None),
            Self::Common(common) => (common.held(ticket), Some(ticket)),
        }
    }

    /// A running ticket goes back to its line.
    fn start_back(&self, ticket: TicketId) {
        match self {
            Self::Local(local) => local.start_back(ticket),
            Self::Common(common) => common.start_back(ticket),
        }
    }

    async fn halted(&self, ticket: TicketId) {
        match self {
            Self::Local(_) => std::future::pending().await,
            Self::Common(common) => std::future::poll_fn(|cx| common.poll_halted(ticket, cx)).await,
        }
    }

    fn set_aside(&self, ticket: TicketId) {
        if let Self::Common(common) = self {
            common.set_aside(ticket);
        }
    }
}
