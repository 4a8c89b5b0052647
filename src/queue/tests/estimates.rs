//! Estimates, under simulated services on a paused clock. The dice are loaded the same way each time, so the figures are too.

use std::{sync::Arc, sync::Mutex, time::Duration};

use tokio::{
    task::JoinSet,
    time::{Instant, advance, sleep},
};

use super::support::*;
use crate::queue::{Outcome, Queue, StartRange};

/// Starts that should fall into the range shown at joining.
const INSIDE: f64 = 0.8;
const SEEDS: u64 = 20;

/// A service time in seconds from a number between 0 and 1.
type Service = fn(f64) -> f64;

fn constant(_: f64) -> f64 {
    2.0
}

fn exponential(unit: f64) -> f64 {
    -2.0 * unit.ln()
}

/// Pareto with finite variance: one in a hundred takes six times as long as the shortest.
fn long_tailed(unit: f64) -> f64 {
    unit.powf(-1.0 / 2.5)
}

struct Dice(u64);

impl Dice {
    fn unit(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as f64 + 0.5) / (1_u64 << 31) as f64
    }
}

#[derive(Clone, Copy)]
struct Shown {
    range: StartRange,
    position: u64,
    started: Duration,
}

impl Shown {
    fn holds(&self) -> bool {
        (self.range.low..=self.range.high).contains(&self.started)
    }
}

/// Somebody joins, looks at the estimate, waits, and works.
async fn visit(queue: Queue, owner: u128, held: f64, seen: Arc<Mutex<Vec<Shown>>>) {
    let mut ticket = join(&queue, A, owner);
    let joined = Instant::now();
    let standing = queue.standing(ticket.id());
    let permit = ticket.admitted().await.unwrap();
    if let Some(standing) = standing
        && let Some(range) = standing.estimate
    {
        let shown = Shown {
            range,
            position: standing.position,
            started: joined.elapsed(),
        };
        seen.lock().unwrap().push(shown);
    }
    sleep(Duration::from_secs_f64(held)).await;
    permit.finish(Outcome::Done);
}

/// What was shown to those who joined once 24 had been served: some at once, some while others ran.
async fn shown(service: Service, slots: usize, seed: u64) -> Vec<Shown> {
    let (queue, _) = queue(policy(&[slots]));
    let mut dice = Dice(seed);
    for _ in 0..5 {
        dice.unit();
    }
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut owner = 0;
    for (wave, visitors) in [24, 40, 20, 20].into_iter().enumerate() {
        let mut visits = JoinSet::new();
        for _ in 0..visitors {
            owner += 1;
            let held = service(dice.unit());
            visits.spawn(visit(queue.clone(), owner, held, Arc::clone(&seen)));
        }
        if wave == 0 || wave == 3 {
            while let Some(visit) = visits.join_next().await {
                visit.unwrap();
            }
        } else {
            visits.detach_all();
            sleep(Duration::from_secs_f64(3.0 + dice.unit())).await;
        }
        if wave == 0 {
            seen.lock().unwrap().clear();
        }
    }
    // The last wave is behind the others in the line, so all have started.
    let seen = seen.lock().unwrap();
    seen.clone()
}

async fn part_inside(service: Service) -> f64 {
    let (mut inside, mut all) = (0, 0);
    for seed in 1..=SEEDS {
        for slots in [1, 3, 8] {
            let shown = shown(service, slots, seed).await;
            inside += shown.iter().filter(|shown| shown.holds()).count();
            all += shown.len();
        }
    }
    assert!(all > 4_000, "{all} were shown an estimate");
    f64::from(inside as u32) / f64::from(all as u32)
}

#[tokio::test(start_paused = true)]
async fn constant_services_start_when_they_were_said_to() {
    let inside = part_inside(constant).await;
    assert!(inside > 0.99, "{inside}");
}

#[tokio::test(start_paused = true)]
async fn exponential_services_start_within_the_range() {
    let inside = part_inside(exponential).await;
    assert!(inside >= INSIDE, "{inside}");
}

#[tokio::test(start_paused = true)]
async fn long_tailed_services_start_within_the_range() {
    let inside = part_inside(long_tailed).await;
    assert!(inside >= INSIDE, "{inside}");
}

#[tokio::test(start_paused = true)]
async fn ranges_are_narrower_near_the_head_and_say_something() {
    let mut widths = [0.0; 4];
    for seed in 1..=SEEDS {
        for shown in shown(exponential, 3, seed).await {
            let width = (shown.range.high - shown.range.low).as_secs_f64();
            match shown.position {
                1..=2 => widths[0] += width,
                9..=10 => widths[1] += width,
                29..=30 => widths[2] += width,
                41..=42 => widths[3] += width,
                _ => {}
            }
        }
    }
    assert!(widths.is_sorted() && widths[0] > 0.0, "{widths:?}");
}

/// `served` past services of so many seconds each, one after the other.
async fn after(limits: &[usize], served: &[f64]) -> Queue {
    let (queue, _) = queue(policy(limits));
    for held in served {
        let permit = start(&queue, A, 0);
        advance(Duration::from_secs_f64(*held)).await;
        permit.finish(Outcome::Failed);
    }
    queue
}

fn about(range: Option<StartRange>, seconds: f64) -> bool {
    let range = range.expect("it is known");
    let near = |end: Duration| (end.as_secs_f64() - seconds).abs() <= 0.03 * seconds + 0.05;
    near(range.low) && near(range.high)
}

#[tokio::test(start_paused = true)]
async fn unknown_until_three_services_have_been_seen() {
    for (served, known) in [(0, false), (2, false), (3, true)] {
        let queue = after(&[1], &vec![1.0; served]).await;
        assert_eq!(
            queue.line_of(A).estimate.map(|range| range.high),
            Some(Duration::ZERO),
            "a slot is free"
        );
        let _running = start(&queue, A, 1);
        let ticket = join(&queue, A, 2);
        assert_eq!(
            queue.standing(ticket.id()).unwrap().estimate.is_some(),
            known,
            "{served}"
        );
        assert_eq!(queue.line_of(A).estimate.is_some(), known);
    }
}

#[tokio::test(start_paused = true)]
async fn what_has_run_already_counts() {
    let queue = after(&[1], &[10.0; 8]).await;
    let _running = start(&queue, A, 1);
    advance(Duration::from_secs(7)).await;
    let tickets: Vec<_> = (2..5).map(|owner| join(&queue, A, owner)).collect();
    for (ticket, seconds) in tickets.iter().zip([3.0, 13.0, 23.0]) {
        assert!(about(queue.standing(ticket.id()).unwrap().estimate, seconds));
    }
    assert!(about(queue.line_of(A).estimate, 33.0), "for one who joins now");
    advance(Duration::from_secs(2)).await;
    assert!(about(queue.standing(tickets[0].id()).unwrap().estimate, 1.0));
}

#[tokio::test(start_paused = true)]
async fn far_places_are_extrapolated() {
    let queue = after(&[2], &[1.0; 8]).await;
    let _running = [start(&queue, A, 1), start(&queue, A, 2)];
    let tickets: Vec<_> = (10..2_010).map(|owner| join(&queue, A, owner)).collect();
    for place in [1, 31, 32, 33, 500, 2_000_usize] {
        let estimate = queue.standing(tickets[place - 1].id()).unwrap().estimate;
        assert!(about(estimate, place.div_ceil(2) as f64), "{place}: {estimate:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn more_slots_or_fewer_change_the_estimate() {
    let queue = after(&[1], &[10.0; 8]).await;
    let _running = start(&queue, A, 1);
    let tickets: Vec<_> = (2..8).map(|owner| join(&queue, A, owner)).collect();
    assert!(about(queue.standing(tickets[5].id()).unwrap().estimate, 60.0));
    queue.retune(policy(&[2]));
    // The first of them runs now.
    assert!(about(queue.standing(tickets[5].id()).unwrap().estimate, 30.0));
    queue.retune(policy(&[1]));
    // Two run where one may: the first to end makes room for nobody.
    assert!(about(queue.standing(tickets[5].id()).unwrap().estimate, 50.0));
}

#[tokio::test(start_paused = true)]
async fn events_that_share_a_line_keep_their_own_times() {
    let (queue, _) = queue(shared(policy(&[1, 1]), &[Some("gpu"), Some("gpu")]));
    for (event, held) in [(A, 1), (B, 9), (A, 1), (B, 9), (A, 1), (B, 9)] {
        let permit = start(&queue, event, 0);
        advance(Duration::from_secs(held)).await;
        permit.finish(Outcome::Done);
    }
    let _running = start(&queue, A, 1);
    let tickets: Vec<_> = [A, B, A]
        .into_iter()
        .zip(2..)
        .map(|(event, owner)| join(&queue, event, owner))
        .collect();
    for (ticket, seconds) in tickets.iter().zip([1.0, 2.0, 11.0]) {
        assert!(about(queue.standing(ticket.id()).unwrap().estimate, seconds));
    }
}

#[tokio::test(start_paused = true)]
async fn a_line_without_a_slot_under_the_overall_cap_waits_for_the_others() {
    let mut capped = policy(&[1, 1]);
    capped.max_running = Some(1);
    let (queue, _) = queue(capped);
    for event in [A, A, A, B, B, B] {
        let permit = start(&queue, event, 0);
        advance(Duration::from_secs(4)).await;
        permit.finish(Outcome::Done);
    }
    let _running = start(&queue, A, 1);
    let ticket = join(&queue, B, 2);
    assert!(about(queue.standing(ticket.id()).unwrap().estimate, 4.0));
}
