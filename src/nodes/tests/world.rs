//! A small world of nodes, a database, callers and bad luck, in which time is a number.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use super::{database::Database, dice::Dice};
use crate::{
    nodes::{Ask, Beaten, Change, Incarnation, Input, Job, Node, Number, Output, Peer, Replica, Reply, Told, Working},
    queue::{EventPolicy, Owner, Policy, TicketId, machine::Time},
};

pub(super) const NODES: usize = 3;
pub(super) const SECOND: i64 = 1_000_000_000;
/// Callers come, and things go wrong, for so long.
pub(super) const TROUBLE: i64 = 60 * SECOND;
/// By then all that was accepted must be over.
const END: i64 = TROUBLE + 400 * SECOND;
/// A node that answers nothing is given up by its caller after so long.
pub(super) const PATIENCE: i64 = 8 * SECOND;

/// What the world may do.
#[derive(Clone, Copy)]
pub(super) struct Luck {
    /// Something goes wrong about every so many milliseconds; 0: never.
    pub(super) trouble: u64,
    /// A standby may take over that lacks the last transactions.
    pub(super) failover: bool,
    /// How many jobs there are.
    pub(super) jobs: u64,
}

/// What has been seen in all runs: a world in which nothing happens proves nothing.
#[derive(Default, Debug)]
pub(super) struct Seen {
    pub(super) counts: BTreeMap<&'static str, u64>,
}

impl Seen {
    pub(super) fn note(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }
}

pub(super) enum Event {
    /// Something reaches a process; nothing, if that process is no more.
    Hears(usize, u64, Input),
    /// A request reaches the database.
    Asked(usize, u64, Request),
    /// Work ends by itself.
    Worked(usize, u64, TicketId, Working),
    Wake(usize, u64),
    /// Somebody wants something done.
    Wants(Job, Owner),
    /// Somebody has waited long enough for a node's word.
    Impatient(Job, Owner),
    /// Somebody does not want it any more.
    Cancels(Job),
    /// What a job was parked for may be there.
    Resumes(Job),
    Trouble,
    Start(usize),
    Goes(usize),
    Connected(usize),
    DatabaseBack,
}

pub(super) enum Request {
    Load,
    Read(Number),
    Append(u64, Vec<Change>, Option<Peer>),
    Beat(Time, Number),
}

pub(super) struct Process {
    pub(super) node: Node,
    /// Counts the starts at this place.
    pub(super) generation: u64,
    /// Stopped, as by SIGSTOP: it hears what has come when it goes on.
    pub(super) stopped: bool,
    pub(super) heard: Vec<Event>,
    /// Cut from the database.
    pub(super) cut: bool,
    /// What its clock shows beside the world's.
    pub(super) skew: i64,
    pub(super) asks: BTreeMap<Ask, Job>,
    pub(super) works: BTreeMap<TicketId, Working>,
    pub(super) woken: Option<Time>,
}

pub(super) struct World<'a> {
    pub(super) dice: Dice,
    pub(super) luck: Luck,
    pub(super) now: Time,
    pub(super) limit: usize,
    pub(super) events: BinaryHeap<Due>,
    pub(super) order: u64,
    pub(super) database: Database,
    pub(super) places: Vec<Option<Process>>,
    pub(super) generations: u64,
    pub(super) asks: u64,
    /// Where each caller's request is, as far as the caller knows.
    pub(super) wanted: BTreeMap<Job, Option<usize>>,
    /// What a failover has lost.
    pub(super) lost: BTreeSet<Job>,
    /// Until then nodes may still work on what a standby knows nothing of.
    pub(super) unsure: Time,
    pub(super) firsts: BTreeMap<TicketId, u64>,
    /// Where each job was that has been parked.
    pub(super) parked: BTreeMap<Job, usize>,
    /// Tickets that have paused, and come back to the front.
    pub(super) paused: BTreeSet<TicketId>,
    pub(super) seen: &'a mut Seen,
    pub(super) traced: bool,
    pub(super) trace: Vec<String>,
}

pub(super) struct Due(Time, u64, Event);

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.1 == other.1
    }
}
impl Eq for Due {}
impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (other.0, other.1).cmp(&(self.0, self.1))
    }
}

impl<'a> World<'a> {
    pub(super) fn new(seed: u64, luck: Luck, traced: bool, seen: &'a mut Seen) -> Self {
        let mut dice = Dice(seed);
        let limit = 1 + dice.below(3) as usize;
        let policy = Policy::new([EventPolicy::new("chat", limit)]);
        Self {
            dice,
            luck,
            now: Time(0),
            limit,
            events: BinaryHeap::new(),
            order: 0,
            database: Database::new(&policy, luck.failover),
            places: (0..NODES).map(|_| None).collect(),
            generations: 0,
            asks: 0,
            wanted: BTreeMap::new(),
            lost: BTreeSet::new(),
            unsure: Time(i64::MIN),
            firsts: BTreeMap::new(),
            parked: BTreeMap::new(),
            paused: BTreeSet::new(),
            seen,
            traced,
            trace: Vec::new(),
        }
    }

    /// Lets it all happen.
    ///
    /// # Panics
    /// If a promise is broken, with what has led to it.
    pub(super) fn run(mut self) {
        for place in 0..NODES {
            let after = self.dice.millis(500);
            self.after(after, Event::Start(place));
        }
        for job in 1..=self.luck.jobs {
            let at = self.dice.below(TROUBLE as u64 * 2 / 3) as i64;
            let owner = Owner(u128::from(self.dice.below(6)));
            self.after(at, Event::Wants(Job(u128::from(job)), owner));
            if self.dice.once_in(6) {
                let later = self.dice.millis(20_000);
                self.after(at + later, Event::Cancels(Job(u128::from(job))));
            }
        }
        self.plan_trouble();
        while let Some(Due(at, _, event)) = self.events.pop() {
            if at.0 > END || (at.0 > TROUBLE && self.is_over()) {
                break;
            }
            self.now = at;
            self.happen(event);
            self.check_limit();
        }
        self.check_end();
    }

    pub(super) fn after(&mut self, nanos: i64, event: Event) {
        self.order += 1;
        self.events.push(Due(Time(self.now.0 + nanos), self.order, event));
    }

    pub(super) fn tell(&mut self, what: impl FnOnce() -> String) {
        if self.traced {
            let line = format!("{:>9.3} {}", self.now.0 as f64 / 1e9, what());
            self.trace.push(line);
        }
    }

    pub(super) fn fail(&self, what: &str) -> ! {
        panic!("{what}\n{}", self.trace.join("\n"));
    }

    pub(super) fn happen(&mut self, event: Event) {
        match event {
            Event::Hears(place, generation, input) => self.hears(place, generation, input),
            Event::Asked(place, generation, request) => self.asked(place, generation, request),
            Event::Worked(place, generation, ticket, working) => self.worked(place, generation, ticket, working),
            Event::Wake(place, generation) => self.wake(place, generation),
            Event::Wants(job, owner) => self.wants(job, owner),
            Event::Impatient(job, owner) => {
                // It may have been accepted all the same: sending it again does no harm.
                let waits = self.wanted.get(&job).is_some_and(Option::is_some);
                if waits && !self.database.accepted().contains_key(&job) {
                    self.seen.note("sent again");
                    self.wants(job, owner);
                }
            }
            Event::Cancels(job) => self.cancels(job),
            Event::Resumes(job) => self.resumes(job),
            Event::Trouble => self.trouble(),
            Event::Start(place) => self.start(place),
            Event::Goes(place) => self.goes(place),
            Event::Connected(place) => {
                if let Some(process) = &mut self.places[place] {
                    process.cut = false;
                }
            }
            Event::DatabaseBack => self.database.away = false,
        }
    }

    fn start(&mut self, place: usize) {
        if self.places[place].is_some() {
            return;
        }
        if self.database.away {
            self.after(SECOND, Event::Start(place));
            return;
        }
        self.generations += 1;
        let generation = self.generations;
        let skew = self.dice.below(100_000) as i64 * SECOND;
        let mut out = Vec::new();
        let incarnation = Incarnation(u128::from(generation));
        if self.database.register(incarnation, place) > 0 {
            self.seen.note("place taken");
        }
        let node = Node::new(incarnation, None, Time(self.now.0 + skew), &mut out);
        self.places[place] = Some(Process {
            node,
            generation,
            stopped: false,
            heard: Vec::new(),
            cut: false,
            skew,
            asks: BTreeMap::new(),
            works: BTreeMap::new(),
            woken: None,
        });
        self.seen.note("started");
        self.tell(|| format!("{place}: starts as {incarnation:?}"));
        self.carry_out(place, out);
    }

    /// The process at a place, if it is still the same.
    pub(super) fn process(&mut self, place: usize, generation: u64) -> Option<&mut Process> {
        self.places[place]
            .as_mut()
            .filter(|process| process.generation == generation)
    }

    pub(super) fn hears(&mut self, place: usize, generation: u64, input: Input) {
        let now = self.now;
        let Some(process) = self.process(place, generation) else {
            return;
        };
        if process.stopped {
            process.heard.push(Event::Hears(place, generation, input));
            return;
        }
        let mut out = Vec::new();
        let before = process.node.replica().map(Replica::applied);
        process.node.handle(Time(now.0 + process.skew), input, &mut out);
        let after = process.node.replica().map(Replica::applied);
        if before != after {
            self.check_copy(place);
        }
        self.carry_out(place, out);
    }

    fn wake(&mut self, place: usize, generation: u64) {
        if let Some(process) = self.process(place, generation) {
            process.woken = None;
            self.hears(place, generation, Input::Woke);
        }
    }

    fn carry_out(&mut self, place: usize, out: Vec<Output>) {
        let Some(process) = &self.places[place] else { return };
        let generation = process.generation;
        for output in out {
            self.tell(|| format!("{place}: {output:?}"));
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
                Output::Beat(applied) => {
                    let begun = Time(self.now.0 + self.places[place].as_ref().map_or(0, |process| process.skew));
                    self.request(place, generation, Request::Beat(begun, applied));
                }
                Output::Answer(ask, answer) => self.answered(place, generation, ask, answer),
                Output::Work(ticket, working) => self.work(place, generation, ticket, working),
                Output::Halt(ticket) => {
                    self.seen.note("halted");
                    let process = self.places[place].as_mut();
                    if process.and_then(|process| process.works.remove(&ticket)).is_none() {
                        self.fail("what is ended was begun");
                    }
                }
                Output::Left(..) | Output::PassedOn | Output::Moved | Output::Throttled => {}
                Output::Over => {
                    self.seen.note("fenced");
                    if self.places[place]
                        .take()
                        .is_some_and(|process| !process.works.is_empty())
                    {
                        self.fail("a node that is over works on");
                    }
                    let pause = self.dice.millis(2_000);
                    self.after(pause, Event::Start(place));
                    return;
                }
            }
        }
        let Some(process) = &mut self.places[place] else { return };
        let at = process.node.wake_at();
        let at = Time((at.0 - process.skew).max(self.now.0 + 1_000_000));
        if process.woken.is_none_or(|woken| at < woken) {
            process.woken = Some(at);
            let nanos = at.0 - self.now.0;
            if at.0 <= END {
                self.after(nanos, Event::Wake(place, generation));
            }
        }
    }

    fn request(&mut self, place: usize, generation: u64, request: Request) {
        let way = self.dice.millis(12);
        self.after(way, Event::Asked(place, generation, request));
    }

    fn asked(&mut self, place: usize, generation: u64, request: Request) {
        let cut = match self.process(place, generation) {
            Some(process) => process.cut,
            // What a process sent before it was killed arrives.
            None => false,
        };
        let away = cut || self.database.away;
        // A reply may be lost with its connection, after the commit.
        let silent = self.luck.trouble > 0 && self.now.0 < TROUBLE && self.dice.once_in(60);
        let node = Incarnation(u128::from(generation));
        let now = self.now;
        let written = self.database.head_number();
        let input = match request {
            Request::Load => Input::Loaded((!away && !silent).then(|| self.database.load())),
            Request::Read(after) => Input::Read(after, (!away && !silent).then(|| self.database.read(after))),
            Request::Append(sequence, changes, unless_heard) => {
                let mut reply = Reply::Away;
                if !away {
                    reply = self
                        .database
                        .append(now, node, sequence, changes.into_iter(), unless_heard);
                }
                if silent && reply != Reply::Away {
                    self.seen.note("reply lost");
                    reply = Reply::Away;
                }
                Input::Appended(sequence, reply)
            }
            Request::Beat(begun, applied) => {
                let mut beaten = Beaten::Away;
                if !away {
                    beaten = self.database.beat(node, applied);
                }
                Input::Beaten(begun, if silent { Beaten::Away } else { beaten })
            }
        };
        let head = self.database.head_number();
        if head > written {
            self.check_firsts();
            for other in 0..NODES {
                self.notify(other);
            }
        }
        // A connection that is gone is noticed late.
        let back = if away {
            self.dice.millis(3_000)
        } else {
            self.dice.millis(12)
        };
        self.after(back, Event::Hears(place, generation, input));
    }

    fn notify(&mut self, place: usize) {
        let Some(process) = &self.places[place] else { return };
        let (generation, cut) = (process.generation, process.cut);
        // Some hear only that there is something.
        let told = match self.database.last() {
            Some(batch) if !self.dice.once_in(3) => Told::Batch(Box::new(batch)),
            _ => Told::Number(self.database.head_number()),
        };
        let times = match self.dice.below(12) {
            0 => 0,
            1 => 2,
            _ => 1,
        };
        for _ in 0..times {
            let way = self.dice.millis(40);
            if !cut {
                self.after(way, Event::Hears(place, generation, Input::Told(told.clone())));
            }
        }
    }
}
