//! The queue as its callers see it.

use std::{fmt, sync::Arc};

use tokio::{sync::watch, time::Instant};

use super::{
    EventIndex, Left, LineState, Observer, OrderKey, Owner, Policy, Refused, Returning, Standing, Ticket, TicketId,
    shared::Shared, state::Joined, ticket::Seat,
};

/// The queue. Cheap to clone; all clones are the same queue.
///
/// Every method takes one short lock and returns at once; none blocks or awaits. Methods that take an [`EventIndex`]
/// panic if the policy has no such event.
#[derive(Clone)]
pub struct Queue {
    pub(super) shared: Arc<Shared>,
}

impl Queue {
    /// A queue under `policy`.
    #[must_use]
    pub fn new(policy: Policy, observer: Arc<dyn Observer>) -> Self {
        Self {
            shared: Arc::new(Shared::new(policy, observer)),
        }
    }

    /// Takes a place in the line of `event`. `joined` is when it first joined (earlier than now for one that comes
    /// back after a restart): its longest wait counts from there. One whose longest wait is over already gets a ticket
    /// that has left as [`Left::Expired`].
    ///
    /// A ticket that can start at once has its slot when this returns, and never counts as waiting.
    ///
    /// # Errors
    /// [`Refused`], and then nothing has changed. What is checked first: closed, busy, the owner's own, the size.
    pub fn join(&self, event: EventIndex, owner: Owner, joined: Instant) -> Result<Ticket, Refused> {
        let result = self.shared.change(|state, now, effects| {
            state
                .knows(event)
                .then(|| state.join(event, owner, joined, now, effects))
        });
        let (id, joined) = match result.unwrap_or_else(|| unknown(event)) {
            Ok(joined) => joined,
            Err(why) => {
                self.shared.observer().refused(event, why);
                return Err(why);
            }
        };
        Ok(self.ticket(event, id, joined))
    }

    /// Lets tickets back in after a restart, in the order in which they are to start: that of their [`OrderKey`]s, which they keep.
    /// (What ran has started before all that waited.) All come in at once, so that none is admitted before one that stood in front
    /// of it. Nobody is refused: a ticket that cannot wait any more is one that has left.
    #[must_use]
    pub fn restore(&self, returning: &[Returning]) -> Vec<Ticket> {
        let tickets = self.shared.change(|state, now, effects| {
            let strange = returning.iter().find(|ticket| !state.knows(ticket.event));
            match strange {
                Some(ticket) => Err(ticket.event),
                None => Ok(state.restore(returning, now, effects)),
            }
        });
        let tickets = tickets.unwrap_or_else(|event| unknown(event));
        let events = returning.iter().map(|ticket| ticket.event);
        events
            .zip(tickets)
            .map(|(event, (id, joined))| self.ticket(event, id, joined))
            .collect()
    }

    fn ticket(&self, event: EventIndex, id: TicketId, joined: Joined) -> Ticket {
        let seat = match joined {
            Joined::Started(grant) => Seat::Granted(grant),
            Joined::Waits(key) => Seat::Waiting(key),
            Joined::Ended(how) => {
                self.shared.observer().left(event, how);
                Seat::Left(how)
            }
        };
        Ticket::new(Arc::clone(&self.shared), id, event, seat)
    }

    /// A waiting ticket's place in the order; `None` once it does not wait. A ticket of the same owner that leaves, or a retuning, may change it.
    #[must_use]
    pub fn order_key(&self, ticket: TicketId) -> Option<OrderKey> {
        self.shared.lock().order_key(ticket)
    }

    /// Takes a waiting ticket out of its line. `false`: it is not waiting (any more). A ticket either leaves or starts,
    /// never both.
    pub fn leave(&self, ticket: TicketId, how: Left) -> bool {
        self.shared
            .change(|state, _, effects| state.leave(ticket, how, effects))
    }

    /// The standing of a waiting ticket; `None` once it does not wait.
    #[must_use]
    pub fn standing(&self, ticket: TicketId) -> Option<Standing> {
        let (standing, reading) = self.shared.lock().standing(ticket, Instant::now())?;
        Some(Standing {
            estimate: self.shared.answer(reading),
            ..standing
        })
    }

    /// Every line.
    #[must_use]
    pub fn lines(&self) -> Vec<LineState> {
        let now = Instant::now();
        let lines: Vec<_> = {
            let state = self.shared.lock();
            (0..state.line_count()).map(|at| state.line(at, now)).collect()
        };
        lines
            .into_iter()
            .map(|(line, reading)| LineState {
                estimate: self.shared.answer(reading),
                ..line
            })
            .collect()
    }

    /// The line that `event` waits in.
    #[must_use]
    pub fn line_of(&self, event: EventIndex) -> LineState {
        let line = {
            let state = self.shared.lock();
            state
                .knows(event)
                .then(|| state.line(state.line_of(event), Instant::now()))
        };
        let (line, reading) = line.unwrap_or_else(|| unknown(event));
        LineState {
            estimate: self.shared.answer(reading),
            ..line
        }
    }

    /// Slots in use, all lines together, those included that a ticket has been given and not taken yet.
    #[must_use]
    pub fn running(&self) -> usize {
        self.shared.lock().running()
    }

    /// Tickets that wait, all lines together.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.shared.lock().waiting()
    }

    /// Changes whenever some position, some count or some limit has changed.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes()
    }

    /// The policy in force.
    #[must_use]
    pub fn policy(&self) -> Policy {
        self.shared.lock().policy().clone()
    }

    /// Puts another policy in force: growing starts waiting tickets, shrinking lets running ones finish, nobody
    /// leaves and no owner's first waiting ticket moves back. (Where lines become one, each keeps its own order within it.)
    ///
    /// Events keep their places in [`Policy::events`]; one that `policy` lacks stays as it is. What runs counts against the
    /// limit that its event belongs to from now on.
    pub fn retune(&self, policy: Policy) {
        self.shared
            .change(|state, now, effects| state.retune(policy, now, effects));
    }

    /// Lets nobody in and starts nobody any more; those who wait end as [`Left::Closed`]. For shutdown.
    pub fn close(&self) {
        self.shared.change(|state, _, effects| state.close(effects));
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

/// Outside the lock, so that a caller's mistake harms nobody else.
fn unknown(event: EventIndex) -> ! {
    panic!("the policy has no event {}", event.0)
}
