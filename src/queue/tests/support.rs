//! What the tests share.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use futures_util::FutureExt;
use tokio::time::Instant;

use crate::queue::{
    EventIndex, EventPolicy, JoinError, LeaveReason, Observer, Outcome, Owner, Permit, Policy, Queue, Ticket,
};

pub(super) const A: EventIndex = EventIndex(0);
pub(super) const B: EventIndex = EventIndex(1);
pub(super) const C: EventIndex = EventIndex(2);

/// Events `a`, `b`, `c` with these limits, fair order and no other bound.
pub(super) fn policy(limits: &[usize]) -> Policy {
    let events = ["a", "b", "c"].into_iter().zip(limits);
    Policy::new(events.map(|(name, limit)| EventPolicy::new(name, *limit)))
}

pub(super) fn shared(mut policy: Policy, ids: &[Option<&str>]) -> Policy {
    for (event, id) in policy.events.iter_mut().zip(ids) {
        event.concurrency_id = id.map(str::to_owned);
    }
    policy
}

/// Keeps count of what it is told.
#[derive(Default)]
pub(super) struct Recorder {
    pub(super) refused: AtomicUsize,
    pub(super) started: AtomicUsize,
    pub(super) left: AtomicUsize,
    pub(super) ended: AtomicUsize,
    pub(super) endings: Mutex<Vec<(EventIndex, Outcome, Duration)>>,
    pub(super) leavings: Mutex<Vec<(EventIndex, LeaveReason)>>,
}

impl Observer for Recorder {
    fn refused(&self, _: EventIndex, _: JoinError) {
        self.refused.fetch_add(1, SeqCst);
    }

    fn started(&self, _: EventIndex, _: Duration) {
        self.started.fetch_add(1, SeqCst);
    }

    fn left(&self, event: EventIndex, how: LeaveReason) {
        self.left.fetch_add(1, SeqCst);
        self.leavings.lock().unwrap().push((event, how));
    }

    fn ended(&self, event: EventIndex, outcome: Outcome, held: Duration) {
        self.ended.fetch_add(1, SeqCst);
        self.endings.lock().unwrap().push((event, outcome, held));
    }
}

pub(super) fn queue(policy: Policy) -> (Queue, Arc<Recorder>) {
    let recorder = Arc::new(Recorder::default());
    (Queue::new(policy, Arc::clone(&recorder) as Arc<dyn Observer>), recorder)
}

/// A ticket that joined now.
pub(super) fn join(queue: &Queue, event: EventIndex, owner: u128) -> Ticket {
    queue.join(event, Owner(owner), Instant::now()).unwrap()
}

/// The permit of a ticket that has one.
pub(super) fn take(ticket: &mut Ticket) -> Permit {
    ticket.admitted().now_or_never().expect("it has its slot").unwrap()
}

/// A permit, at once.
pub(super) fn start(queue: &Queue, event: EventIndex, owner: u128) -> Permit {
    take(&mut join(queue, event, owner))
}

pub(super) fn waits(ticket: &mut Ticket) -> bool {
    ticket.admitted().now_or_never().is_none()
}

pub(super) fn left(ticket: &mut Ticket) -> LeaveReason {
    ticket.admitted().now_or_never().expect("it has left").unwrap_err()
}

pub(super) fn position(queue: &Queue, ticket: &Ticket) -> Option<u64> {
    queue.standing(ticket.id()).map(|standing| standing.position)
}

pub(super) fn positions(queue: &Queue, tickets: &[Ticket]) -> Vec<u64> {
    tickets
        .iter()
        .map(|ticket| position(queue, ticket).unwrap_or(0))
        .collect()
}
