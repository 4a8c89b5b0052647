//! The back ends of the model: chosen by looking at all of them.

use std::{cmp::Reverse, collections::BTreeMap, time::Duration};

use crate::queue::{Balance, Policy};

/// Holding times that are looked back at.
const WINDOW: usize = 64;

#[derive(Clone, Copy, Debug, Default)]
struct Backend {
    cap: Option<usize>,
    chosen: u64,
    owed: i64,
}

#[derive(Debug, Default)]
pub(super) struct Backends {
    backends: Vec<Backend>,
    choices: u64,
    /// How long tickets of a pool have held a slot there.
    held: BTreeMap<(u32, u32), Vec<Duration>>,
}

impl Backends {
    pub(super) fn new(policy: &Policy) -> Self {
        let mut backends = Self::default();
        backends.grow(policy);
        backends
    }

    pub(super) fn grow(&mut self, policy: &Policy) {
        self.backends.resize(policy.backends.len(), Backend::default());
    }

    pub(super) fn throttle(&mut self, backend: u32, cap: Option<usize>) {
        self.backends[backend as usize].cap = cap;
    }

    /// How many it may have for now, where that has been said.
    pub(super) fn cap(&self, backend: u32) -> Option<usize> {
        self.backends[backend as usize].cap
    }

    pub(super) fn slots(&self, policy: &Policy, backend: u32) -> Option<usize> {
        let (limit, cap) = (
            policy.backends[backend as usize].limit,
            self.backends[backend as usize].cap,
        );
        match (limit, cap) {
            (Some(limit), Some(cap)) => Some(limit.min(cap)),
            (limit, cap) => limit.or(cap),
        }
    }

    pub(super) fn learn(&mut self, place: (u32, u32), held: Duration) {
        self.held.entry(place).or_default().push(held);
    }

    fn mean(&self, place: (u32, u32)) -> Option<Duration> {
        let held = self.held.get(&place)?;
        let last = &held[held.len().saturating_sub(WINDOW)..];
        Some(last.iter().sum::<Duration>() / last.len() as u32)
    }

    /// One of those with a free slot, each with what it has running.
    pub(super) fn choose(
        &mut self,
        policy: &Policy,
        pool: u32,
        mut free: Vec<(u32, usize)>,
        prefers: Option<u32>,
        avoids: Option<u32>,
    ) -> u32 {
        if free.len() > 1 {
            free.retain(|(backend, _)| Some(*backend) != avoids);
        }
        let least = free.iter().map(|(_, running)| *running).min().unwrap();
        let close = |(backend, running): &&(u32, usize)| Some(*backend) == prefers && *running <= least + 1;
        let weight = |backend: u32| u64::from(policy.backends[backend as usize].weight);
        let preferred = free.iter().find(close).map(|(backend, _)| *backend);
        let chosen = preferred.unwrap_or_else(|| match policy.balance {
            Balance::RoundRobin => {
                let rested = |(backend, _): &&(u32, usize)| self.backends[*backend as usize].chosen;
                free.iter().min_by_key(rested).unwrap().0
            }
            Balance::LeastLoaded => {
                // Multiplied by all weights, so that nothing is lost by a division.
                let all: u64 = free.iter().map(|(backend, _)| weight(*backend)).product();
                let rank = |(backend, running): &&(u32, usize)| {
                    let load = (*running as u64 + 1) * all / weight(*backend);
                    let rested = self.backends[*backend as usize].chosen;
                    (load, self.mean((pool, *backend)), rested)
                };
                free.iter().min_by_key(rank).unwrap().0
            }
            Balance::Weighted => {
                let mut all = 0;
                for (backend, _) in &free {
                    all += weight(*backend) as i64;
                    self.backends[*backend as usize].owed += weight(*backend) as i64;
                }
                let owed = |(backend, _): &&(u32, usize)| Reverse(self.backends[*backend as usize].owed);
                let most = free.iter().min_by_key(owed).unwrap().0;
                self.backends[most as usize].owed -= all;
                most
            }
        });
        self.choices += 1;
        self.backends[chosen as usize].chosen = self.choices;
        chosen
    }
}
