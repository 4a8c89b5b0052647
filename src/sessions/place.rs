//! A session's place in a line: taken, listed with the session, waited for.

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use uuid::Uuid;

use super::{Session, session::Registered};
use crate::{
    queue::{EventIndex, JoinError, LeaveReason, OrderKey, Owner, Permit, Queue, Ticket, TicketId},
    wire::{Event, TurnId},
};

impl Session {
    /// Takes a place in the line of `event` for its owner, for work that no back end does and nobody else takes up. It is listed with the session until
    /// it is dropped, which leaves the line, or gives back a slot that was not taken.
    ///
    /// Cancel-safe: dropped before it returns, it has no place.
    ///
    /// # Errors
    /// [`JoinError`]; nothing has changed then.
    pub async fn join(self: &Arc<Self>, queue: &Queue, owner: Owner, event: Event) -> Result<Place, JoinError> {
        let job = Uuid::new_v4().as_u128();
        let ticket = queue.place(job, EventIndex(event.index()), owner).await?;
        Ok(self.seat(queue, ticket, event, None))
    }

    /// Lists a ticket with the session, for this turn or for no turn.
    pub fn seat(self: &Arc<Self>, queue: &Queue, ticket: Ticket, event: Event, turn: Option<TurnId>) -> Place {
        Place {
            id: ticket.id(),
            _listed: self.register(ticket.id(), event, turn),
            ticket: Some(ticket),
            session: Arc::clone(self),
            queue: queue.clone(),
        }
    }
}

/// A place in a line. It stays listed with its session when the slot is there, until it is dropped.
#[must_use = "dropping it leaves the line"]
pub struct Place {
    id: TicketId,
    /// `None` once it has started or left.
    ticket: Option<Ticket>,
    session: Arc<Session>,
    queue: Queue,
    _listed: Registered,
}

impl Place {
    /// Its ticket's name.
    #[must_use]
    pub const fn id(&self) -> TicketId {
        self.id
    }

    /// Where it stands in the order; `None` while it is parked, and once it has started or left.
    #[must_use]
    pub fn order_key(&self) -> Option<OrderKey> {
        self.ticket.as_ref()?.order_key()
    }

    /// The permit, where the slot was there at once. Does not look whether it has come meanwhile: [`Place::admitted`] does.
    pub fn granted(&mut self) -> Option<Permit> {
        let permit = self.ticket.as_mut()?.granted();
        if permit.is_some() {
            self.ticket = None;
        }
        permit
    }

    /// Leaves the line for this reason, which its owner is told.
    pub fn leave(&mut self, reason: LeaveReason) {
        self.queue.leave(self.id, reason);
        self.ticket = None;
    }

    /// It waits again: its ticket, which had started, is back in the line, or parked.
    pub fn take_back(&mut self, ticket: Ticket) {
        self.ticket = Some(ticket);
        // Where it stands is news for its pages.
        self.session.journal().wake();
    }

    /// Whether it is parked.
    #[must_use]
    pub fn is_parked(&self) -> bool {
        self.ticket.as_ref().is_some_and(Ticket::is_parked)
    }

    /// A parked place comes back to its line, as its owner's next; one that is not parked stays as it is.
    pub fn resume(&self) {
        if let Some(ticket) = &self.ticket {
            ticket.resume();
            // Where it stands is news for its pages.
            self.session.journal().wake();
        }
    }

    /// Leaves the line for a while, and comes back as its owner's next once it is told to resume. One that has a slot by now gives it back, and comes
    /// back to the front.
    pub fn step_aside(&mut self) {
        if let Some(ticket) = &mut self.ticket {
            ticket.step_aside();
            // Where it stands is news for its pages.
            self.session.journal().wake();
        }
    }

    /// The permit, where there is a slot by now.
    pub fn admitted_by_now(&mut self) -> Option<Permit> {
        let permit = self.ticket.as_mut()?.admitted().now_or_never()?.ok()?;
        self.ticket = None;
        Some(permit)
    }

    /// Leaves the line, because what it was for was not accepted.
    pub fn withdraw(mut self) {
        if let Some(ticket) = self.ticket.take() {
            ticket.withdraw();
        }
    }

    /// Waits for the slot: until it is there, it is `cancelled`, or the session's browser has been gone for as long as
    /// `patience` says. What is not admitted has left the line by then, and gives back a slot that came too late.
    ///
    /// Cancel-safe: dropped before it returns, the place is as it was.
    ///
    /// # Errors
    /// [`LeaveReason`]: it left the line without starting.
    pub async fn admitted(
        &mut self,
        patience: impl Fn() -> Option<Duration>,
        cancelled: impl Future<Output = ()>,
    ) -> Result<Permit, LeaveReason> {
        let Some(ticket) = &mut self.ticket else {
            return Err(LeaveReason::Cancelled);
        };
        let left = tokio::select! {
            biased;
            () = cancelled => LeaveReason::Cancelled,
            admitted = ticket.admitted() => {
                self.ticket = None;
                return admitted;
            }
            () = self.session.presence().gone(patience) => LeaveReason::Abandoned,
        };
        self.queue.leave(self.id, left);
        self.ticket = None;
        Err(left)
    }
}
