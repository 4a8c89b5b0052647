//! Tickets that give their slot back for a while.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use tokio::{
    task::{JoinSet, yield_now},
    time::{Duration, Instant, advance, timeout},
};

use super::support::*;
use crate::queue::{
    BackendIndex, BackendPolicy, JoinError, LeaveReason, Order, Outcome, Owner, Policy, PoolIndex, PoolPolicy, Queue,
    RestoredTicket, Ticket, TicketId, Work,
};

fn order(queue: &Queue, tickets: &[&Ticket]) -> Vec<u64> {
    tickets
        .iter()
        .map(|ticket| position(queue, ticket).unwrap_or(0))
        .collect()
}

#[tokio::test]
async fn the_slot_of_a_parked_ticket_is_free_at_once_and_it_waits_in_no_line() {
    let (queue, told) = queue(policy(&[1]));
    let permit = start(&queue, A, 1);
    let (id, mut next) = (TicketId(1), join(&queue, A, 2));
    let mut parked = permit.park();
    assert_eq!(parked.id(), id);
    let running = take(&mut next);
    assert_eq!((queue.running(), queue.waiting(), queue.parked()), (1, 0, 1));
    assert_eq!(queue.limits()[0].parked, 1);
    assert!(parked.is_parked() && queue.is_parked(id));
    assert!(queue.standing(id).is_none() && queue.age_of(id).is_none() && parked.order_key().is_none());
    drop(running);
    assert!(waits(&mut parked), "it does not start by itself");
    parked.resume();
    let permit = take(&mut parked);
    assert!(!queue.is_parked(id) && !queue.resume(id), "it runs");
    assert_eq!(permit.wait(), None, "it has not waited");
    assert_eq!((told.started.load(SeqCst), told.ended.load(SeqCst)), (2, 1));
    permit.finish(Outcome::Done);
    assert_eq!((told.started.load(SeqCst), told.ended.load(SeqCst)), (2, 2));
}

#[tokio::test]
async fn a_resumed_ticket_takes_its_owners_first_place_and_nobody_elses() {
    for by in [Order::Fair, Order::Fifo] {
        let (queue, _) = queue(Policy {
            order: by,
            ..policy(&[1])
        });
        let parked = start(&queue, A, 1).park();
        let _running = start(&queue, A, 9);
        let [two, own, three, later] = [2, 1, 3, 2].map(|owner| join(&queue, A, owner));
        assert_eq!(order(&queue, &[&two, &own, &three, &later]), [1, 2, 3, 4]);
        parked.resume();
        assert_eq!(order(&queue, &[&two, &parked, &three, &later, &own]), [1, 2, 3, 4, 5]);
    }
}

#[tokio::test]
async fn with_nothing_else_of_its_owner_it_joins_as_anybody_would() {
    for by in [Order::Fair, Order::Fifo] {
        let (queue, _) = queue(Policy {
            order: by,
            ..policy(&[1])
        });
        let parked = start(&queue, A, 1).park();
        let _running = start(&queue, A, 9);
        let others = [2, 3, 2].map(|owner| join(&queue, A, owner));
        let newcomer = queue.line_of(A).newcomer;
        parked.resume();
        assert_eq!(position(&queue, &parked), Some(newcomer));
        let two_of_fair = if by == Order::Fair { [1, 2, 4] } else { [1, 2, 3] };
        assert_eq!(positions(&queue, &others), two_of_fair);
    }
}

#[tokio::test]
async fn of_two_that_resume_the_one_that_came_first_is_first() {
    let (queue, _) = queue(policy(&[3]));
    let [first, second] = [start(&queue, A, 1), start(&queue, A, 1)].map(crate::queue::Permit::park);
    let _running = [start(&queue, A, 7), start(&queue, A, 8), start(&queue, A, 9)];
    let fresh = join(&queue, A, 1);
    second.resume();
    assert_eq!(order(&queue, &[&second, &fresh]), [1, 2]);
    first.resume();
    assert_eq!(order(&queue, &[&first, &second, &fresh]), [1, 2, 3]);
}

/// Also before an older ticket that has come from another line, and after its back end has failed.
#[tokio::test]
async fn one_that_has_resumed_stays_before_its_owners_others() {
    let mut apart = pools();
    apart.pools[0].backends = vec![BackendIndex(0)];
    let (queue, _) = queue(apart);
    let join = |work, owner| queue.join(work, Owner(owner), Instant::now()).unwrap();
    let _zero = take(&mut join(work(0, None), 8));
    let older = join(work(0, None), 1);
    let mut parked = take(&mut join(work(1, None), 1)).park();
    let one = take(&mut join(work(1, None), 9));
    parked.resume();
    assert!(older.id() < parked.id() && queue.change_pool(older.id(), PoolIndex(1)));
    assert_eq!(order(&queue, &[&parked, &older]), [1, 2]);
    drop(one);
    let permit = take(&mut parked);
    queue.throttle(BackendIndex(1), Some(0));
    let back = permit.start_back();
    assert_eq!(order(&queue, &[&back, &older]), [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn parked_time_counts_for_no_bound_and_a_resumed_ticket_is_never_refused() {
    let mut tight = policy(&[1]);
    tight.max_size = Some(1);
    tight.max_waiting_per_owner = Some(1);
    tight.max_wait = Some(Duration::from_secs(60));
    let (queue, told) = queue(tight);
    let mut parked = start(&queue, A, 1).park();
    let _running = start(&queue, A, 2);
    assert!(timeout(Duration::from_secs(600), parked.admitted()).await.is_err());
    let _fills_it = join(&queue, A, 1);
    assert_eq!(
        queue.join(A, Owner(1), Instant::now()).err(),
        Some(JoinError::TooManyOfYours)
    );
    assert_eq!(queue.join(A, Owner(3), Instant::now()).err(), Some(JoinError::Full));
    parked.resume();
    assert_eq!((position(&queue, &parked), queue.waiting()), (Some(1), 2));
    advance(Duration::from_secs(59)).await;
    assert!(waits(&mut parked));
    // The whole of a longest wait, from when it resumed.
    assert_eq!(parked.admitted().await.err(), Some(LeaveReason::Expired));
    assert!(told.leavings.lock().unwrap().contains(&(A, LeaveReason::Expired)));
}

/// Somebody may wait for the permit already when somebody else has the ticket resume.
#[tokio::test(start_paused = true)]
async fn the_longest_wait_of_one_that_is_waited_for_counts_from_when_it_resumes() {
    let mut patient = policy(&[1]);
    patient.max_wait = Some(Duration::from_secs(60));
    let (queue, _) = queue(patient);
    let mut parked = start(&queue, A, 1).park();
    let _running = start(&queue, A, 2);
    let id = parked.id();
    let waiting = tokio::spawn(async move {
        let since = Instant::now();
        (parked.admitted().await.err(), since.elapsed())
    });
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert!(queue.resume(id));
    let (left, after) = waiting.await.unwrap();
    assert_eq!((left, after), (Some(LeaveReason::Expired), Duration::from_secs(360)));
}

#[tokio::test]
async fn a_parked_ticket_leaves_as_one_that_waits_does() {
    let (queue, told) = queue(policy(&[3]));
    let dropped = start(&queue, A, 1).park();
    let mut taken = start(&queue, A, 1).park();
    let withdrawn = start(&queue, A, 1).park();
    let mut closed = start(&queue, A, 1).park();
    let late = start(&queue, A, 1);
    drop(dropped);
    assert!(queue.leave(taken.id(), LeaveReason::Abandoned));
    assert!(!queue.leave(taken.id(), LeaveReason::Expired) && !queue.resume(taken.id()));
    assert_eq!(left(&mut taken), LeaveReason::Abandoned);
    withdrawn.withdraw();
    queue.close();
    assert_eq!(left(&mut closed), LeaveReason::Closed);
    let mut late = late.park();
    assert_eq!(left(&mut late), LeaveReason::Closed, "it runs until it parks");
    let reasons = [
        LeaveReason::Cancelled,
        LeaveReason::Abandoned,
        LeaveReason::Withdrawn,
        LeaveReason::Closed,
        LeaveReason::Closed,
    ];
    assert_eq!(*told.leavings.lock().unwrap(), reasons.map(|reason| (A, reason)));
    assert_eq!((told.ended.load(SeqCst), queue.parked(), queue.running()), (0, 0, 0));
}

/// One event with a pool for each of two back ends.
fn pools() -> Policy {
    let mut policy = policy(&[9]);
    policy.events[0].pooled = true;
    for at in 0..2 {
        policy.backends.push(BackendPolicy {
            name: format!("backend {at}"),
            limit: Some(1),
            weight: 1,
        });
    }
    for backends in [&[0, 1][..], &[1]] {
        policy.pools.push(PoolPolicy {
            name: format!("pool {backends:?}"),
            backends: backends.iter().copied().map(BackendIndex).collect(),
        });
    }
    policy
}

fn work(pool: u32, prefers: Option<u32>) -> Work {
    Work {
        pool: Some(PoolIndex(pool)),
        prefers: prefers.map(BackendIndex),
        ..A.into()
    }
}

#[tokio::test]
async fn it_goes_back_to_the_back_end_that_knows_it_or_to_the_pool_that_is_chosen_meanwhile() {
    let (queue, _) = queue(pools());
    let join = |work, owner| queue.join(work, Owner(owner), Instant::now()).unwrap();
    let permit = take(&mut join(work(0, Some(1)), 1));
    assert_eq!(permit.backend(), Some(BackendIndex(1)));
    let mut parked = permit.park();
    assert_eq!(queue.backends()[1].running, 0);
    parked.resume();
    let permit = take(&mut parked);
    assert_eq!(
        permit.backend(),
        Some(BackendIndex(1)),
        "though the other one has rested longer"
    );

    let mut parked = permit.park();
    let (zero, one) = (take(&mut join(work(0, Some(0)), 2)), take(&mut join(work(1, None), 3)));
    assert!(queue.change_pool(parked.id(), PoolIndex(1)));
    assert!(!queue.change_pool(parked.id(), PoolIndex(1)), "it is there");
    assert_eq!(queue.pool_of(parked.id()), Some(PoolIndex(1)));
    assert!(queue.is_parked(parked.id()));
    parked.resume();
    drop(zero);
    assert!(waits(&mut parked), "it is not in the line of the first pool");
    drop(one);
    assert_eq!(take(&mut parked).backend(), Some(BackendIndex(1)));
}

#[tokio::test(start_paused = true)]
async fn estimates_learn_from_each_time_that_a_slot_was_held() {
    let (queue, _) = queue(policy(&[1]));
    let mut permit = start(&queue, A, 1);
    for _ in 0..3 {
        advance(Duration::from_secs(4)).await;
        let mut parked = permit.park();
        advance(Duration::from_secs(100)).await;
        parked.resume();
        permit = take(&mut parked);
    }
    let waiting = join(&queue, A, 2);
    assert_eq!(queue.line_of(A).usual, Some(Duration::from_secs(4)));
    assert!(queue.standing(waiting.id()).unwrap().estimate.is_some());
}

#[tokio::test(start_paused = true)]
async fn each_wait_is_a_story_of_its_own() {
    let (queue, _) = queue(policy(&[1]));
    let running = start(&queue, A, 9);
    let mut ticket = join(&queue, A, 1);
    advance(Duration::from_secs(5)).await;
    drop(running);
    let permit = take(&mut ticket);
    assert_eq!(permit.waited(), Duration::from_secs(5));
    let mut parked = permit.park();
    let running = start(&queue, A, 2);
    let mut others = [3, 1].map(|owner| join(&queue, A, owner));
    advance(Duration::from_secs(50)).await;
    parked.resume();
    let wait = (position(&queue, &parked), position(&queue, &others[1]));
    assert_eq!(wait, (Some(2), Some(3)));
    advance(Duration::from_secs(7)).await;
    drop(running);
    drop(take(&mut others[0]));
    let permit = take(&mut parked);
    assert_eq!(permit.waited(), Duration::from_secs(7));
    let wait = permit.wait().unwrap();
    assert_eq!((wait.position, wait.found, wait.owners, wait.own), (2, 1, 1, 1));
    assert_eq!((wait.earlier, wait.later), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_ticket_comes_back_parked_after_a_restart() {
    advance(Duration::from_secs(1_000)).await;
    let mut patient = policy(&[1]);
    patient.max_wait = Some(Duration::from_secs(60));
    let (queue, _) = queue(patient);
    let returning = |owner, tag, ran, parked| RestoredTicket {
        work: A.into(),
        owner: Owner(owner),
        joined: Instant::now()
            .checked_sub(Duration::from_secs(if parked { 900 } else { 1 }))
            .unwrap(),
        key: Some(crate::queue::OrderKey { tag, arrival: tag }),
        ran,
        parked,
    };
    let all = [
        returning(1, 3, true, true),
        returning(2, 4, true, false),
        returning(1, 5, false, false),
        returning(3, 6, false, false),
    ];
    let mut tickets = queue.restore(&all);
    assert_eq!((queue.parked(), queue.waiting(), queue.running()), (1, 2, 1));
    assert!(
        tickets[0].is_parked() && waits(&mut tickets[0]),
        "its time does not count"
    );
    assert_eq!(positions(&queue, &tickets), [0, 0, 1, 2]);
    tickets[0].resume();
    assert_eq!(positions(&queue, &tickets), [1, 0, 3, 2]);
    let running = take(&mut tickets[1]);
    drop(running);
    let _permit = take(&mut tickets[0]);
}

#[tokio::test]
async fn another_order_and_other_lines_keep_it_its_owners_next() {
    let (queue, _) = queue(policy(&[1, 1]));
    let parked = start(&queue, A, 1).park();
    let later = start(&queue, A, 2).park();
    let _running = [start(&queue, A, 9), start(&queue, B, 9)];
    let own = join(&queue, A, 1);
    let other = join(&queue, B, 3);
    parked.resume();
    for order_by in [Order::Fifo, Order::Fair] {
        let merged = shared(policy(&[1, 1]), &[Some("gpu"), Some("gpu")]);
        queue.retune(Policy {
            order: order_by,
            ..merged
        });
        let now = order(&queue, &[&parked, &own, &other]);
        assert!(now[0] < now[1], "{now:?}");
        assert_eq!((queue.parked(), queue.limits()[0].parked), (1, 1));
    }
    later.resume();
    assert_eq!(queue.waiting(), 4);
}

/// Under real threads: whoever parks comes back, nobody is forgotten, and no limit is passed.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_that_parks_is_never_too_many_and_all_get_through() {
    const LIMIT: usize = 3;
    let (queue, told) = queue(policy(&[LIMIT]));
    let running = Arc::new(AtomicUsize::new(0));
    let mut crowd = JoinSet::new();
    for owner in 0..24_u128 {
        let (queue, running) = (queue.clone(), Arc::clone(&running));
        crowd.spawn(async move {
            for visit in 0..40_u128 {
                let mut ticket = join(&queue, A, owner / 2);
                for part in 0..3 {
                    let permit = ticket.admitted().await.unwrap();
                    assert!(running.fetch_add(1, SeqCst) < LIMIT);
                    yield_now().await;
                    running.fetch_sub(1, SeqCst);
                    if part == 2 {
                        permit.finish(Outcome::Done);
                        break;
                    }
                    ticket = permit.park();
                    if (owner + visit).is_multiple_of(5) && part == 1 {
                        break;
                    }
                    let id = ticket.id();
                    let by = queue.clone();
                    let resumer = tokio::spawn(async move { by.resume(id) });
                    if visit.is_multiple_of(2) {
                        assert!(resumer.await.unwrap());
                    }
                }
            }
        });
    }
    while let Some(through) = timeout(Duration::from_secs(300), crowd.join_next()).await.unwrap() {
        through.unwrap();
    }
    assert_eq!((queue.running(), queue.waiting(), queue.parked()), (0, 0, 0));
    let count = |counter: &AtomicUsize| counter.load(SeqCst);
    assert_eq!(count(&told.started), 24 * 40);
    assert_eq!(count(&told.ended) + count(&told.left), 24 * 40);
    assert!(count(&told.left) > 0);
}
