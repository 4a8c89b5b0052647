//! Whether estimates come true, and grow more exact: simulated services on a paused clock. The dice are loaded the same way
//! each time, so the figures are too. (`cargo xtask bench estimates` reports the like.)

use std::{sync::Arc, sync::Mutex, time::Duration};

use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use super::support::*;
use crate::queue::{Outcome, Permit, Queue, StartRange, Ticket};

/// Starts that should fall into the range shown at joining.
const INSIDE: f64 = 0.8;
/// Turns that are over before the first ticket counts.
const SEEN: u128 = 20;
/// The ways to come, and how many runs of each it takes: those of one burst share their luck.
const RUNS: [(Arrivals, u64); 2] = [(bursts, 100), (steady, 8)];
/// Runs in which every step of a ticket is watched, which takes long.
const WATCHED: u64 = 2;
const SLOTS: [usize; 3] = [1, 3, 8];

/// A service time in seconds from a number between 0 and 1; two seconds on average, or nearly.
type Service = fn(f64) -> f64;

fn constant(_: f64) -> f64 {
    2.0
}

fn exponential(unit: f64) -> f64 {
    -2.0 * unit.ln()
}

/// Pareto with finite variance: one in a hundred takes six times as long as the shortest.
fn long_tailed(unit: f64) -> f64 {
    1.2 * unit.powf(-1.0 / 2.5)
}

/// How tickets come, 80 of them: the seconds until the next one comes after so many.
type Arrivals = fn(number: u128, slots: usize, unit: f64) -> f64;
const TICKETS: u128 = 80;

fn bursts(number: u128, _: usize, unit: f64) -> f64 {
    if number == 40 || number == 60 { 3.0 + unit } else { 0.0 }
}

/// At random, a little faster than they can be served.
fn steady(_: u128, slots: usize, unit: f64) -> f64 {
    -1.8 / slots as f64 * unit.ln()
}

/// SplitMix64 (Steele, Lea, Flood 2014): neighbouring seeds have nothing in common.
struct Dice(u64);

impl Dice {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        ((mixed >> 33) as f64 + 0.5) / (1_u64 << 31) as f64
    }
}

/// What a ticket was shown while it waited.
struct Shown {
    at_joining: StartRange,
    started: Duration,
    /// The width of the range when it first stood at a position, in seconds.
    widths: Vec<(u64, f64)>,
}

impl Shown {
    fn holds(&self) -> bool {
        (self.at_joining.low..=self.at_joining.high).contains(&self.started)
    }

    fn width_at(&self, position: u64) -> Option<f64> {
        let at = self.widths.iter().find(|(known, _)| *known == position);
        at.map(|(_, width)| *width)
    }
}

/// How somebody works.
#[derive(Clone, Copy)]
struct Work {
    /// How often a slot is held for it. In between it is parked.
    parts: u32,
    /// Seconds of each part.
    held: f64,
    /// Seconds between two.
    parked: f64,
}

/// Somebody joins, looks at its place (once, or whenever something changes), and works. What it saw counts if it had to wait.
async fn visit(queue: Queue, owner: u128, work: Work, watches: bool, seen: Arc<Mutex<Vec<Shown>>>) {
    let mut ticket = join(&queue, A, owner);
    for _ in 1..work.parts {
        let permit = wait(&queue, &mut ticket, watches, &seen).await;
        sleep(Duration::from_secs_f64(work.held)).await;
        ticket = permit.park();
        sleep(Duration::from_secs_f64(work.parked)).await;
        ticket.resume();
    }
    let permit = wait(&queue, &mut ticket, watches, &seen).await;
    sleep(Duration::from_secs_f64(work.held)).await;
    permit.finish(Outcome::Done);
}

/// Waits for a slot.
async fn wait(queue: &Queue, ticket: &mut Ticket, watches: bool, seen: &Mutex<Vec<Shown>>) -> Permit {
    let (joined, id) = (Instant::now(), ticket.id());
    let mut changes = queue.changes();
    let (mut at_joining, mut widths) = (None, Vec::new());
    let permit = loop {
        if let Some(standing) = queue.standing(id)
            && let Some(range) = standing.estimate
            && widths.last().is_none_or(|(last, _)| *last != standing.position)
        {
            at_joining = at_joining.or(Some(range));
            widths.push((standing.position, (range.high - range.low).as_secs_f64()));
        }
        tokio::select! {
            biased;
            permit = ticket.admitted() => break permit.unwrap(),
            () = changes.changed(), if watches => {}
        }
    };
    if let Some(at_joining) = at_joining {
        let started = joined.elapsed();
        seen.lock().unwrap().push(Shown {
            at_joining,
            started,
            widths,
        });
    }
    permit
}

/// What those saw who joined once 20 turns were over.
async fn shown(service: Service, arrivals: Arrivals, parts: u32, slots: usize, watches: bool, seed: u64) -> Vec<Shown> {
    let (queue, _) = queue(policy(&[slots]));
    let mut dice = Dice(seed << 32);
    let seen = Arc::new(Mutex::new(Vec::new()));
    for (first, last) in [(0, SEEN), (SEEN, SEEN + TICKETS)] {
        seen.lock().unwrap().clear();
        let mut visits = JoinSet::new();
        for owner in first..last {
            let held = service(dice.unit()) / f64::from(parts);
            let parked = if parts > 1 { exponential(dice.unit()) } else { 0.0 };
            let work = Work { parts, held, parked };
            visits.spawn(visit(queue.clone(), owner, work, watches, Arc::clone(&seen)));
            let pause = arrivals(owner - first + 1, slots, dice.unit());
            if pause > 0.0 {
                sleep(Duration::from_secs_f64(pause)).await;
            }
        }
        while let Some(visit) = visits.join_next().await {
            visit.unwrap();
        }
    }
    drop(queue);
    Arc::into_inner(seen).unwrap().into_inner().unwrap()
}

/// The part of the starts that fell into the range shown at joining: the least of all ways to come.
async fn part_inside(service: Service, parts: u32) -> f64 {
    let mut least = 1.0_f64;
    for (arrivals, runs) in RUNS {
        let (mut inside, mut all) = (0, 0);
        for slots in SLOTS {
            for seed in 1..=runs {
                let shown = shown(service, arrivals, parts, slots, false, seed).await;
                inside += shown.iter().filter(|shown| shown.holds()).count();
                all += shown.len();
            }
        }
        assert!(all > 1_200, "{all} were shown an estimate");
        least = least.min(inside as f64 / all as f64);
    }
    least
}

/// The mean widths that the same tickets were shown as they moved up, from the head on.
fn widths(all: &[Shown], positions: [u64; 4]) -> [f64; 4] {
    let widths = all.iter().map(|shown| positions.map(|at| shown.width_at(at)));
    let whole: Vec<[f64; 4]> = widths.filter_map(|[a, b, c, d]| Some([a?, b?, c?, d?])).collect();
    assert!(whole.len() > 200, "{} came by all of {positions:?}", whole.len());
    std::array::from_fn(|at| whole.iter().map(|widths| widths[at]).sum::<f64>() / whole.len() as f64)
}

/// The range of a ticket narrows as it moves up, and by much.
async fn narrows(service: Service) {
    let mut all = Vec::new();
    for (arrivals, _) in RUNS {
        for slots in SLOTS {
            for seed in 1..=WATCHED {
                all.extend(shown(service, arrivals, 1, slots, true, seed).await);
            }
        }
    }
    let widths = widths(&all, [1, 3, 8, 16]);
    assert!(widths.is_sorted_by(|near, far| near < far), "{widths:?}");
    assert!(widths[0] > 0.0 && widths[0] < widths[3] / 2.0, "{widths:?}");
}

#[tokio::test(start_paused = true)]
async fn constant_services_start_when_they_were_said_to() {
    let inside = part_inside(constant, 1).await;
    assert!(inside > 0.99, "{inside}");
    narrows(constant).await;
}

#[tokio::test(start_paused = true)]
async fn exponential_services_start_within_the_range() {
    let inside = part_inside(exponential, 1).await;
    assert!(inside >= INSIDE, "{inside}");
    narrows(exponential).await;
}

#[tokio::test(start_paused = true)]
async fn long_tailed_services_start_within_the_range() {
    let inside = part_inside(long_tailed, 1).await;
    assert!(inside >= INSIDE, "{inside}");
    narrows(long_tailed).await;
}

/// Those who come back from where they were parked are told as much of the truth.
#[tokio::test(start_paused = true)]
async fn services_in_parts_start_within_the_range_each_time() {
    let inside = part_inside(exponential, 3).await;
    assert!(inside >= INSIDE, "{inside}");
}
