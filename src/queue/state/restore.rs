//! Tickets come back after a restart.

use std::collections::{HashMap, HashSet};

use tokio::time::Instant;

use super::{Effects, Grant, Joined, State, new_id};
use crate::queue::{Left, Order, OrderKey, Owner, Returning, TicketId, waiter::Waiter};

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
        let mut taken = HashSet::with_capacity(returning.len());
        returning
            .iter()
            .map(|ticket| self.come_back(*ticket, now, &mut taken))
            .collect()
    }

    /// Goes on counting where the rounds and the arrivals were at least. What ran had been admitted, and no owner's first ticket
    /// has a tag above the last admitted one plus 1 (see [`Line::push`](super::super::line::Line::push)); in plain arrival, all
    /// come before newcomers. Newcomers then pass nobody's first.
    fn resume_rounds(&mut self, returning: &[Returning]) {
        let mut firsts = HashMap::<(usize, Owner), u64>::new();
        for ticket in returning {
            let Some(key) = ticket.key else { continue };
            let at = self.line_of[ticket.event.0];
            self.arrivals = self.arrivals.max(key.arrival);
            if ticket.ran || self.policy.order == Order::Fifo {
                self.lines[at].resume(key.tag);
            } else {
                let first = firsts.entry((at, ticket.owner)).or_insert(u64::MAX);
                *first = key.tag.min(*first);
            }
        }
        for ((at, _), first) in firsts {
            self.lines[at].resume(first.saturating_sub(1));
        }
    }

    fn come_back(&mut self, ticket: Returning, now: Instant, taken: &mut HashSet<u64>) -> (TicketId, Joined) {
        let id = new_id();
        if self.closed {
            return (id, Joined::Ended(Left::Closed));
        }
        if self.is_due(ticket.joined, now) {
            return (id, Joined::Ended(Left::Expired));
        }
        let at = self.line_of[ticket.event.0];
        let order = self.place_again(ticket.key, taken);
        if self.lines[at].waiting() == 0
            && let Some(running) = self.try_start(at, ticket.event, now)
        {
            self.lines[at].resume(order.tag);
            let waited = now.saturating_duration_since(ticket.joined);
            return (id, Joined::Started(Grant { running, waited, order }));
        }
        let waiter = self.waiters.insert(Waiter::new(id, ticket.event, ticket.joined));
        self.by_id.insert(id, waiter);
        self.waiting[ticket.event.0] += 1;
        self.lines[at].push_back(waiter, ticket.owner, order, &mut self.waiters);
        self.mix_changed(at);
        (id, Joined::Waits(waiter))
    }

    /// The place that a ticket had. One that is not known, or whose arrival is somebody else's against all rules, gets an arrival of
    /// its own.
    fn place_again(&mut self, key: Option<OrderKey>, taken: &mut HashSet<u64>) -> OrderKey {
        let mut order = key.unwrap_or_default();
        if key.is_none() || !taken.insert(order.arrival) {
            self.arrivals += 1;
            order.arrival = self.arrivals;
        }
        order
    }
}
