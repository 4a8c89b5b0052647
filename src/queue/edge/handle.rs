//! The queue as its callers see it.

use std::{fmt, sync::Arc, time::Duration};

use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};

use super::{
    Changes, CommonLine, Difference, Edge, JoinAsk, Reporter, Retuning, Stray, Ticket, common::Common, curves::Reading,
    local::Local, seats::Answer,
};
#[cfg(test)]
use super::{Machine, Time};
use crate::queue::{
    BackendIndex, BackendState, EventIndex, InForce, JoinError, LeaveReason, LimitState, LineState, Observer, OrderKey,
    Owner, Policy, PoolIndex, RestoredTicket, Standing, Throttle, TicketId, Work,
    machine::{Command, Restored, TicketState, UnknownWork},
};

/// How long what several processes have in common may take to let somebody in. Who has asked has not gone by then.
const PATIENCE: Duration = Duration::from_secs(10);

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
/// Work that waits for something else gives its slot back and comes back as its owner's next ticket:
///
/// ```
/// # use std::sync::Arc;
/// # use anteroom::queue::{EventIndex, EventPolicy, Owner, Policy, Queue};
/// # use tokio::time::Instant;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # const CHAT: EventIndex = EventIndex(0);
/// # let queue = Queue::new(Policy::new([EventPolicy::new("chat", 1)]), Arc::new(()));
/// # let join = |owner| queue.join(CHAT, Owner(owner), Instant::now());
/// let permit = join(1).unwrap().granted().expect("it has its slot");
/// let mut parked = permit.park();
/// let other = join(2).unwrap().granted().expect("the slot is free");
/// parked.resume();
/// drop(other);
/// let permit = parked.admitted().await.expect("it is its turn");
/// # drop(permit);
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
///     parked: false,
/// });
/// let mut tickets = queue.restore(&returning);
/// let _running = tickets[0].granted().expect("what ran is first");
/// assert_eq!(queue.standing(tickets[1].id()).map(|standing| standing.position), Some(1));
/// ```
#[derive(Clone)]
pub struct Queue {
    pub(super) edge: Edge,
}

/// What only a queue has that several processes keep.
impl Queue {
    /// Where the tickets are told that this process is to take up, because another one has ended or this one has just started: once; `None` the
    /// second time, and where it keeps the queue alone.
    #[must_use]
    pub fn strays(&self) -> Option<mpsc::UnboundedReceiver<Vec<Stray>>> {
        match &self.edge {
            Edge::Local(_) => None,
            Edge::Common(common) => common.strays(),
        }
    }

    /// The ticket of a [`Stray`] that this process takes up; `None`: it is another's by now, or over.
    #[must_use]
    pub fn take_up(&self, ticket: TicketId) -> Option<Ticket> {
        let Edge::Common(common) = &self.edge else { return None };
        let event = common.take_up(ticket)?;
        Some(Ticket::returned(self.edge.clone(), ticket, event))
    }

    /// Lets tickets in, with what each is for, that the processes should have and do not, all at once, in the order of their places. Those
    /// that come to this process are found as strays.
    ///
    /// # Errors
    /// [`JoinError::Closed`].
    pub async fn recover(&self, tickets: Vec<(u128, Restored)>) -> Result<(), JoinError> {
        match &self.edge {
            Edge::Local(_) => Ok(()),
            Edge::Common(common) => common.recover(tickets).await,
        }
    }

    /// After [`Queue::close`]: what still runs here is to be ended, and begins again in another process.
    pub fn leave_now(&self) {
        if let Edge::Common(common) = &self.edge {
            common.leave_now();
        }
    }

    /// Lets a back end have for now what `throttle` says, in all processes; unless something else is in force by then than what `known`
    /// says ([`InForce::set`]) and that is another process's word: then nothing changes, and what is in force has been heard.
    pub fn throttle_for_all(&self, backend: BackendIndex, throttle: Throttle, known: u64) {
        if let Edge::Common(common) = &self.edge {
            common.throttle(backend, throttle, known);
        }
    }

    /// Has `hear` told what is in force of each back end that this process knows: all at once now, and each from then on whenever that
    /// changes. It is called by one thread at a time, in the order of the changes, and before anything starts that follows from them.
    pub fn hear_throttles(&self, hear: impl Fn(BackendIndex, InForce) + Send + Sync + 'static) {
        if let Edge::Common(common) = &self.edge {
            common.hear_throttles(Box::new(hear));
        }
    }

    /// Has that told again of one back end.
    pub fn repeat_throttle(&self, backend: BackendIndex) {
        if let Edge::Common(common) = &self.edge {
            common.tell_throttles(|one| one == backend);
        }
    }

    /// Whether the policy of all is what was last asked for here by an edit or at the start.
    #[must_use]
    pub fn agrees(&self) -> bool {
        match &self.edge {
            Edge::Local(_) => true,
            Edge::Common(common) => common.agrees(),
        }
    }

    /// In what it is not.
    #[must_use]
    pub fn differences(&self) -> Vec<Difference> {
        match &self.edge {
            Edge::Local(_) => Vec::new(),
            Edge::Common(common) => common.differences(),
        }
    }
}

impl Queue {
    /// A queue of this process alone, under `policy`.
    #[must_use]
    pub fn new(policy: Policy, observer: Arc<dyn Observer>) -> Self {
        Self {
            edge: Edge::Local(Arc::new(Local::new(policy, observer))),
        }
    }

    /// A queue that several processes keep, as this one sees it. `policy` is what this one wants to be in force. What follows from what all of
    /// them have in common is to be told to the reporter; `connect` gives the way to them.
    pub fn common(
        policy: Policy,
        observer: Arc<dyn Observer>,
        connect: impl FnOnce(Reporter) -> Arc<dyn CommonLine>,
    ) -> Self {
        let common = Arc::new(Common::new(policy, observer));
        common.connect(connect(Reporter::new(&common)));
        Self {
            edge: Edge::Common(common),
        }
    }

    /// Whether several processes keep it.
    #[must_use]
    pub const fn is_common(&self) -> bool {
        matches!(self.edge, Edge::Common(_))
    }

    /// Takes a place in the line for this `work`. `joined` is when it first joined (earlier than now for one that comes
    /// back after a restart): its longest wait counts from there. One whose longest wait is over already gets a ticket
    /// that has left as [`LeaveReason::Expired`].
    ///
    /// A ticket that can start at once has its slot when this returns, and never counts as waiting.
    ///
    /// # Errors
    /// [`JoinError`], and then nothing has changed. What is checked first: closed, busy, the owner's own, the size. In a queue that several
    /// processes keep nobody gets a place so: see [`Queue::place`].
    pub fn join(&self, work: impl Into<Work>, owner: Owner, joined: Instant) -> Result<Ticket, JoinError> {
        let work = work.into();
        let Edge::Local(local) = &self.edge else {
            return Err(JoinError::Closed);
        };
        let joined = local.clock.time(joined);
        let answer = apply(local, Command::Join { work, owner, joined });
        match answer.joined.into_first().expect("a ticket is let in or refused") {
            Ok((id, state)) => Ok(self.ticket(work.event, id, state)),
            Err(why) => {
                self.edge.observer().refused(work.event, why);
                Err(why)
            }
        }
    }

    /// The same, from now on, whoever keeps the queue: where that are several processes, once all have it. `job` is what the place is for, in
    /// the words of whoever works on it: should this process end, another one takes it up by that name.
    ///
    /// Cancel-safe: dropped before it returns, it leaves the line, or gives back the slot that it was given.
    ///
    /// # Errors
    /// [`JoinError`], and then nothing has changed.
    pub async fn place(&self, job: u128, work: impl Into<Work>, owner: Owner) -> Result<Ticket, JoinError> {
        let work = work.into();
        let joined = match &self.edge {
            Edge::Local(_) => return self.join(work, owner, Instant::now()),
            Edge::Common(common) => {
                let (ask, answer) = JoinAsk::new(job, work.event);
                let placed = async {
                    common.join(ask, work, owner).await?;
                    answer.await.unwrap_or(Err(JoinError::Closed))
                };
                timeout(PATIENCE, placed).await.unwrap_or(Err(JoinError::Away))
            }
        };
        joined.inspect_err(|why| self.edge.observer().refused(work.event, *why))
    }

    /// Why [`Queue::place`] would say no now, as far as this process knows; `None`: it would not. Tells the observer. For those who have something to do
    /// before they ask for a place that they are likely to get. A queue that one process keeps is asked for the place at once, and says nothing.
    #[must_use]
    pub fn would_refuse(&self, work: impl Into<Work>, owner: Owner) -> Option<JoinError> {
        let work = work.into();
        let Edge::Common(common) = &self.edge else { return None };
        let why = common.would_refuse(work, owner)?;
        self.edge.observer().refused(work.event, why);
        Some(why)
    }

    /// Lets tickets back in after a restart, in the order in which they are to start: that of their [`OrderKey`]s, which they keep.
    /// (What ran has started before all that waited.) All come in at once, so that none is admitted before one that stood in front
    /// of it. Nobody is refused: a ticket that cannot wait any more is one that has left. A queue that several processes keep remembers its
    /// tickets by itself, and takes none.
    #[must_use]
    pub fn restore(&self, returning: &[RestoredTicket]) -> Vec<Ticket> {
        let Edge::Local(local) = &self.edge else {
            return Vec::new();
        };
        let restored = returning.iter().map(|ticket| Restored {
            work: ticket.work,
            owner: ticket.owner,
            joined: local.clock.time(ticket.joined),
            key: ticket.key,
            ran: ticket.ran,
            parked: ticket.parked,
        });
        let answer = apply(local, Command::Restore(restored.collect()));
        let events = returning.iter().map(|ticket| ticket.work.event);
        events
            .zip(answer.joined.into_iter().flatten())
            .map(|(event, (id, state))| self.ticket(event, id, state))
            .collect()
    }

    fn ticket(&self, event: EventIndex, id: TicketId, state: TicketState) -> Ticket {
        if let TicketState::Left(how) = state {
            self.edge.observer().left(event, how);
        }
        Ticket::new(self.edge.clone(), id, event, state)
    }

    /// Shows the machine as it is at one instant: nothing changes while `look` has it.
    #[cfg(test)]
    pub(in crate::queue) fn look<T>(&self, look: impl FnOnce(&Machine, Time) -> T) -> T {
        self.edge.with(|machine, _, now, _| look(machine, now))
    }

    /// A waiting ticket's place in the order; `None` once it does not wait. A ticket of the same owner that leaves, or a retuning, may change it.
    #[must_use]
    pub fn order_key(&self, ticket: TicketId) -> Option<OrderKey> {
        self.edge.show(|machine| machine.order_key(ticket))
    }

    /// Takes a ticket of this process out that waits in its line, or is parked. `false`: it does neither (any more). A ticket either leaves or
    /// starts, never both.
    pub fn leave(&self, ticket: TicketId, how: LeaveReason) -> bool {
        match &self.edge {
            Edge::Local(local) => apply(local, Command::Leave { ticket, reason: how }).left,
            Edge::Common(common) => common.leave(ticket, how),
        }
    }

    /// The standing of a waiting ticket; `None` once it does not wait, and while it is parked: see [`Queue::is_parked`].
    #[must_use]
    pub fn standing(&self, ticket: TicketId) -> Option<Standing> {
        let (standing, reading) = self.edge.with(|machine, curves, now, names| {
            let (at, mut standing) = machine.standing(ticket)?;
            let reading = curves.reading(machine, at, standing.position as usize - 1, now);
            standing.pool = standing.pool.and_then(|pool| names.pool_here(pool));
            Some((standing, reading))
        })?;
        Some(Standing {
            estimate: self.edge.estimate(reading),
            ..standing
        })
    }

    /// The pool of a ticket that waits or runs, or in whose line one that is parked will be; `None` also for one that needs no back end.
    #[must_use]
    pub fn pool_of(&self, ticket: TicketId) -> Option<PoolIndex> {
        if let Edge::Common(common) = &self.edge
            && let Some(wanted) = common.wanted_pool(ticket)
        {
            return Some(wanted);
        }
        self.edge
            .with(|machine, _, _, names| names.pool_here(machine.work_of(ticket)?.pool?))
    }

    /// Every line that can have tickets, and that this process knows.
    #[must_use]
    pub fn lines(&self) -> Vec<LineState> {
        let lines: Vec<_> = self.edge.with(|machine, curves, now, names| {
            let used = (0..machine.line_count()).filter(|at| machine.is_in_use(*at));
            used.filter_map(|at| {
                let (mut line, reading) = curves.line(machine, at, now);
                if let Some(pool) = line.pool {
                    line.pool = Some(names.pool_here(pool)?);
                }
                Some((line, reading))
            })
            .collect()
        });
        lines
            .into_iter()
            .map(|(line, reading)| self.estimated(line, reading))
            .collect()
    }

    /// The line that tickets for this `work` wait in.
    #[must_use]
    pub fn line_of(&self, work: impl Into<Work>) -> LineState {
        let work = work.into();
        let line = self.edge.with(|machine, curves, now, names| {
            let there = Work {
                pool: work.pool.and_then(|pool| names.pool_there(pool)),
                ..work
            };
            machine.line_of(there).map(|at| curves.line(machine, at, now))
        });
        let (line, reading) = line.unwrap_or_else(|unknown| unknown_work(unknown));
        let line = LineState {
            pool: line.pool.and(work.pool),
            ..line
        };
        self.estimated(line, reading)
    }

    /// The position of a waiting ticket; `None` once it does not wait.
    #[must_use]
    pub fn position(&self, ticket: TicketId) -> Option<u64> {
        self.edge
            .show(|machine| machine.standing(ticket).map(|(_, standing)| standing.position))
    }

    /// For how long a ticket has held its slot; `None`: it has none.
    #[must_use]
    pub fn age_of(&self, ticket: TicketId) -> Option<Duration> {
        self.edge.with(|machine, _, now, _| machine.age_of(ticket, now))
    }

    fn estimated(&self, line: LineState, reading: Reading) -> LineState {
        LineState {
            estimate: self.edge.estimate(reading),
            ..line
        }
    }

    /// Slots in use, all lines together, those included that a ticket has been given and not taken yet.
    #[must_use]
    pub fn running(&self) -> usize {
        self.edge.show(|machine| machine.running())
    }

    /// Tickets that wait, all lines together.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.edge.show(|machine| machine.waiting())
    }

    /// Every limit, in the order of their first events.
    #[must_use]
    pub fn limits(&self) -> Vec<LimitState> {
        self.edge.show(|machine| machine.limits().collect())
    }

    /// The back ends, in the order of this process's [`Policy::backends`].
    #[must_use]
    pub fn backends(&self) -> Vec<BackendState> {
        self.edge
            .with(|machine, _, _, names| names.backends_here(machine.backends().collect()))
    }

    /// Lets a back end have at most `cap` tickets for now, whatever its limit: 0 takes it out of service, 1 tries it again with one ticket,
    /// `None` gives it its limit back. What it has goes on. Where several processes keep the queue, this does nothing: see
    /// [`Queue::throttle_for_all`].
    pub fn throttle(&self, backend: BackendIndex, cap: Option<usize>) {
        if let Edge::Local(local) = &self.edge {
            drop(apply(local, Command::Throttle { backend, cap }));
        }
    }

    /// Puts a waiting ticket into the line of another pool, where it comes as its owner's next and passes nobody; one that is parked resumes
    /// there. `false`: it does not wait (any more).
    pub fn change_pool(&self, ticket: TicketId, pool: PoolIndex) -> bool {
        match &self.edge {
            Edge::Local(local) => apply(local, Command::ChangePool { ticket, pool }).moved,
            Edge::Common(common) => common.change_pool(ticket, pool),
        }
    }

    /// Hears of every change from now on.
    #[must_use]
    pub fn changes(&self) -> Changes {
        Changes::new(self.edge.clone())
    }

    /// Puts another policy in force: growing starts waiting tickets, shrinking lets running ones finish, nobody
    /// leaves and no owner's first waiting ticket moves back. (Where lines become one, each keeps its own order within it.)
    ///
    /// Events, pools and back ends keep their places in the policy; events that `policy` lacks stay as they are, pools and back ends
    /// that it lacks get no more tickets. What runs counts against the
    /// limit that its event belongs to from now on.
    pub fn retune(&self, policy: Policy) {
        self.propose(policy, Retuning::Edited);
    }

    /// The same where several processes keep the queue: they have one policy, in which pools and back ends are known by their names, and
    /// `why` says what of this one becomes theirs. Kept by this process alone, it is in force.
    pub fn propose(&self, policy: Policy, why: Retuning) {
        match &self.edge {
            Edge::Local(local) => drop(apply(local, Command::Retune(Box::new(policy)))),
            Edge::Common(common) => common.retune(policy, why),
        }
    }

    /// Lets nobody in and starts nobody any more; those who wait or are parked end as [`LeaveReason::Closed`]. For shutdown. Where several processes keep the
    /// queue, only this one takes nobody in any more, and others take up what waits here.
    pub fn close(&self) {
        match &self.edge {
            Edge::Local(local) => drop(apply(local, Command::Close)),
            Edge::Common(common) => common.close(),
        }
    }
}

/// Outside the lock, a panic because of a caller's mistake harms nobody else.
fn apply(local: &Local, command: Command) -> Answer {
    let answer = local.apply(command);
    answer.unwrap_or_else(|unknown| unknown_work(unknown))
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

fn unknown_work(unknown: UnknownWork) -> ! {
    panic!("{unknown}")
}
