//! Estimates, case by case, on a paused clock. `simulated` asks whether they come true.

use std::time::Duration;

use tokio::time::advance;

use super::support::*;
use crate::queue::{Outcome, Queue, StartRange};

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
