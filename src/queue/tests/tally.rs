//! What really happened in a run of random visits: a proof that has never refused anybody proves nothing of refusals.

use std::{collections::BTreeMap, sync::Mutex, time::Duration};

use super::pair::{Drift, Edit};
use crate::queue::{EventIndex, JoinError, LeaveReason, Observer, Order, Outcome, Policy};

/// One kind of thing that can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A ticket had its slot when it joined.
    StartedAtOnce,
    /// A ticket joined a line.
    Waited,
    /// A waiting ticket was given a slot.
    Admitted,
    /// A ticket came when its longest wait was over.
    CameTooLate,
    RefusedBusy,
    RefusedFull,
    RefusedTooManyOfYours,
    RefusedClosed,
    Cancelled,
    Abandoned,
    Expired,
    Closed,
    /// Somebody wanted to take out a ticket that waited no more.
    LeftTooLate,
    /// A ticket was dropped with a slot that it never took.
    GaveBack,
    Done,
    /// A permit was dropped without a word.
    Failed,
    Stopped,
    TimedOut,
    Panicked,
    /// A limit grew, or shrank, while tickets waited or ran.
    Grew,
    Shrank,
    CapGrew,
    CapShrank,
    ToFair,
    ToFifo,
    /// Other events share a line than before.
    SharedAnew,
    SwitchedOff,
    SwitchedOn,
    QueueOff,
    QueueOn,
    OtherLongestWait,
    OtherBounds,
    /// A ticket got a slot of a back end.
    AtBackend,
    /// The back end of a running ticket failed, and it went to the front.
    StartedBack,
    /// It had a slot of another back end at once.
    StartedElsewhere,
    /// A running ticket gave its slot back for a while.
    Parked,
    /// A running ticket gave its slot back, to go on from where it stood, and did.
    Paused,
    WentOn,
    /// One that waited left its line, or gave back a slot that it had not taken.
    SteppedAside,
    /// It left without coming back.
    LeftParked,
    /// It came back, and had a slot at once.
    ResumedAtOnce,
    /// It came back to the line, before others of its owner.
    ResumedFirst,
    /// Or as its owner's only one, where a newcomer would have come.
    ResumedAsNew,
    ChangedPool,
    /// A back end was taken out of service, tried again with one ticket, given back its limit.
    TakenOut,
    TriedAgain,
    GivenBack,
    /// It was tried with one ticket more than it had.
    Probed,
    /// What it may have has become one more, or one fewer.
    DriftedUp,
    DriftedDown,
    /// It came to a pool, for the first time ever, or drained, or left.
    Came,
    New,
    Drained,
    Went,
    OtherPools,
    OtherBackends,
}

impl Kind {
    pub(super) const ALL: [Self; 56] = [
        Self::StartedAtOnce,
        Self::Waited,
        Self::Admitted,
        Self::CameTooLate,
        Self::RefusedBusy,
        Self::RefusedFull,
        Self::RefusedTooManyOfYours,
        Self::RefusedClosed,
        Self::Cancelled,
        Self::Abandoned,
        Self::Expired,
        Self::Closed,
        Self::LeftTooLate,
        Self::GaveBack,
        Self::Done,
        Self::Failed,
        Self::Stopped,
        Self::TimedOut,
        Self::Panicked,
        Self::Grew,
        Self::Shrank,
        Self::CapGrew,
        Self::CapShrank,
        Self::ToFair,
        Self::ToFifo,
        Self::SharedAnew,
        Self::SwitchedOff,
        Self::SwitchedOn,
        Self::QueueOff,
        Self::QueueOn,
        Self::OtherLongestWait,
        Self::OtherBounds,
        Self::AtBackend,
        Self::StartedBack,
        Self::StartedElsewhere,
        Self::Parked,
        Self::Paused,
        Self::WentOn,
        Self::SteppedAside,
        Self::LeftParked,
        Self::ResumedAtOnce,
        Self::ResumedFirst,
        Self::ResumedAsNew,
        Self::ChangedPool,
        Self::TakenOut,
        Self::TriedAgain,
        Self::GivenBack,
        Self::Probed,
        Self::DriftedUp,
        Self::DriftedDown,
        Self::Came,
        Self::New,
        Self::Drained,
        Self::Went,
        Self::OtherPools,
        Self::OtherBackends,
    ];
}

/// How often each kind of thing has happened, and how many operations that took.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// Steps that were carried out on the queue and on the model, and compared.
    pub(super) operations: usize,
    counts: BTreeMap<Kind, usize>,
}

impl Tally {
    pub(super) fn add(&mut self, kind: Kind, count: usize) {
        *self.counts.entry(kind).or_default() += count;
    }

    pub(super) fn of(&self, kind: Kind) -> usize {
        self.counts.get(&kind).copied().unwrap_or_default()
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.operations += other.operations;
        for (kind, count) in &other.counts {
            self.add(*kind, *count);
        }
    }

    /// A back end may have so many tickets for now.
    pub(super) fn throttled(&mut self, cap: Option<usize>) {
        let kind = match cap {
            Some(0) => Kind::TakenOut,
            Some(_) => Kind::TriedAgain,
            None => Kind::GivenBack,
        };
        self.add(kind, 1);
    }

    pub(super) fn drifted(&mut self, drift: Drift) {
        let kind = match drift {
            Drift::Up => Kind::DriftedUp,
            Drift::Down => Kind::DriftedDown,
        };
        self.add(kind, 1);
    }

    pub(super) fn edited(&mut self, edit: Edit) {
        let kind = match edit {
            Edit::Come { .. } => Kind::Came,
            Edit::New { .. } => Kind::New,
            Edit::Drain(_) => Kind::Drained,
            Edit::Go { .. } => Kind::Went,
        };
        self.add(kind, 1);
    }

    /// What a retuning changes.
    pub(super) fn retuned(&mut self, before: &Policy, after: &Policy) {
        let unlimited = |limit: Option<usize>| limit.unwrap_or(usize::MAX);
        let limits = |policy: &Policy| {
            policy
                .events
                .iter()
                .map(|event| unlimited(event.limit))
                .collect::<Vec<_>>()
        };
        let (old, new) = (limits(before), limits(after));
        let cap = (unlimited(before.max_running), unlimited(after.max_running));
        let changes = [
            (Kind::Grew, old.iter().zip(&new).any(|(old, new)| old < new)),
            (Kind::Shrank, old.iter().zip(&new).any(|(old, new)| old > new)),
            (Kind::CapGrew, cap.0 < cap.1),
            (Kind::CapShrank, cap.0 > cap.1),
            (Kind::ToFair, (before.order, after.order) == (Order::Fifo, Order::Fair)),
            (Kind::ToFifo, (before.order, after.order) == (Order::Fair, Order::Fifo)),
            (Kind::SwitchedOff, before.concurrent && !after.concurrent),
            (Kind::SwitchedOn, !before.concurrent && after.concurrent),
            (Kind::QueueOff, before.queue && !after.queue),
            (Kind::QueueOn, !before.queue && after.queue),
            (Kind::OtherPools, before.pools != after.pools),
            (Kind::OtherBackends, before.backends != after.backends),
            (Kind::OtherLongestWait, before.max_wait != after.max_wait),
            (
                Kind::OtherBounds,
                (before.max_size, before.max_waiting_per_owner) != (after.max_size, after.max_waiting_per_owner),
            ),
        ];
        for (kind, _) in changes.into_iter().filter(|(_, changed)| *changed) {
            self.add(kind, 1);
        }
    }
}

/// What an observer has been told, by event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) refused: [[usize; 4]; 3],
    pub(super) started: [usize; 3],
    pub(super) left: [[usize; 4]; 3],
    pub(super) ended: [[usize; 4]; 3],
}

impl Told {
    pub(super) fn count(&self) -> [(Kind, usize); 11] {
        let refused = |why: JoinError| self.refused.iter().map(|event| event[why as usize]).sum();
        let left = |how: LeaveReason| self.left.iter().map(|event| event[how as usize]).sum();
        let ended = |outcome: Outcome| self.ended.iter().map(|event| event[outcome as usize]).sum();
        [
            (Kind::RefusedBusy, refused(JoinError::Busy)),
            (Kind::RefusedFull, refused(JoinError::Full)),
            (Kind::RefusedTooManyOfYours, refused(JoinError::TooManyOfYours)),
            (Kind::RefusedClosed, refused(JoinError::Closed)),
            (Kind::Cancelled, left(LeaveReason::Cancelled)),
            (Kind::Abandoned, left(LeaveReason::Abandoned)),
            (Kind::Expired, left(LeaveReason::Expired)),
            (Kind::Closed, left(LeaveReason::Closed)),
            (Kind::Done, ended(Outcome::Done)),
            (Kind::Stopped, ended(Outcome::Cancelled)),
            (Kind::TimedOut, ended(Outcome::Expired)),
        ]
    }
}

/// Keeps what it is told.
#[derive(Default)]
pub(super) struct Ledger(pub(super) Mutex<Told>);

impl Observer for Ledger {
    fn refused(&self, event: EventIndex, why: JoinError) {
        self.0.lock().unwrap().refused[event.0][why as usize] += 1;
    }

    fn started(&self, event: EventIndex, _: Duration) {
        self.0.lock().unwrap().started[event.0] += 1;
    }

    fn left(&self, event: EventIndex, how: LeaveReason) {
        self.0.lock().unwrap().left[event.0][how as usize] += 1;
    }

    fn ended(&self, event: EventIndex, outcome: Outcome, _: Duration) {
        self.0.lock().unwrap().ended[event.0][outcome as usize] += 1;
    }
}
