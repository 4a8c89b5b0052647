//! What the state shows of itself.

use std::collections::BTreeSet;

use super::{Machine, Record, Running, TicketState, Time, UnknownWork, Waiter};
use crate::queue::{BackendIndex, JoinError, LimitState, LineState, OrderKey, Owner, Policy, Standing, TicketId, Work};

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

    /// The line that tickets for this work wait in.
    ///
    /// # Errors
    /// [`UnknownWork`].
    pub fn line_of(&self, work: Work) -> Result<usize, UnknownWork> {
        let known = self.line_of.get(work.event.0).is_some_and(|_| match work.pool {
            None => true,
            Some(pool) => (pool.0 as usize) < self.policy.pools.len() && self.policy.events[work.event.0].pooled,
        });
        if known {
            Ok(self.at(work))
        } else {
            Err(UnknownWork(work))
        }
    }

    /// Why a ticket that joined now would not be let in; `None`: it would.
    #[must_use]
    pub fn would_refuse(&self, work: Work, owner: Owner) -> Option<JoinError> {
        if self.closed {
            return Some(JoinError::Closed);
        }
        if self.can_start(self.line_of(work).ok()?, work.pool) {
            return None;
        }
        self.no_room(owner)
    }

    /// Why nobody may wait; `None`: this owner may.
    pub(super) fn no_room(&self, owner: Owner) -> Option<JoinError> {
        if !self.policy.queue {
            return Some(JoinError::Busy);
        }
        let most = self.policy.max_waiting_per_owner;
        if most.is_some_and(|most| self.waiting_of(owner) >= most) {
            return Some(JoinError::TooManyOfYours);
        }
        let full = self.policy.max_size.is_some_and(|most| self.waiters.len() >= most);
        full.then_some(JoinError::Full)
    }

    /// The same for work that is known.
    pub(super) fn at(&self, work: Work) -> usize {
        let base = self.line_of[work.event.0];
        let own = work.pool.filter(|_| {
            let limit = &self.limits[self.lines[base].limit];
            limit.plan.has_lines_of_pools()
        });
        own.map_or(base, |pool| base + 1 + pool.0 as usize)
    }

    /// Where a ticket stands; `None`: it has left, or what it was for is over.
    #[must_use]
    pub fn state_of(&self, ticket: TicketId) -> Option<TicketState> {
        Some(match *self.by_id.get(ticket)? {
            Record::Waiter(_) => TicketState::Waiting,
            Record::Running(key) => TicketState::Running(self.running[key].grant()),
            Record::Parked => TicketState::Parked,
        })
    }

    /// What a ticket is for that waits, runs or is parked.
    #[must_use]
    pub fn work_of(&self, ticket: TicketId) -> Option<Work> {
        Some(match *self.by_id.get(ticket)? {
            Record::Waiter(key) => self.waiters[key].work.work(),
            Record::Running(key) => self.running[key].work,
            Record::Parked => self.parked.get(&ticket)?.work,
        })
    }

    fn waiter(&self, ticket: TicketId) -> Option<&Waiter> {
        match *self.by_id.get(ticket)? {
            Record::Waiter(key) => Some(&self.waiters[key]),
            Record::Running(_) | Record::Parked => None,
        }
    }

    /// A ticket that holds a slot.
    pub(super) fn running_of(&self, ticket: TicketId) -> Option<&Running> {
        match *self.by_id.get(ticket)? {
            Record::Waiter(_) | Record::Parked => None,
            Record::Running(key) => Some(&self.running[key]),
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
        let at = self.at(waiter.work.work());
        let line = &self.lines[at];
        let standing = Standing {
            pool: waiter.work.pool(),
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
        Some(self.lines[self.at(waiter.work.work())].place_of(waiter))
    }

    /// When a waiting ticket leaves because it has waited too long; `None`: it does not wait, or may wait for ever.
    #[must_use]
    pub fn deadline(&self, ticket: TicketId) -> Option<Time> {
        self.policy.max_wait?;
        self.deadline_of(self.waiter(ticket)?.joined)
    }

    /// Whether a line can ever have tickets: that of a limit for which back ends do all the work has none without a pool.
    #[must_use]
    pub fn is_in_use(&self, at: usize) -> bool {
        let line = &self.lines[at];
        let Some(limit) = self.limits.get(line.limit) else {
            return false;
        };
        let of_pools = |event: &crate::queue::EventIndex| self.policy.events[event.0].pooled;
        line.pool.is_some() || line.waiting() > 0 || line.running > 0 || !limit.plan.events.iter().all(of_pools)
    }

    /// One line, without an estimate.
    ///
    /// # Panics
    /// If there are not so many lines.
    #[must_use]
    pub fn line(&self, at: usize, now: Time) -> LineState {
        let line = &self.lines[at];
        let limit = &self.limits[line.limit];
        let oldest = line.oldest();
        let at_once = !self.closed && line.waiting() == 0 && self.can_start(at, line.pool);
        let (running, slots) = self.slots(at);
        LineState {
            name: limit.plan.name.clone(),
            events: limit.plan.events.clone(),
            pool: line.pool,
            running,
            limit: slots,
            waiting: line.waiting(),
            newcomer: if at_once { 0 } else { line.before_newcomer() as u64 + 1 },
            longest_wait: oldest.map(|key| now.saturating_since(self.waiters[key].joined)),
            estimate: None,
            inside: self.inside(at, now),
            usual: self.usual(at),
        }
    }

    /// Every limit, in the order of their first events.
    pub fn limits(&self) -> impl Iterator<Item = LimitState> + '_ {
        self.limits.iter().map(|limit| {
            let plan = &limit.plan;
            // One back end may be in several pools, and has its slots once.
            let backends = plan.has_lines_of_pools().then(|| self.slots_of_pools()).flatten();
            LimitState {
                name: plan.name.clone(),
                events: plan.events.clone(),
                running: limit.running,
                limit: [plan.limit, backends].into_iter().flatten().min(),
                parked: self.parked_of(&plan.events),
            }
        })
    }

    /// Slots of all back ends that are in a pool; `None`: there are no pools, or one of them has no limit.
    fn slots_of_pools(&self) -> Option<usize> {
        let pools = &self.policy.pools;
        let backends: BTreeSet<_> = pools.iter().flat_map(|pool| &pool.backends).collect();
        let slots = backends.into_iter().map(|backend| self.slots_of(*backend));
        (!pools.is_empty()).then(|| slots.sum::<Option<usize>>()).flatten()
    }

    /// Slots in use and slots there are, as far as the line is concerned: those of its back ends, unless the limit has fewer.
    fn slots(&self, at: usize) -> (usize, Option<usize>) {
        let limit = &self.limits[self.lines[at].limit];
        match self.backends_that_count(at) {
            None => (limit.running, limit.plan.limit),
            Some(backends) => (self.running_on_all(backends), self.slots_of_all(backends)),
        }
    }

    /// The back ends whose slots are those of the line; `None`: its limit has as few, and counts.
    pub(super) fn backends_that_count(&self, at: usize) -> Option<&[BackendIndex]> {
        let line = &self.lines[at];
        let backends = self.pool(line.pool?);
        let most = self.limits[line.limit].plan.limit;
        let fewer = most.is_some_and(|most| self.slots_of_all(backends).is_none_or(|slots| most <= slots));
        (!fewer).then_some(backends)
    }

    /// Slots of these back ends; `None` is unlimited.
    fn slots_of_all(&self, backends: &[BackendIndex]) -> Option<usize> {
        backends.iter().map(|backend| self.slots_of(*backend)).sum()
    }

    fn running_on_all(&self, backends: &[BackendIndex]) -> usize {
        backends.iter().map(|at| self.backends[at.0 as usize].running).sum()
    }
}
