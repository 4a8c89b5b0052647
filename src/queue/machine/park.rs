//! Tickets that have run, give their slot back for a while, and come back: as their owner's next, or, where they have only paused, to the front of
//! their line in their old order.

use serde::{Deserialize, Serialize};

use super::{
    Effect, Machine, TicketState, Time,
    arena::Key,
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
    /// As it ran, if it has only paused.
    #[serde(default)]
    pub(super) paused: Option<Running>,
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
        let work = Work {
            // The one that has just worked on it knows it best.
            prefers: running.backend.or(running.work.prefers),
            ..running.work
        };
        let parked = Parked {
            id: ticket,
            work,
            owner: running.owner,
            paused: None,
        };
        self.set_parked(parked, now, effects);
    }

    /// A running ticket gives its slots back until it may go on from where it stood; estimates learn nothing. Once the queue is closed it leaves. One
    /// that waits gives its place up, and comes back as its owner's next.
    pub(super) fn pause(&mut self, ticket: TicketId, now: Time, effects: &mut impl Extend<Effect>) {
        let key = match self.by_id.get(ticket).copied() {
            Some(Record::Running(key)) => key,
            Some(Record::Waiter(key)) => return self.pause_waiting(key, effects),
            Some(Record::Parked) | None => return,
        };
        let running = self.vacate(key);
        let parked = Parked {
            id: ticket,
            work: running.work,
            owner: running.owner,
            paused: Some(running),
        };
        self.set_parked(parked, now, effects);
    }

    fn pause_waiting(&mut self, key: Key, effects: &mut impl Extend<Effect>) {
        let at = self.at(self.waiters[key].work.work());
        let owner = self.lines[at].owner_of(&self.waiters[key]);
        self.lines[at].leave(key, &mut self.waiters);
        let Waiter { id: ticket, work, .. } = self.remove_waiter(key);
        self.put_parked(Parked {
            id: ticket,
            work: work.work(),
            owner,
            paused: None,
        });
        self.mix_changed(at);
        effects.extend([Effect::Parked { ticket }]);
    }

    /// One that has just given its slots back is parked from now on.
    fn set_parked(&mut self, parked: Parked, now: Time, effects: &mut impl Extend<Effect>) {
        let Parked { id: ticket, work, .. } = parked;
        if self.closed {
            self.by_id.remove(ticket);
            let (event, reason) = (work.event, LeaveReason::Closed);
            effects.extend([Effect::Left { ticket, event, reason }]);
            return;
        }
        self.put_parked(parked);
        effects.extend([Effect::Parked { ticket }]);
        self.start_waiting(now, effects);
    }

    /// Whether a parked ticket has only paused.
    #[must_use]
    pub fn has_paused(&self, ticket: TicketId) -> bool {
        self.parked.get(&ticket).is_some_and(|parked| parked.paused.is_some())
    }

    /// A parked ticket comes back to its line, before all of its owner's that have not started yet. Its owner gets one more place, the
    /// last, as any that joins would; so nobody else's first ticket moves back. Its wait begins anew, and no bound of the line keeps it out.
    ///
    /// One that has only paused comes back to the front, in its old order, or to another line as any that was parked.
    pub(super) fn resume(&mut self, ticket: TicketId, now: Time, effects: &mut impl Extend<Effect>) {
        let Some(Parked {
            work, owner, paused, ..
        }) = self.parked.remove(&ticket)
        else {
            return;
        };
        if let Some(running) = paused {
            effects.extend([Effect::Resumed { ticket }]);
            self.put_back(&running, work, now);
            self.start_waiting(now, effects);
            return;
        }
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
            paused: None,
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
