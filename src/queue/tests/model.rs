//! A queue that is obviously right, and slow: plain lists, counted from the front.

mod back;
mod seen;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::backends::Backends;
use crate::queue::{JoinError, LeaveReason, Order, Policy, Wait};

/// A ticket, by a number of the test's own.
pub(super) type Number = usize;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum State {
    Waiting,
    Granted,
    Parked,
    Left(LeaveReason),
    /// Taken by its owner, given back, or dropped.
    Gone,
}

#[derive(Clone, Debug)]
pub(super) struct Ticket {
    pub(super) event: usize,
    pub(super) pool: Option<u32>,
    pub(super) prefers: Option<u32>,
    /// The back end that has failed at it.
    avoids: Option<u32>,
    /// The one that it has or had last.
    pub(super) backend: Option<u32>,
    pub(super) owner: u128,
    /// When it joined, or resumed; may lie before the beginning.
    pub(super) joined: i64,
    /// It has been parked before.
    pub(super) resumed: bool,
    /// It is parked, and has only paused; and the pool that it has run for.
    pub(super) paused: Option<Option<u32>>,
    /// When it started last.
    started: i64,
    /// How long it waited for its slot.
    pub(super) waited: Duration,
    /// Its wait, counted up to the start that its line had last when it was.
    story: Option<(Wait, usize)>,
    /// The whole of it.
    pub(super) wait: Option<Wait>,
    pub(super) state: State,
}

#[derive(Clone, Debug, Default)]
struct Line {
    events: Vec<usize>,
    pool: Option<u32>,
    /// In the order of starting.
    places: Vec<Place>,
    admitted: u64,
    /// All that ever started here.
    starts: Vec<Number>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    owner: u128,
    round: u64,
}

pub(super) struct Model {
    pub(super) policy: Policy,
    pub(super) tickets: Vec<Ticket>,
    /// Tickets that hold a slot.
    pub(super) running: Vec<Number>,
    /// Milliseconds since the beginning.
    pub(super) now: i64,
    /// How many were given a slot after they had waited.
    pub(super) admitted: usize,
    pub(super) backends: Backends,
    /// Who has had a turn in this round of the lines.
    turns: BTreeSet<u128>,
    /// Those that wait, in the order in which they joined.
    waiting: Vec<Number>,
    lines: Vec<Line>,
    closed: bool,
}

impl Model {
    pub(super) fn new(policy: Policy) -> Self {
        let mut model = Self {
            backends: Backends::new(&policy),
            turns: BTreeSet::new(),
            policy,
            tickets: Vec::new(),
            running: Vec::new(),
            now: 0,
            admitted: 0,
            waiting: Vec::new(),
            lines: Vec::new(),
            closed: false,
        };
        model.lines = model.empty_lines();
        model
    }

    fn limit_name(&self, event: usize) -> &str {
        let event = &self.policy.events[event];
        if self.policy.concurrent {
            event.concurrency_id.as_deref().unwrap_or(&event.name)
        } else {
            ""
        }
    }

    fn empty_lines(&self) -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::new();
        for event in 0..self.policy.events.len() {
            let shares = |line: &&mut Line| self.limit_name(line.events[0]) == self.limit_name(event);
            match lines.iter_mut().find(shares) {
                Some(line) => line.events.push(event),
                None => lines.push(Line {
                    events: vec![event],
                    ..Line::default()
                }),
            }
        }
        let with_pools = |line: Line| {
            let pooled = line.events.len() == 1 && self.policy.events[line.events[0]].pooled;
            let pools = if pooled { self.policy.pools.len() as u32 } else { 0 };
            let of_pools = (0..pools).map({
                let line = line.clone();
                move |pool| Line {
                    pool: Some(pool),
                    ..line.clone()
                }
            });
            std::iter::once(line).chain(of_pools)
        };
        lines.into_iter().flat_map(with_pools).collect()
    }

    fn line_of(&self, ticket: &Ticket) -> usize {
        let shared = |line: &Line| line.events.len() > 1;
        let its = |line: &Line| line.events.contains(&ticket.event) && (line.pool == ticket.pool || shared(line));
        self.lines.iter().position(its).unwrap()
    }

    fn free_backends(&self, pool: u32) -> Vec<u32> {
        let all = self.policy.pools[pool as usize]
            .backends
            .iter()
            .map(|backend| backend.0);
        all.filter(|backend| {
            let slots = self.backends.slots(&self.policy, *backend);
            slots.is_none_or(|slots| self.running_on(*backend) < slots)
        })
        .collect()
    }

    pub(super) fn has_slot(&self, event: usize, pool: Option<u32>) -> bool {
        self.limit(event).is_none_or(|limit| self.running_with(event) < limit)
            && self.policy.max_running.is_none_or(|limit| self.running.len() < limit)
            && pool.is_none_or(|pool| !self.free_backends(pool).is_empty())
    }

    fn waits(&self, ticket: Number) -> bool {
        self.tickets[ticket].state == State::Waiting
    }

    pub(super) fn expire(&mut self) {
        for ticket in self.waiting.clone() {
            if self.is_due(ticket) {
                self.leave(ticket, LeaveReason::Expired);
            }
        }
    }

    pub(super) fn join(
        &mut self,
        event: usize,
        (pool, prefers): (Option<u32>, Option<u32>),
        owner: u128,
        joined: i64,
    ) -> Result<Number, JoinError> {
        if self.closed {
            return Err(JoinError::Closed);
        }
        self.expire();
        let number = self.tickets.len();
        let new = |state| Ticket {
            event,
            pool,
            prefers,
            avoids: None,
            backend: None,
            owner,
            joined,
            resumed: false,
            paused: None,
            started: 0,
            waited: Duration::ZERO,
            story: None,
            wait: None,
            state,
        };
        let at = self.line_of(&new(State::Waiting));
        let own = self
            .waiting
            .iter()
            .filter(|ticket| self.tickets[**ticket].owner == owner)
            .count();
        if self
            .policy
            .max_wait
            .is_some_and(|longest| self.now - joined >= longest.as_millis() as i64)
        {
            self.tickets.push(new(State::Left(LeaveReason::Expired)));
        } else if self.has_slot(event, pool) {
            self.tickets.push(new(State::Waiting));
            self.grant(number);
        } else if !self.policy.queue {
            return Err(JoinError::Busy);
        } else if self.policy.max_waiting_per_owner.is_some_and(|most| own >= most) {
            return Err(JoinError::TooManyOfYours);
        } else if self.policy.max_size.is_some_and(|most| self.waiting.len() >= most) {
            return Err(JoinError::Full);
        } else {
            self.tickets.push(new(State::Waiting));
            self.waiting.push(number);
            self.place_last(at, owner);
            self.begin_story(number, at);
        }
        Ok(number)
    }

    /// What a ticket that has just come finds in its line.
    fn begin_story(&mut self, ticket: Number, at: usize) {
        let owner = self.tickets[ticket].owner;
        let here = self.order(at);
        let others: Vec<u128> = here
            .iter()
            .map(|other| self.tickets[*other].owner)
            .filter(|other| *other != owner)
            .collect();
        let wait = Wait {
            position: self.position(ticket).unwrap() as u64,
            found: others.len() as u64,
            owners: others.iter().collect::<BTreeSet<_>>().len() as u64,
            own: (here.len() - others.len() - 1) as u64,
            earlier: 0,
            later: 0,
        };
        self.tickets[ticket].story = Some((wait, self.lines[at].starts.len()));
    }

    /// The place of a newcomer.
    fn place_last(&mut self, at: usize, owner: u128) {
        let fair = self.policy.order == Order::Fair;
        let line = &mut self.lines[at];
        let own = line.places.iter().filter(|place| place.owner == owner);
        let last = own.map(|place| place.round).max();
        let round = if fair {
            last.unwrap_or(0).max(line.admitted) + 1
        } else {
            0
        };
        let behind = line
            .places
            .iter()
            .position(|place| place.round > round)
            .unwrap_or(line.places.len());
        line.places.insert(behind, Place { owner, round });
    }

    pub(super) fn throttle(&mut self, backend: u32, cap: Option<usize>) {
        self.backends.throttle(backend, cap);
        self.start_waiting();
    }

    fn grant(&mut self, ticket: Number) {
        self.tickets[ticket].waited = self.age(ticket);
        self.tickets[ticket].state = State::Granted;
        self.tickets[ticket].started = self.now;
        let at = self.line_of(&self.tickets[ticket]);
        let story = self.tickets[ticket].story.take();
        self.tickets[ticket].wait = story.map(|(wait, since)| {
            let starts = &self.lines[at].starts[since..];
            Wait {
                earlier: wait.earlier + starts.iter().filter(|other| **other < ticket).count() as u64,
                later: wait.later + starts.iter().filter(|other| **other > ticket).count() as u64,
                ..wait
            }
        });
        self.lines[at].starts.push(ticket);
        if self.waiting.is_empty() {
            self.turns.clear();
        }
        self.tickets[ticket].backend = self.tickets[ticket].pool.map(|pool| {
            let Ticket { prefers, avoids, .. } = self.tickets[ticket];
            let running = |backend| self.running_on(backend);
            let free: Vec<_> = self
                .free_backends(pool)
                .into_iter()
                .map(|backend| (backend, running(backend)))
                .collect();
            self.backends.choose(&self.policy, pool, free, prefers, avoids)
        });
        self.running.push(ticket);
    }

    /// A waiting ticket's place goes, and those behind move up.
    fn give_up_place(&mut self, ticket: Number) {
        let place = match self.policy.order {
            Order::Fair => None,
            Order::Fifo => self.position(ticket).map(|position| position - 1),
        };
        let owner = self.tickets[ticket].owner;
        let at = self.line_of(&self.tickets[ticket]);
        let places = &mut self.lines[at].places;
        let last = places.iter().rposition(|other| other.owner == owner);
        places.remove(place.or(last).unwrap());
    }

    pub(super) fn leave(&mut self, ticket: Number, how: LeaveReason) -> bool {
        if self.tickets[ticket].state == State::Parked {
            self.tickets[ticket].state = State::Left(how);
            return true;
        }
        if !self.waits(ticket) {
            return false;
        }
        self.give_up_place(ticket);
        self.tickets[ticket].state = State::Left(how);
        self.waiting.retain(|other| *other != ticket);
        true
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
        for ticket in 0..self.tickets.len() {
            self.leave(ticket, LeaveReason::Closed);
        }
    }

    /// `worked`: its time is learnt from.
    pub(super) fn release(&mut self, ticket: Number, worked: bool) {
        self.running.retain(|other| *other != ticket);
        if worked {
            self.learn(ticket);
        }
        self.tickets[ticket].state = State::Gone;
        self.start_waiting();
    }

    fn learn(&mut self, ticket: Number) {
        let Ticket {
            pool, backend, started, ..
        } = self.tickets[ticket];
        if let Some(place) = pool.zip(backend) {
            let held = u64::try_from(self.now - started).unwrap();
            self.backends.learn(place, Duration::from_millis(held));
        }
    }

    fn start_waiting(&mut self) {
        self.expire();
        loop {
            let may_start = |ticket: &Number| self.has_slot(self.tickets[*ticket].event, self.tickets[*ticket].pool);
            let able: Vec<Number> = (0..self.lines.len())
                .filter_map(|line| self.order(line).into_iter().find(may_start))
                .collect();
            let fair = self.policy.order == Order::Fair;
            let had_its_turn = |head: &Number| fair && self.turns.contains(&self.tickets[*head].owner);
            let rank = |head: &Number| (had_its_turn(head), self.tickets[*head].joined, *head);
            let Some(next) = able.iter().copied().min_by_key(rank) else {
                return;
            };
            if able.len() > 1 && fair {
                if had_its_turn(&next) || self.turns.len() >= 4 * self.waiting.len() {
                    self.turns.clear();
                }
                self.turns.insert(self.tickets[next].owner);
            }
            let at = self.line_of(&self.tickets[next]);
            let index = self.position(next).unwrap() - 1;
            let round = self.lines[at].places.remove(index).round;
            self.lines[at].admitted = self.lines[at].admitted.max(round);
            self.waiting.retain(|other| *other != next);
            self.grant(next);
            self.admitted += 1;
        }
    }

    pub(super) fn retune(&mut self, policy: Policy) {
        let orders = self.orders();
        let (old_order, old_lines) = (self.policy.order, self.lines.clone());
        self.policy = policy;
        self.lines = self.empty_lines();
        for at in 0..self.lines.len() {
            let same = |line: &&Line| line.events == self.lines[at].events && line.pool == self.lines[at].pool;
            match old_lines.iter().find(same) {
                Some(line) if self.policy.order == old_order => self.lines[at] = line.clone(),
                _ => {
                    self.lines[at].places = self.reseated(at, &orders);
                    // What they were told of was another line.
                    for ticket in self.waiting.clone() {
                        if self.line_of(&self.tickets[ticket]) == at {
                            self.tickets[ticket].story = None;
                        }
                    }
                }
            }
        }
        self.backends.grow(&self.policy);
        self.start_waiting();
    }

    /// The old orders, merged head by head, the longest waiting first; then dealt out in rounds.
    fn reseated(&self, at: usize, orders: &[Vec<Number>]) -> Vec<Place> {
        let belongs = |ticket: &&Number| self.line_of(&self.tickets[**ticket]) == at;
        let mut parts: Vec<Vec<Number>> = orders
            .iter()
            .map(|order| order.iter().rev().filter(belongs).copied().collect())
            .collect();
        let mut places: Vec<Place> = Vec::new();
        let mut rounds: BTreeMap<u128, u64> = BTreeMap::new();
        let joined = |ticket: Number| (self.tickets[ticket].joined, ticket);
        while let Some(part) = parts
            .iter_mut()
            .filter(|part| !part.is_empty())
            .min_by_key(|part| joined(part[part.len() - 1]))
        {
            let owner = self.tickets[part.pop().unwrap()].owner;
            let round = rounds.entry(owner).or_default();
            *round += u64::from(self.policy.order == Order::Fair);
            let round = *round;
            places.push(Place { owner, round });
        }
        places.sort_by_key(|place| place.round);
        places
    }
}
