//! A place in the line.

use std::{
    fmt,
    future::poll_fn,
    mem,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::time::{Instant, timeout_at};

use super::{EventIndex, Left, Permit, TicketId, arena::Key, shared::Shared, state::Grant};

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

/// Why a wait was interrupted.
enum Woken {
    Ended,
    /// The longest wait has been changed: the deadline may be another.
    Retuned,
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

    /// Waits for the slot. Cancel-safe: dropping the future keeps the place, dropping the ticket leaves it. A longest
    /// wait is kept by a timer of this future, so it needs a tokio runtime with time.
    ///
    /// # Errors
    /// [`Left`], once it has left the line without starting; each time it is asked again, too.
    ///
    /// # Panics
    /// If asked again after it has handed out its permit.
    pub async fn admitted(&mut self) -> Result<Permit, Left> {
        loop {
            match mem::replace(&mut self.seat, Seat::Taken) {
                Seat::Granted(grant) => {
                    self.shared.started(self.event, grant.waited);
                    return Ok(Permit::new(Arc::clone(&self.shared), grant));
                }
                Seat::Left(how) => {
                    self.seat = Seat::Left(how);
                    return Err(how);
                }
                Seat::Taken => panic!("a ticket hands out one permit"),
                Seat::Waiting(key) => {
                    self.seat = Seat::Waiting(key);
                    self.wait(key).await;
                }
            }
        }
    }

    /// Returns when the wait has ended, or needs another look at its deadline.
    async fn wait(&mut self, key: Key) {
        let (deadline, deadlines) = self.shared.deadline(key);
        let ended = poll_fn(|cx| self.poll(key, deadlines, cx));
        match deadline {
            None => {
                ended.await;
            }
            // At the deadline, whoever holds the lock first decides: the slot or the end.
            Some(deadline) if timeout_at(deadline, ended).await.is_err() => self.shared.expire(Instant::now()),
            Some(_) => {}
        }
    }

    fn poll(&mut self, key: Key, deadlines: u64, cx: &mut Context<'_>) -> Poll<Woken> {
        match self.shared.look(key, cx.waker()) {
            (Some(Ok(grant)), _) => self.seat = Seat::Granted(grant),
            (Some(Err(how)), _) => self.seat = Seat::Left(how),
            (None, now) if now != deadlines => return Poll::Ready(Woken::Retuned),
            (None, _) => return Poll::Pending,
        }
        Poll::Ready(Woken::Ended)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        match mem::replace(&mut self.seat, Seat::Taken) {
            Seat::Waiting(key) => self.shared.abandon(key),
            Seat::Granted(grant) => self.shared.give_back(self.event, grant),
            Seat::Left(_) | Seat::Taken => {}
        }
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
