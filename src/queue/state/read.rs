//! What the state shows of itself.

use tokio::time::Instant;

use super::{State, estimates::Reading};
use crate::queue::{EventIndex, LineState, OrderKey, Policy, Standing, TicketId, arena::Key, waiter::WaiterState};

impl State {
    pub(in crate::queue) fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(in crate::queue) fn knows(&self, event: EventIndex) -> bool {
        event.0 < self.line_of.len()
    }

    pub(in crate::queue) fn running(&self) -> usize {
        self.running.len()
    }

    pub(in crate::queue) fn waiting(&self) -> usize {
        self.by_id.len()
    }

    pub(in crate::queue) fn line_count(&self) -> usize {
        self.lines.len()
    }

    pub(in crate::queue) fn line_of(&self, event: EventIndex) -> usize {
        self.line_of[event.0]
    }

    /// The standing of a waiting ticket; its estimate is the reading's to find, outside the lock.
    pub(in crate::queue) fn standing(&self, ticket: TicketId, now: Instant) -> Option<(Standing, Reading)> {
        let waiter = &self.waiters[*self.by_id.get(&ticket)?];
        let at = self.line_of[waiter.event.0];
        let line = &self.lines[at];
        let before = line.before(line.place_of(waiter));
        let standing = Standing {
            position: before as u64 + 1,
            waiting: line.waiting() as u64,
            estimate: None,
        };
        Some((standing, self.reading(at, before, now)))
    }

    pub(in crate::queue) fn order_key(&self, ticket: TicketId) -> Option<OrderKey> {
        let waiter = &self.waiters[*self.by_id.get(&ticket)?];
        Some(self.lines[self.line_of[waiter.event.0]].place_of(waiter))
    }

    /// The same of a ticket that has not learnt yet how its wait ended.
    pub(in crate::queue) fn order_of(&self, key: Key) -> Option<OrderKey> {
        let waiter = &self.waiters[key];
        match waiter.state {
            WaiterState::Waiting => Some(self.lines[self.line_of[waiter.event.0]].place_of(waiter)),
            WaiterState::Granted(grant) => Some(grant.order),
            WaiterState::Left(_) => None,
        }
    }

    /// One line; its estimate is the reading's to find, outside the lock.
    pub(in crate::queue) fn line(&self, at: usize, now: Instant) -> (LineState, Reading) {
        let line = &self.lines[at];
        let oldest = line
            .oldest()
            .map(|key| now.saturating_duration_since(self.waiters[key].joined));
        let at_once = !self.closed && line.waiting() == 0 && line.slots.has_free() && self.overall.has_free();
        let before = line.before_newcomer();
        let state = LineState {
            name: line.plan.name.clone(),
            events: line.plan.events.clone(),
            running: line.running,
            limit: line.plan.limit,
            waiting: line.waiting(),
            newcomer: if at_once { 0 } else { before as u64 + 1 },
            longest_wait: oldest,
            estimate: None,
        };
        let reading = if self.closed {
            Reading::unknown()
        } else if at_once {
            Reading::at_once()
        } else {
            self.reading(at, before, now)
        };
        (state, reading)
    }
}
