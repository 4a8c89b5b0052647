//! Slots: who gets the next one, and how it comes back.

use super::{
    Effect, Machine, Time,
    arena::Key,
    ticket::{Record, Running},
    waiter::Waiter,
};
use crate::queue::{BackendIndex, Order, Owner, PoolIndex, TicketId};

/// The head of a line that could start.
struct Head {
    at: usize,
    key: Key,
    owner: Owner,
    /// Whether its owner has had a turn in this round, then how long it has waited.
    rank: (bool, (Time, TicketId)),
}

impl Machine {
    /// Hands free slots to the waiting until there is no slot or nobody to use it.
    pub(super) fn start_waiting(&mut self, now: Time, effects: &mut impl Extend<Effect>) {
        if self.closed {
            return;
        }
        self.expire(now, effects);
        while self.is_below_cap() {
            let Some(Head { at, key, owner, .. }) = self.next_head() else {
                return;
            };
            let order = self.lines[at].admit(key, &mut self.waiters);
            let wait = self.wait_of(at, key, self.waiters[key].id);
            let Waiter {
                id,
                work,
                joined,
                resumed,
                ..
            } = self.remove_waiter(key);
            let running = Running {
                id,
                work: work.work(),
                backend: None,
                owner,
                joined,
                started: now,
                order,
                wait,
                resumed,
            };
            let (record, grant) = self.start(at, running, work.avoids());
            *self.by_id.get_mut(id).expect("it has waited") = record;
            effects.extend([Effect::Started { ticket: id, grant }]);
        }
    }

    /// The ticket that gets the next slot. Where several lines could use it, owners take turns, as they do within a line; among those
    /// whose turn it is, the ticket that has waited longest comes first. In plain arrival only that counts.
    fn next_head(&mut self) -> Option<Head> {
        let (mut first, mut several) = (None::<Head>, false);
        let fair = self.policy.order == Order::Fair;
        for at in 0..self.lines.len() {
            let Some(key) = self.first_of(at) else { continue };
            let waiter = &self.waiters[key];
            let owner = self.lines[at].owner_of(waiter);
            let head = Head {
                at,
                key,
                owner,
                rank: (fair && self.turns.has_had(owner), waiter.age()),
            };
            several |= first.is_some();
            if first.as_ref().is_none_or(|first| head.rank < first.rank) {
                first = Some(head);
            }
        }
        if let Some(Head { owner, .. }) = first.as_ref().filter(|_| several && fair) {
            self.turns.take(*owner, self.waiters.len());
        }
        first
    }

    pub(super) fn is_below_cap(&self) -> bool {
        self.policy.max_running.is_none_or(|most| self.running.len() < most)
    }

    /// The ticket of a line that gets the next slot there is for it. Where events share a line, one whose back ends have no slot holds up
    /// nobody behind it.
    fn first_of(&self, at: usize) -> Option<Key> {
        let line = &self.lines[at];
        if line.waiting() == 0 || !self.limits[line.limit].has_free() {
            return None;
        }
        if line.pool.is_some_and(|pool| !self.has_backend(pool)) {
            return None;
        }
        let may = |key: Key| {
            let pool = self.waiters[key].work.pool();
            pool == line.pool || pool.is_none_or(|pool| self.has_backend(pool))
        };
        line.first_that(may)
    }

    /// Whether a ticket for this pool that came to a line now would start at once: whoever waits there cannot use what is free, or would
    /// have started.
    pub(super) fn can_start(&self, at: usize, pool: Option<PoolIndex>) -> bool {
        let limit = self.lines[at].limit;
        self.limits[limit].has_free() && pool.is_none_or(|pool| self.has_backend(pool)) && self.is_below_cap()
    }

    /// The only way to a slot. To be asked first: [`Machine::can_start`]. The ticket's id has to be led to its new record.
    pub(super) fn start(
        &mut self,
        at: usize,
        mut running: Running,
        avoids: Option<BackendIndex>,
    ) -> (Record, super::Grant) {
        if self.waiters.len() == 0 {
            self.turns.begin();
        }
        if let Some(pool) = running.work.pool {
            running.backend = self.take_backend(pool, running.work.prefers, avoids);
        }
        self.touch(at);
        let limit = self.lines[at].limit;
        self.limits[limit].running += 1;
        self.lines[at].running += 1;
        self.note_start(at, running.id);
        let grant = running.grant();
        (Record::Running(self.running.insert(running)), grant)
    }

    /// A slot comes back, and the back end's with it.
    pub(super) fn vacate(&mut self, key: Key) -> Running {
        let running = self.running.remove(key);
        let at = self.at(running.work);
        let limit = self.lines[at].limit;
        self.limits[limit].running -= 1;
        self.lines[at].running -= 1;
        if let Some(backend) = running.backend {
            self.backends[backend.0 as usize].running -= 1;
        }
        self.touch(at);
        running
    }

    pub(super) fn release(&mut self, ticket: TicketId, worked: bool, now: Time, effects: &mut impl Extend<Effect>) {
        let Some(Record::Running(key)) = self.by_id.get(ticket).copied() else {
            return;
        };
        self.by_id.remove(ticket);
        let running = self.vacate(key);
        if worked {
            self.learn(&running, now);
        }
        effects.extend([Effect::Released {
            ticket,
            event: running.work.event,
            held: now.saturating_since(running.started),
        }]);
        self.start_waiting(now, effects);
    }

    /// Estimates learn from how long a slot was held that has come back.
    pub(super) fn learn(&mut self, running: &Running, now: Time) {
        let held = now.saturating_since(running.started);
        self.windows[running.work.event.0].push(held);
        if let Some(place) = running.work.pool.zip(running.backend) {
            self.held_at.entry(place).or_default().push(held);
        }
    }
}
