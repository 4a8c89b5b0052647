//! Simulated servers with a capacity that is to be found.

use std::{cmp::Reverse, collections::BinaryHeap, collections::VecDeque};

use proptest::{
    prelude::*,
    test_runner::{RngAlgorithm, TestRng},
};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn kind() -> Kind {
    Kind::new(0, 100)
}

impl Auto {
    /// One of so many begins and its first part comes, so long after; another has ended meanwhile.
    fn goes(&mut self, kind: Kind, running: usize, took: Duration, now: Instant) {
        let mut started = self.start(kind, running, false);
        self.ends += 1;
        self.shown(&mut started, took, running, now);
        self.over(&mut started);
    }
}

#[test]
fn it_climbs_only_where_it_was_reached() {
    let now = Instant::now();
    let mut auto = Auto::default();
    auto.goes(kind(), 1, SECOND, now);
    assert_eq!(auto.limit(), 1, "nothing was usual yet");
    auto.goes(kind(), 1, SECOND, now);
    assert_eq!(auto.limit(), 2);
    for _ in 0..10 {
        auto.goes(kind(), 1, SECOND, now + SECOND);
    }
    assert_eq!(auto.limit(), 2, "one at a time says nothing of two");
    auto.goes(kind(), 2, SECOND, now + SECOND);
    assert_eq!(auto.limit(), 3);
}

#[test]
fn a_burst_of_refusals_is_one_step_and_it_cools_for_ten_seconds_after() {
    let now = Instant::now();
    let mut auto = Auto {
        limit: 8,
        ..Auto::default()
    };
    auto.goes(kind(), 1, SECOND, now);
    let burst = [(); 5].map(|()| auto.start(kind(), 8, false));
    for mut started in burst {
        auto.refused(started, now);
        auto.over(&mut started);
    }
    assert_eq!(auto.limit(), 7);
    for (after, limit) in [(1, 7), (9, 7), (10, 8)] {
        // However certain it is.
        let mut well = auto.start(kind(), auto.limit(), false);
        auto.shown(&mut well, SECOND, 7, now + after * SECOND);
        assert_eq!(auto.limit(), limit, "after {after} s");
    }
    for _ in 0..2 {
        let lonely = auto.start(kind(), 1, false);
        auto.refused(lonely, now);
    }
    assert_eq!(auto.limit(), 1, "never none");
}

#[test]
fn a_late_first_part_counts_against_what_questions_of_that_length_take() {
    let now = Instant::now();
    let mut auto = Auto::default();
    let (short, long) = (Kind::new(0, 2_000), Kind::new(0, 200_000));
    for _ in 0..2 {
        for (kind, took) in [(short, SECOND / 5), (long, 8 * SECOND)] {
            auto.goes(kind, 1, took, now);
        }
    }
    auto.limit = 4;
    auto.goes(long, 3, 9 * SECOND, now);
    assert_eq!(auto.limit(), 4);
    auto.goes(Kind::new(1, 2_000), 3, 9 * SECOND, now);
    assert_eq!(auto.limit(), 4, "another model: nothing is known of it");
    auto.goes(short, 4, SECOND, now);
    assert_eq!(auto.limit(), 3);
}

/// A server that answers while none of its other answers ends answers all of them at once: that is no luck.
#[test]
fn where_nobody_has_made_room_one_that_goes_well_is_enough_and_need_not_be_waited_for() {
    let now = Instant::now();
    let mut auto = Auto {
        limit: 4,
        wanted: SURE,
        missing: SURE,
        ..Auto::default()
    };
    auto.goes(kind(), 1, SECOND, now);
    let mut made_room = auto.start(kind(), 4, false);
    auto.ends += 1;
    auto.shown(&mut made_room, SECOND, 4, now);
    let mut among_nodes = auto.start(kind(), 4, true);
    auto.shown(&mut among_nodes, SECOND, 4, now);
    assert_eq!(auto.limit(), 4, "another node's may have");
    for limit in [5, 6, 7] {
        let mut certain = auto.start(kind(), auto.limit(), false);
        auto.shown(&mut certain, SECOND, limit, now);
        assert_eq!(auto.limit(), limit);
    }
}

/// The server has fewer slots than before: whoever is late, and those that still are from before, wait in its line.
#[test]
fn it_falls_to_what_the_server_answers_where_several_wait_there_one_after_the_other() {
    let now = Instant::now();
    let mut auto = Auto {
        limit: 8,
        ..Auto::default()
    };
    auto.goes(kind(), 1, SECOND / 10, now);
    // All at once is one fault, as of a server that is busy for a moment.
    let mut together = [(); 3].map(|()| auto.start(kind(), 8, false));
    together.iter_mut().for_each(|started| auto.late(started, 8, now));
    assert_eq!(auto.limit(), 7);
    let mut next = auto.start(kind(), 7, false);
    auto.late(&mut next, 7, now);
    assert_eq!(auto.limit(), 3, "four of the seven wait");
    // Those whose first parts come, or who go, wait no more.
    for started in &mut together {
        auto.over(started);
    }
    auto.shown(&mut next, 2 * SECOND, 4, now);
    let mut again = auto.start(kind(), 3, false);
    auto.late(&mut again, 3, now);
    assert_eq!(auto.limit(), 2);
    let mut elsewhere = auto.start(kind(), 9, true);
    auto.late(&mut elsewhere, 1, now);
    assert_eq!(auto.limit(), 1, "what runs at other nodes is not known: one step");
}

/// What a server does with more requests than it has slots for.
#[derive(Clone, Copy, Debug)]
enum Server {
    Refuses,
    HasALine,
}

/// A server with its slots, and clients that always have one more question.
struct Simulated {
    server: Server,
    capacity: usize,
    first: Duration,
    answer: Duration,
    auto: Auto,
    now: Instant,
    /// Ends of answers that the server works on, and arrivals of those that wait there.
    working: BinaryHeap<Reverse<(Instant, u64)>>,
    line: VecDeque<u64>,
    /// First parts on their way.
    firsts: BinaryHeap<Reverse<(Instant, u64)>>,
    started: HashMap<u64, (Instant, Started)>,
    /// When those that wait there are late.
    late: Vec<(Instant, u64)>,
    /// Lengths are drawn with these, or go round where there are none.
    dice: Option<TestRng>,
    ids: u64,
    refused: u64,
}

impl Simulated {
    fn running(&self) -> usize {
        self.working.len() + self.line.len()
    }

    /// Answers differ, so that not all end together.
    fn varied(&mut self, length: Duration, id: u64) -> Duration {
        let part = match &mut self.dice {
            Some(dice) => 0.7 + 0.6 * f64::from(dice.next_u32()) / f64::from(u32::MAX),
            None => [0.7, 1.1, 0.9, 1.3, 1.0, 0.8, 1.2][id as usize % 7],
        };
        length.mul_f64(part)
    }

    fn work(&mut self, id: u64) {
        let first = self.now + self.varied(self.first, id);
        let end = first + self.varied(self.answer, id);
        self.working.push(Reverse((end, id)));
        self.firsts.push(Reverse((first, id)));
    }

    /// As many as the limit allows are asked.
    fn ask(&mut self) {
        // A refusal lets nobody ask again before something has happened, as a ticket that is back in line.
        while self.running() < self.auto.limit() {
            let mut started = self.auto.start(kind(), self.running() + 1, false);
            self.ids += 1;
            match self.server {
                Server::Refuses if self.working.len() >= self.capacity => {
                    self.refused += 1;
                    self.auto.refused(started, self.now);
                    self.auto.over(&mut started);
                    return;
                }
                Server::Refuses | Server::HasALine => {}
            }
            self.started.insert(self.ids, (self.now, started));
            let late = self.auto.late_after(started);
            self.late.extend(late.map(|late| (self.now + late, self.ids)));
            if self.working.len() < self.capacity {
                self.work(self.ids);
            } else {
                self.line.push_back(self.ids);
            }
        }
    }

    /// Runs for so long, and tells how far the limit was from the capacity at most, from `settled` on.
    fn run(&mut self, settled: Duration, length: Duration) -> usize {
        let (settled, end) = (self.now + settled, self.now + length);
        let mut farthest = 0;
        self.ask();
        loop {
            let first = self.firsts.peek().map(|Reverse((at, _))| *at);
            let done = self.working.peek().map(|Reverse((at, _))| *at);
            let late = self.late.iter().map(|(at, _)| *at).min();
            let Some(next) = [first, done, late]
                .into_iter()
                .flatten()
                .min()
                .filter(|next| *next < end)
            else {
                self.now = end;
                return farthest;
            };
            self.now = next;
            let running = self.running();
            if first == Some(next) {
                let Some(Reverse((_, id))) = self.firsts.pop() else {
                    unreachable!()
                };
                self.late.retain(|(_, other)| *other != id);
                if let Some((arrived, started)) = self.started.get_mut(&id) {
                    self.auto.shown(started, next - *arrived, running, next);
                }
            } else if late == Some(next) {
                for (_, id) in self.late.extract_if(.., |(at, _)| *at <= next) {
                    if let Some((_, started)) = self.started.get_mut(&id) {
                        self.auto.late(started, running, next);
                    }
                }
            } else {
                let Some(Reverse((_, id))) = self.working.pop() else {
                    unreachable!()
                };
                if let Some((_, mut started)) = self.started.remove(&id) {
                    self.auto.over(&mut started);
                }
                if self.working.len() < self.capacity
                    && let Some(id) = self.line.pop_front()
                {
                    self.work(id);
                }
            }
            self.ask();
            if self.now >= settled {
                farthest = farthest.max(self.auto.limit().abs_diff(self.capacity));
            }
        }
    }
}

fn simulated(server: Server, capacity: usize, first: Duration, answer: Duration) -> Simulated {
    Simulated {
        dice: None,
        server,
        capacity,
        first,
        answer,
        auto: Auto::default(),
        now: Instant::now(),
        working: BinaryHeap::new(),
        line: VecDeque::new(),
        firsts: BinaryHeap::new(),
        started: HashMap::new(),
        late: Vec::new(),
        ids: 0,
        refused: 0,
    }
}

const SETTLED: Duration = Duration::from_secs(60);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_capacity_of_a_server_that_refuses_is_found_within_a_minute_and_found_again(
        before in 1..=32_usize,
        after in 1..=32_usize,
        first_ms in 20..1200_u64,
        answer_ms in 500..8000_u64,
    ) {
        let [first, answer] = [first_ms, answer_ms].map(Duration::from_millis);
        let mut simulated = simulated(Server::Refuses, before, first, answer);
        prop_assert!(simulated.run(SETTLED, 5 * SETTLED) <= 1);
        let refused = simulated.refused;
        prop_assert!(refused <= 30, "one in ten seconds at most: {}", refused);
        simulated.capacity = after;
        prop_assert!(simulated.run(SETTLED, 5 * SETTLED) <= 1, "{} of {after}", simulated.auto.limit());
    }

    #[test]
    fn so_is_that_of_a_server_which_has_a_line_of_its_own(
        before in 1..=8_usize,
        after in 1..=8_usize,
        first_ms in 20..300_u64,
        answer_ms in 500..3000_u64,
        seed in prop::option::of(any::<[u8; 32]>()),
    ) {
        // What waits there waits for one slot of its many.
        let answer = Duration::from_millis(answer_ms) * u32::try_from(before.max(after)).unwrap_or(1);
        let mut simulated = simulated(Server::HasALine, before, Duration::from_millis(first_ms), answer);
        simulated.dice = seed.map(|seed| TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
        prop_assert!(simulated.run(SETTLED, 5 * SETTLED) <= 1, "{} of {before}", simulated.auto.limit());
        simulated.capacity = after;
        prop_assert!(simulated.run(SETTLED, 5 * SETTLED) <= 1, "{} of {after}", simulated.auto.limit());
    }
}
