//! What nodes that keep one queue tell each other of how back ends are.
//!
//! What one has found holds for all: they take it in as if they had found it themselves, but for the time until the back end is tried
//! again, which is for the one to end that has found it. The line gives the ticket that tries it to whoever is next, on whichever node that
//! is; from then on that node says how it went on.
//!
//! Each asks the servers for their models by itself: a list a minute from each node is no load, and none has to wait for another's word.

use std::sync::{Arc, Weak};

use tokio::time::Instant;

use super::{Backend, Backends, lock};
use crate::queue::{BackendIndex, InForce, Queue, Teller, Throttle};

impl Backends {
    /// As [`Backends::govern`], for a queue that several nodes keep: what others tell it of back ends is heard, too.
    pub fn govern_shared(self: &Arc<Self>, queue: &Queue) {
        let told = queue.clone();
        *lock(&self.governor) = Some(Box::new(move |backend, throttle, known| {
            told.throttle_for_all(backend, throttle, known);
        }));
        // Nobody else does.
        let _ = self.shared.set(queue.clone());
        let ears: Weak<Self> = Arc::downgrade(self);
        queue.hear_throttles(move |backend, in_force| {
            if let Some(backends) = ears.upgrade() {
                backends.heard(backend, in_force);
            }
        });
        self.settle();
    }

    /// Takes in what is in force of a back end, and tells what this node knows otherwise.
    pub(super) fn heard(&self, at: BackendIndex, in_force: InForce) {
        let directory = self.directory();
        let Some(backend) = directory.backend(at) else { return };
        let now = Instant::now();
        let was_withheld = backend.is_withheld();
        // Nothing is said meanwhile by somebody who has not heard it.
        let governor = lock(&self.governor);
        lock(&backend.known).hear(in_force, now);
        self.tell_news(governor.as_deref(), backend, now);
        drop(governor);
        if was_withheld && !backend.is_withheld() {
            self.revision.send_modify(|revision| revision.shape += 1);
        }
    }

    /// How many tickets a back end has on all nodes, for those whose limit is found out; `None`: this node is alone.
    pub(super) fn running_everywhere(&self, backend: &Backend) -> Option<usize> {
        let queue = self.shared.get().filter(|_| backend.is_auto())?;
        let states = queue.backends();
        let state = states.get(usize::try_from(backend.index.0).ok()?)?;
        Some(state.running)
    }

    /// Back ends that this node does not have any more: others that have them are not to wait for its word.
    pub(super) fn give_up<'b>(&self, gone: impl Iterator<Item = &'b Backend>) {
        if self.shared.get().is_none() {
            return;
        }
        let governor = lock(&self.governor);
        for backend in gone {
            let heard = lock(&backend.known).heard;
            if let (Some(governor), Some(heard)) = (&*governor, heard.filter(|heard| heard.by == Teller::This)) {
                let last = match heard.throttle {
                    Throttle::Out(_) | Throttle::Probing | Throttle::Probe(_) => Throttle::Probe(1),
                    Throttle::Free | Throttle::Found(_) => Throttle::Free,
                };
                governor(backend.index, last, heard.set);
            }
        }
    }
}
