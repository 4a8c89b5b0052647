//! Back ends: what each has running, and which of a pool gets a ticket. It is chosen when the ticket starts, and its slot is taken
//! together with the limit's.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::Machine;
use crate::queue::{BackendIndex, BackendState, Balance, PoolIndex};

/// What the machine knows of a back end beside its policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Backend {
    /// Tickets that it has. After a retuning they may be more than it may have; then nobody starts there.
    pub(super) running: usize,
    /// How many it may have for now, where that is less than its limit.
    pub(super) cap: Option<usize>,
    /// When it was last chosen, counted in choices.
    chosen: u64,
    /// What it is owed where each is chosen as often as its weight says: smooth weighted round robin, as nginx does it.
    owed: i64,
}

impl Machine {
    /// How many tickets a back end may have now; `None` is unlimited.
    pub(super) fn slots_of(&self, BackendIndex(at): BackendIndex) -> Option<usize> {
        let (limit, cap) = (self.policy.backends[at as usize].limit, self.backends[at as usize].cap);
        limit.into_iter().chain(cap).min()
    }

    /// The back ends, in the order of the policy.
    pub fn backends(&self) -> impl Iterator<Item = BackendState> + '_ {
        self.backends.iter().zip(0..).map(|(backend, at)| BackendState {
            running: backend.running,
            limit: self.slots_of(BackendIndex(at)),
        })
    }

    /// The back ends of a pool.
    pub(super) fn pool(&self, PoolIndex(at): PoolIndex) -> &[BackendIndex] {
        &self.policy.pools[at as usize].backends
    }

    pub(super) fn running_on(&self, BackendIndex(at): BackendIndex) -> usize {
        self.backends[at as usize].running
    }

    pub(super) fn has_room(&self, backend: BackendIndex) -> bool {
        self.slots_of(backend)
            .is_none_or(|slots| self.running_on(backend) < slots)
    }

    /// Whether a back end of the pool has a free slot.
    pub(super) fn has_backend(&self, pool: PoolIndex) -> bool {
        self.pool(pool).iter().any(|backend| self.has_room(*backend))
    }

    /// Takes a slot of a back end of the pool. To be asked first: [`Machine::has_backend`].
    pub(super) fn take_backend(
        &mut self,
        pool: PoolIndex,
        prefers: Option<BackendIndex>,
        avoids: Option<BackendIndex>,
    ) -> Option<BackendIndex> {
        let mut free: Vec<BackendIndex> = self.pool(pool).to_vec();
        free.retain(|backend| self.has_room(*backend));
        if free.len() > 1 {
            free.retain(|backend| Some(*backend) != avoids);
        }
        let least = free.iter().map(|backend| self.running_on(*backend)).min()?;
        let preferred = prefers.filter(|backend| free.contains(backend) && self.running_on(*backend) <= least + 1);
        let backend = preferred.or_else(|| self.balanced(pool, &free))?;
        self.choices += 1;
        let chosen = &mut self.backends[backend.0 as usize];
        chosen.chosen = self.choices;
        chosen.running += 1;
        Some(backend)
    }

    fn balanced(&mut self, pool: PoolIndex, free: &[BackendIndex]) -> Option<BackendIndex> {
        let rested = |backend: &BackendIndex| self.backends[backend.0 as usize].chosen;
        match self.policy.balance {
            Balance::RoundRobin => free.iter().copied().min_by_key(rested),
            Balance::LeastLoaded => free.iter().copied().min_by(|a, b| {
                self.compare_loads(*a, *b)
                    .then_with(|| self.mean_held(pool, *a).cmp(&self.mean_held(pool, *b)))
                    .then_with(|| rested(a).cmp(&rested(b)))
            }),
            Balance::Weighted => self.owed_most(free),
        }
    }

    /// With one ticket more each, who would have less to do for its weight?
    fn compare_loads(&self, a: BackendIndex, b: BackendIndex) -> Ordering {
        let load = |backend: BackendIndex| self.running_on(backend) as u128 + 1;
        let weight = |backend: BackendIndex| u128::from(self.weight_of(backend));
        (load(a) * weight(b)).cmp(&(load(b) * weight(a)))
    }

    fn weight_of(&self, BackendIndex(at): BackendIndex) -> u32 {
        self.policy.backends[at as usize].weight.max(1)
    }

    /// How long a ticket of the pool holds a slot there, in the mean. One that nothing is known of is tried first.
    fn mean_held(&self, pool: PoolIndex, backend: BackendIndex) -> Option<std::time::Duration> {
        self.held_at.get(&(pool, backend))?.mean()
    }

    fn owed_most(&mut self, free: &[BackendIndex]) -> Option<BackendIndex> {
        let mut all = 0;
        for backend in free {
            let weight = i64::from(self.weight_of(*backend));
            self.backends[backend.0 as usize].owed += weight;
            all += weight;
        }
        let owed = |backend: &BackendIndex| self.backends[backend.0 as usize].owed;
        let most = free
            .iter()
            .copied()
            .min_by_key(|backend| std::cmp::Reverse(owed(backend)))?;
        self.backends[most.0 as usize].owed -= all;
        Some(most)
    }
}
