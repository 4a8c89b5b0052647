//! What the state shows of itself.

use super::{Machine, Record, Running, TicketState, Time, UnknownEvent, Waiter};
use crate::queue::{EventIndex, LineState, OrderKey, Policy, Standing, TicketId};

impl Machine {
    /// The policy in force.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Slots in use, all lines together.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// Tickets that wait, all lines together.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiters.len()
    }

    /// Lines there are. They are known by their places, from 0 on; a retuning may change them.
    #[must_use]
    pub fn line_count(&self) -> usize {
        self.lines.len()
    }

    /// The line that an event waits in.
    ///
    /// # Errors
    /// [`UnknownEvent`].
    pub fn line_of(&self, event: EventIndex) -> Result<usize, UnknownEvent> {
        self.line_of.get(event.0).copied().ok_or(UnknownEvent(event))
    }

    /// Where a ticket stands; `None`: it has left, or what it was for is over.
    #[must_use]
    pub fn state_of(&self, ticket: TicketId) -> Option<TicketState> {
        Some(match *self.by_id.get(ticket)? {
            Record::Waiter(_) => TicketState::Waiting,
            Record::Running(key) => TicketState::Running(self.running[key].grant()),
        })
    }

    fn waiter(&self, ticket: TicketId) -> Option<&Waiter> {
        match *self.by_id.get(ticket)? {
            Record::Waiter(key) => Some(&self.waiters[key]),
            Record::Running(_) => None,
        }
    }

    /// What runs, in the order of the ids: the same for all who have the same state.
    pub(super) fn running_by_id(&self) -> Vec<Running> {
        let mut running: Vec<Running> = self.running.iter().copied().collect();
        running.sort_unstable_by_key(|running| running.id);
        running
    }

    /// The standing of a waiting ticket, without an estimate, and the line that it is in.
    #[must_use]
    pub fn standing(&self, ticket: TicketId) -> Option<(usize, Standing)> {
        let waiter = self.waiter(ticket)?;
        let at = self.line_of[waiter.event.0];
        let line = &self.lines[at];
        let standing = Standing {
            position: line.before(line.place_of(waiter)) as u64 + 1,
            waiting: line.waiting() as u64,
            estimate: None,
        };
        Some((at, standing))
    }

    /// The place of a waiting ticket in the order.
    #[must_use]
    pub fn order_key(&self, ticket: TicketId) -> Option<OrderKey> {
        let waiter = self.waiter(ticket)?;
        Some(self.lines[self.line_of[waiter.event.0]].place_of(waiter))
    }

    /// When a waiting ticket leaves because it has waited too long; `None`: it does not wait, or may wait for ever.
    #[must_use]
    pub fn deadline(&self, ticket: TicketId) -> Option<Time> {
        self.policy.max_wait?;
        self.deadline_of(self.waiter(ticket)?.joined)
    }

    /// One line, without an estimate.
    ///
    /// # Panics
    /// If there are not so many lines.
    #[must_use]
    pub fn line(&self, at: usize, now: Time) -> LineState {
        let line = &self.lines[at];
        let oldest = line.oldest();
        let at_once = !self.closed && line.waiting() == 0 && self.can_start(at);
        LineState {
            name: line.plan.name.clone(),
            events: line.plan.events.clone(),
            running: line.running,
            limit: line.plan.limit,
            waiting: line.waiting(),
            newcomer: if at_once { 0 } else { line.before_newcomer() as u64 + 1 },
            longest_wait: oldest.map(|key| now.saturating_since(self.waiters[key].joined)),
            estimate: None,
        }
    }
}
