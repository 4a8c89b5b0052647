//! A process at a site: its node, what it knows of the server, and the attempts that it makes there.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::*,
    site::{Event, MILLI, SECOND, Site},
};
use crate::{
    agents::backends::{
        auto::Kind,
        known::{Attempt, Known},
    },
    nodes::{Answer, Ask, Change, Input, Node, Replica, Working},
    queue::{
        InForce, TicketId,
        machine::{Command, Time},
    },
};

/// What becomes of an attempt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Arrives,
    Refused,
    Shown,
    Late,
    Ends,
}

pub(super) struct Asking {
    working: Working,
    attempt: Attempt,
    /// The server works on it.
    taken: bool,
}

pub(super) struct Process {
    pub(super) node: Node,
    pub(super) generation: u64,
    /// Cut from the database.
    pub(super) cut: bool,
    pub(super) known: Known,
    /// What it has been told to be in force; `None`: it does not hear of that yet.
    pub(super) told: Option<InForce>,
    pub(super) asking: BTreeMap<TicketId, Asking>,
    pub(super) joins: BTreeSet<Ask>,
    says: BTreeSet<Ask>,
    pub(super) woken: Option<Time>,
}

impl Process {
    pub(super) fn new(node: Node, generation: u64) -> Self {
        Self {
            node,
            generation,
            cut: false,
            known: Known::default(),
            told: None,
            asking: BTreeMap::new(),
            joins: BTreeSet::new(),
            says: BTreeSet::new(),
            woken: None,
        }
    }
}

impl Site<'_> {
    /// A node is asked by its process, which does not wait for it.
    pub(super) fn ask(&mut self, place: usize, change: Change) -> Ask {
        self.asks += 1;
        let ask = Ask(self.asks);
        if let Some(process) = &self.places[place] {
            self.after(0, Event::Hears(place, process.generation, Input::Ask(ask, change)));
        }
        ask
    }

    pub(super) fn answered(&mut self, place: usize, generation: u64, ask: Ask, answer: Answer) {
        let Some(process) = self.process(place, generation) else {
            return;
        };
        process.joins.remove(&ask);
        if process.says.remove(&ask) && answer.is_err() {
            self.hear(place, generation, true);
        }
    }

    /// A process hears what is in force. `again`: what it has said may have been lost.
    pub(super) fn hear(&mut self, place: usize, generation: u64, again: bool) {
        let now = self.clock();
        let Some(process) = self.process(place, generation) else {
            return;
        };
        let me = process.node.incarnation();
        let in_force = process
            .node
            .known()
            .and_then(|replica| replica.throttles(me).first().copied());
        let Some(in_force) = in_force else { return };
        if process.told.replace(in_force) != Some(in_force) || again {
            process.known.hear(in_force, now);
            self.tell(place, generation);
        }
    }

    /// A process tells the line what it knows of the server, if that is news.
    pub(super) fn tell(&mut self, place: usize, generation: u64) {
        let now = self.clock();
        let Some(process) = self.process(place, generation) else {
            return;
        };
        let known = &mut process.known;
        let news = known.news(true, true, now);
        let before = std::mem::replace(&mut known.told, news);
        let set = known.heard.map(|heard| heard.set);
        if set.is_none() {
            known.told.throttle = None;
        }
        let after = known.told;
        if let (Some(throttle), Some(known)) = (after.throttle, set)
            && before.throttle != after.throttle
        {
            let ask = self.ask(
                place,
                Change::Throttle {
                    backend: ONE,
                    throttle,
                    known,
                },
            );
            if let Some(process) = &mut self.places[place] {
                process.says.insert(ask);
            }
            self.note("said");
        }
        if let Some(until) = after.until.filter(|_| before.until != after.until) {
            let nanos = i64::try_from((until - now).as_nanos()).unwrap_or(i64::MAX / 4);
            self.after(nanos, Event::PauseOver(place, generation));
        }
    }

    pub(super) fn begin(&mut self, place: usize, generation: u64, ticket: TicketId, working: Working) {
        let now = self.clock();
        let Some(process) = self.process(place, generation) else {
            return;
        };
        let Some(attempt) = process.known.begin(kind(), everywhere(&process.node), now) else {
            self.ask(place, Change::Ticket(working.job, Command::StartBack { ticket }));
            return;
        };
        let late = process.known.late_at(&attempt);
        let asking = Asking {
            working,
            attempt,
            taken: false,
        };
        assert!(process.asking.insert(ticket, asking).is_none(), "it was not under way");
        self.tell(place, generation);
        let mut step = |nanos, step| self.after(nanos, Event::Goes(place, generation, ticket, working, step));
        step(MILLI, Step::Arrives);
        if let Some(late) = late {
            step(
                i64::try_from((late - now).as_nanos()).unwrap_or(i64::MAX / 4),
                Step::Late,
            );
        }
    }

    pub(super) fn goes(&mut self, place: usize, generation: u64, ticket: TicketId, working: Working, step: Step) {
        let (now, capacity) = (self.clock(), self.capacity);
        let taken = self.places.iter().flatten().flat_map(|process| process.asking.values());
        let taken = taken.filter(|asking| asking.taken).count();
        let first = 50 * MILLI + self.dice.millis(200);
        let length = SECOND + (self.dice.below(5_000) as i64) * MILLI;
        let jitter = self.dice.below(1_000) as f64 / 1_000.0;
        let Some(process) = self.process(place, generation) else {
            return;
        };
        let all = everywhere(&process.node);
        let Some(asking) = process
            .asking
            .get_mut(&ticket)
            .filter(|asking| asking.working == working)
        else {
            return;
        };
        let next = |nanos, step| (nanos, Event::Goes(place, generation, ticket, working, step));
        let (followed, command) = match step {
            Step::Arrives if taken < capacity => {
                asking.taken = true;
                (Some(next(first, Step::Shown)), None)
            }
            Step::Arrives => (Some(next(MILLI, Step::Refused)), None),
            Step::Shown => {
                process.known.shown(&mut asking.attempt, now);
                (Some(next(length, Step::Ends)), None)
            }
            Step::Late if asking.attempt.first.is_some() => return,
            Step::Late => {
                process.known.late(&mut asking.attempt, now);
                (None, None)
            }
            Step::Refused => {
                process
                    .known
                    .failed(&mut asking.attempt, &busy(None), true, all, now, jitter);
                (None, Some(Command::StartBack { ticket }))
            }
            Step::Ends => {
                process.known.answered(&mut asking.attempt, Answered::default(), now);
                (None, Some(Command::Release { ticket, worked: true }))
            }
        };
        if command.is_some() {
            process.asking.remove(&ticket);
        }
        self.tell(place, generation);
        if let Some((nanos, event)) = followed {
            self.after(nanos, event);
        }
        if let Some(command) = command {
            self.note(if step == Step::Refused { "refused" } else { "answered" });
            self.ask(place, Change::Ticket(working.job, command));
        }
    }

    pub(super) fn halt(&mut self, place: usize, generation: u64, ticket: TicketId) {
        let Some(process) = self.process(place, generation) else {
            return;
        };
        // It may have been given back before it was begun.
        if let Some(mut asking) = process.asking.remove(&ticket) {
            process.known.left(&mut asking.attempt);
            self.note("halted");
            self.tell(place, generation);
        }
    }
}

/// All questions are alike.
fn kind() -> Kind {
    Kind::new(0, 100)
}

/// How many tickets the server has on all nodes, as one of them knows.
fn everywhere(node: &Node) -> Option<usize> {
    let replica: &Replica = node.known()?;
    Some(replica.machine().backends().next()?.running)
}
