//! One policy for several processes, each of which counts its pools and back ends in an order of its own.

use crate::queue::{BackendIndex, BackendPolicy, BackendState, Policy, PoolIndex, PoolPolicy, Work};

/// Why a process wants another policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Retuning {
    /// It has come to others: what they lack is added, events too, all else stays as they have it.
    Joining,
    /// It has found that its pools or back ends have changed: these are as it says now.
    Discovered,
    /// Its operator has edited the settings: all is as they say now.
    Edited,
}

/// Where this process's pools and back ends are in the policy of all, and the other way round.
pub(in crate::queue::edge) struct Names {
    /// `None`: both are the same.
    places: Option<Places>,
}

#[derive(Default)]
struct Places {
    /// How many events the policy of all has.
    events_there: usize,
    pools_there: Vec<Option<PoolIndex>>,
    pools_here: Vec<Option<PoolIndex>>,
    backends_there: Vec<Option<BackendIndex>>,
    backends_here: Vec<Option<BackendIndex>>,
}

impl Names {
    /// Of a process that keeps its queue alone.
    pub(in crate::queue::edge) const SAME: Self = Self { places: None };

    pub(super) fn between(here: &Policy, there: &Policy) -> Self {
        let pool = |name: &str, policy: &Policy| find_pool(policy, name).map(PoolIndex);
        let backend = |name: &str, policy: &Policy| find_backend(policy, name).map(BackendIndex);
        let pools = |of: &Policy, other: &Policy| of.pools.iter().map(|one| pool(&one.name, other)).collect();
        let backends = |of: &Policy, other: &Policy| of.backends.iter().map(|one| backend(&one.name, other)).collect();
        Self {
            places: Some(Places {
                events_there: there.events.len(),
                pools_there: pools(here, there),
                pools_here: pools(there, here),
                backends_there: backends(here, there),
                backends_here: backends(there, here),
            }),
        }
    }

    /// Of a pool of this process. `None`: the policy of all does not have it yet.
    pub(in crate::queue::edge) fn pool_there(&self, pool: PoolIndex) -> Option<PoolIndex> {
        match &self.places {
            None => Some(pool),
            Some(places) => *places.pools_there.get(pool.0 as usize)?,
        }
    }

    /// What a ticket is for, in the words of all. `None`: the policy of all does not have its event or its pool yet.
    pub(super) fn work_there(&self, work: Work) -> Option<Work> {
        if let Some(places) = &self.places
            && work.event.0 >= places.events_there
        {
            return None;
        }
        let Some(pool) = work.pool else { return Some(work) };
        Some(Work {
            pool: Some(self.pool_there(pool)?),
            prefers: work.prefers.and_then(|backend| self.backend_there(backend)),
            ..work
        })
    }

    /// Of a pool of the policy of all. `None`: this process does not know it.
    pub(in crate::queue::edge) fn pool_here(&self, pool: PoolIndex) -> Option<PoolIndex> {
        match &self.places {
            None => Some(pool),
            Some(places) => *places.pools_here.get(pool.0 as usize)?,
        }
    }

    /// The same of a back end.
    pub(in crate::queue::edge) fn backend_there(&self, backend: BackendIndex) -> Option<BackendIndex> {
        match &self.places {
            None => Some(backend),
            Some(places) => *places.backends_there.get(backend.0 as usize)?,
        }
    }

    /// The same of a back end.
    pub(in crate::queue::edge) fn backend_here(&self, backend: BackendIndex) -> Option<BackendIndex> {
        match &self.places {
            None => Some(backend),
            Some(places) => *places.backends_here.get(backend.0 as usize)?,
        }
    }

    /// The states of the back ends, in the order of this process.
    pub(in crate::queue::edge) fn backends_here(&self, there: Vec<BackendState>) -> Vec<BackendState> {
        let Some(places) = &self.places else { return there };
        let unknown = BackendState {
            running: 0,
            limit: Some(0),
        };
        let here = places.backends_there.iter();
        here.map(|at| {
            at.and_then(|BackendIndex(at)| there.get(at as usize).copied())
                .unwrap_or(unknown)
        })
        .collect()
    }
}

pub(super) fn find_pool(policy: &Policy, name: &str) -> Option<u32> {
    let at = policy.pools.iter().position(|pool| pool.name == name)?;
    u32::try_from(at).ok()
}

pub(super) fn find_backend(policy: &Policy, name: &str) -> Option<u32> {
    let at = policy.backends.iter().position(|backend| backend.name == name)?;
    u32::try_from(at).ok()
}

/// The policy of all once a process has had its way. What stands in `there` keeps its place, and what is new comes behind it.
pub(super) fn merged(there: &Policy, here: &Policy, why: Retuning) -> Policy {
    let (backends, pools) = (there.backends.clone(), there.pools.clone());
    let mut merged = match why {
        Retuning::Edited => here.clone(),
        Retuning::Joining | Retuning::Discovered => there.clone(),
    };
    (merged.backends, merged.pools) = (backends, pools);
    // Events are known by their places, and one that a version before does not have comes behind its.
    let known = merged.events.len();
    merged.events.extend(here.events.iter().skip(known).cloned());
    if why == Retuning::Edited {
        for gone in &mut merged.backends {
            gone.limit = Some(0);
        }
        for gone in &mut merged.pools {
            gone.backends.clear();
        }
    }
    for backend in &here.backends {
        match find_backend(&merged, &backend.name) {
            Some(_) if why == Retuning::Joining => {}
            Some(at) => merged.backends[at as usize] = backend.clone(),
            None => merged.backends.push(backend.clone()),
        }
    }
    for pool in &here.pools {
        let name =
            |BackendIndex(at): &BackendIndex| here.backends.get(*at as usize).map(|one: &BackendPolicy| &one.name);
        let places = pool.backends.iter().filter_map(name);
        let pool = PoolPolicy {
            name: pool.name.clone(),
            backends: places
                .filter_map(|name| find_backend(&merged, name).map(BackendIndex))
                .collect(),
        };
        match find_pool(&merged, &pool.name) {
            Some(_) if why == Retuning::Joining => {}
            Some(at) => merged.pools[at as usize] = pool,
            None => merged.pools.push(pool),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::{super::differences::differences, *};
    use crate::queue::EventPolicy;

    fn policy(limit: usize, backends: &[(&str, usize)], pools: &[(&str, &[u32])]) -> Policy {
        let mut policy = Policy::new([EventPolicy::new("chat", limit)]);
        policy.backends = backends
            .iter()
            .map(|(name, limit)| BackendPolicy {
                name: (*name).to_owned(),
                limit: Some(*limit),
                weight: 1,
            })
            .collect();
        policy.pools = pools
            .iter()
            .map(|(name, backends)| PoolPolicy {
                name: (*name).to_owned(),
                backends: backends.iter().copied().map(BackendIndex).collect(),
            })
            .collect();
        policy
    }

    #[test]
    fn what_is_there_keeps_its_place_and_what_is_new_comes_behind_it() {
        let there = policy(2, &[("a", 1), ("b", 1)], &[("small", &[0]), ("large", &[1])]);
        let here = policy(5, &[("c", 3), ("b", 4)], &[("huge", &[0]), ("large", &[0, 1])]);
        let joined = merged(&there, &here, Retuning::Joining);
        let expected = policy(
            2,
            &[("a", 1), ("b", 1), ("c", 3)],
            &[("small", &[0]), ("large", &[1]), ("huge", &[2])],
        );
        assert_eq!(joined, expected);
        let discovered = merged(&there, &here, Retuning::Discovered);
        let expected = policy(
            2,
            &[("a", 1), ("b", 4), ("c", 3)],
            &[("small", &[0]), ("large", &[2, 1]), ("huge", &[2])],
        );
        assert_eq!(discovered, expected);
        let edited = merged(&there, &here, Retuning::Edited);
        let expected = policy(
            5,
            &[("a", 0), ("b", 4), ("c", 3)],
            &[("small", &[]), ("large", &[2, 1]), ("huge", &[2])],
        );
        assert_eq!(edited, expected);
        let mut later = here.clone();
        later.events.push(EventPolicy::new("tool", 4));
        for why in [Retuning::Joining, Retuning::Discovered, Retuning::Edited] {
            let added = merged(&there, &later, why);
            assert_eq!(added.events[1..], later.events[1..]);
            assert_eq!(
                merged(&added, &here, Retuning::Joining).events,
                added.events,
                "it stays"
            );
        }
        let agree = |there| differences(there, &here).is_empty();
        assert!(agree(&edited) && !agree(&joined) && !agree(&there));
        // Once more changes nothing.
        for why in [Retuning::Joining, Retuning::Discovered, Retuning::Edited] {
            assert_eq!(merged(&edited, &here, why), edited);
        }
    }

    #[test]
    fn pools_and_back_ends_are_known_by_their_names() {
        let there = policy(2, &[("a", 1), ("b", 2)], &[("small", &[0]), ("large", &[1])]);
        let here = policy(2, &[("c", 3), ("b", 4)], &[("huge", &[0]), ("large", &[0, 1])]);
        let names = Names::between(&here, &there);
        assert_eq!(names.pool_there(PoolIndex(0)), None);
        assert_eq!(names.pool_there(PoolIndex(1)), Some(PoolIndex(1)));
        assert_eq!(names.pool_there(PoolIndex(7)), None);
        assert_eq!(names.pool_here(PoolIndex(0)), None);
        assert_eq!(names.backend_there(BackendIndex(1)), Some(BackendIndex(1)));
        assert_eq!(names.backend_here(BackendIndex(0)), None);
        assert_eq!(names.backend_here(BackendIndex(1)), Some(BackendIndex(1)));
        let state = |running| BackendState {
            running,
            limit: Some(2),
        };
        let states = names.backends_here(vec![state(5), state(1)]);
        let unknown = BackendState {
            running: 0,
            limit: Some(0),
        };
        assert_eq!(states, [unknown, state(1)]);
    }
}
