//! What the slots of a line are doing: what runs in them, for how long, and for how long that usually is.

use std::time::Duration;

use super::{Machine, Running, Time};
use crate::queue::{BackendIndex, Inside, TicketId};

/// Most that is told of the slots of a line, one by one.
const MOST: usize = 8;
/// Where more runs than this, nothing is told one by one: somebody would have to look at all of it, for each who asks.
const MANY: usize = 64;

impl Machine {
    /// For how long a ticket has held its slot; `None`: it has none.
    #[must_use]
    pub fn age_of(&self, ticket: TicketId, now: Time) -> Option<Duration> {
        Some(now.saturating_since(self.running_of(ticket)?.started))
    }

    /// What holds the slots that [`Machine::line`] counts, the eldest first.
    pub(super) fn inside(&self, at: usize, now: Time) -> Vec<Inside> {
        if self.running.len() > MANY {
            return Vec::new();
        }
        let mut here: Vec<&Running> = match self.backends_that_count(at) {
            Some(backends) => {
                let here = |running: &&Running| running.backend.is_some_and(|one| backends.contains(&one));
                self.running.iter().filter(here).collect()
            }
            None => {
                let limit = self.lines[at].limit;
                let here = |running: &&Running| self.lines[self.at(running.work)].limit == limit;
                self.running.iter().filter(here).collect()
            }
        };
        here.sort_unstable_by_key(|running| (running.started, running.id));
        here.truncate(MOST);
        let inside = here.into_iter().map(|running| Inside {
            ticket: running.id,
            age: now.saturating_since(running.started),
        });
        inside.collect()
    }

    /// How long a slot of this line is held, in the mean of the last ones.
    pub(super) fn usual(&self, at: usize) -> Option<Duration> {
        let line = &self.lines[at];
        let (sum, count) = match line.pool {
            Some(pool) => self
                .pool(pool)
                .iter()
                .filter_map(|backend: &BackendIndex| self.held_at.get(&(pool, *backend)))
                .fold((Duration::ZERO, 0), |sum, window| window.add_to(sum)),
            None => {
                let events = self.limits[line.limit].plan.events.iter();
                events.fold((Duration::ZERO, 0), |sum, event| self.windows[event.0].add_to(sum))
            }
        };
        (count > 0).then(|| sum / count)
    }
}
