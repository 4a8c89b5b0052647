//! Simulated servers with a capacity that is to be found.

use std::{cmp::Reverse, collections::BinaryHeap, collections::VecDeque};

use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn kind() -> Kind {
    Kind::new(0, 100)
}

#[test]
fn it_climbs_only_where_it_was_reached() {
    let now = Instant::now();
    let mut auto = Auto::default();
    let first = auto.start(kind(), 1);
    auto.shown(first, SECOND, now);
    assert_eq!(auto.limit(), 1, "nothing was usual yet");
    let second = auto.start(kind(), 1);
    auto.shown(second, SECOND, now);
    assert_eq!(auto.limit(), 2);
    for _ in 0..10 {
        let one = auto.start(kind(), 1);
        auto.shown(one, SECOND, now + SECOND);
    }
    assert_eq!(auto.limit(), 2, "one at a time says nothing of two");
    let both = auto.start(kind(), 2);
    auto.shown(both, SECOND, now + SECOND);
    assert_eq!(auto.limit(), 3);
}

#[test]
fn a_burst_of_refusals_is_one_step_and_it_cools_for_ten_seconds_after() {
    let now = Instant::now();
    let mut auto = Auto {
        limit: 8,
        ..Auto::default()
    };
    let learnt = auto.start(kind(), 1);
    auto.shown(learnt, SECOND, now);
    let burst = [(); 5].map(|()| auto.start(kind(), 8));
    for started in burst {
        auto.refused(started, now);
    }
    assert_eq!(auto.limit(), 7);
    for (after, limit) in [(1, 7), (9, 7), (10, 8)] {
        let well = auto.start(kind(), auto.limit());
        auto.shown(well, SECOND, now + after * SECOND);
        assert_eq!(auto.limit(), limit, "after {after} s");
    }
    let lonely = auto.start(kind(), 1);
    auto.refused(lonely, now);
    let lonely = auto.start(kind(), 1);
    auto.refused(lonely, now);
    assert_eq!(auto.limit(), 1, "never none");
}

#[test]
fn a_late_first_part_counts_against_what_questions_of_that_length_take() {
    let now = Instant::now();
    let mut auto = Auto::default();
    let (short, long) = (Kind::new(0, 2_000), Kind::new(0, 200_000));
    for _ in 0..2 {
        for (kind, took) in [(short, SECOND / 5), (long, 8 * SECOND)] {
            let alone = auto.start(kind, 1);
            auto.shown(alone, took, now);
        }
    }
    auto.limit = 4;
    let usual = auto.start(long, 3);
    auto.shown(usual, 9 * SECOND, now);
    assert_eq!(auto.limit(), 4);
    let other = auto.start(Kind::new(1, 2_000), 3);
    auto.shown(other, 9 * SECOND, now);
    assert_eq!(auto.limit(), 4, "another model: nothing is known of it");
    let late = auto.start(short, 3);
    auto.shown(late, SECOND, now);
    assert_eq!(auto.limit(), 3);
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
    working: BinaryHeap<Reverse<Instant>>,
    line: VecDeque<(Instant, Started)>,
    /// First parts on their way.
    firsts: BinaryHeap<Reverse<(Instant, u64)>>,
    started: HashMap<u64, (Instant, Started)>,
    /// When those that wait there are late.
    late: Vec<(Instant, Started)>,
    ids: u64,
    refused: u64,
}

impl Simulated {
    fn running(&self) -> usize {
        self.working.len() + self.line.len()
    }

    /// Answers differ, so that not all end together.
    fn varied(&self, length: Duration) -> Duration {
        length.mul_f64([0.7, 1.1, 0.9, 1.3, 1.0, 0.8, 1.2][self.ids as usize % 7])
    }

    fn work(&mut self, arrived: Instant, started: Started) {
        self.ids += 1;
        let first = self.now + self.varied(self.first);
        self.working.push(Reverse(first + self.varied(self.answer)));
        self.firsts.push(Reverse((first, self.ids)));
        self.started.insert(self.ids, (arrived, started));
    }

    /// As many as the limit allows are asked.
    fn ask(&mut self) {
        // A refusal lets nobody ask again before something has happened, as a ticket that is back in line.
        while self.running() < self.auto.limit() {
            let started = self.auto.start(kind(), self.running() + 1);
            match self.server {
                _ if self.working.len() < self.capacity => self.work(self.now, started),
                Server::HasALine => {
                    self.line.push_back((self.now, started));
                    let late = self.auto.late_after(started);
                    self.late.extend(late.map(|late| (self.now + late, started)));
                }
                Server::Refuses => {
                    self.refused += 1;
                    self.auto.refused(started, self.now);
                    return;
                }
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
            let done = self.working.peek().map(|Reverse(at)| *at);
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
            if late == Some(next) {
                for (_, started) in self.late.extract_if(.., |(at, _)| *at <= next) {
                    self.auto.late(started, next);
                }
            } else if first == Some(next) {
                let Some(Reverse((_, id))) = self.firsts.pop() else {
                    unreachable!()
                };
                if let Some((arrived, started)) = self.started.remove(&id) {
                    self.auto.shown(started, next - arrived, next);
                }
            } else {
                self.working.pop();
                if self.working.len() < self.capacity
                    && let Some((arrived, started)) = self.line.pop_front()
                {
                    self.work(arrived, started);
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
    ) {
        // What waits there waits for one slot of its many.
        let answer = Duration::from_millis(1500) * u32::try_from(before.max(after)).unwrap_or(1);
        let mut simulated = simulated(Server::HasALine, before, Duration::from_millis(first_ms), answer);
        prop_assert!(simulated.run(SETTLED, 5 * SETTLED) <= 1);
        simulated.capacity = after;
        prop_assert!(simulated.run(2 * SETTLED, 5 * SETTLED) <= 1, "{} of {after}", simulated.auto.limit());
    }
}
