//! What is seen of the model.

use super::*;

impl Model {
    pub(in crate::queue::tests) fn limit(&self, event: usize) -> Option<usize> {
        if !self.policy.concurrent {
            return Some(1);
        }
        let shares = |other: &usize| self.limit_name(*other) == self.limit_name(event);
        (0..self.policy.events.len())
            .filter(shares)
            .filter_map(|event| self.policy.events[event].limit)
            .min()
    }

    /// Slots of its limit that are in use.
    pub(in crate::queue::tests) fn running_with(&self, event: usize) -> usize {
        let shares = |ticket: &&Number| self.limit_name(self.tickets[**ticket].event) == self.limit_name(event);
        self.running.iter().filter(shares).count()
    }

    pub(in crate::queue::tests) fn running_on(&self, backend: u32) -> usize {
        let there = |ticket: &&Number| self.tickets[**ticket].backend == Some(backend);
        self.running.iter().filter(there).count()
    }

    pub(in crate::queue::tests) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The waiting tickets of a line, in the order of starting: an owner's n-th place is its n-th ticket's. Those that have been parked come before
    /// its others.
    pub(in crate::queue::tests) fn order(&self, line: usize) -> Vec<Number> {
        let mut own: BTreeMap<u128, Vec<Number>> = BTreeMap::new();
        let mut waiting = self.waiting.clone();
        waiting.sort_unstable_by_key(|ticket| (!self.tickets[*ticket].resumed, *ticket));
        for ticket in waiting.into_iter().rev() {
            if self.line_of(&self.tickets[ticket]) == line {
                own.entry(self.tickets[ticket].owner).or_default().push(ticket);
            }
        }
        let places = self.lines[line].places.iter();
        places
            .map(|place| own.get_mut(&place.owner).unwrap().pop().unwrap())
            .collect()
    }

    pub(in crate::queue::tests) fn position(&self, ticket: Number) -> Option<usize> {
        let order = self.order(self.line_of(&self.tickets[ticket]));
        order.iter().position(|other| *other == ticket).map(|before| before + 1)
    }

    pub(in crate::queue::tests) fn is_due(&self, ticket: Number) -> bool {
        self.policy.max_wait.is_some_and(|longest| self.age(ticket) >= longest)
    }

    /// How long ago it joined.
    pub(in crate::queue::tests) fn age(&self, ticket: Number) -> Duration {
        Duration::from_millis(u64::try_from(self.now - self.tickets[ticket].joined).unwrap())
    }

    pub(in crate::queue::tests) fn parked(&self) -> usize {
        let parked = |ticket: &&Ticket| ticket.state == State::Parked;
        self.tickets.iter().filter(parked).count()
    }

    /// The order of every line.
    pub(in crate::queue::tests) fn orders(&self) -> Vec<Vec<Number>> {
        (0..self.lines.len()).map(|line| self.order(line)).collect()
    }

    /// The position that an owner with nothing waiting would get now; 0: it would start at once.
    pub(in crate::queue::tests) fn newcomer(&self, line: usize) -> usize {
        let line = &self.lines[line];
        if line.places.is_empty() && !self.closed && self.has_slot(line.events[0], line.pool) {
            return 0;
        }
        let least = match self.policy.order {
            Order::Fair => line.admitted + 1,
            Order::Fifo => 0,
        };
        line.places.iter().filter(|place| place.round <= least).count() + 1
    }

    /// Slots in use and slots there are, for a line.
    pub(in crate::queue::tests) fn slots(&self, line: usize) -> (usize, Option<usize>) {
        let Line { events, pool, .. } = &self.lines[line];
        let of_limit = (self.running_with(events[0]), self.limit(events[0]));
        let Some(pool) = pool else { return of_limit };
        let backends = || {
            self.policy.pools[*pool as usize]
                .backends
                .iter()
                .map(|backend| backend.0)
        };
        let slots: Option<usize> = backends()
            .map(|backend| self.backends.slots(&self.policy, backend))
            .sum();
        match (of_limit.1, slots) {
            (Some(limit), Some(slots)) if limit <= slots => of_limit,
            (Some(_), None) => of_limit,
            _ => (backends().map(|backend| self.running_on(backend)).sum(), slots),
        }
    }

    /// The line that a ticket waits in, or would.
    pub(in crate::queue::tests) fn line_of_ticket(&self, ticket: Number) -> usize {
        self.line_of(&self.tickets[ticket])
    }

    /// Which events share a limit, for each line, and whose tickets wait in it.
    pub(in crate::queue::tests) fn sharing(&self) -> Vec<(Vec<usize>, Option<u32>)> {
        self.lines.iter().map(|line| (line.events.clone(), line.pool)).collect()
    }

    pub(in crate::queue::tests) fn is_closed(&self) -> bool {
        self.closed
    }
}
