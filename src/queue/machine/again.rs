//! Tickets that are given another place: back from a back end that failed, or in the line of another pool.

use super::{
    Effect, Machine, Time, UnknownWork,
    ticket::{Record, Running},
    waiter::Waiter,
    work::Packed,
};
use crate::queue::{LeaveReason, PoolIndex, TicketId, Work};

impl Machine {
    /// A running ticket goes back to the front of its line, in its old order, and gives its slots back; estimates learn nothing. It
    /// starts again at once where another back end has room, or else on the same one.
    pub(super) fn start_back(&mut self, ticket: TicketId, now: Time, effects: &mut impl Extend<Effect>) {
        let Some(Record::Running(key)) = self.by_id.get(ticket).copied() else {
            return;
        };
        let running = self.vacate(key);
        let event = running.work.event;
        if self.closed {
            self.by_id.remove(ticket);
            let reason = LeaveReason::Closed;
            effects.extend([Effect::Left { ticket, event, reason }]);
            return;
        }
        self.put_back(&running, running.work, now);
        effects.extend([Effect::Returned { ticket }]);
        self.start_waiting(now, effects);
    }

    /// Puts a ticket that has run into its line, in its old order. Where `work` is for another line by now, it comes there as its owner's next.
    /// Its wait begins anew there: else it could be over at once, and the place of its owner's first, which it has come to, would go with it.
    pub(super) fn put_back(&mut self, running: &Running, work: Work, now: Time) {
        let (from, at) = (self.at(running.work), self.at(work));
        let avoids = running.backend.filter(|_| work.pool == running.work.pool);
        let joined = if from == at { running.joined } else { now };
        let waiter = Waiter::new(running.id, Packed::new(work, avoids), joined).resumed(running.resumed);
        let key = self.waiters.insert(waiter);
        self.waiting[work.event.0] += 1;
        *self.by_id.get_mut(running.id).expect("it has run") = Record::Waiter(key);
        if from == at {
            self.lines[at].put(key, running.owner, running.order, &mut self.waiters);
            self.lines[at].enter_by_age(key, &mut self.waiters);
            self.go_on_with_story(at, key, running.wait);
        } else {
            self.arrivals += 1;
            self.lines[at].push(key, running.owner, self.arrivals, &mut self.waiters);
            self.lines[at].enter_by_age(key, &mut self.waiters);
            self.begin_story(at, key, running.owner);
        }
        self.mix_changed(at);
    }

    /// A waiting ticket changes to the line of another pool, where it comes as its owner's next: it passes nobody there. Where events share a
    /// line, it keeps its place. One that is parked will come back there.
    pub(super) fn change_pool(
        &mut self,
        ticket: TicketId,
        pool: PoolIndex,
        now: Time,
        effects: &mut impl Extend<Effect>,
    ) -> Result<(), UnknownWork> {
        let key = match self.by_id.get(ticket).copied() {
            Some(Record::Waiter(key)) => key,
            Some(Record::Parked) => return self.change_pool_of_parked(ticket, pool, effects),
            Some(Record::Running(_)) | None => return Ok(()),
        };
        let before = self.waiters[key].work.work();
        let work = Work {
            pool: Some(pool),
            prefers: None,
            ..before
        };
        let (from, to) = (self.at(before), self.line_of(work)?);
        if before.pool == work.pool {
            return Ok(());
        }
        if from == to {
            self.waiters[key].work = Packed::new(work, None);
            effects.extend([Effect::Moved { ticket }]);
            self.start_waiting(now, effects);
            return Ok(());
        }
        // One whose time is over would take a place of its owner's with it when it leaves there.
        self.expire(now, effects);
        if !matches!(self.by_id.get(ticket), Some(Record::Waiter(_))) {
            return Ok(());
        }
        let owner = self.lines[from].owner_of(&self.waiters[key]);
        self.lines[from].leave(key, &mut self.waiters);
        self.waiters[key].work = Packed::new(work, None);
        self.arrivals += 1;
        self.lines[to].push(key, owner, self.arrivals, &mut self.waiters);
        self.lines[to].enter_by_age(key, &mut self.waiters);
        self.begin_story(to, key, owner);
        self.mix_changed(from);
        self.mix_changed(to);
        effects.extend([Effect::Moved { ticket }]);
        self.start_waiting(now, effects);
        Ok(())
    }

    fn change_pool_of_parked(
        &mut self,
        ticket: TicketId,
        pool: PoolIndex,
        effects: &mut impl Extend<Effect>,
    ) -> Result<(), UnknownWork> {
        let Some(before) = self.work_of(ticket) else {
            return Ok(());
        };
        let work = Work {
            pool: Some(pool),
            prefers: None,
            ..before
        };
        self.line_of(work)?;
        if let Some(parked) = self.parked.get_mut(&ticket).filter(|_| before.pool != work.pool) {
            parked.work = work;
            effects.extend([Effect::Moved { ticket }]);
        }
        Ok(())
    }

    /// A ticket changes to the line of another pool, whether it waits or runs. One that runs gives its slots back, and estimates learn nothing.
    pub(super) fn recall(
        &mut self,
        ticket: TicketId,
        pool: PoolIndex,
        now: Time,
        effects: &mut impl Extend<Effect>,
    ) -> Result<(), UnknownWork> {
        let Some(Record::Running(key)) = self.by_id.get(ticket).copied() else {
            return self.change_pool(ticket, pool, now, effects);
        };
        let work = Work {
            pool: Some(pool),
            prefers: None,
            ..self.running[key].work
        };
        let to = self.line_of(work)?;
        if self.running[key].work.pool == work.pool {
            return Ok(());
        }
        let running = self.vacate(key);
        self.arrivals += 1;
        let key = self
            .waiters
            .insert(Waiter::new(ticket, Packed::new(work, None), running.joined).resumed(running.resumed));
        self.waiting[work.event.0] += 1;
        *self.by_id.get_mut(ticket).expect("it has run") = Record::Waiter(key);
        self.lines[to].push(key, running.owner, self.arrivals, &mut self.waiters);
        self.lines[to].enter_by_age(key, &mut self.waiters);
        self.begin_story(to, key, running.owner);
        self.mix_changed(to);
        effects.extend([Effect::Returned { ticket }]);
        self.start_waiting(now, effects);
        Ok(())
    }
}
