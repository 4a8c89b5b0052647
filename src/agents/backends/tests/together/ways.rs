//! What processes and the database have to say to each other, and how that goes.

use super::{
    process::Process,
    site::{Event, MILLI, NODES, SECOND, Site},
};
use crate::{
    nodes::{Beaten, Change, Incarnation, Input, Node, Number, Output, Peer, Reply, Told},
    queue::machine::Time,
};

/// What a process wants of the database.
pub(super) enum Request {
    Load,
    Read(Number),
    Append(u64, Vec<Change>, Option<Peer>),
    Beat(Time, Number),
}

impl Site<'_> {
    pub(super) fn start(&mut self, place: usize) {
        if self.places[place].is_some() {
            return;
        }
        if self.database.away {
            self.after(SECOND, Event::Start(place));
            return;
        }
        self.generations += 1;
        let generation = self.generations;
        let incarnation = Incarnation(u128::from(generation));
        self.database.register(incarnation, place);
        let mut out = Vec::new();
        let node = Node::new(incarnation, None, self.now, &mut out);
        self.places[place] = Some(Process::new(node, generation));
        self.note("started");
        self.carry_out(place, out);
    }

    pub(super) fn hears(&mut self, place: usize, generation: u64, input: Input) {
        let now = self.now;
        let Some(process) = self.process(place, generation) else {
            return;
        };
        let mut out = Vec::new();
        process.node.handle(now, input, &mut out);
        let footing = process.node.footing(now);
        let is_new = process.told.is_none() && footing.takes_part && footing.may_work;
        self.carry_out(place, out);
        if is_new {
            self.hear(place, generation, false);
        }
    }

    fn carry_out(&mut self, place: usize, out: Vec<Output>) {
        let Some(generation) = self.places[place].as_ref().map(|process| process.generation) else {
            return;
        };
        for output in out {
            match output {
                Output::Load => self.request(place, generation, Request::Load),
                Output::Read(after) => self.request(place, generation, Request::Read(after)),
                Output::Append {
                    sequence,
                    changes,
                    unless_heard,
                } => {
                    let changes = changes.into_iter().map(|(_, change)| change).collect();
                    self.request(place, generation, Request::Append(sequence, changes, unless_heard));
                }
                Output::Beat(applied) => self.request(place, generation, Request::Beat(self.now, applied)),
                Output::Answer(ask, answer) => self.answered(place, generation, ask, answer),
                Output::Work(ticket, working) => self.begin(place, generation, ticket, working),
                Output::Halt(ticket) => self.halt(place, generation, ticket),
                Output::Throttled => {
                    if self
                        .process(place, generation)
                        .is_some_and(|process| process.told.is_some())
                    {
                        self.hear(place, generation, false);
                    }
                }
                Output::Left(..) | Output::PassedOn | Output::Moved => {}
                Output::Over => {
                    self.note("over");
                    self.places[place] = None;
                    let pause = self.dice.millis(2_000);
                    self.after(pause, Event::Start(place));
                    return;
                }
            }
        }
        let now = self.now;
        let Some(process) = &mut self.places[place] else { return };
        let at = Time(process.node.wake_at().0.max(now.0 + MILLI));
        if process.woken.is_none_or(|woken| at < woken) && at.0 < i64::MAX {
            process.woken = Some(at);
            self.after(at.0 - now.0, Event::Wake(place, generation));
        }
    }

    fn request(&mut self, place: usize, generation: u64, request: Request) {
        let way = self.dice.millis(12);
        self.after(way, Event::Asked(place, generation, request));
    }

    pub(super) fn asked(&mut self, place: usize, generation: u64, request: Request) {
        // What a process sent before it was killed arrives.
        let cut = self.process(place, generation).is_some_and(|process| process.cut);
        let away = cut || self.database.away;
        let (node, now) = (Incarnation(u128::from(generation)), self.now);
        let written = self.database.head_number();
        let input = match request {
            Request::Load => Input::Loaded((!away).then(|| self.database.load())),
            Request::Read(after) => Input::Read(after, (!away).then(|| self.database.read(after))),
            Request::Append(sequence, ..) if away => Input::Appended(sequence, Reply::Away),
            Request::Append(sequence, changes, unless_heard) => {
                let reply = self
                    .database
                    .append(now, node, sequence, changes.into_iter(), unless_heard);
                Input::Appended(sequence, reply)
            }
            Request::Beat(begun, _) if away => Input::Beaten(begun, Beaten::Away),
            Request::Beat(begun, applied) => Input::Beaten(begun, self.database.beat(node, applied)),
        };
        if self.database.head_number() > written {
            for other in 0..NODES {
                self.notify(other);
            }
        }
        // A connection that is gone is noticed late.
        let back = self.dice.millis(if away { 3_000 } else { 12 });
        self.after(back, Event::Hears(place, generation, input));
    }

    /// Some of it is lost.
    fn notify(&mut self, place: usize) {
        let Some(process) = self.places[place].as_ref().filter(|process| !process.cut) else {
            return;
        };
        let generation = process.generation;
        let told = match self.database.last() {
            Some(batch) if !self.dice.once_in(3) => Told::Batch(Box::new(batch)),
            _ => Told::Number(self.database.head_number()),
        };
        if !self.dice.once_in(12) {
            let way = self.dice.millis(40);
            self.after(way, Event::Hears(place, generation, Input::Told(told)));
        }
    }
}
