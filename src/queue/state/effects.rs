//! What the state leaves to be done outside its lock.

use std::task::Waker;

use crate::queue::{EventIndex, Left};

/// What is to be done once the lock has been released. Dropping a waker may drop a task and with it a ticket, which takes
/// the lock: so even wakers that are not woken go out this way.
#[derive(Default)]
pub(in crate::queue) struct Effects {
    pub(in crate::queue) wake: Wakers,
    pub(in crate::queue) left: Vec<(EventIndex, Left)>,
    /// Some position, count or limit has changed.
    pub(in crate::queue) changed: bool,
}

/// Wakers to wake. Most changes wake one, which needs no allocation.
#[derive(Default)]
pub(in crate::queue) struct Wakers {
    one: Option<Waker>,
    more: Vec<Waker>,
}

impl Wakers {
    pub(super) fn push(&mut self, waker: Option<Waker>) {
        if self.one.is_none() {
            self.one = waker;
        } else {
            self.more.extend(waker);
        }
    }

    pub(in crate::queue) fn wake(self) {
        self.one.into_iter().chain(self.more).for_each(Waker::wake);
    }
}
