//! A queue that is obviously right, and slow: plain lists, counted from the front.

use std::{collections::BTreeMap, time::Duration};

use crate::queue::{JoinError, LeaveReason, Order, Policy};

/// A ticket, by a number of the test's own.
pub(super) type Number = usize;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum State {
    Waiting,
    Granted,
    Left(LeaveReason),
    /// Taken by its owner, given back, or dropped.
    Gone,
}

#[derive(Clone, Debug)]
pub(super) struct Ticket {
    pub(super) event: usize,
    pub(super) owner: u128,
    /// When it joined; may lie before the beginning.
    pub(super) joined: i64,
    /// How long it waited for its slot.
    pub(super) waited: Duration,
    pub(super) state: State,
}

#[derive(Clone, Debug, Default)]
struct Line {
    events: Vec<usize>,
    /// In the order of starting: the owner and the round.
    places: Vec<(u128, u64)>,
    admitted: u64,
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
    /// Those that wait, in the order in which they joined.
    waiting: Vec<Number>,
    lines: Vec<Line>,
    closed: bool,
}

impl Model {
    pub(super) fn new(policy: Policy) -> Self {
        let mut model = Self {
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
        lines
    }

    fn line_of(&self, event: usize) -> usize {
        self.lines.iter().position(|line| line.events.contains(&event)).unwrap()
    }

    pub(super) fn limit(&self, event: usize) -> Option<usize> {
        if !self.policy.concurrent {
            return Some(1);
        }
        self.lines[self.line_of(event)]
            .events
            .iter()
            .filter_map(|event| self.policy.events[*event].limit)
            .min()
    }

    pub(super) fn running_in_line_of(&self, event: usize) -> usize {
        let line = self.line_of(event);
        self.running
            .iter()
            .filter(|ticket| self.line_of(self.tickets[**ticket].event) == line)
            .count()
    }

    pub(super) fn has_slot(&self, event: usize) -> bool {
        self.limit(event)
            .is_none_or(|limit| self.running_in_line_of(event) < limit)
            && self.policy.max_running.is_none_or(|limit| self.running.len() < limit)
    }

    fn waits(&self, ticket: Number) -> bool {
        self.tickets[ticket].state == State::Waiting
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The waiting tickets of the line of `event`, in the order of starting: an owner's n-th place is its n-th ticket's.
    pub(super) fn order(&self, event: usize) -> Vec<Number> {
        let line = self.line_of(event);
        let mut own: BTreeMap<u128, Vec<Number>> = BTreeMap::new();
        for ticket in self.waiting.iter().rev() {
            let Ticket { event, owner, .. } = self.tickets[*ticket];
            if self.lines[line].events.contains(&event) {
                own.entry(owner).or_default().push(*ticket);
            }
        }
        self.lines[line]
            .places
            .iter()
            .map(|(owner, _)| own.get_mut(owner).unwrap().pop().unwrap())
            .collect()
    }

    pub(super) fn position(&self, ticket: Number) -> Option<usize> {
        let order = self.order(self.tickets[ticket].event);
        order.iter().position(|other| *other == ticket).map(|before| before + 1)
    }

    pub(super) fn is_due(&self, ticket: Number) -> bool {
        self.policy.max_wait.is_some_and(|longest| self.age(ticket) >= longest)
    }

    /// How long ago it joined.
    pub(super) fn age(&self, ticket: Number) -> Duration {
        Duration::from_millis(u64::try_from(self.now - self.tickets[ticket].joined).unwrap())
    }

    pub(super) fn expire(&mut self) {
        for ticket in self.waiting.clone() {
            if self.is_due(ticket) {
                self.leave(ticket, LeaveReason::Expired);
            }
        }
    }

    pub(super) fn join(&mut self, event: usize, owner: u128, joined: i64) -> Result<Number, JoinError> {
        if self.closed {
            return Err(JoinError::Closed);
        }
        self.expire();
        let number = self.tickets.len();
        let at = self.line_of(event);
        let new = |state| Ticket {
            event,
            owner,
            joined,
            waited: Duration::ZERO,
            state,
        };
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
        } else if self.lines[at].places.is_empty() && self.has_slot(event) {
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
            let fair = self.policy.order == Order::Fair;
            let line = &mut self.lines[at];
            let last = line
                .places
                .iter()
                .filter(|(other, _)| *other == owner)
                .map(|(_, round)| *round)
                .max();
            let round = if fair {
                last.unwrap_or(0).max(line.admitted) + 1
            } else {
                0
            };
            let behind = line
                .places
                .iter()
                .position(|(_, other)| *other > round)
                .unwrap_or(line.places.len());
            line.places.insert(behind, (owner, round));
        }
        Ok(number)
    }

    fn grant(&mut self, ticket: Number) {
        self.tickets[ticket].waited = self.age(ticket);
        self.tickets[ticket].state = State::Granted;
        self.running.push(ticket);
    }

    pub(super) fn leave(&mut self, ticket: Number, how: LeaveReason) -> bool {
        if !self.waits(ticket) {
            return false;
        }
        let Ticket { event, owner, .. } = self.tickets[ticket];
        let place = match self.policy.order {
            Order::Fair => None,
            Order::Fifo => self.position(ticket).map(|position| position - 1),
        };
        let at = self.line_of(event);
        let places = &mut self.lines[at].places;
        let last = places.iter().rposition(|(other, _)| *other == owner);
        places.remove(place.or(last).unwrap());
        self.tickets[ticket].state = State::Left(how);
        self.waiting.retain(|other| *other != ticket);
        true
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
        for ticket in self.waiting.clone() {
            self.leave(ticket, LeaveReason::Closed);
        }
    }

    pub(super) fn release(&mut self, ticket: Number) {
        self.running.retain(|other| *other != ticket);
        self.tickets[ticket].state = State::Gone;
        self.start_waiting();
    }

    fn start_waiting(&mut self) {
        self.expire();
        loop {
            let heads = self
                .lines
                .iter()
                .filter_map(|line| self.order(line.events[0]).first().copied());
            let able = heads.filter(|head| self.has_slot(self.tickets[*head].event));
            let Some(next) = able.min_by_key(|head| (self.tickets[*head].joined, *head)) else {
                return;
            };
            let at = self.line_of(self.tickets[next].event);
            self.lines[at].admitted = self.lines[at].places.remove(0).1;
            self.grant(next);
            self.admitted += 1;
            self.waiting.retain(|other| *other != next);
        }
    }

    pub(super) fn retune(&mut self, policy: Policy) {
        let orders = self.orders();
        let (old_order, old_lines) = (self.policy.order, self.lines.clone());
        self.policy = policy;
        self.lines = self.empty_lines();
        let same = self
            .lines
            .iter()
            .map(|line| &line.events)
            .eq(old_lines.iter().map(|line| &line.events));
        if same && self.policy.order == old_order {
            self.lines = old_lines;
        } else {
            for at in 0..self.lines.len() {
                self.lines[at].places = self.reseated(at, &orders);
            }
        }
        self.start_waiting();
    }

    /// The old orders, merged head by head, the longest waiting first; then dealt out in rounds.
    fn reseated(&self, at: usize, orders: &[Vec<Number>]) -> Vec<(u128, u64)> {
        let belongs = |ticket: &&Number| self.lines[at].events.contains(&self.tickets[**ticket].event);
        let mut parts: Vec<Vec<Number>> = orders
            .iter()
            .map(|order| order.iter().rev().filter(belongs).copied().collect())
            .collect();
        let mut places = Vec::new();
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
            places.push((owner, *round));
        }
        places.sort_by_key(|(_, round)| *round);
        places
    }

    /// The order of every line.
    pub(super) fn orders(&self) -> Vec<Vec<Number>> {
        self.lines.iter().map(|line| self.order(line.events[0])).collect()
    }

    /// The position that an owner with nothing waiting would get now; 0: it would start at once.
    pub(super) fn newcomer(&self, event: usize) -> usize {
        let line = &self.lines[self.line_of(event)];
        if line.places.is_empty() && !self.closed && self.has_slot(event) {
            return 0;
        }
        let least = match self.policy.order {
            Order::Fair => line.admitted + 1,
            Order::Fifo => 0,
        };
        line.places.iter().filter(|(_, round)| *round <= least).count() + 1
    }

    /// Which events share a line.
    pub(super) fn sharing(&self) -> Vec<Vec<usize>> {
        self.lines.iter().map(|line| line.events.clone()).collect()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }
}
