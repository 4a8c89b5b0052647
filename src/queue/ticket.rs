//! A place in the line.

use std::{
    fmt,
    future::{Future, poll_fn},
    mem,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::time::{Instant, Sleep, sleep_until};

use super::{
    EventIndex, Left, OrderKey, Permit, TicketId,
    arena::Key,
    shared::Shared,
    state::{Grant, Seen},
};

/// A place in the line. Dropping it leaves the line (as [`Left::Cancelled`]), or gives back the slot it was just given.
pub struct Ticket {
    shared: Arc<Shared>,
    id: TicketId,
    event: EventIndex,
    seat: Seat,
}

/// Where a ticket is, as far as it has been told.
pub(super) enum Seat {
    Waiting(Key),
    /// It has a slot, not taken yet.
    Granted(Grant),
    Left(Left),
    /// Its permit has been handed out.
    Taken,
}

impl Ticket {
    pub(super) fn new(shared: Arc<Shared>, id: TicketId, event: EventIndex, seat: Seat) -> Self {
        Self {
            shared,
            id,
            event,
            seat,
        }
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> TicketId {
        self.id
    }

    /// Its place in the order; `None` once it has left the line, or its permit has been handed out.
    #[must_use]
    pub fn order_key(&self) -> Option<OrderKey> {
        match self.seat {
            Seat::Waiting(key) => self.shared.lock().order_of(key),
            Seat::Granted(grant) => Some(grant.order),
            Seat::Left(_) | Seat::Taken => None,
        }
    }

    /// The permit of a ticket that had its slot when it joined; `None` for any other, and once it has been handed out. Does not look
    /// whether a ticket that had to wait has been admitted meanwhile: [`Ticket::admitted`] does.
    pub fn granted(&mut self) -> Option<Permit> {
        let Seat::Granted(grant) = self.seat else { return None };
        self.seat = Seat::Taken;
        self.shared.started(self.event, grant.waited);
        Some(Permit::new(Arc::clone(&self.shared), grant))
    }

    /// Waits for the slot. Cancel-safe: dropping the future keeps the place, dropping the ticket leaves it. A longest
    /// wait is kept by a timer of this future, so it needs a tokio runtime with time.
    ///
    /// # Errors
    /// [`Left`], once it has left the line without starting; each time it is asked again, too.
    ///
    /// # Panics
    /// If asked again after it has handed out its permit.
    pub async fn admitted(&mut self) -> Result<Permit, Left> {
        let mut timer = pin!(None);
        poll_fn(|cx| self.poll(timer.as_mut(), cx)).await
    }

    /// Leaves the line, or gives back the slot it was just given, because what it was for was not accepted: as
    /// [`Left::Withdrawn`].
    pub fn withdraw(mut self) {
        self.leave(Left::Withdrawn);
    }

    fn leave(&mut self, how: Left) {
        match mem::replace(&mut self.seat, Seat::Taken) {
            Seat::Waiting(key) => self.shared.abandon(key, how),
            Seat::Granted(grant) => self.shared.give_back(grant.running, how),
            Seat::Left(_) | Seat::Taken => {}
        }
    }

    fn poll(&mut self, mut timer: Pin<&mut Option<Sleep>>, cx: &mut Context<'_>) -> Poll<Result<Permit, Left>> {
        loop {
            match mem::replace(&mut self.seat, Seat::Taken) {
                Seat::Granted(grant) => {
                    self.shared.started(self.event, grant.waited);
                    return Poll::Ready(Ok(Permit::new(Arc::clone(&self.shared), grant)));
                }
                Seat::Left(how) => {
                    self.seat = Seat::Left(how);
                    return Poll::Ready(Err(how));
                }
                Seat::Taken => panic!("a ticket hands out one permit"),
                Seat::Waiting(key) => {
                    let seen = self.shared.look(key, cx.waker());
                    self.seat = match seen {
                        Seen::Granted(grant) => Seat::Granted(grant),
                        Seen::Left(how) => Seat::Left(how),
                        Seen::Waits { .. } => Seat::Waiting(key),
                    };
                    if let Seen::Waits { deadline } = seen {
                        ready!(poll_deadline(timer.as_mut(), deadline, cx));
                        // Whoever takes the lock first decides, an admission or this; the next look tells.
                        self.shared.expire(deadline);
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

impl Drop for Ticket {
    fn drop(&mut self) {
        self.leave(Left::Cancelled);
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
