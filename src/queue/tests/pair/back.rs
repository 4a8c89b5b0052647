//! How tickets come back to their lines, and to others, on both sides.

use super::*;

impl Pair {
    pub(super) fn start_back(&mut self, index: usize) {
        let (number, permit) = self.permits.swap_remove(index);
        let before = permit.backend();
        let earlier = self.earlier(number, permit.order_key());
        let ticket = permit.start_back();
        let back = self.model.start_back(number, earlier);
        self.returned.insert(number, true);
        // Those behind it move back by one, unless it has started again at once.
        self.slack = Some(self.model.line_of_ticket(number));
        let moved = back && self.model.tickets[number].state == State::Granted;
        let elsewhere = moved && self.model.tickets[number].backend != before.map(|backend| backend.0);
        self.tally.add(Kind::StartedBack, 1);
        self.tally.add(Kind::StartedElsewhere, usize::from(elsewhere));
        self.tickets.push(Held {
            number,
            ticket,
            bell: None,
        });
    }

    /// How many that wait in its line come before it with this place.
    pub(super) fn earlier(&self, number: Number, key: OrderKey) -> usize {
        let line = self.model.line_of_ticket(number);
        let earlier = |held: &&Held| {
            self.model.line_of_ticket(held.number) == line
                && self.queue.order_key(held.ticket.id()).is_some_and(|other| other < key)
        };
        self.tickets.iter().filter(earlier).count()
    }

    pub(super) fn pause(&mut self, index: usize) {
        let (number, permit) = self.permits.swap_remove(index);
        self.paused.insert(number, permit.order_key());
        let ticket = permit.step_aside();
        self.model.pause(number);
        self.returned.insert(number, true);
        self.tally.add(Kind::Paused, 1);
        self.tickets.push(Held {
            number,
            ticket,
            bell: None,
        });
    }

    pub(super) fn step_aside(&mut self, index: usize) {
        let Held { number, ticket, bell } = &mut self.tickets[index];
        // A ticket that has a slot in its hands knows the place that it has started from.
        let key = ticket.order_key();
        ticket.step_aside();
        let granted = self.model.tickets[*number].state == State::Granted;
        let aside = self.model.step_aside(*number);
        if aside {
            // It is to be asked about again.
            *bell = None;
            self.tally.add(Kind::SteppedAside, 1);
        }
        if let Some(key) = key.filter(|_| granted) {
            self.paused.insert(*number, key);
        }
    }

    /// The end of a pause.
    pub(super) fn go_on(&mut self, at: usize) {
        let number = self.tickets[at].number;
        let (from, line) = (self.model.left_line(number), self.model.line_of_ticket(number));
        let earlier = self.earlier(number, self.paused[&number]);
        assert!(self.queue.resume(self.tickets[at].ticket.id()));
        self.model.end_pause(number, earlier);
        // Those behind it move back by one, unless it has started again at once, or is new to its line.
        self.slack = Some(line).filter(|line| from == Some(*line));
        self.tally.add(Kind::WentOn, 1);
    }

    pub(super) fn park(&mut self, index: usize) {
        let (number, permit) = self.permits.swap_remove(index);
        let ticket = permit.park();
        self.model.park(number);
        self.returned.insert(number, true);
        self.tally.add(Kind::Parked, 1);
        self.tickets.push(Held {
            number,
            ticket,
            bell: None,
        });
    }

    pub(super) fn resume(&mut self, which: Index) {
        let parked = |at: &usize| self.model.tickets[self.tickets[*at].number].state == State::Parked;
        let parked: Vec<usize> = (0..self.tickets.len()).filter(parked).collect();
        let at = match parked.len() {
            0 => which.index(self.tickets.len()),
            some => parked[which.index(some)],
        };
        if self.model.tickets[self.tickets[at].number].state == State::Parked
            && self.model.tickets[self.tickets[at].number].paused.is_some()
        {
            self.go_on(at);
            return;
        }
        let Held { number, ticket, bell } = &self.tickets[at];
        // What expires meanwhile has gone before it comes.
        if self.model.tickets[*number].state == State::Parked {
            self.model.expire();
        }
        let line = self.model.line_of_ticket(*number);
        let own = |other: &Number| self.model.tickets[*other].owner == self.model.tickets[*number].owner;
        let (order, newcomer) = (self.model.order(line), self.model.newcomer(line));
        let first = order.iter().position(own);
        let older = |other: &Number| own(other) && self.model.tickets[*other].resumed && other < number;
        let is_next = !order.iter().any(older);
        let resumed = self.queue.resume(ticket.id());
        assert_eq!(resumed, self.model.resume(*number));
        if !resumed {
            return;
        }
        let rung = |bell: &Arc<Bell>| bell.0.load(SeqCst);
        assert!(bell.as_ref().is_none_or(rung), "its longest wait counts from now on");
        let position = self.queue.position(ticket.id()).map(|position| position as usize - 1);
        match (self.model.tickets[*number].state, first) {
            (State::Granted, _) => self.tally.add(Kind::ResumedAtOnce, 1),
            (_, Some(first)) if is_next => {
                assert_eq!(position, Some(first), "it has the place of its owner's first");
                self.tally.add(Kind::ResumedFirst, 1);
            }
            (_, Some(_)) => {}
            (_, None) => {
                let newcomers = newcomer.saturating_sub(1);
                assert_eq!(position, Some(newcomers), "it has the place of a newcomer");
                self.tally.add(Kind::ResumedAsNew, 1);
            }
        }
    }

    pub(super) fn change_pool(&mut self, index: usize, pool: u32) {
        let Held { number, ticket, .. } = &self.tickets[index];
        if self.model.tickets[*number].event != C.0 {
            return;
        }
        let moved = self.queue.change_pool(ticket.id(), PoolIndex(pool));
        assert_eq!(moved, self.model.change_pool(*number, pool));
        self.firsts.remove(number);
        self.tally.add(Kind::ChangedPool, usize::from(moved));
    }
}
