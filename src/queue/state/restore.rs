//! Tickets come back after a restart.

use std::collections::HashMap;

use tokio::time::Instant;

use super::{Effects, Grant, Joined, State, new_id};
use crate::queue::{Left, Owner, Returning, TicketId, waiter::Waiter};

impl State {
    /// Lets tickets back in that were let in before, in the order in which they come. Nobody is refused for want of room: what
    /// they were promised holds. Only one whose longest wait is over leaves, and everybody once the queue is closed.
    pub(in crate::queue) fn restore(
        &mut self,
        returning: &[Returning],
        now: Instant,
        effects: &mut Effects,
    ) -> Vec<(TicketId, Joined)> {
        self.resume_rounds(returning);
        effects.changed = true;
        returning.iter().map(|ticket| self.come_back(*ticket, now)).collect()
    }

    /// No owner's first ticket has a tag above the last admitted one plus 1 (see [`Line::push`](super::super::line::Line::push)), so the
    /// highest of those tells how far the rounds were at least; and those that ran had been admitted. Newcomers then
    /// pass nobody's first.
    fn resume_rounds(&mut self, returning: &[Returning]) {
        let mut firsts = HashMap::<(usize, Owner), u64>::new();
        for ticket in returning {
            if let Some(key) = ticket.key {
                let first = firsts
                    .entry((self.line_of[ticket.event.0], ticket.owner))
                    .or_insert(u64::MAX);
                *first = key.tag.min(*first);
            }
        }
        for ((at, _), first) in firsts {
            self.lines[at].resume(first.saturating_sub(1));
        }
    }

    fn come_back(&mut self, ticket: Returning, now: Instant) -> (TicketId, Joined) {
        let Returning {
            event,
            owner,
            joined,
            key,
        } = ticket;
        let id = new_id();
        if self.closed {
            return (id, Joined::Ended(Left::Closed));
        }
        if self.is_due(joined, now) {
            return (id, Joined::Ended(Left::Expired));
        }
        let at = self.line_of[event.0];
        if self.lines[at].waiting() == 0
            && let Some(running) = self.try_start(at, event, now)
        {
            let waited = now.saturating_duration_since(joined);
            return (id, Joined::Started(Grant { running, waited }));
        }
        let waiter = self.waiters.insert(Waiter::new(id, event, joined));
        self.by_id.insert(id, waiter);
        self.waiting[event.0] += 1;
        self.arrivals += 1;
        // One that ran and has no place comes before all that have one.
        let tag = key.map_or(1, |key| key.tag);
        self.lines[at].push_back(waiter, owner, tag, self.arrivals, &mut self.waiters);
        self.mix_changed(at);
        (id, Joined::Waits(waiter))
    }
}
