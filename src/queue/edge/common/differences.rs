//! What of the policy of all is not as a process's operator has set it.

use super::names::{Retuning, find_backend, find_pool, merged};
use crate::queue::{EventIndex, EventPolicy, Policy};

/// Something that the policy of all has otherwise than a process's operator has set it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// How many of an event may run at once.
    Limit(EventIndex),
    /// Which limit an event shares.
    ConcurrencyId(EventIndex),
    /// [`Policy::concurrent`].
    Concurrent,
    /// [`Policy::queue`].
    Queue,
    /// [`Policy::order`].
    Order,
    /// [`Policy::max_running`].
    MaxRunning,
    /// [`Policy::max_size`].
    MaxSize,
    /// [`Policy::max_waiting_per_owner`].
    MaxWaitingPerOwner,
    /// [`Policy::max_wait`].
    MaxWait,
    /// [`Policy::balance`].
    Balance,
    /// The back end of this name: its limit, or its weight.
    Backend(String),
    /// The pool of this name: its back ends.
    Pool(String),
}

/// All of them, but for pools and back ends that this process does not know.
pub(super) fn differences(there: &Policy, here: &Policy) -> Vec<Difference> {
    // Taken apart, so that nothing is left out that a policy may have one day.
    let Policy {
        events,
        pools,
        backends,
        balance,
        concurrent,
        queue,
        order,
        max_running,
        max_size,
        max_waiting_per_owner,
        max_wait,
    } = merged(there, here, Retuning::Edited);
    let mut found = Vec::new();
    for at in 0..events.len().max(there.events.len()) {
        let event = EventIndex(at);
        let (mine, theirs) = (events.get(at), there.events.get(at));
        let id = |event: Option<&EventPolicy>| event.and_then(|event| event.concurrency_id.clone());
        if id(mine) != id(theirs) {
            found.push(Difference::ConcurrencyId(event));
        }
        let without_id = |event: &EventPolicy| EventPolicy {
            concurrency_id: None,
            ..event.clone()
        };
        if mine.map(without_id) != theirs.map(without_id) {
            found.push(Difference::Limit(event));
        }
    }
    let line = [
        (concurrent != there.concurrent, Difference::Concurrent),
        (queue != there.queue, Difference::Queue),
        (order != there.order, Difference::Order),
        (max_running != there.max_running, Difference::MaxRunning),
        (max_size != there.max_size, Difference::MaxSize),
        (
            max_waiting_per_owner != there.max_waiting_per_owner,
            Difference::MaxWaitingPerOwner,
        ),
        (max_wait != there.max_wait, Difference::MaxWait),
        (balance != there.balance, Difference::Balance),
    ];
    found.extend(line.into_iter().filter_map(|(differs, what)| differs.then_some(what)));
    for (at, mine) in backends.into_iter().enumerate() {
        if find_backend(here, &mine.name).is_some() && there.backends.get(at) != Some(&mine) {
            found.push(Difference::Backend(mine.name));
        }
    }
    for (at, mine) in pools.into_iter().enumerate() {
        if find_pool(here, &mine.name).is_some() && there.pools.get(at) != Some(&mine) {
            found.push(Difference::Pool(mine.name));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::queue::{BackendIndex, BackendPolicy, Balance, Order, PoolPolicy};

    fn policy() -> Policy {
        let mut policy = Policy::new([EventPolicy::new("chat", 1), EventPolicy::new("upload", 2)]);
        for name in ["a", "b"] {
            policy.backends.push(BackendPolicy {
                name: name.to_owned(),
                limit: Some(1),
                weight: 1,
            });
        }
        policy.pools.push(PoolPolicy {
            name: "small".to_owned(),
            backends: vec![BackendIndex(0), BackendIndex(1)],
        });
        policy
    }

    #[test]
    fn each_is_found_and_named() {
        type Edit = fn(&mut Policy);
        let edits: [(Edit, Difference); 13] = [
            (|policy| policy.events[1].limit = None, Difference::Limit(EventIndex(1))),
            (|policy| drop(policy.events.pop()), Difference::Limit(EventIndex(1))),
            (
                |policy| policy.events[0].concurrency_id = Some("gpu".to_owned()),
                Difference::ConcurrencyId(EventIndex(0)),
            ),
            (|policy| policy.concurrent = false, Difference::Concurrent),
            (|policy| policy.queue = false, Difference::Queue),
            (|policy| policy.order = Order::Fifo, Difference::Order),
            (|policy| policy.max_running = Some(9), Difference::MaxRunning),
            (|policy| policy.max_size = Some(9), Difference::MaxSize),
            (
                |policy| policy.max_waiting_per_owner = Some(9),
                Difference::MaxWaitingPerOwner,
            ),
            (
                |policy| policy.max_wait = Some(Duration::from_secs(9)),
                Difference::MaxWait,
            ),
            (|policy| policy.balance = Balance::Weighted, Difference::Balance),
            (
                |policy| policy.backends[1].weight = 2,
                Difference::Backend("b".to_owned()),
            ),
            (
                |policy| policy.pools[0].backends.truncate(1),
                Difference::Pool("small".to_owned()),
            ),
        ];
        for (edit, difference) in edits {
            let mut here = policy();
            edit(&mut here);
            let expected = [difference];
            assert_eq!(differences(&policy(), &here), expected);
            assert_eq!(differences(&here, &policy()), expected);
            assert_eq!(differences(&here, &here), []);
        }
    }

    #[test]
    fn what_only_others_know_is_no_difference_and_what_they_lack_is() {
        let (all, mut one) = (policy(), policy());
        one.backends.remove(0);
        one.pools[0].backends = vec![BackendIndex(0)];
        one.pools[0].name = "large".to_owned();
        let lacks = [Difference::Pool("large".to_owned())];
        assert_eq!(differences(&all, &one), lacks);
        let joined = merged(&all, &one, Retuning::Joining);
        assert_eq!(differences(&joined, &one), []);
        // In another order they are the same.
        let mut turned = policy();
        turned.backends.reverse();
        turned.pools[0].backends.reverse();
        assert_eq!(differences(&all, &turned), []);
    }
}
