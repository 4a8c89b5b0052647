//! How tickets of the model come back to their lines, and to others.

use super::*;

impl Model {
    /// A ticket that has run goes back to its line, where so many that wait are before it in its old order. `false`: the queue is closed.
    pub(in crate::queue::tests) fn start_back(&mut self, ticket: Number, before: usize) -> bool {
        self.running.retain(|other| *other != ticket);
        if self.closed {
            self.tickets[ticket].state = State::Left(LeaveReason::Closed);
            return false;
        }
        self.put_back(ticket, before);
        self.start_waiting();
        true
    }

    pub(super) fn put_back(&mut self, ticket: Number, before: usize) {
        let its = &mut self.tickets[ticket];
        its.state = State::Waiting;
        its.avoids = its.backend;
        let owner = its.owner;
        let at = self.line_of(&self.tickets[ticket]);
        let places = &mut self.lines[at].places;
        // Its round has been admitted, so that it counts for no later one.
        let round = if before == 0 { 0 } else { places[before - 1].round };
        places.insert(before, Place { owner, round });
        self.waiting.push(ticket);
        let starts = self.lines[at].starts.len();
        self.tickets[ticket].story = self.tickets[ticket].wait.map(|wait| (wait, starts));
    }

    /// A running ticket gives its slot back until it may go on from where it stood.
    pub(in crate::queue::tests) fn pause(&mut self, ticket: Number) {
        self.running.retain(|other| *other != ticket);
        let its = &mut self.tickets[ticket];
        if self.closed {
            its.state = State::Left(LeaveReason::Closed);
        } else {
            its.state = State::Parked;
            its.paused = Some(its.pool);
        }
        self.start_waiting();
    }

    /// One that waits, or has a slot that it has not taken, leaves its line or gives that back. `false`: it does neither.
    pub(in crate::queue::tests) fn step_aside(&mut self, ticket: Number) -> bool {
        match self.tickets[ticket].state {
            State::Granted => self.pause(ticket),
            State::Waiting => {
                self.give_up_place(ticket);
                self.waiting.retain(|other| *other != ticket);
                let its = &mut self.tickets[ticket];
                (its.state, its.avoids, its.story) = (State::Parked, None, None);
            }
            State::Parked | State::Left(_) | State::Gone => return false,
        }
        true
    }

    /// The line that a ticket which pauses has run in.
    pub(in crate::queue::tests) fn left_line(&self, ticket: Number) -> Option<usize> {
        let before = Ticket {
            pool: self.tickets[ticket].paused?,
            ..self.tickets[ticket].clone()
        };
        Some(self.line_of(&before))
    }

    /// It comes back to its line, where so many that wait are before it in its old order; if it is in another line now, as its owner's next, and its
    /// wait begins anew.
    pub(in crate::queue::tests) fn end_pause(&mut self, ticket: Number, before: usize) {
        let (from, at) = (self.left_line(ticket), self.line_of(&self.tickets[ticket]));
        let ran_for = self.tickets[ticket].paused.take();
        if from == Some(at) {
            self.put_back(ticket, before);
            let its = &mut self.tickets[ticket];
            its.avoids = its.avoids.filter(|_| ran_for == Some(its.pool));
        } else {
            let now = self.now;
            let its = &mut self.tickets[ticket];
            (its.state, its.joined, its.avoids) = (State::Waiting, now, None);
            let owner = its.owner;
            self.waiting.push(ticket);
            self.place_last(at, owner);
            self.begin_story(ticket, at);
        }
        self.start_waiting();
    }

    /// A running ticket gives its slot back for a while.
    pub(in crate::queue::tests) fn park(&mut self, ticket: Number) {
        self.running.retain(|other| *other != ticket);
        self.learn(ticket);
        let its = &mut self.tickets[ticket];
        its.state = if self.closed {
            State::Left(LeaveReason::Closed)
        } else {
            State::Parked
        };
        its.prefers = its.backend.or(its.prefers);
        its.avoids = None;
        self.start_waiting();
    }

    /// It comes back to its line.
    pub(in crate::queue::tests) fn resume(&mut self, ticket: Number) -> bool {
        if self.tickets[ticket].state != State::Parked {
            return false;
        }
        self.expire();
        let now = self.now;
        let its = &mut self.tickets[ticket];
        (its.state, its.joined, its.resumed) = (State::Waiting, now, true);
        let (event, pool, owner) = (its.event, its.pool, its.owner);
        if self.has_slot(event, pool) {
            self.grant(ticket);
        } else {
            let at = self.line_of(&self.tickets[ticket]);
            self.waiting.push(ticket);
            self.place_last(at, owner);
            self.begin_story(ticket, at);
        }
        true
    }

    /// A waiting ticket goes to the line of another pool.
    pub(in crate::queue::tests) fn change_pool(&mut self, ticket: Number, pool: u32) -> bool {
        if self.tickets[ticket].state == State::Parked && self.tickets[ticket].pool != Some(pool) {
            let its = &mut self.tickets[ticket];
            (its.pool, its.prefers) = (Some(pool), None);
            return true;
        }
        if !self.waits(ticket) || self.tickets[ticket].pool == Some(pool) {
            return false;
        }
        let from = self.line_of(&self.tickets[ticket]);
        let there = Ticket {
            pool: Some(pool),
            ..self.tickets[ticket].clone()
        };
        let to = self.line_of(&there);
        if from != to {
            self.expire();
            if !self.waits(ticket) {
                return false;
            }
            self.give_up_place(ticket);
        }
        let its = &mut self.tickets[ticket];
        (its.pool, its.prefers, its.avoids) = (Some(pool), None, None);
        if from != to {
            let owner = its.owner;
            self.place_last(to, owner);
            self.begin_story(ticket, to);
        }
        self.start_waiting();
        true
    }
}
