//! Tickets come back after a restart.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Effect, Machine, Packed, Restored, TicketState, Time, arena::Key, line::Line, ticket::Running, waiter::Waiter,
};
use crate::queue::{LeaveReason, Order, OrderKey, Owner, TicketId};

impl Machine {
    /// Lets tickets back in that were let in before, in the order in which they come. Nobody is refused for want of room: what
    /// they were promised holds. Only one whose longest wait is over leaves, and everybody once the queue is closed. What was parked is parked
    /// again.
    pub(super) fn restore(&mut self, tickets: &[Restored], now: Time, effects: &mut impl Extend<Effect>) {
        self.resume_rounds(tickets);
        let mut taken = self.lines.iter().flat_map(Line::arrivals).collect();
        let mut waiting = vec![Vec::new(); self.lines.len()];
        for restored in tickets {
            let ticket = self.new_id();
            effects.extend([Effect::Joined {
                ticket,
                event: restored.work.event,
                state: self.come_back(ticket, restored, now, &mut taken, &mut waiting),
            }]);
        }
        for (at, keys) in waiting.into_iter().enumerate() {
            self.lines[at].enter_all_by_age(keys, &mut self.waiters);
        }
    }

    /// Goes on counting where the rounds and the arrivals were at least. What ran had been admitted, and no owner's first ticket
    /// has a tag above the last admitted one plus 1 (see [`Line::push`](super::line::Line::push)); in plain arrival, all
    /// come before newcomers. So a newcomer never passes an owner's first ticket.
    fn resume_rounds(&mut self, tickets: &[Restored]) {
        let mut firsts = BTreeMap::<(usize, Owner), u64>::new();
        for ticket in tickets {
            let Some(key) = ticket.key else { continue };
            let at = self.at(ticket.work);
            self.arrivals = self.arrivals.max(key.arrival);
            if ticket.ran || ticket.parked || self.policy.order == Order::Fifo {
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

    fn come_back(
        &mut self,
        ticket: TicketId,
        restored: &Restored,
        now: Time,
        taken: &mut BTreeSet<u64>,
        waiting: &mut [Vec<Key>],
    ) -> TicketState {
        if self.closed {
            return TicketState::Left(LeaveReason::Closed);
        }
        let Restored {
            work, owner, joined, ..
        } = *restored;
        if restored.parked {
            return self.park_again(ticket, work, owner);
        }
        if self.is_due(joined, now) {
            return TicketState::Left(LeaveReason::Expired);
        }
        let at = self.at(work);
        let order = self.place_again(restored.key, taken);
        if self.can_start(at, work.pool) {
            self.lines[at].resume(order.tag);
            let running = Running {
                id: ticket,
                work,
                backend: None,
                owner,
                joined,
                started: now,
                order,
                wait: None,
                resumed: false,
            };
            let (record, grant) = self.start(at, running, None);
            self.by_id.insert_new(ticket, record);
            return TicketState::Running(grant);
        }
        let key = self.add_waiter(Waiter::new(ticket, Packed::new(work, None), joined));
        self.lines[at].push_back(key, owner, order, &mut self.waiters);
        self.go_on_with_story(at, key, None);
        self.mix_changed(at);
        waiting[at].push(key);
        TicketState::Waiting
    }

    /// The place that a ticket had. One that is not known, or whose arrival is already `taken` by another ticket, gets an arrival of
    /// its own.
    fn place_again(&mut self, key: Option<OrderKey>, taken: &mut BTreeSet<u64>) -> OrderKey {
        let mut order = key.unwrap_or_default();
        if key.is_none() || !taken.insert(order.arrival) {
            self.arrivals += 1;
            order.arrival = self.arrivals;
        }
        order
    }
}
