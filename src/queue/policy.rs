//! What an operator can tune, and the limits that follow from it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{BackendIndex, EventIndex};

/// The order in which waiting tickets start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// Owners take turns, one ticket a round.
    Fair,
    /// Plain arrival.
    Fifo,
}

/// One event's part of the policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventPolicy {
    /// Its name, and the name of its limit where it shares none.
    pub name: String,
    /// How many may run at once; `None` is unlimited, 0 starts none.
    pub limit: Option<usize>,
    /// Events with the same id share one limit: the lowest of theirs. An id that is another event's name shares with
    /// that event, because a limit is known by its name.
    pub concurrency_id: Option<String>,
    /// Whether back ends do its work: then its tickets may name a pool, and have a line for each.
    pub pooled: bool,
}

impl EventPolicy {
    /// An event with a limit of its own.
    #[must_use]
    pub fn new(name: impl Into<String>, limit: usize) -> Self {
        Self {
            name: name.into(),
            limit: Some(limit),
            concurrency_id: None,
            pooled: false,
        }
    }
}

/// Back ends that may stand in for each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolPolicy {
    /// Its name.
    pub name: String,
    /// Where its tickets may start. With none, they wait.
    pub backends: Vec<BackendIndex>,
}

/// One back end. It may belong to several pools: its slots are counted once for all of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackendPolicy {
    /// Its name.
    pub name: String,
    /// How many tickets it may have at once; `None` is unlimited, 0 starts none.
    pub limit: Option<usize>,
    /// Its share of the work beside the others', at least 1.
    pub weight: u32,
}

/// Which of the back ends of a pool that have a free slot gets a ticket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Balance {
    /// The one with the least to do for its weight; among equals the one that has been the fastest, then the one that has rested longest.
    #[default]
    LeastLoaded,
    /// The one that has rested longest.
    RoundRobin,
    /// Each as often as its weight says.
    Weighted,
}

/// Everything an operator can tune about the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Every event there is.
    pub events: Vec<EventPolicy>,
    /// Every pool there is, and has been: a pool is known by its place, so one that is gone stays, with no back ends.
    pub pools: Vec<PoolPolicy>,
    /// Every back end there is, and has been, likewise.
    pub backends: Vec<BackendPolicy>,
    /// How a back end is chosen.
    pub balance: Balance,
    /// `false`: all events share one line and run one at a time.
    pub concurrent: bool,
    /// `false`: nobody waits.
    pub queue: bool,
    /// The order of every line.
    pub order: Order,
    /// Caps everything together; `None` is unlimited.
    pub max_running: Option<usize>,
    /// Most tickets that may wait, all lines together; `None` is unlimited.
    pub max_size: Option<usize>,
    /// Most tickets that one owner may have waiting, all lines together; `None` is unlimited.
    pub max_waiting_per_owner: Option<usize>,
    /// Longest wait; `None` is unlimited.
    pub max_wait: Option<Duration>,
}

/// The name of the one limit of the master switch.
const EVERYTHING: &str = "all";

/// One limit and the events that share it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LimitPlan {
    pub(super) name: String,
    pub(super) events: Vec<EventIndex>,
    pub(super) limit: Option<usize>,
    /// Whether tickets of some of the events may name a pool.
    pub(super) pooled: bool,
}

impl LimitPlan {
    /// Whether its pools have lines of their own. Events that share a limit share one line, whoever does their work.
    pub(super) fn has_lines_of_pools(&self) -> bool {
        self.pooled && self.events.len() == 1
    }
}

impl Policy {
    /// These events in fair order, with no bound but their limits.
    #[must_use]
    pub fn new(events: impl IntoIterator<Item = EventPolicy>) -> Self {
        Self {
            events: events.into_iter().collect(),
            pools: Vec::new(),
            backends: Vec::new(),
            balance: Balance::default(),
            concurrent: true,
            queue: true,
            order: Order::Fair,
            max_running: None,
            max_size: None,
            max_waiting_per_owner: None,
            max_wait: None,
        }
    }

    /// What pools name and is not there can start nothing.
    pub(super) fn drop_unknown_backends(&mut self) {
        let known = self.backends.len();
        for pool in &mut self.pools {
            pool.backends.retain(|backend| (backend.0 as usize) < known);
        }
    }

    /// The limits, in the order of their first events.
    pub(super) fn plan(&self) -> Vec<LimitPlan> {
        if !self.concurrent {
            let events = (0..self.events.len()).map(EventIndex).collect();
            return vec![LimitPlan {
                name: EVERYTHING.to_owned(),
                events,
                limit: Some(1),
                pooled: self.events.iter().any(|event| event.pooled),
            }];
        }
        let mut plan: Vec<LimitPlan> = Vec::new();
        for (index, event) in self.events.iter().enumerate() {
            let name = event.concurrency_id.as_ref().unwrap_or(&event.name);
            match plan.iter_mut().find(|limit| limit.name == *name) {
                Some(limit) => {
                    limit.events.push(EventIndex(index));
                    limit.limit = lower(limit.limit, event.limit);
                    limit.pooled |= event.pooled;
                }
                None => {
                    plan.push(LimitPlan {
                        name: name.clone(),
                        events: vec![EventIndex(index)],
                        limit: event.limit,
                        pooled: event.pooled,
                    });
                }
            }
        }
        plan
    }
}

fn lower(a: Option<usize>, b: Option<usize>) -> Option<usize> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (limit, None) | (None, limit) => limit,
    }
}
