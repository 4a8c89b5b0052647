//! A slot in somebody's hands.

use std::{fmt, time::Duration};

use tokio::time::Instant;

use super::{Edge, Ticket};
use crate::queue::{BackendIndex, EventIndex, LeaveReason, OrderKey, Outcome, TicketId, Wait, machine::Grant};

/// A slot. Dropping it frees the slot at once and starts the next ticket, within the drop; a drop without
/// [`Permit::finish`], as by a panic, counts as [`Outcome::Failed`].
///
/// It counts against the limit that its event belongs to now: after a retuning that may be another one than it started at.
pub struct Permit {
    pub(super) edge: Edge,
    ticket: TicketId,
    event: EventIndex,
    grant: Grant,
    end: End,
}

/// What becomes of a permit when it is dropped.
enum End {
    Counts(Outcome),
    Withdrawn,
    /// The slot is free already.
    Free,
}

/// Work that is over. It is counted when this is dropped, and its slot is free by then: where several processes keep the line, it is free
/// for all of them once what was stored before has been stored.
#[must_use = "it is counted when it is dropped"]
pub struct Ended {
    edge: Edge,
    /// Whose slot is to be given back with it.
    ticket: Option<TicketId>,
    event: EventIndex,
    held: Duration,
    /// `None`: withdrawn.
    outcome: Option<Outcome>,
}

/// A slot whose work has ended for whoever began it, and goes on for others. Dropping it frees the slot, and counts nothing.
#[must_use = "dropping it frees the slot"]
pub struct Slot {
    edge: Edge,
    ticket: TicketId,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.edge.release(self.ticket, true);
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot")
            .field("ticket", &self.ticket)
            .finish_non_exhaustive()
    }
}

impl Permit {
    pub(super) fn new(edge: Edge, ticket: TicketId, event: EventIndex, grant: Grant) -> Self {
        Self {
            edge,
            ticket,
            event,
            grant,
            end: End::Counts(Outcome::Failed),
        }
    }

    /// Frees the slot and says how the work ended.
    pub fn finish(mut self, outcome: Outcome) {
        self.end = End::Counts(outcome);
    }

    /// The same, for work of which is not known yet whether it was accepted: it is counted once that is.
    pub fn free(mut self, outcome: Outcome) -> Ended {
        self.end = End::Free;
        let (held, ticket) = self.edge.end(self.ticket);
        Ended {
            edge: self.edge.clone(),
            ticket,
            event: self.event,
            held,
            outcome: Some(outcome),
        }
    }

    /// The work ends so for whoever began it, and goes on for others, who have the slot from now on.
    pub fn hand_on(mut self, outcome: Outcome) -> (Ended, Slot) {
        self.end = End::Free;
        let ended = Ended {
            edge: self.edge.clone(),
            ticket: None,
            event: self.event,
            held: self.edge.held(self.ticket),
            outcome: Some(outcome),
        };
        let slot = Slot {
            edge: self.edge.clone(),
            ticket: self.ticket,
        };
        (ended, slot)
    }

    /// Waits until the work is to be ended and what it has brought is to be dropped, because this process may have lost its part in the
    /// line: another one does it again. What has it then goes back by [`Permit::set_aside`]. Never where this process keeps the line alone.
    /// Cancel-safe.
    pub async fn halted(&self) {
        self.edge.halted(self.ticket).await;
    }

    /// Gives up a permit whose work has been [halted](Permit::halted). Nothing is counted. The ticket hears whether it may begin again.
    #[must_use = "dropping it leaves the line"]
    pub fn set_aside(mut self) -> Ticket {
        self.end = End::Free;
        self.edge.set_aside(self.ticket);
        Ticket::returned(self.edge.clone(), self.ticket, self.event)
    }

    /// Frees the slot, because what it was for was not accepted: no work has failed, and nothing is learnt from it. Counts as
    /// [`LeaveReason::Withdrawn`].
    pub fn withdraw(mut self) {
        self.end = End::Withdrawn;
    }

    /// Gives the slot back because its back end has failed before there was any result: the ticket is at the front of its line again,
    /// in its old order, and starts on another back end of the pool where one has room. Nothing is counted, as if it had not started;
    /// whoever waits behind it moves back by one.
    #[must_use = "dropping it leaves the line"]
    pub fn start_back(mut self) -> Ticket {
        self.end = End::Free;
        self.edge.start_back(self.ticket);
        Ticket::returned(self.edge.clone(), self.ticket, self.event)
    }

    /// The same, but not before a pause is over: until then the ticket is parked, and whoever waits may use the slot. It is the ticket's holder who
    /// sees to it, by [`Ticket::paused`].
    #[must_use = "dropping it leaves the line"]
    pub fn start_back_after(self, pause: Duration) -> Ticket {
        if pause.is_zero() {
            return self.start_back();
        }
        let until = Instant::now().checked_add(pause);
        self.pause(until)
    }

    /// The same, until [`Ticket::resume`] says so.
    #[must_use = "dropping it leaves the line"]
    pub fn step_aside(self) -> Ticket {
        self.pause(None)
    }

    fn pause(mut self, until: Option<Instant>) -> Ticket {
        self.end = End::Free;
        self.edge.pause(self.ticket);
        Ticket::parked(self.edge.clone(), self.ticket, self.event).until(until)
    }

    /// Gives the slot back for a while, because the work waits for something else: it is free at once, and estimates learn from how long it
    /// was held. Nothing is counted as ended. The ticket is in no line, has no position, counts for no bound and does not expire, until it
    /// [resumes](Ticket::resume).
    #[must_use = "dropping it leaves"]
    pub fn park(mut self) -> Ticket {
        self.end = End::Free;
        self.edge.park(self.ticket);
        Ticket::parked(self.edge.clone(), self.ticket, self.event)
    }

    /// The back end whose slot it is; `None` for work that needs none.
    #[must_use]
    pub const fn backend(&self) -> Option<BackendIndex> {
        self.grant.backend
    }

    /// The place that its ticket started from.
    #[must_use]
    pub const fn order_key(&self) -> OrderKey {
        self.grant.order
    }

    /// What the wait of its ticket was like; `None`: there was none, or it is not known.
    #[must_use]
    pub const fn wait(&self) -> Option<Wait> {
        self.grant.wait
    }

    /// How long its ticket waited.
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.grant.waited
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        match self.end {
            End::Counts(outcome) => {
                let held = self.edge.release(self.ticket, true);
                self.edge.observer().ended(self.event, outcome, held);
            }
            End::Withdrawn => self.edge.give_back(self.ticket, self.event, LeaveReason::Withdrawn),
            End::Free => {}
        }
    }
}

impl Ended {
    /// What it was for was not accepted: counts as [`LeaveReason::Withdrawn`].
    pub fn withdraw(mut self) {
        self.outcome = None;
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.edge.release(ticket, self.outcome.is_some());
        }
        let observer = self.edge.observer();
        match self.outcome {
            Some(outcome) => observer.ended(self.event, outcome, self.held),
            None => observer.left(self.event, LeaveReason::Withdrawn),
        }
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("waited", &self.grant.waited)
            .finish_non_exhaustive()
    }
}
