//! The queue as its callers see it.

use std::{fmt, sync::Arc};

use tokio::time::Instant;

use super::{Changes, Ticket, curves::Reading, seats::Answer, shared::Shared};
#[cfg(test)]
use crate::queue::machine::{Machine, Time};
use crate::queue::{
    BackendIndex, BackendState, EventIndex, JoinError, LeaveReason, LimitState, LineState, Observer, OrderKey, Owner,
    Policy, PoolIndex, RestoredTicket, Standing, TicketId, Work,
    machine::{Command, Restored, TicketState, UnknownWork},
};

/// The queue. Cheap to clone; all clones are the same queue.
///
/// Every method takes one short lock and returns at once; none blocks or awaits. Methods that take a [`Work`]
/// panic if the policy has no such event or pool.
///
/// A caller joins, waits for its [`Permit`](super::Permit), and drops it when the work is over. That starts the next ticket:
///
/// ```
/// use std::sync::Arc;
///
/// use anteroom::queue::{EventIndex, EventPolicy, Outcome, Owner, Policy, Queue};
/// use tokio::time::Instant;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// const CHAT: EventIndex = EventIndex(0);
/// let queue = Queue::new(Policy::new([EventPolicy::new("chat", 1)]), Arc::new(()));
/// let join = |owner| queue.join(CHAT, Owner(owner), Instant::now());
///
/// // A slot is free: this one starts at once.
/// let permit = join(1).unwrap().granted().expect("it has its slot");
///
/// // These two wait.
/// let mut second = join(2).unwrap();
/// let third = join(3).unwrap();
/// assert_eq!(queue.standing(third.id()).map(|standing| standing.position), Some(2));
///
/// permit.finish(Outcome::Done);
/// let permit = second.admitted().await.expect("it is its turn");
/// assert_eq!(queue.standing(third.id()).map(|standing| standing.position), Some(1));
/// # drop(permit);
/// # Ok(())
/// # }
/// ```
///
/// Dropping a [`Ticket`] leaves the line. Somebody else can take a ticket out, too, who knows its id:
///
/// ```
/// # use std::sync::Arc;
/// # use anteroom::queue::{EventIndex, EventPolicy, Owner, Policy, Queue};
/// # use tokio::time::Instant;
/// use anteroom::queue::LeaveReason;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # const CHAT: EventIndex = EventIndex(0);
/// # let queue = Queue::new(Policy::new([EventPolicy::new("chat", 1)]), Arc::new(()));
/// # let join = |owner| queue.join(CHAT, Owner(owner), Instant::now());
/// # let _running = join(1).unwrap().granted().expect("it has its slot");
/// let mut ticket = join(2).unwrap();
/// assert!(queue.leave(ticket.id(), LeaveReason::Cancelled));
/// assert_eq!(ticket.admitted().await.unwrap_err(), LeaveReason::Cancelled);
/// # }
/// ```
///
/// A place outlives the process, if its [`OrderKey`] is kept:
///
/// ```
/// # use std::sync::Arc;
/// # use anteroom::queue::{EventIndex, EventPolicy, Owner, Policy, Queue};
/// # use tokio::time::Instant;
/// use anteroom::queue::RestoredTicket;
///
/// # const CHAT: EventIndex = EventIndex(0);
/// # let policy = Policy::new([EventPolicy::new("chat", 1)]);
/// # let queue = Queue::new(policy.clone(), Arc::new(()));
/// # let join = |owner| queue.join(CHAT, Owner(owner), Instant::now());
/// let running = join(1).unwrap().granted().expect("it has its slot");
/// let waiting = join(2).unwrap();
/// let kept = [(1, Some(running.order_key()), true), (2, waiting.order_key(), false)];
///
/// // After the restart:
/// let queue = Queue::new(policy, Arc::new(()));
/// let returning = kept.map(|(owner, key, ran)| RestoredTicket {
///     work: CHAT.into(),
///     owner: Owner(owner),
///     joined: Instant::now(),
///     key,
///     ran,
/// });
/// let mut tickets = queue.restore(&returning);
/// let _running = tickets[0].granted().expect("what ran is first");
/// assert_eq!(queue.standing(tickets[1].id()).map(|standing| standing.position), Some(1));
/// ```
#[derive(Clone)]
pub struct Queue {
    shared: Arc<Shared>,
}

impl Queue {
    /// A queue under `policy`.
    #[must_use]
    pub fn new(policy: Policy, observer: Arc<dyn Observer>) -> Self {
        Self {
            shared: Arc::new(Shared::new(policy, observer)),
        }
    }

    /// Takes a place in the line for this `work`. `joined` is when it first joined (earlier than now for one that comes
    /// back after a restart): its longest wait counts from there. One whose longest wait is over already gets a ticket
    /// that has left as [`LeaveReason::Expired`].
    ///
    /// A ticket that can start at once has its slot when this returns, and never counts as waiting.
    ///
    /// # Errors
    /// [`JoinError`], and then nothing has changed. What is checked first: closed, busy, the owner's own, the size.
    pub fn join(&self, work: impl Into<Work>, owner: Owner, joined: Instant) -> Result<Ticket, JoinError> {
        let work = work.into();
        let joined = self.shared.clock.time(joined);
        let answer = self.apply(Command::Join { work, owner, joined });
        match answer.joined.into_first().expect("a ticket is let in or refused") {
            Ok((id, state)) => Ok(self.ticket(work.event, id, state)),
            Err(why) => {
                self.shared.observer().refused(work.event, why);
                Err(why)
            }
        }
    }

    /// Lets tickets back in after a restart, in the order in which they are to start: that of their [`OrderKey`]s, which they keep.
    /// (What ran has started before all that waited.) All come in at once, so that none is admitted before one that stood in front
    /// of it. Nobody is refused: a ticket that cannot wait any more is one that has left.
    #[must_use]
    pub fn restore(&self, returning: &[RestoredTicket]) -> Vec<Ticket> {
        let restored = returning.iter().map(|ticket| Restored {
            work: ticket.work,
            owner: ticket.owner,
            joined: self.shared.clock.time(ticket.joined),
            key: ticket.key,
            ran: ticket.ran,
        });
        let answer = self.apply(Command::Restore(restored.collect()));
        let events = returning.iter().map(|ticket| ticket.work.event);
        events
            .zip(answer.joined.into_iter().flatten())
            .map(|(event, (id, state))| self.ticket(event, id, state))
            .collect()
    }

    fn ticket(&self, event: EventIndex, id: TicketId, state: TicketState) -> Ticket {
        if let TicketState::Left(how) = state {
            self.shared.observer().left(event, how);
        }
        Ticket::new(Arc::clone(&self.shared), id, event, state)
    }

    /// Shows the machine as it is at one instant: nothing changes while `look` has it.
    #[cfg(test)]
    pub(in crate::queue) fn look<T>(&self, look: impl FnOnce(&Machine, Time) -> T) -> T {
        let now = self.shared.clock.now();
        look(&self.shared.lock().machine, now)
    }

    /// Outside the lock, a panic because of a caller's mistake harms nobody else.
    fn apply(&self, command: Command) -> Answer {
        let answer = self.shared.apply(command);
        answer.unwrap_or_else(|unknown| unknown_work(unknown))
    }

    /// A waiting ticket's place in the order; `None` once it does not wait. A ticket of the same owner that leaves, or a retuning, may change it.
    #[must_use]
    pub fn order_key(&self, ticket: TicketId) -> Option<OrderKey> {
        self.shared.lock().machine.order_key(ticket)
    }

    /// Takes a waiting ticket out of its line. `false`: it is not waiting (any more). A ticket either leaves or starts,
    /// never both.
    pub fn leave(&self, ticket: TicketId, how: LeaveReason) -> bool {
        self.apply(Command::Leave { ticket, reason: how }).left
    }

    /// The standing of a waiting ticket; `None` once it does not wait.
    #[must_use]
    pub fn standing(&self, ticket: TicketId) -> Option<Standing> {
        let now = self.shared.clock.now();
        let (standing, reading) = {
            let seats = self.shared.lock();
            let (at, standing) = seats.machine.standing(ticket)?;
            (standing, seats.reading(at, standing.position as usize - 1, now))
        };
        Some(Standing {
            estimate: self.shared.answer(reading),
            ..standing
        })
    }

    /// The pool of a ticket that waits or runs; `None` also for one that needs no back end.
    #[must_use]
    pub fn pool_of(&self, ticket: TicketId) -> Option<PoolIndex> {
        self.shared.lock().machine.work_of(ticket)?.pool
    }

    /// Every line that can have tickets.
    #[must_use]
    pub fn lines(&self) -> Vec<LineState> {
        let now = self.shared.clock.now();
        let lines: Vec<_> = {
            let seats = self.shared.lock();
            let used = (0..seats.machine.line_count()).filter(|at| seats.machine.is_in_use(*at));
            used.map(|at| seats.line(at, now)).collect()
        };
        lines
            .into_iter()
            .map(|(line, reading)| self.estimated(line, reading))
            .collect()
    }

    /// The line that tickets for this `work` wait in.
    #[must_use]
    pub fn line_of(&self, work: impl Into<Work>) -> LineState {
        let work = work.into();
        let now = self.shared.clock.now();
        let line = {
            let seats = self.shared.lock();
            seats.machine.line_of(work).map(|at| seats.line(at, now))
        };
        let (line, reading) = line.unwrap_or_else(|unknown| unknown_work(unknown));
        self.estimated(line, reading)
    }

    fn estimated(&self, line: LineState, reading: Reading) -> LineState {
        LineState {
            estimate: self.shared.answer(reading),
            ..line
        }
    }

    /// Slots in use, all lines together, those included that a ticket has been given and not taken yet.
    #[must_use]
    pub fn running(&self) -> usize {
        self.shared.lock().machine.running()
    }

    /// Tickets that wait, all lines together.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.shared.lock().machine.waiting()
    }

    /// Every limit, in the order of their first events.
    #[must_use]
    pub fn limits(&self) -> Vec<LimitState> {
        self.shared.lock().machine.limits().collect()
    }

    /// The back ends, in the order of [`Policy::backends`].
    #[must_use]
    pub fn backends(&self) -> Vec<BackendState> {
        self.shared.lock().machine.backends().collect()
    }

    /// Lets a back end have at most `cap` tickets for now, whatever its limit: 0 takes it out of service, 1 tries it again with one ticket,
    /// `None` gives it its limit back. What it has goes on.
    pub fn throttle(&self, backend: BackendIndex, cap: Option<usize>) {
        self.apply(Command::Throttle { backend, cap });
    }

    /// Puts a waiting ticket into the line of another pool, where it comes as its owner's next and passes nobody. `false`: it does not
    /// wait (any more).
    pub fn change_pool(&self, ticket: TicketId, pool: PoolIndex) -> bool {
        self.apply(Command::ChangePool { ticket, pool }).moved
    }

    /// Hears of every change from now on.
    #[must_use]
    pub fn changes(&self) -> Changes {
        Changes::new(Arc::clone(&self.shared))
    }

    /// Puts another policy in force: growing starts waiting tickets, shrinking lets running ones finish, nobody
    /// leaves and no owner's first waiting ticket moves back. (Where lines become one, each keeps its own order within it.)
    ///
    /// Events, pools and back ends keep their places in the policy; events that `policy` lacks stay as they are, pools and back ends
    /// that it lacks get no more tickets. What runs counts against the
    /// limit that its event belongs to from now on.
    pub fn retune(&self, policy: Policy) {
        self.apply(Command::Retune(Box::new(policy)));
    }

    /// Lets nobody in and starts nobody any more; those who wait end as [`LeaveReason::Closed`]. For shutdown.
    pub fn close(&self) {
        self.apply(Command::Close);
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

fn unknown_work(unknown: UnknownWork) -> ! {
    panic!("{unknown}")
}
