//! Those who want something done, and the work.

use super::world::{Event, NODES, PATIENCE, SECOND, World};
use crate::{
    nodes::{Answer, Ask, Change, Input, Job, Said, Working},
    queue::{
        EventIndex, LeaveReason, Owner, TicketId,
        machine::{Command, TicketState},
    },
};

impl World<'_> {
    /// A caller comes to some node that is there.
    pub(super) fn wants(&mut self, job: Job, owner: Owner) {
        let there: Vec<usize> = (0..NODES).filter(|place| self.places[*place].is_some()).collect();
        if there.is_empty() {
            self.after(SECOND, Event::Wants(job, owner));
            return;
        }
        let place = there[self.dice.below(there.len() as u64) as usize];
        self.wanted.insert(job, Some(place));
        self.ask(
            place,
            job,
            Change::Join {
                job,
                work: EventIndex(0).into(),
                owner,
                joined: None,
            },
        );
        self.after(PATIENCE, Event::Impatient(job, owner));
    }

    pub(super) fn ask(&mut self, place: usize, job: Job, change: Change) {
        self.asks += 1;
        let ask = Ask(self.asks);
        let Some(process) = &mut self.places[place] else { return };
        process.asks.insert(ask, job);
        let generation = process.generation;
        self.hears(place, generation, Input::Ask(ask, change));
    }

    pub(super) fn answered(&mut self, place: usize, generation: u64, ask: Ask, answer: Answer) {
        let Some(process) = self.process(place, generation) else {
            return;
        };
        let Some(job) = process.asks.remove(&ask) else {
            self.fail("an ask is answered once");
        };
        match answer {
            Ok(Said::Joined(..)) => {
                self.wanted.insert(job, None);
                if !self.database.accepted().contains_key(&job) && !self.lost.contains(&job) {
                    self.fail("what is let in has been accepted");
                }
            }
            Ok(Said::Refused(_)) => self.fail("nobody is refused"),
            Ok(Said::Done | Said::Void) => {}
            Err(_) => self.seen.note("not known"),
        }
    }

    pub(super) fn cancels(&mut self, job: Job) {
        let Some((ticket, place, state)) = self.held(job) else {
            return;
        };
        if matches!(state, TicketState::Waiting | TicketState::Parked) {
            self.seen.note("cancelled");
            let reason = LeaveReason::Cancelled;
            self.ask(place, job, Change::Ticket(job, Command::Leave { ticket, reason }));
        }
    }

    /// The ticket of a job, the process that holds it, and where it stands.
    fn held(&self, job: Job) -> Option<(TicketId, usize, TicketState)> {
        let truth = self.database.truth();
        let (ticket, _) = truth.tickets().find(|(_, of)| *of == job)?;
        let node = truth.holder(ticket).and_then(|(_, node)| node);
        let place = (0..NODES).find(|place| {
            let process = self.places[*place].as_ref();
            process.is_some_and(|process| Some(process.node.incarnation()) == node)
        });
        Some((ticket, place?, truth.machine().state_of(ticket)?))
    }

    /// Whoever holds a parked ticket has it resume, and goes on until the log says so: what was asked may be lost with a node, or with the end
    /// of the log.
    pub(super) fn resumes(&mut self, job: Job) {
        if let Some((ticket, place, TicketState::Parked)) = self.held(job) {
            self.seen.note("resumed");
            if self.parked.get(&job) != Some(&place) {
                self.seen.note("resumed elsewhere");
            }
            self.ask(place, job, Change::Ticket(job, Command::Resume { ticket }));
        }
        let pause = self.dice.millis(6_000);
        self.after(pause, Event::Resumes(job));
    }

    pub(super) fn work(&mut self, place: usize, generation: u64, ticket: TicketId, working: Working) {
        let length = 20_000_000 + self.dice.millis(30_000);
        let Some(process) = self.process(place, generation) else {
            return;
        };
        if process.works.insert(ticket, working).is_some() {
            self.fail("what is begun was not under way");
        }
        self.after(length, Event::Worked(place, generation, ticket, working));
    }

    pub(super) fn worked(&mut self, place: usize, generation: u64, ticket: TicketId, working: Working) {
        let Some(process) = self.process(place, generation) else {
            return;
        };
        if process.stopped {
            process.heard.push(Event::Worked(place, generation, ticket, working));
            return;
        }
        if process.works.get(&ticket) != Some(&working) {
            return;
        }
        process.works.remove(&ticket);
        // Once in a while its back end fails, and it goes back to the line.
        let command = if self.dice.once_in(9) {
            self.seen.note("started back");
            Command::StartBack { ticket }
        } else if self.dice.once_in(5) {
            self.seen.note("parked");
            self.has_resumed_later(working.job, place);
            Command::Park { ticket }
        } else if self.dice.once_in(7) {
            // Or there is no other, and its slot is given back until it is asked again.
            self.seen.note("paused");
            self.has_resumed_later(working.job, place);
            self.paused.insert(ticket);
            Command::Pause { ticket }
        } else {
            Command::Release { ticket, worked: true }
        };
        self.ask(place, working.job, Change::Ticket(working.job, command));
    }

    fn has_resumed_later(&mut self, job: Job, place: usize) {
        if self.parked.insert(job, place).is_none() {
            let pause = self.dice.millis(24_000);
            self.after(pause, Event::Resumes(job));
        }
    }
}
