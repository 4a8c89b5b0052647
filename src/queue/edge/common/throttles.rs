//! What back ends may have for now, said to all processes and heard from all.

use std::{
    collections::BTreeMap,
    sync::{MutexGuard, PoisonError},
};

use super::Common;
use crate::queue::{BackendIndex, InForce, Throttle};

/// Who hears what is in force of a back end.
type Hearer = dyn Fn(BackendIndex, InForce) + Send + Sync;

/// Whoever hears it, and what has been told so far, by this process's count. Locked while it is told, so that nothing overtakes what was
/// in force before; whoever hears it takes other locks of this queue, never this one.
#[derive(Default)]
pub(super) struct Throttles {
    hearer: Option<Box<Hearer>>,
    told: BTreeMap<BackendIndex, InForce>,
}

impl Common {
    fn throttles(&self) -> MutexGuard<'_, Throttles> {
        self.throttles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One that the policy of all does not have yet is told of once it has.
    pub(in crate::queue::edge) fn throttle(&self, backend: BackendIndex, throttle: Throttle, known: u64) {
        let there = self.wanted().backend_there(backend);
        if let Some(backend) = there {
            self.line(|line| line.throttle(backend, throttle, known));
        }
    }

    pub(in crate::queue::edge) fn hear_throttles(&self, hearer: Box<Hearer>) {
        self.throttles().hearer = Some(hearer);
        self.tell_throttles(|_| true);
    }

    /// Tells what is in force and has not been told yet, or is to be told again.
    pub(in crate::queue::edge) fn tell_throttles(&self, again: impl Fn(BackendIndex) -> bool) {
        let Throttles { hearer, told } = &mut *self.throttles();
        let Some(hear) = hearer else { return };
        let mut there = Vec::new();
        self.line(|line| there = line.throttles());
        let here: Vec<(BackendIndex, InForce)> = {
            let wanted = self.wanted();
            let named = (0..).map(BackendIndex).zip(there);
            named
                .filter_map(|(at, in_force)| Some((wanted.backend_here(at)?, in_force)))
                .collect()
        };
        for (backend, in_force) in here {
            if told.insert(backend, in_force) != Some(in_force) || again(backend) {
                hear(backend, in_force);
            }
        }
    }
}
