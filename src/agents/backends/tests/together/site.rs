//! Nodes, a database, a server and those who want something of it, in which time is a number.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{
    super::*,
    Seen,
    process::{Process, Step},
    ways::Request,
};
use crate::{
    nodes::{
        Change, Input, Job, Working,
        tests::{database::Database, dice::Dice},
    },
    queue::{BackendPolicy, PoolIndex, PoolPolicy, Throttle, TicketId, machine::Time},
};

pub(super) const SECOND: i64 = 1_000_000_000;
pub(super) const MILLI: i64 = 1_000_000;
/// Tickets that wait or run at any time: more than any server here takes.
const CROWD: usize = 16;
pub(super) const NODES: usize = 3;
/// Kinds of things that are seen.
pub(super) const KINDS: usize = 12;

pub(super) enum Event {
    /// Something reaches a process; nothing, if that process is no more.
    Hears(usize, u64, Input),
    /// A request reaches the database.
    Asked(usize, u64, Request),
    Wake(usize, u64),
    /// A pause of the server's may be over.
    PauseOver(usize, u64),
    /// Something happens to an attempt, if it still is under way.
    Goes(usize, u64, TicketId, Working, Step),
    Crowd,
    Trouble,
    Start(usize),
    Connected(usize),
    DatabaseBack,
}

struct Due(Time, u64, Event);

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
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
        (self.0, self.1).cmp(&(other.0, other.1))
    }
}

pub(super) struct Site<'a> {
    pub(super) dice: Dice,
    begun: Instant,
    pub(super) now: Time,
    events: BinaryHeap<Reverse<Due>>,
    order: u64,
    pub(super) database: Database,
    pub(super) places: Vec<Option<Process>>,
    pub(super) generations: u64,
    pub(super) asks: u64,
    jobs: u128,
    /// How many the server takes at once.
    pub(super) capacity: usize,
    /// Whether more come, and whether things go wrong.
    crowded: bool,
    pub(super) troubled: bool,
    seen: &'a mut Seen,
}

/// One server, whose limit is found out, and nothing else that bounds what runs.
fn one_server() -> Policy {
    let mut policy = no_policy();
    policy.backends.push(BackendPolicy {
        name: "one".to_owned(),
        limit: None,
        weight: 1,
    });
    policy.pools.push(PoolPolicy {
        name: "m@gpu".to_owned(),
        backends: vec![ONE],
    });
    policy
}

impl<'a> Site<'a> {
    pub(super) fn new(seed: u64, seen: &'a mut Seen) -> Self {
        let mut site = Self {
            dice: Dice(seed),
            begun: Instant::now(),
            now: Time(0),
            events: BinaryHeap::new(),
            order: 0,
            database: Database::new(&one_server(), false),
            places: (0..NODES).map(|_| None).collect(),
            generations: 0,
            asks: 0,
            jobs: 0,
            capacity: 0,
            crowded: true,
            troubled: false,
            seen,
        };
        for place in 0..NODES {
            let after = site.dice.millis(500);
            site.after(after, Event::Start(place));
        }
        site.after(0, Event::Crowd);
        site
    }

    pub(super) fn note(&mut self, what: &'static str) {
        *self.seen.entry(what).or_default() += 1;
    }

    pub(super) fn after(&mut self, nanos: i64, event: Event) {
        self.order += 1;
        self.events
            .push(Reverse(Due(Time(self.now.0 + nanos), self.order, event)));
    }

    /// What runs at the server goes on there; of what comes it takes as many as the dice say.
    pub(super) fn another_server(&mut self) {
        let before = self.capacity;
        self.capacity = 2 + self.dice.below(8) as usize;
        if before > 0 {
            self.note(if self.capacity < before { "shrunk" } else { "grown" });
        }
    }

    /// Goes on for so long, with trouble or without.
    pub(super) fn go_on(&mut self, nanos: i64, troubled: bool) {
        self.troubled = troubled;
        if troubled {
            self.plan_trouble();
        }
        self.until(Time(self.now.0 + nanos), |_| false);
    }

    /// Goes on for so long, and tells how far the limit was from what the server takes, at most.
    pub(super) fn off_by(&mut self, nanos: i64) -> usize {
        let mut most = 0;
        self.until(Time(self.now.0 + nanos), |site| {
            most = most.max(site.limit().unwrap_or(usize::MAX).abs_diff(site.capacity));
            false
        });
        most
    }

    /// Lets all that is there come to its end.
    pub(super) fn empty(&mut self) {
        self.crowded = false;
        let deadline = Time(self.now.0 + 600 * SECOND);
        self.until(deadline, |site| site.is_empty());
        assert!(self.is_empty(), "somebody waits for ever");
        // What was said last reaches all.
        self.until(Time(self.now.0 + 20 * SECOND), |_| false);
    }

    fn is_empty(&self) -> bool {
        let joins = self.places.iter().flatten().any(|process| !process.joins.is_empty());
        !joins && self.database.truth().tickets().next().is_none()
    }

    /// Lets happen what does, with a look after each, until one that says so or the time comes.
    fn until(&mut self, end: Time, mut look: impl FnMut(&Self) -> bool) {
        while self.events.peek().is_some_and(|Reverse(due)| due.0 <= end) {
            let Some(Reverse(Due(at, _, event))) = self.events.pop() else {
                break;
            };
            self.now = at;
            let before = (self.running(), self.limit());
            self.happen(event);
            self.check(before);
            if look(self) {
                return;
            }
        }
        self.now = end;
    }

    fn running(&self) -> usize {
        self.database.truth().machine().running()
    }

    /// What is in force; `None`: nothing has been said yet.
    fn limit(&self) -> Option<usize> {
        self.database.truth().machine().backends().next()?.limit
    }

    fn check(&self, (ran, limit): (usize, Option<usize>)) {
        let runs = self.running();
        let most = self.limit().max(limit).unwrap_or(usize::MAX);
        assert!(runs <= ran.max(most), "{runs} run where {most} may, and {ran} did");
        let asked: usize = self.places.iter().flatten().map(|process| process.asking.len()).sum();
        assert!(asked <= runs, "{asked} are asked for {runs} that run");
    }

    /// Each node that is there goes by what is in force, and that is what one of them has found.
    pub(super) fn check_agreed(&self) {
        let limit = self.limit();
        for process in self.places.iter().flatten() {
            let me = process.node.incarnation();
            let in_force = self.database.truth().throttles(me)[0];
            assert_eq!(process.told, Some(in_force), "{me:?}");
            assert_eq!(Some(in_force.throttle), limit.map(Throttle::Found), "{me:?}");
            assert_eq!(Some(process.known.auto.limit()), limit, "{me:?}");
        }
    }

    pub(super) fn clock(&self) -> Instant {
        self.begun + Duration::from_nanos(self.now.0.unsigned_abs())
    }

    pub(super) fn process(&mut self, place: usize, generation: u64) -> Option<&mut Process> {
        self.places[place]
            .as_mut()
            .filter(|process| process.generation == generation)
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Hears(place, generation, input) => self.hears(place, generation, input),
            Event::Asked(place, generation, request) => self.asked(place, generation, request),
            Event::Wake(place, generation) => {
                if let Some(process) = self.process(place, generation) {
                    process.woken = None;
                    self.hears(place, generation, Input::Woke);
                }
            }
            Event::PauseOver(place, generation) => self.tell(place, generation),
            Event::Goes(place, generation, ticket, working, step) => {
                self.goes(place, generation, ticket, working, step);
            }
            Event::Crowd => self.crowd(),
            Event::Trouble => self.trouble(),
            Event::Start(place) => self.start(place),
            Event::Connected(place) => {
                if let Some(process) = &mut self.places[place] {
                    process.cut = false;
                }
            }
            Event::DatabaseBack => self.database.away = false,
        }
    }

    /// As many as there are to be wait or run. They come to whichever nodes know of the server.
    fn crowd(&mut self) {
        if !self.crowded {
            return;
        }
        let ready = |process: &Process| process.told.is_some() && !process.node.footing(Time(0)).leaving;
        let there: Vec<usize> = (0..NODES)
            .filter(|place| self.places[*place].as_ref().is_some_and(ready))
            .collect();
        let joins: usize = self.places.iter().flatten().map(|process| process.joins.len()).sum();
        let held = self.database.truth().tickets().count();
        // Before anything has been said of it, it would get all at once.
        let known = self.limit().is_some();
        for _ in held + joins..CROWD {
            let Some(place) = there
                .get(self.dice.below(there.len() as u64) as usize)
                .filter(|_| known)
            else {
                break;
            };
            self.jobs += 1;
            let change = Change::Join {
                job: Job(self.jobs),
                work: Work {
                    event: EventIndex(0),
                    pool: Some(PoolIndex(0)),
                    prefers: None,
                },
                owner: Owner(self.jobs),
                joined: None,
            };
            let ask = self.ask(*place, change);
            if let Some(process) = &mut self.places[*place] {
                process.joins.insert(ask);
            }
        }
        self.after(100 * MILLI, Event::Crowd);
    }
}
