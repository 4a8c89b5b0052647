//! Pools and back ends, rule by rule.

use std::time::Duration;

use tokio::time::{Instant, advance};

use super::support::*;
use crate::queue::{
    BackendIndex, BackendPolicy, Balance, EventPolicy, LeaveReason, Order, Outcome, Owner, Permit, Policy, PoolIndex,
    PoolPolicy, Queue, Ticket, Work,
};

const ONE: BackendIndex = BackendIndex(0);
const TWO: BackendIndex = BackendIndex(1);

/// Event `a` with these pools, each of them back ends by their places, and back ends with these limits.
pub(super) fn pools(pools: &[&[u32]], limits: &[usize]) -> Policy {
    let named = |name: usize| name.to_string();
    Policy {
        pools: (0..)
            .zip(pools)
            .map(|(name, backends)| PoolPolicy {
                name: named(name),
                backends: backends.iter().copied().map(BackendIndex).collect(),
            })
            .collect(),
        backends: (0..)
            .zip(limits)
            .map(|(name, limit)| BackendPolicy {
                name: named(name),
                limit: Some(*limit),
                weight: 1,
            })
            .collect(),
        ..Policy::new([EventPolicy {
            limit: None,
            pooled: true,
            ..EventPolicy::new("a", 1)
        }])
    }
}

fn of_pool(pool: u32) -> Work {
    Work {
        pool: Some(PoolIndex(pool)),
        ..A.into()
    }
}

pub(super) fn join_pool(queue: &Queue, pool: u32, owner: u128) -> Ticket {
    queue.join(of_pool(pool), Owner(owner), Instant::now()).unwrap()
}

pub(super) fn start_in(queue: &Queue, pool: u32, owner: u128) -> Permit {
    take(&mut join_pool(queue, pool, owner))
}

fn running(queue: &Queue) -> Vec<usize> {
    queue.backends().into_iter().map(|backend| backend.running).collect()
}

/// Slots in use, and slots there are, of the only limit.
fn slots(queue: &Queue) -> (usize, Option<usize>) {
    let limits = queue.limits();
    (limits[0].running, limits[0].limit)
}

#[tokio::test]
async fn the_back_end_is_chosen_when_the_ticket_starts() {
    let (queue, _) = queue(pools(&[&[0, 1]], &[1, 1]));
    let one = start_in(&queue, 0, 1);
    let two = start_in(&queue, 0, 2);
    assert_eq!((one.backend(), two.backend()), (Some(ONE), Some(TWO)));
    let mut waiting = join_pool(&queue, 0, 3);
    assert!(waits(&mut waiting));
    two.finish(Outcome::Done);
    assert_eq!(take(&mut waiting).backend(), Some(TWO), "the one that came free");
}

#[tokio::test]
async fn a_full_pool_holds_up_no_other() {
    let (queue, _) = queue(pools(&[&[0], &[1]], &[1, 1]));
    let _full = start_in(&queue, 0, 1);
    let waiting: Vec<_> = (2..9).map(|owner| join_pool(&queue, 0, owner)).collect();
    let other = start_in(&queue, 1, 9);
    assert_eq!(other.backend(), Some(TWO));
    assert_eq!(positions(&queue, &waiting), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(queue.line_of(of_pool(1)).waiting, 0);
}

#[tokio::test]
async fn a_pool_without_a_back_end_waits_and_keeps_its_order() {
    let (queue, _) = queue(pools(&[&[0]], &[1]));
    queue.throttle(ONE, Some(0));
    let mut waiting: Vec<_> = (1..4).map(|owner| join_pool(&queue, 0, owner)).collect();
    assert_eq!(positions(&queue, &waiting), [1, 2, 3]);
    assert_eq!(queue.line_of(of_pool(0)).estimate, None, "nobody knows");
    queue.throttle(ONE, Some(1));
    let _probe = take(&mut waiting[0]);
    queue.throttle(ONE, None);
    assert_eq!(positions(&queue, &waiting[1..]), [1, 2]);
}

#[tokio::test]
async fn one_back_end_is_counted_once_for_all_its_pools() {
    let (queue, _) = queue(pools(&[&[0], &[0]], &[2]));
    let _small = start_in(&queue, 0, 1);
    let _large = start_in(&queue, 1, 2);
    assert!(waits(&mut join_pool(&queue, 0, 3)));
    assert!(waits(&mut join_pool(&queue, 1, 4)));
    assert_eq!(running(&queue), [2]);
    assert_eq!(slots(&queue), (2, Some(2)));
}

#[tokio::test]
async fn a_limit_has_the_slots_of_its_back_ends_where_they_are_fewer_than_its_own() {
    let policy = pools(&[&[0, 1], &[1]], &[2, 3]);
    let (queue, _) = queue(policy.clone());
    assert_eq!(slots(&queue), (0, Some(5)), "those of two pools once");
    let _running = start_in(&queue, 1, 1);
    let mut capped = policy;
    capped.events[0].limit = Some(4);
    queue.retune(capped);
    assert_eq!(slots(&queue), (1, Some(4)));
    queue.throttle(TWO, Some(0));
    assert_eq!(slots(&queue), (1, Some(2)));
}

/// Somebody has sent many messages to one model; another one asks another model of the same server once.
#[tokio::test]
async fn owners_take_turns_between_the_lines_of_one_back_end() {
    let (queue, _) = queue(pools(&[&[0], &[0]], &[1]));
    let mut permit = start_in(&queue, 0, 1);
    let mut burst: Vec<_> = (0..20).map(|_| join_pool(&queue, 0, 1)).collect();
    let mut other = join_pool(&queue, 1, 2);
    let mut before = 0;
    while waits(&mut other) {
        permit.finish(Outcome::Done);
        if waits(&mut other) {
            permit = take(&mut burst.remove(0));
            before += 1;
        } else {
            break;
        }
    }
    assert_eq!(before, 1, "one ticket of the burst a round");
}

#[tokio::test]
async fn plain_arrival_counts_between_lines_too() {
    let policy = Policy {
        order: Order::Fifo,
        ..pools(&[&[0], &[0]], &[1])
    };
    let (queue, _) = queue(policy);
    let permit = start_in(&queue, 0, 1);
    let mut first: Vec<_> = (0..3).map(|_| join_pool(&queue, 0, 1)).collect();
    let mut other = join_pool(&queue, 1, 2);
    permit.finish(Outcome::Done);
    for ticket in &mut first {
        take(ticket).finish(Outcome::Done);
    }
    take(&mut other);
}

#[tokio::test]
async fn the_limit_of_the_event_caps_all_pools() {
    let mut policy = pools(&[&[0], &[1]], &[2, 2]);
    policy.events[0].limit = Some(3);
    let (queue, _) = queue(policy);
    let _running = [start_in(&queue, 0, 1), start_in(&queue, 0, 2), start_in(&queue, 1, 3)];
    assert!(waits(&mut join_pool(&queue, 1, 4)));
    let line = queue.line_of(of_pool(1));
    assert_eq!((line.running, line.limit), (1, Some(2)));
}

#[tokio::test]
async fn a_ticket_prefers_its_back_end_while_that_has_at_most_one_more() {
    let (queue, _) = queue(pools(&[&[0, 1]], &[9, 9]));
    let join = |prefers| {
        let work = Work { prefers, ..of_pool(0) };
        take(&mut queue.join(work, Owner(1), Instant::now()).unwrap())
    };
    let held: Vec<_> = (0..3).map(|_| join(Some(TWO))).collect();
    let backends: Vec<_> = held.iter().filter_map(Permit::backend).collect();
    assert_eq!(backends, [TWO, TWO, ONE], "then the other one has less to do");
}

#[tokio::test]
async fn each_balance_does_as_it_says() {
    let order = |balance| {
        let mut policy = pools(&[&[0, 1]], &[9, 9]);
        policy.balance = balance;
        policy.backends[0].weight = 2;
        let (queue, _) = queue(policy);
        let held: Vec<_> = (0..6).map(|_| start_in(&queue, 0, 1)).collect();
        held.iter()
            .filter_map(|permit| permit.backend())
            .map(|backend| backend.0)
            .collect::<Vec<_>>()
    };
    assert_eq!(order(Balance::RoundRobin), [0, 1, 0, 1, 0, 1]);
    assert_eq!(order(Balance::Weighted), [0, 1, 0, 0, 1, 0]);
    assert_eq!(order(Balance::LeastLoaded).iter().filter(|at| **at == 0).count(), 4);
}

#[tokio::test(start_paused = true)]
async fn among_equals_the_faster_one_is_chosen() {
    let (queue, _) = queue(pools(&[&[0, 1]], &[1, 1]));
    for (held, backend) in [(9, ONE), (3, TWO)] {
        let permit = start_in(&queue, 0, 1);
        assert_eq!(
            permit.backend(),
            Some(backend),
            "one that nothing is known of is tried first"
        );
        advance(Duration::from_secs(held)).await;
        permit.finish(Outcome::Done);
    }
    assert_eq!(start_in(&queue, 0, 1).backend(), Some(TWO));
}

#[tokio::test]
async fn a_ticket_whose_back_end_has_failed_is_at_the_front_again() {
    let (queue, recorder) = queue(pools(&[&[0, 1]], &[1, 1]));
    let first = start_in(&queue, 0, 1);
    let other = start_in(&queue, 0, 2);
    let waiting: Vec<_> = (3..5).map(|owner| join_pool(&queue, 0, owner)).collect();
    queue.throttle(ONE, Some(0));
    let mut back = first.start_back();
    assert!(waits(&mut back), "the other one is busy");
    assert_eq!(position(&queue, &back), Some(1));
    assert_eq!(positions(&queue, &waiting), [2, 3]);
    other.finish(Outcome::Done);
    let permit = take(&mut back);
    assert_eq!(permit.backend(), Some(TWO));
    assert_eq!(
        recorder.started.load(std::sync::atomic::Ordering::SeqCst),
        2,
        "counted once"
    );
}

#[tokio::test]
async fn a_ticket_avoids_the_back_end_that_has_failed_unless_only_that_has_room() {
    let (queue, _) = queue(pools(&[&[0, 1]], &[2, 1]));
    let permit = start_in(&queue, 0, 1);
    assert_eq!(permit.backend(), Some(ONE));
    let permit = take(&mut permit.start_back());
    assert_eq!(permit.backend(), Some(TWO));
    let busy = start_in(&queue, 0, 2);
    assert_eq!(busy.backend(), Some(ONE));
    let again = take(&mut busy.start_back());
    assert_eq!(again.backend(), Some(ONE), "no slot is idle while a ticket waits");
}

#[tokio::test]
async fn a_ticket_that_comes_back_to_a_closed_queue_has_left() {
    let (queue, _) = queue(pools(&[&[0]], &[1]));
    let permit = start_in(&queue, 0, 1);
    queue.close();
    assert_eq!(left(&mut permit.start_back()), LeaveReason::Closed);
    assert_eq!(running(&queue), [0]);
}

#[tokio::test]
async fn who_chooses_another_pool_passes_nobody_there() {
    let (queue, _) = queue(pools(&[&[0], &[1]], &[1, 1]));
    let _running = [start_in(&queue, 0, 1), start_in(&queue, 1, 2)];
    let there: Vec<_> = (3..5).map(|owner| join_pool(&queue, 1, owner)).collect();
    let moving = join_pool(&queue, 0, 5);
    let behind = join_pool(&queue, 0, 6);
    assert!(queue.change_pool(moving.id(), PoolIndex(1)));
    assert_eq!(position(&queue, &moving), Some(3));
    assert_eq!(positions(&queue, &there), [1, 2]);
    assert_eq!(position(&queue, &behind), Some(1));
    assert!(!queue.change_pool(moving.id(), PoolIndex(1)), "it is there already");
}

#[tokio::test]
async fn who_chooses_a_pool_with_a_free_slot_starts() {
    let (queue, _) = queue(pools(&[&[0], &[1]], &[1, 1]));
    let _running = start_in(&queue, 0, 1);
    let mut moving = join_pool(&queue, 0, 2);
    assert!(queue.change_pool(moving.id(), PoolIndex(1)));
    assert_eq!(take(&mut moving).backend(), Some(TWO));
}

#[tokio::test]
async fn a_back_end_that_is_drained_finishes_and_gets_no_more() {
    let (queue, _) = queue(pools(&[&[0, 1]], &[1, 1]));
    let (one, two) = (start_in(&queue, 0, 1), start_in(&queue, 0, 2));
    let mut waiting = join_pool(&queue, 0, 3);
    let drained = pools(&[&[1]], &[1, 1]);
    queue.retune(drained);
    one.finish(Outcome::Done);
    assert!(waits(&mut waiting));
    two.finish(Outcome::Done);
    assert_eq!(take(&mut waiting).backend(), Some(TWO));
}

#[tokio::test]
async fn pools_and_back_ends_that_a_policy_lacks_get_no_more_tickets() {
    let (queue, _) = queue(pools(&[&[0], &[1]], &[1, 1]));
    let running = start_in(&queue, 1, 1);
    let mut waiting = join_pool(&queue, 1, 2);
    queue.retune(pools(&[&[0]], &[1]));
    running.finish(Outcome::Done);
    assert!(waits(&mut waiting), "until its owner chooses another one");
    assert!(queue.change_pool(waiting.id(), PoolIndex(0)));
    take(&mut waiting);
}

#[tokio::test]
async fn a_new_pool_leaves_the_lines_as_they_are() {
    let (queue, _) = queue(pools(&[&[0]], &[1]));
    let _running = start_in(&queue, 0, 1);
    let owners = [2, 2, 3, 2, 4];
    let waiting: Vec<_> = owners.iter().map(|owner| join_pool(&queue, 0, *owner)).collect();
    let before = positions(&queue, &waiting);
    queue.retune(pools(&[&[0], &[1]], &[1, 1]));
    assert_eq!(positions(&queue, &waiting), before);
    take(&mut join_pool(&queue, 1, 9));
}

/// A slow back end and a fast one: a ticket starts at whichever comes free first, and the estimate knows both paces.
#[tokio::test(start_paused = true)]
async fn estimates_know_the_pace_of_each_back_end() {
    let (queue, _) = queue(pools(&[&[0, 1]], &[1, 1]));
    for _ in 0..8 {
        let (slow, fast) = (start_in(&queue, 0, 1), start_in(&queue, 0, 2));
        let (slow, fast) = if slow.backend() == Some(ONE) {
            (slow, fast)
        } else {
            (fast, slow)
        };
        advance(Duration::from_secs(10)).await;
        fast.finish(Outcome::Done);
        advance(Duration::from_secs(30)).await;
        slow.finish(Outcome::Done);
    }
    let _both = [start_in(&queue, 0, 1), start_in(&queue, 0, 2)];
    let waiting: Vec<_> = (3..8).map(|owner| join_pool(&queue, 0, owner)).collect();
    let middle = |ticket: &Ticket| {
        let range = queue.standing(ticket.id()).unwrap().estimate.unwrap();
        (range.low + range.high).as_secs_f64() / 2.0
    };
    // Free at 10 and 20 and 30 by the fast one, at 40 by both.
    for (ticket, expected) in waiting.iter().zip([10.0, 20.0, 30.0, 40.0, 40.0]) {
        let middle = middle(ticket);
        assert!((middle - expected).abs() < 3.0, "{middle}, not {expected}");
    }
}
