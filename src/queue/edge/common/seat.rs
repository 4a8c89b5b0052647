//! What this process knows of a ticket that it holds, beside what all know of it.

use std::task::Waker;

use tokio::time::Instant;

use crate::queue::{EventIndex, LeaveReason, PoolIndex, machine::Grant};

/// A ticket of this process.
pub(super) struct Seat {
    /// What it is for.
    pub(super) job: u128,
    pub(super) event: EventIndex,
    pub(super) place: Place,
    /// The pool that it is to change to, by this process's count, until all have that.
    pub(super) wanted: Option<PoolIndex>,
    /// How many changes of its pool are under way. What it is given meanwhile is not taken.
    pub(super) recalls: u32,
    /// Where it is parked: it has only paused.
    pub(super) paused: bool,
}

/// Where it is.
pub(super) enum Place {
    /// Nobody has taken it up yet: it was another process's. With the slot, if it has one.
    Stray(Option<Grant>),
    /// It waits, and who is to be woken when that ends.
    Waiting(Option<Waker>),
    /// Its holder has given its slot back for a while, and who is to be woken when that ends. All know it, or this process has asked for it.
    Parked(Option<Waker>),
    /// It has a slot that its holder has yet to take, and who is to be woken once it may.
    Granted(Grant, Option<Waker>),
    /// Its holder works on it.
    Working(Work),
    /// It has left, and its holder has yet to learn why. All know it, or this process has asked for it.
    Left(LeaveReason, Known),
    /// Nobody has it any more, and this process has asked for that. It may be given a slot all the same, until all know it.
    Dropped(LeaveReason),
}

/// Whether all processes know something.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    ByAll,
    Asked,
}

/// Work under way.
pub(super) struct Work {
    pub(super) since: Instant,
    /// It is to be ended.
    pub(super) halted: bool,
    /// Its ticket is not this process's any more.
    pub(super) lost: bool,
    /// Whom to wake then.
    pub(super) waker: Option<Waker>,
    /// It may begin once more, with this, as soon as it has been ended.
    pub(super) again: Option<Grant>,
}

impl Seat {
    pub(super) const fn new(job: u128, event: EventIndex, place: Place) -> Self {
        Self {
            job,
            event,
            place,
            wanted: None,
            recalls: 0,
            paused: false,
        }
    }

    /// The slot, if there is one that may be taken. Its holder works from now on.
    pub(super) fn take_slot(&mut self) -> Option<Grant> {
        let Place::Granted(grant, _) = self.place else {
            return None;
        };
        if self.recalls > 0 {
            return None;
        }
        self.place = Place::Working(Work {
            since: Instant::now(),
            halted: false,
            lost: false,
            waker: None,
            again: None,
        });
        Some(grant)
    }
}
