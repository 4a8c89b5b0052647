//! The queue and its model, side by side: each step is taken by both, and then everything that shows is compared.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use futures_util::FutureExt;
use proptest::sample::Index;
use tokio::time::{Instant, advance};

use super::{
    model::{self, Model, Number, State},
    property::MOST_BACKENDS,
    support::{A, C, join, policy, start, waits},
    tally::{Kind, Ledger, Tally, Told},
};
use crate::queue::{
    BackendIndex, BackendPolicy, Changes, EventIndex, LeaveReason, OrderKey, Outcome, Owner, Permit, Policy, PoolIndex,
    Queue, Ticket, Work, machine::TicketState,
};

/// One thing that somebody does.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// `earlier`: milliseconds by which it comes back later than it first joined.
    Join {
        event: usize,
        pool: Option<u32>,
        prefers: Option<u32>,
        owner: u128,
        earlier: i64,
    },
    /// The ticket asks whether it has been admitted.
    Ask(Index),
    /// The ticket is dropped, wherever it is.
    Drop(Index),
    /// Somebody takes it out of its line.
    Leave(Index, LeaveReason),
    Release(Index, Ending),
    /// The back end of a running ticket has failed.
    StartBack(Index),
    /// A running ticket gives its slot back for a while.
    Park(Index),
    /// A running ticket gives its slot back until it may go on from where it stood.
    Pause(Index),
    /// A waiting one leaves its line for a while, or gives back the slot that it has not taken.
    SetAside(Index),
    /// A parked one comes back, or one that is not parked is told to.
    Resume(Index),
    /// The ticket goes to another pool's line.
    ChangePool(Index, u32),
    /// A back end may have so many for now.
    Throttle(u32, Option<usize>),
    /// One more than it has, to see whether it works again.
    Probe(u32),
    /// One more than it may have for now, or one fewer, but at least one: a limit that moves by itself.
    Drift(u32, Drift),
    /// The operator does something about one back end.
    Edit(Edit),
    /// Milliseconds.
    Advance(u64),
    Retune(Box<Policy>),
    /// Somebody reads an estimate.
    Read(Index),
    Close,
}

/// Which way a limit moves.
#[derive(Clone, Copy, Debug)]
pub(super) enum Drift {
    Up,
    Down,
}

/// What an operator does about one back end, of those that there are by then.
#[derive(Clone, Copy, Debug)]
pub(super) enum Edit {
    /// A pool gets it, with this limit.
    Come {
        pool: u32,
        backend: u32,
        limit: Option<usize>,
    },
    /// A pool gets one that there has never been.
    New { pool: u32, limit: Option<usize> },
    /// It gets no more tickets.
    Drain(u32),
    /// A pool has it no more.
    Go { pool: u32, backend: u32 },
}

impl Edit {
    /// The policy with it. `None`: it changes nothing, or there are as many as may be.
    fn of(self, mut policy: Policy) -> Option<Policy> {
        let before = policy.clone();
        let known = policy.backends.len() as u32;
        match self {
            Self::Come { pool, backend, limit } => {
                let backend = BackendIndex(backend % known);
                policy.backends[backend.0 as usize].limit = limit;
                let backends = &mut policy.pools[pool as usize].backends;
                if !backends.contains(&backend) {
                    backends.push(backend);
                }
            }
            Self::New { pool, limit } if known < MOST_BACKENDS => {
                policy.backends.push(BackendPolicy {
                    name: format!("backend {known}"),
                    limit,
                    weight: 1,
                });
                policy.pools[pool as usize].backends.push(BackendIndex(known));
            }
            Self::New { .. } => {}
            Self::Drain(backend) => policy.backends[(backend % known) as usize].limit = Some(0),
            Self::Go { pool, backend } => {
                let gone = BackendIndex(backend % known);
                policy.pools[pool as usize].backends.retain(|backend| *backend != gone);
            }
        }
        (policy != before).then_some(policy)
    }
}

/// How a permit comes back.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ending {
    Word(Outcome),
    Dropped,
    Panic,
}

/// Rings when a ticket that was asked about is to be asked about again.
#[derive(Default)]
struct Bell(AtomicBool);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
    }
}

struct Held {
    number: Number,
    ticket: Ticket,
    bell: Option<Arc<Bell>>,
}

/// What anybody can see, but for times.
#[derive(PartialEq)]
struct Visible {
    orders: Vec<Vec<Number>>,
    running: usize,
    parked: usize,
    limits: [Option<usize>; 3],
}

impl Visible {
    fn of(model: &Model, orders: Vec<Vec<Number>>) -> Self {
        Self {
            orders,
            running: model.running.len(),
            parked: model.parked(),
            limits: [0, 1, 2].map(|event| model.limit(event)),
        }
    }
}

/// A policy with the back ends that it lacks and there have been: they keep their places, and get no more tickets.
fn with_known_backends(mut policy: Policy, before: &Policy) -> Policy {
    for gone in before.backends.iter().skip(policy.backends.len()) {
        policy.backends.push(BackendPolicy {
            limit: Some(0),
            ..gone.clone()
        });
    }
    policy
}

/// Both queues.
pub(super) struct Pair {
    queue: Queue,
    ledger: Arc<Ledger>,
    changes: Changes,
    model: Model,
    tickets: Vec<Held>,
    permits: Vec<(Number, Permit)>,
    /// What the ledger has to hold, but for those that have left, whom the model knows.
    told: Told,
    seen: Visible,
    /// The position of each owner's first waiting ticket in each line.
    firsts: HashMap<Number, usize>,
    /// The line that a ticket has come back to the front of in this step.
    slack: Option<usize>,
    /// Tickets that have run; `true`: they wait again, or have a slot that they have not taken.
    returned: HashMap<Number, bool>,
    /// The places that tickets which pause have started from.
    paused: HashMap<Number, OrderKey>,
    beginning: Instant,
    tally: Tally,
}

impl Pair {
    pub(super) fn new(policy: Policy) -> Self {
        let ledger = Arc::<Ledger>::default();
        let queue = Queue::new(policy.clone(), Arc::clone(&ledger) as _);
        let model = Model::new(policy);
        Self {
            changes: queue.changes(),
            queue,
            ledger,
            seen: Visible::of(&model, model.orders()),
            model,
            tickets: Vec::new(),
            permits: Vec::new(),
            told: Told::default(),
            firsts: HashMap::new(),
            slack: None,
            returned: HashMap::new(),
            paused: HashMap::new(),
            beginning: Instant::now(),
            tally: Tally::default(),
        }
    }

    /// Takes a step, unless there is nothing that it could be done to, and compares.
    pub(super) async fn step(&mut self, step: Step) {
        match step {
            Step::Join {
                event,
                pool,
                prefers,
                owner,
                earlier,
            } => self.join(event, (pool, prefers), owner, earlier),
            Step::Ask(which) if !self.tickets.is_empty() => self.ask(which.index(self.tickets.len())),
            Step::Drop(which) if !self.tickets.is_empty() => self.drop_ticket(which.index(self.tickets.len())),
            Step::Leave(which, how) if !self.tickets.is_empty() => {
                let Held { number, ticket, .. } = &self.tickets[which.index(self.tickets.len())];
                let parked = self.queue.is_parked(ticket.id());
                let in_time = self.queue.leave(ticket.id(), how);
                assert!(in_time || !parked);
                self.tally.add(Kind::LeftParked, usize::from(parked));
                assert_eq!(in_time, self.model.leave(*number, how));
                self.tally.add(Kind::LeftTooLate, usize::from(!in_time));
            }
            Step::Release(which, ending) if !self.permits.is_empty() => {
                self.release(which.index(self.permits.len()), ending);
            }
            Step::StartBack(which) if !self.permits.is_empty() => {
                self.start_back(which.index(self.permits.len()));
            }
            Step::Park(which) if !self.permits.is_empty() => self.park(which.index(self.permits.len())),
            Step::Pause(which) if !self.permits.is_empty() => self.pause(which.index(self.permits.len())),
            Step::SetAside(which) if !self.tickets.is_empty() => self.step_aside(which.index(self.tickets.len())),
            Step::Resume(which) if !self.tickets.is_empty() => self.resume(which),
            Step::ChangePool(which, pool) if !self.tickets.is_empty() => {
                self.change_pool(which.index(self.tickets.len()), pool);
            }
            Step::Throttle(backend, cap) => {
                self.tally.throttled(cap);
                self.throttle(backend, cap);
            }
            Step::Probe(backend) => {
                let backend = backend % self.model.policy.backends.len() as u32;
                self.tally.add(Kind::Probed, 1);
                self.throttle(backend, Some(self.model.running_on(backend) + 1));
            }
            Step::Drift(backend, drift) => self.drift(backend, drift),
            Step::Edit(edit) => {
                let Some(policy) = edit.of(self.model.policy.clone()) else {
                    return;
                };
                self.tally.edited(edit);
                self.retune(policy);
            }
            Step::Advance(ms) => {
                advance(Duration::from_millis(ms)).await;
                self.model.now += ms as i64;
            }
            Step::Retune(policy) => self.retune(*policy),
            Step::Read(which) if !self.tickets.is_empty() => {
                let Held { ticket, .. } = &self.tickets[which.index(self.tickets.len())];
                let estimate = self.queue.standing(ticket.id()).and_then(|standing| standing.estimate);
                assert!(estimate.is_none_or(|range| range.low <= range.high));
            }
            Step::Close => {
                self.queue.close();
                self.model.close();
            }
            Step::Ask(_)
            | Step::Drop(_)
            | Step::Leave(..)
            | Step::Release(..)
            | Step::StartBack(_)
            | Step::Park(_)
            | Step::Pause(_)
            | Step::SetAside(_)
            | Step::Resume(_)
            | Step::ChangePool(..)
            | Step::Read(_) => return,
        }
        self.tally.operations += 1;
        self.agree();
    }

    fn join(&mut self, event: usize, (pool, prefers): (Option<u32>, Option<u32>), owner: u128, earlier: i64) {
        let joined = self.model.now - earlier;
        let at = self.beginning + Duration::from_millis(self.model.now as u64) - Duration::from_millis(earlier as u64);
        // Only the last event has its work done by back ends.
        let (pool, prefers) = if event == C.0 { (pool, prefers) } else { (None, None) };
        let work = Work {
            event: EventIndex(event),
            pool: pool.map(PoolIndex),
            prefers: prefers.map(BackendIndex),
        };
        let ticket = self.queue.join(work, Owner(owner), at);
        let number = self.model.join(event, (pool, prefers), owner, joined);
        let (number, ticket) = match (number, ticket) {
            (Ok(number), Ok(ticket)) => (number, ticket),
            (Err(expected), Err(why)) => {
                assert_eq!(expected, why);
                self.told.refused[event][why as usize] += 1;
                return;
            }
            (model, queue) => panic!("{model:?} in the model, {queue:?} in the queue"),
        };
        match self.model.tickets[number].state {
            State::Waiting => self.tally.add(Kind::Waited, 1),
            State::Granted => self.tally.add(Kind::StartedAtOnce, 1),
            State::Left(_) | State::Gone | State::Parked => self.tally.add(Kind::CameTooLate, 1),
        }
        self.tickets.push(Held {
            number,
            ticket,
            bell: None,
        });
    }

    fn ask(&mut self, index: usize) {
        let Held { number, ticket, bell } = &mut self.tickets[index];
        // Its own timer ends its wait where nothing else has happened since, and that of all who are due.
        if self.model.tickets[*number].state == State::Waiting && self.model.is_due(*number) {
            self.model.expire();
        }
        let asked = Arc::<Bell>::default();
        let waker = Waker::from(Arc::clone(&asked));
        let answer = std::pin::pin!(ticket.admitted()).poll_unpin(&mut Context::from_waker(&waker));
        match (self.model.tickets[*number].state, answer) {
            (State::Waiting | State::Parked, Poll::Pending) => *bell = Some(asked),
            (State::Granted, Poll::Ready(Ok(permit))) => {
                assert_eq!(permit.waited(), self.model.tickets[*number].waited);
                assert_eq!(
                    permit.wait(),
                    self.model.tickets[*number].wait,
                    "the wait of ticket {number}"
                );
                let backend = permit.backend().map(|backend| backend.0);
                assert_eq!(
                    backend, self.model.tickets[*number].backend,
                    "the back end of ticket {number}"
                );
                self.tally.add(Kind::AtBackend, usize::from(backend.is_some()));
                if self.returned.insert(*number, false) != Some(true) {
                    self.told.started[self.model.tickets[*number].event] += 1;
                }
                self.permits.push((*number, permit));
                self.tickets.swap_remove(index);
            }
            (State::Left(how), Poll::Ready(Err(seen))) => {
                assert_eq!(how, seen);
                *bell = None;
            }
            (state, seen) => panic!("{state:?} in the model, {seen:?} in the queue"),
        }
    }

    fn drop_ticket(&mut self, index: usize) {
        let Held { number, ticket, .. } = self.tickets.swap_remove(index);
        drop(ticket);
        match self.model.tickets[number].state {
            state @ (State::Waiting | State::Parked) => {
                assert!(self.model.leave(number, LeaveReason::Cancelled));
                self.tally.add(Kind::LeftParked, usize::from(state == State::Parked));
            }
            State::Granted => {
                self.told.left[self.model.tickets[number].event][LeaveReason::Cancelled as usize] += 1;
                self.model.release(number, false);
                self.tally.add(Kind::GaveBack, 1);
            }
            State::Left(_) | State::Gone => {}
        }
    }

    fn release(&mut self, index: usize, ending: Ending) {
        let (number, permit) = self.permits.swap_remove(index);
        let outcome = match ending {
            Ending::Word(outcome) => {
                permit.finish(outcome);
                outcome
            }
            Ending::Dropped => {
                drop(permit);
                self.tally.add(Kind::Failed, 1);
                Outcome::Failed
            }
            Ending::Panic => {
                let work = std::panic::AssertUnwindSafe(move || {
                    let _permit = permit;
                    std::panic::resume_unwind(Box::new("a fault of the work"));
                });
                assert!(std::panic::catch_unwind(work).is_err());
                self.tally.add(Kind::Panicked, 1);
                Outcome::Failed
            }
        };
        self.told.ended[self.model.tickets[number].event][outcome as usize] += 1;
        self.model.release(number, true);
    }

    fn start_back(&mut self, index: usize) {
        let (number, permit) = self.permits.swap_remove(index);
        let before = permit.backend();
        let earlier = self.earlier(number, permit.order_key());
        let ticket = permit.start_back();
        let back = self.model.start_back(number, earlier);
        self.returned.insert(number, true);
        // Those behind it move back by one, unless it has started again at once.
        self.slack = Some(self.model.line_of_ticket(number));
        let moved = back && self.model.tickets[number].state == State::Granted;
        let elsewhere = moved && self.model.tickets[number].backend != before.map(|backend| backend.0);
        self.tally.add(Kind::StartedBack, 1);
        self.tally.add(Kind::StartedElsewhere, usize::from(elsewhere));
        self.tickets.push(Held {
            number,
            ticket,
            bell: None,
        });
    }

    /// How many that wait in its line come before it with this place.
    fn earlier(&self, number: Number, key: OrderKey) -> usize {
        let line = self.model.line_of_ticket(number);
        let earlier = |held: &&Held| {
            self.model.line_of_ticket(held.number) == line
                && self.queue.order_key(held.ticket.id()).is_some_and(|other| other < key)
        };
        self.tickets.iter().filter(earlier).count()
    }

    fn pause(&mut self, index: usize) {
        let (number, permit) = self.permits.swap_remove(index);
        self.paused.insert(number, permit.order_key());
        let ticket = permit.step_aside();
        self.model.pause(number);
        self.returned.insert(number, true);
        self.tally.add(Kind::Paused, 1);
        self.tickets.push(Held {
            number,
            ticket,
            bell: None,
        });
    }

    fn step_aside(&mut self, index: usize) {
        let Held { number, ticket, bell } = &mut self.tickets[index];
        // A ticket that has a slot in its hands knows the place that it has started from.
        let key = ticket.order_key();
        ticket.step_aside();
        let granted = self.model.tickets[*number].state == State::Granted;
        let aside = self.model.step_aside(*number);
        if aside {
            // It is to be asked about again.
            *bell = None;
            self.tally.add(Kind::SteppedAside, 1);
        }
        if let Some(key) = key.filter(|_| granted) {
            self.paused.insert(*number, key);
        }
    }

    /// The end of a pause.
    fn go_on(&mut self, at: usize) {
        let number = self.tickets[at].number;
        let (from, line) = (self.model.left_line(number), self.model.line_of_ticket(number));
        let earlier = self.earlier(number, self.paused[&number]);
        assert!(self.queue.resume(self.tickets[at].ticket.id()));
        self.model.end_pause(number, earlier);
        // Those behind it move back by one, unless it has started again at once, or is new to its line.
        self.slack = Some(line).filter(|line| from == Some(*line));
        self.tally.add(Kind::WentOn, 1);
    }

    fn park(&mut self, index: usize) {
        let (number, permit) = self.permits.swap_remove(index);
        let ticket = permit.park();
        self.model.park(number);
        self.returned.insert(number, true);
        self.tally.add(Kind::Parked, 1);
        self.tickets.push(Held {
            number,
            ticket,
            bell: None,
        });
    }

    fn resume(&mut self, which: Index) {
        let parked = |at: &usize| self.model.tickets[self.tickets[*at].number].state == State::Parked;
        let parked: Vec<usize> = (0..self.tickets.len()).filter(parked).collect();
        let at = match parked.len() {
            0 => which.index(self.tickets.len()),
            some => parked[which.index(some)],
        };
        if self.model.tickets[self.tickets[at].number].state == State::Parked
            && self.model.tickets[self.tickets[at].number].paused.is_some()
        {
            self.go_on(at);
            return;
        }
        let Held { number, ticket, bell } = &self.tickets[at];
        // What expires meanwhile has gone before it comes.
        if self.model.tickets[*number].state == State::Parked {
            self.model.expire();
        }
        let line = self.model.line_of_ticket(*number);
        let own = |other: &Number| self.model.tickets[*other].owner == self.model.tickets[*number].owner;
        let (order, newcomer) = (self.model.order(line), self.model.newcomer(line));
        let first = order.iter().position(own);
        let older = |other: &Number| own(other) && self.model.tickets[*other].resumed && other < number;
        let is_next = !order.iter().any(older);
        let resumed = self.queue.resume(ticket.id());
        assert_eq!(resumed, self.model.resume(*number));
        if !resumed {
            return;
        }
        let rung = |bell: &Arc<Bell>| bell.0.load(SeqCst);
        assert!(bell.as_ref().is_none_or(rung), "its longest wait counts from now on");
        let position = self.queue.position(ticket.id()).map(|position| position as usize - 1);
        match (self.model.tickets[*number].state, first) {
            (State::Granted, _) => self.tally.add(Kind::ResumedAtOnce, 1),
            (_, Some(first)) if is_next => {
                assert_eq!(position, Some(first), "it has the place of its owner's first");
                self.tally.add(Kind::ResumedFirst, 1);
            }
            (_, Some(_)) => {}
            (_, None) => {
                let newcomers = newcomer.saturating_sub(1);
                assert_eq!(position, Some(newcomers), "it has the place of a newcomer");
                self.tally.add(Kind::ResumedAsNew, 1);
            }
        }
    }

    fn change_pool(&mut self, index: usize, pool: u32) {
        let Held { number, ticket, .. } = &self.tickets[index];
        if self.model.tickets[*number].event != C.0 {
            return;
        }
        let moved = self.queue.change_pool(ticket.id(), PoolIndex(pool));
        assert_eq!(moved, self.model.change_pool(*number, pool));
        self.firsts.remove(number);
        self.tally.add(Kind::ChangedPool, usize::from(moved));
    }

    fn throttle(&mut self, backend: u32, cap: Option<usize>) {
        let backend = backend % self.model.policy.backends.len() as u32;
        self.queue.throttle(BackendIndex(backend), cap);
        self.model.throttle(backend, cap);
    }

    fn drift(&mut self, backend: u32, drift: Drift) {
        let backend = backend % self.model.policy.backends.len() as u32;
        let now = self.model.backends.cap(backend).unwrap_or(1);
        let cap = match drift {
            Drift::Up => now + 1,
            Drift::Down => now.saturating_sub(1).max(1),
        };
        self.tally.drifted(drift);
        self.throttle(backend, Some(cap));
    }

    fn retune(&mut self, policy: Policy) {
        let sharing = self.model.sharing();
        if self.model.waiting() + self.model.running.len() > 0 {
            self.tally.retuned(&self.model.policy, &policy);
        }
        self.queue.retune(policy.clone());
        self.model.retune(with_known_backends(policy, &self.model.policy));
        if self.model.sharing() != sharing {
            self.tally.add(Kind::SharedAnew, 1);
            // In a line of other members a position means something else.
            self.firsts.clear();
        }
    }

    fn agree(&mut self) {
        let (queue, model) = (&self.queue, &self.model);
        let orders = model.orders();
        let mut positions = vec![None; model.tickets.len()];
        for order in &orders {
            for (before, ticket) in order.iter().enumerate() {
                positions[*ticket] = Some((before + 1, order.len()));
            }
        }
        assert_eq!(
            (queue.running(), queue.waiting(), queue.parked()),
            (model.running.len(), model.waiting(), model.parked())
        );

        queue.look(|machine, now| {
            for Held { number, ticket, bell } in &self.tickets {
                let standing = machine.standing(ticket.id()).map(|(_, standing)| standing);
                let place = standing.map(|standing| (standing.position as usize, standing.waiting as usize));
                assert_eq!(
                    place, positions[*number],
                    "the position of ticket {number}, and how many wait"
                );
                let state = model.tickets[*number].state;
                let parked = machine.state_of(ticket.id()) == Some(TicketState::Parked);
                assert_eq!(parked, state == State::Parked);
                let stays = matches!(state, State::Waiting | State::Parked);
                let forgotten = |bell: &Arc<Bell>| !bell.0.load(SeqCst) && !stays;
                assert!(!bell.as_ref().is_some_and(forgotten), "ticket {number} was not woken");
            }
            let sharing = model.sharing();
            assert_eq!(machine.line_count(), sharing.len());
            for (at, ((events, pool), order)) in sharing.into_iter().zip(&orders).enumerate() {
                let line = machine.line(at, now);
                assert!(line.events.iter().map(|event| event.0).eq(events));
                assert_eq!(line.pool, pool.map(PoolIndex));
                assert_eq!(
                    ((line.running, line.limit), line.waiting, line.newcomer as usize),
                    (model.slots(at), order.len(), model.newcomer(at)),
                    "running, limit, waiting and the next position of line {at}"
                );
                let oldest = order.iter().map(|ticket| model.age(*ticket)).max();
                assert_eq!(line.longest_wait, oldest);
                for ticket in order {
                    let model::Ticket { event, pool, .. } = model.tickets[*ticket];
                    assert!(!model.has_slot(event, pool), "a slot idles");
                }
            }
            for (backend, state) in (0..).zip(machine.backends()) {
                let slots = model.backends.slots(&model.policy, backend);
                assert_eq!((state.running, state.limit), (model.running_on(backend), slots));
            }
        });

        self.no_first_has_moved_back(&orders);
        self.everything_was_told(orders);
    }

    fn no_first_has_moved_back(&mut self, orders: &[Vec<Number>]) {
        let mut firsts = HashMap::new();
        for (line, order) in orders.iter().enumerate() {
            let slack = usize::from(self.slack == Some(line));
            let mut owners = Vec::new();
            for (before, ticket) in order.iter().enumerate() {
                let owner = self.model.tickets[*ticket].owner;
                if !owners.contains(&owner) {
                    owners.push(owner);
                    let position = self.firsts.get(ticket);
                    assert!(
                        position.is_none_or(|position| before < position + slack),
                        "a first ticket has moved back"
                    );
                    firsts.insert(*ticket, before + 1);
                }
            }
        }
        self.firsts = firsts;
        self.slack = None;
    }

    /// The observer has heard of everything, once; and the follower of changes has heard that there is one.
    fn everything_was_told(&mut self, orders: Vec<Vec<Number>>) {
        let mut expected = self.told.clone();
        for ticket in &self.model.tickets {
            if let State::Left(how) = ticket.state {
                expected.left[ticket.event][how as usize] += 1;
            }
        }
        assert_eq!(*self.ledger.0.lock().unwrap(), expected);
        let visible = Visible::of(&self.model, orders);
        let told = self.changes.has_changed();
        assert!(told || visible == self.seen, "a change that nobody was told of");
        self.changes.mark_unchanged();
        self.seen = visible;
    }

    /// Everybody goes; the queue is as new. Returns what has happened.
    pub(super) fn end(mut self) -> Tally {
        for (kind, count) in self.ledger.0.lock().unwrap().count() {
            self.tally.add(kind, count);
        }
        self.tally.add(Kind::Admitted, self.model.admitted);
        self.permits.clear();
        self.tickets.clear();
        let queue = &self.queue;
        assert_eq!((queue.running(), queue.waiting(), queue.parked()), (0, 0, 0));
        if !self.model.is_closed() {
            self.queue.retune(policy(&[2, 1, 1]));
            let _running = [
                start(&self.queue, A, 1),
                start(&self.queue, A, 2),
                start(&self.queue, C, 3),
            ];
            assert!(waits(&mut join(&self.queue, A, 4)));
        }
        self.tally
    }
}
