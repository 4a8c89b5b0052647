//! A place in the line.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

use super::{Edge, Permit};
use crate::queue::{
    EventIndex, LeaveReason, OrderKey, TicketId,
    machine::{Grant, TicketState},
};

/// Two deadlines that differ by less are the same one.
const NEARLY: Duration = Duration::from_secs(1);

/// A place in the line, or of a ticket that is parked. Dropping it leaves (as [`LeaveReason::Cancelled`]), or gives back the slot it was just given.
pub struct Ticket {
    edge: Edge,
    id: TicketId,
    event: EventIndex,
    /// As far as it has been told; `None`: its permit has been handed out.
    state: Option<TicketState>,
    /// It has started before, which has been counted.
    returned: bool,
    /// Until when it is parked.
    pauses: Option<Instant>,
}

impl Ticket {
    pub(super) fn new(edge: Edge, id: TicketId, event: EventIndex, state: TicketState) -> Self {
        Self {
            edge,
            id,
            event,
            state: Some(state),
            returned: false,
            pauses: None,
        }
    }

    /// One that has run, and waits again as far as it knows.
    pub(super) fn returned(edge: Edge, id: TicketId, event: EventIndex) -> Self {
        let mut ticket = Self::new(edge, id, event, TicketState::Waiting);
        ticket.returned = true;
        ticket
    }

    /// One that has run, and is parked as far as it knows.
    pub(super) fn parked(edge: Edge, id: TicketId, event: EventIndex) -> Self {
        let mut ticket = Self::new(edge, id, event, TicketState::Parked);
        ticket.returned = true;
        ticket
    }

    /// The same of one that comes back by itself then.
    pub(super) fn until(mut self, pauses: Option<Instant>) -> Self {
        self.pauses = pauses;
        self
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> TicketId {
        self.id
    }

    /// Its place in the order; `None` while it is parked, and once it has left the line, or its permit has been handed out.
    #[must_use]
    pub fn order_key(&self) -> Option<OrderKey> {
        match self.state? {
            TicketState::Waiting | TicketState::Parked => self.edge.order_key(self.id),
            TicketState::Running(grant) => Some(grant.order),
            TicketState::Left(_) => None,
        }
    }

    /// The permit of a ticket that had its slot when it joined; `None` for any other, and once it has been handed out. Does not look
    /// whether a ticket that had to wait has been admitted meanwhile: [`Ticket::admitted`] does.
    pub fn granted(&mut self) -> Option<Permit> {
        let grant = match self.state? {
            TicketState::Running(grant) => grant,
            TicketState::Waiting | TicketState::Parked => self.edge.granted_at_once(self.id)?,
            TicketState::Left(_) => return None,
        };
        Some(self.hand_out(grant))
    }

    fn hand_out(&mut self, grant: Grant) -> Permit {
        self.state = None;
        if !self.returned {
            self.edge.observer().started(self.event, grant.waited);
        }
        Permit::new(self.edge.clone(), self.id, self.event, grant)
    }

    /// Whether it is parked: it holds no slot, is in no line, and starts only once it has been told to resume.
    #[must_use]
    pub fn is_parked(&self) -> bool {
        let waits = matches!(self.state, Some(TicketState::Waiting | TicketState::Parked));
        waits && self.pauses.is_none() && self.edge.is_parked(self.id)
    }

    /// Waits until its pause is over ([`Permit::start_back_after`]): it is back in its line then, or has left. At once for one that does not pause.
    /// Cancel-safe.
    pub async fn paused(&mut self) {
        let Some(until) = self.pauses else { return };
        let mut pause = pin!(sleep_until(until));
        poll_fn(|cx| {
            if matches!(self.state, Some(TicketState::Waiting | TicketState::Parked)) {
                let (state, _) = self.edge.look(self.id, cx.waker());
                self.state = Some(state);
                if matches!(state, TicketState::Parked) {
                    ready!(pause.as_mut().poll(cx));
                    self.edge.resume(self.id);
                }
            }
            Poll::Ready(())
        })
        .await;
        self.pauses = None;
    }

    /// Leaves the line for a while, without giving the place in it to be kept: it comes back as its owner's next once it is told to [resume](Self::resume).
    /// One that has a slot by now gives it back, and comes back to the front. One that has left stays so.
    pub fn step_aside(&mut self) {
        if matches!(self.state, Some(state) if !matches!(state, TicketState::Left(_))) {
            self.edge.pause(self.id);
            self.state = Some(TicketState::Parked);
        }
    }

    /// A parked ticket comes back to its line as its owner's next: before all that its owner has waiting, and never before what anybody else is
    /// owed. (One that has [stepped aside](Permit::step_aside): to the front, in its old order.) It is never refused, and its wait and its longest wait count from now. One that is not parked stays as it is.
    pub fn resume(&self) {
        self.edge.resume(self.id);
    }

    /// Waits for the slot, and while it is parked, for as long as it is. Cancel-safe: dropping the future keeps the place, dropping the ticket leaves it. A longest
    /// wait is kept by a timer of this future, so it needs a tokio runtime with time.
    ///
    /// # Errors
    /// [`LeaveReason`], once it has left the line without starting; each time it is asked again, too.
    ///
    /// # Panics
    /// If asked again after it has handed out its permit.
    pub async fn admitted(&mut self) -> Result<Permit, LeaveReason> {
        self.paused().await;
        let mut timer = pin!(None);
        poll_fn(|cx| self.poll(timer.as_mut(), cx)).await
    }

    /// Leaves the line, or gives back the slot it was just given, because what it was for was not accepted: as
    /// [`LeaveReason::Withdrawn`].
    pub fn withdraw(mut self) {
        self.leave(LeaveReason::Withdrawn);
    }

    fn leave(&mut self, how: LeaveReason) {
        match self.state.take() {
            Some(TicketState::Waiting | TicketState::Parked) => self.edge.drop_ticket(self.id, self.event, how),
            Some(TicketState::Running(_)) => self.edge.give_back(self.id, self.event, how),
            Some(TicketState::Left(_)) | None => {}
        }
    }

    fn poll(&mut self, mut timer: Pin<&mut Option<Sleep>>, cx: &mut Context<'_>) -> Poll<Result<Permit, LeaveReason>> {
        loop {
            match self.state.expect("a ticket hands out one permit") {
                TicketState::Running(grant) => return Poll::Ready(Ok(self.hand_out(grant))),
                TicketState::Left(how) => return Poll::Ready(Err(how)),
                TicketState::Waiting | TicketState::Parked => {
                    let (state, deadline) = self.edge.look(self.id, cx.waker());
                    self.state = Some(state);
                    if matches!(state, TicketState::Waiting | TicketState::Parked) {
                        match &self.edge {
                            Edge::Local(_) => ready!(poll_deadline(timer.as_mut(), deadline, cx)),
                            Edge::Common(_) => ready!(poll_about(timer.as_mut(), deadline, cx)),
                        }
                        // An admission or this: the first to take the lock decides; the next look tells.
                        self.edge.expire(deadline);
                    }
                }
            }
        }
    }
}

/// Ready once the deadline has passed. A retuning may have moved it, and wakes everybody who waits.
fn poll_deadline(mut timer: Pin<&mut Option<Sleep>>, deadline: Option<Instant>, cx: &mut Context<'_>) -> Poll<()> {
    if timer.as_ref().as_pin_ref().map(|timer| timer.deadline()) != deadline {
        timer.set(deadline.map(sleep_until));
    }
    timer.as_pin_mut().map_or(Poll::Pending, |timer| timer.poll(cx))
}

/// The same for a deadline that is counted by another clock, and so is another one by a little each time.
fn poll_about(mut timer: Pin<&mut Option<Sleep>>, deadline: Option<Instant>, cx: &mut Context<'_>) -> Poll<()> {
    if let Some(asleep) = timer.as_mut().as_pin_mut()
        && asleep.poll(cx).is_ready()
    {
        timer.set(None);
        return Poll::Ready(());
    }
    let known = timer.as_ref().as_pin_ref().map(|timer| timer.deadline());
    let moved = match (known, deadline) {
        (Some(known), Some(deadline)) => known.max(deadline) - known.min(deadline) > NEARLY,
        (known, deadline) => known.is_some() || deadline.is_some(),
    };
    if moved {
        timer.set(deadline.map(sleep_until));
    }
    timer.as_pin_mut().map_or(Poll::Pending, |timer| timer.poll(cx))
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.leave(LeaveReason::Cancelled);
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket")
            .field("id", &self.id)
            .field("event", &self.event)
            .finish_non_exhaustive()
    }
}
