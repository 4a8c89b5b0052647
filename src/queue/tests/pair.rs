//! The queue and its model, side by side: each step is taken by both, and then everything that shows is compared.

mod agree;
mod back;
mod steps;

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

use agree::Visible;
pub(super) use steps::{Drift, Edit, Ending, Step};

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
}
