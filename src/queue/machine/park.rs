//! Tickets that have run, give their slot back for a while, and come back as their owner's next.

use serde::{Deserialize, Serialize};

use super::{
    Effect, Machine, TicketState, Time,
    ticket::{Record, Running},
    waiter::Waiter,
    work::Packed,
};
use crate::queue::{EventIndex, LeaveReason, Owner, TicketId, Work};

/// A ticket that is in no line and holds no slot. Its time does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Parked {
    pub(super) id: TicketId,
    pub(super) work: Work,
    pub(super) owner: Owner,
}

impl Machine {
    /// Tickets that are parked.
    #[must_use]
    pub fn parked(&self) -> usize {
        self.parked.len()
    }

    /// The same of these events.
    pub(super) fn parked_of(&self, events: &[EventIndex]) -> usize {
        let its = |parked: &&Parked| events.contains(&parked.work.event);
        self.parked.values().filter(its).count()
    }

    /// A running ticket gives its slots back, and estimates learn from how long it has held them. Once the queue is closed it leaves.
    pub(super) fn park(&mut self, ticket: TicketId, now: Time, effects: &mut impl Extend<Effect>) {
        let Some(Record::Running(key)) = self.by_id.get(ticket).copied() else {
            return;
        };
        let running = self.vacate(key);
        self.learn(&running, now);
        let event = running.work.event;
        if self.closed {
            self.by_id.remove(ticket);
            let reason = LeaveReason::Closed;
            effects.extend([Effect::Left { ticket, event, reason }]);
            return;
        }
        let work = Work {
            // The one that has just worked on it knows it best.
            prefers: running.backend.or(running.work.prefers),
            ..running.work
        };
        self.put_parked(Parked {
            id: ticket,
            work,
            owner: running.owner,
        });
        effects.extend([Effect::Parked { ticket }]);
        self.start_waiting(now, effects);
    }

    /// A parked ticket comes back to its line, before all of its owner's that have not started yet. Its owner gets one more place, the
    /// last, as any that joins would; so nobody else's first ticket moves back. Its wait begins anew, and no bound of the line keeps it out.
    pub(super) fn resume(&mut self, ticket: TicketId, now: Time, effects: &mut impl Extend<Effect>) {
        let Some(Parked { work, owner, .. }) = self.parked.remove(&ticket) else {
            return;
        };
        self.expire(now, effects);
        effects.extend([Effect::Resumed { ticket }]);
        let at = self.at(work);
        self.arrivals += 1;
        if self.can_start(at, work.pool) {
            let running = Running {
                id: ticket,
                work,
                backend: None,
                owner,
                joined: now,
                started: now,
                order: self.lines[at].place_at_once(self.arrivals),
                wait: None,
                resumed: true,
            };
            let (record, grant) = self.start(at, running, None);
            self.record(ticket, record);
            effects.extend([Effect::Started { ticket, grant }]);
            return;
        }
        let waiter = Waiter::new(ticket, Packed::new(work, None), now).resumed(true);
        let key = self.waiters.insert(waiter);
        self.waiting[work.event.0] += 1;
        self.record(ticket, Record::Waiter(key));
        self.lines[at].push(key, owner, self.arrivals, &mut self.waiters);
        self.lines[at].enter_by_age(key, &mut self.waiters);
        self.begin_story(at, key, owner);
        self.mix_changed(at);
    }

    /// A ticket that was parked before a restart is parked again.
    pub(super) fn park_again(&mut self, ticket: TicketId, work: Work, owner: Owner) -> TicketState {
        self.put_parked(Parked {
            id: ticket,
            work,
            owner,
        });
        TicketState::Parked
    }

    /// It is known from now on as parked.
    pub(super) fn put_parked(&mut self, parked: Parked) {
        self.parked.insert(parked.id, parked);
        match self.by_id.get_mut(parked.id) {
            Some(record) => *record = Record::Parked,
            None => self.by_id.insert_new(parked.id, Record::Parked),
        }
    }

    /// A parked ticket ends.
    pub(super) fn leave_parked(&mut self, ticket: TicketId, reason: LeaveReason, effects: &mut impl Extend<Effect>) {
        let Some(Parked { work, .. }) = self.parked.remove(&ticket) else {
            return;
        };
        self.by_id.remove(ticket);
        let event = work.event;
        effects.extend([Effect::Left { ticket, event, reason }]);
    }

    /// Where the record of a known ticket is from now on.
    fn record(&mut self, ticket: TicketId, record: Record) {
        if let Some(known) = self.by_id.get_mut(ticket) {
            *known = record;
        }
    }
}
