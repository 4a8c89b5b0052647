//! What an operator can tune, and the lines that follow from it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::EventIndex;

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
}

impl EventPolicy {
    /// An event with a limit of its own.
    #[must_use]
    pub fn new(name: impl Into<String>, limit: usize) -> Self {
        Self {
            name: name.into(),
            limit: Some(limit),
            concurrency_id: None,
        }
    }
}

/// Everything an operator can tune about the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Every event there is.
    pub events: Vec<EventPolicy>,
    /// `false`: all events share one line and run one at a time.
    pub concurrent: bool,
    /// `false`: nobody waits.
    pub queue: bool,
    /// The order of every line.
    pub order: Order,
    /// Caps everything together; `None` is unlimited. Where it leaves one slot and several lines could use it, the head that
    /// has waited longest gets it.
    pub max_running: Option<usize>,
    /// Most tickets that may wait, all lines together; `None` is unlimited.
    pub max_size: Option<usize>,
    /// Most tickets that one owner may have waiting, all lines together; `None` is unlimited.
    pub max_waiting_per_owner: Option<usize>,
    /// Longest wait; `None` is unlimited.
    pub max_wait: Option<Duration>,
}

/// The name of the one line of the master switch.
const EVERYTHING: &str = "all";

/// One limit and the events that share it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LinePlan {
    pub(super) name: String,
    pub(super) events: Vec<EventIndex>,
    pub(super) limit: Option<usize>,
}

impl Policy {
    /// These events in fair order, with no bound but their limits.
    #[must_use]
    pub fn new(events: impl IntoIterator<Item = EventPolicy>) -> Self {
        Self {
            events: events.into_iter().collect(),
            concurrent: true,
            queue: true,
            order: Order::Fair,
            max_running: None,
            max_size: None,
            max_waiting_per_owner: None,
            max_wait: None,
        }
    }

    /// The lines, in the order of their first events.
    pub(super) fn plan(&self) -> Vec<LinePlan> {
        if !self.concurrent {
            let events = (0..self.events.len()).map(EventIndex).collect();
            return vec![LinePlan {
                name: EVERYTHING.to_owned(),
                events,
                limit: Some(1),
            }];
        }
        let mut plan: Vec<LinePlan> = Vec::new();
        for (index, event) in self.events.iter().enumerate() {
            let name = event.concurrency_id.as_ref().unwrap_or(&event.name);
            match plan.iter_mut().find(|line| line.name == *name) {
                Some(line) => {
                    line.events.push(EventIndex(index));
                    line.limit = lower(line.limit, event.limit);
                }
                None => {
                    plan.push(LinePlan {
                        name: name.clone(),
                        events: vec![EventIndex(index)],
                        limit: event.limit,
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
