//! What docs/queue.md promises, rule by rule.

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use tokio::time::{Instant, advance};

use super::support::*;
use crate::queue::{EventIndex, JoinError, LeaveReason, Order, Outcome, Owner, Wait};

#[tokio::test]
async fn an_event_runs_as_many_as_its_limit() {
    let (queue, _) = queue(policy(&[2, 1]));
    let _running = [start(&queue, A, 1), start(&queue, A, 2), start(&queue, B, 3)];
    assert!(waits(&mut join(&queue, A, 4)));
    assert!(waits(&mut join(&queue, B, 5)));
    assert_eq!(
        (queue.running(), queue.waiting()),
        (3, 0),
        "both have been dropped again"
    );
}

#[tokio::test]
async fn unlimited_never_waits() {
    let mut unlimited = policy(&[1]);
    unlimited.events[0].limit = None;
    let (queue, _) = queue(unlimited);
    let running: Vec<_> = (0..5_000).map(|owner| start(&queue, A, owner)).collect();
    assert_eq!(queue.line_of(A).running, running.len());
    assert_eq!(queue.line_of(A).limit, None);
}

#[tokio::test]
async fn events_with_one_id_share_the_lowest_of_their_limits() {
    let (queue, _) = queue(shared(policy(&[3, 2, 4]), &[Some("gpu"), None, Some("gpu")]));
    let _running = [start(&queue, A, 1), start(&queue, C, 2), start(&queue, A, 3)];
    let mut fourth = join(&queue, C, 4);
    assert!(waits(&mut fourth));
    let lines = queue.lines();
    assert_eq!(
        lines.iter().map(|line| line.name.as_str()).collect::<Vec<_>>(),
        ["gpu", "b"]
    );
    assert_eq!((lines[0].limit, lines[0].running, lines[0].waiting), (Some(3), 3, 1));
    assert_eq!(lines[0].events, [A, C]);
}

#[tokio::test]
async fn an_id_that_is_an_events_name_shares_with_that_event() {
    let (queue, _) = queue(shared(policy(&[3, 2]), &[None, Some("a")]));
    assert_eq!(queue.lines().len(), 1);
    assert_eq!(queue.line_of(B).limit, Some(2));
}

#[tokio::test]
async fn the_master_switch_makes_one_line_that_runs_one_at_a_time() {
    let mut one = policy(&[3, 3, 3]);
    one.concurrent = false;
    let (queue, _) = queue(one);
    let first = start(&queue, A, 1);
    let (mut second, mut third) = (join(&queue, B, 2), join(&queue, C, 3));
    assert_eq!(queue.lines().len(), 1);
    drop(first);
    let permit = take(&mut second);
    assert!(waits(&mut third));
    drop(permit);
    take(&mut third);
}

#[tokio::test]
async fn without_a_queue_what_cannot_start_is_refused() {
    let mut busy = policy(&[2]);
    busy.queue = false;
    let (queue, recorder) = queue(busy);
    let running = [start(&queue, A, 1), start(&queue, A, 2)];
    assert_eq!(queue.join(A, Owner(3), Instant::now()).unwrap_err(), JoinError::Busy);
    assert_eq!(recorder.refused.load(SeqCst), 1);
    drop(running);
    start(&queue, A, 3);
}

#[tokio::test]
async fn the_overall_cap_gives_its_slot_to_the_head_that_has_waited_longest() {
    let mut capped = policy(&[5, 5, 5]);
    capped.max_running = Some(1);
    let (queue, _) = queue(capped);
    let running = start(&queue, A, 1);
    let joined = Instant::now();
    let mut b = join(&queue, B, 2);
    let mut c = queue.join(C, Owner(3), joined - Duration::from_secs(5)).unwrap();
    let mut a = join(&queue, A, 4);
    drop(running);
    drop(take(&mut c));
    drop(take(&mut b));
    drop(take(&mut a));
    assert_eq!(queue.running(), 0);
}

#[tokio::test]
async fn a_full_limit_does_not_hold_up_other_lines_under_the_overall_cap() {
    let mut capped = policy(&[1, 5]);
    capped.max_running = Some(2);
    let (queue, _) = queue(capped);
    let _a = start(&queue, A, 1);
    let b = start(&queue, B, 2);
    let mut waits_for_a = join(&queue, A, 3);
    let mut next_b = join(&queue, B, 4);
    drop(b);
    assert!(
        waits(&mut waits_for_a),
        "its own limit is full, however long it has waited"
    );
    take(&mut next_b);
}

#[tokio::test]
async fn owners_take_turns() {
    let (queue, _) = queue(policy(&[1]));
    let _running = start(&queue, A, 1);
    let mut tickets: Vec<_> = (0..4).map(|_| join(&queue, A, 1)).collect();
    tickets.push(join(&queue, A, 2));
    tickets.push(join(&queue, A, 2));
    tickets.push(join(&queue, A, 3));
    assert_eq!(positions(&queue, &tickets), [1, 4, 6, 7, 2, 5, 3]);
}

#[tokio::test]
async fn plain_arrival_in_fifo() {
    let mut fifo = policy(&[1]);
    fifo.order = Order::Fifo;
    let (queue, _) = queue(fifo);
    let running = start(&queue, A, 1);
    let mut tickets: Vec<_> = [1, 1, 2, 1, 3].map(|owner| join(&queue, A, owner)).into();
    assert_eq!(positions(&queue, &tickets), [1, 2, 3, 4, 5]);
    drop(tickets.remove(1));
    assert_eq!(positions(&queue, &tickets), [1, 2, 3, 4]);
    drop(running);
    assert_eq!(positions(&queue, &tickets), [0, 1, 2, 3]);
}

#[tokio::test]
async fn a_burst_delays_nobody_by_more_than_one_ticket_a_round() {
    let (queue, _) = queue(policy(&[1]));
    let mut permit = start(&queue, A, 1);
    let mut burst: Vec<_> = (0..50).map(|_| join(&queue, A, 1)).collect();
    burst.reverse();
    for newcomer in 2..40_u128 {
        // Somebody comes with two tickets in the middle of the burst: one of the burst's goes before each at most.
        let mut own = [join(&queue, A, newcomer), join(&queue, A, newcomer)];
        assert_eq!(positions(&queue, &own), [2, 4], "newcomer {newcomer}");
        for ticket in &mut own {
            drop(permit);
            permit = take(&mut burst.pop().unwrap());
            drop(permit);
            permit = take(ticket);
        }
        if burst.len() < 2 {
            return;
        }
    }
}

#[tokio::test]
async fn cancelling_the_first_of_several_lets_no_newcomer_pass_the_next() {
    let (queue, _) = queue(policy(&[1]));
    let _running = start(&queue, A, 9);
    let mut own: Vec<_> = (0..3).map(|_| join(&queue, A, 1)).collect();
    let other = join(&queue, A, 2);
    assert_eq!(positions(&queue, &own), [1, 3, 4]);
    drop(own.remove(0));
    assert_eq!(
        positions(&queue, &own),
        [1, 3],
        "the place stays the owner's, the next ticket has it"
    );
    assert_eq!(position(&queue, &other), Some(2));
    let newcomer = join(&queue, A, 3);
    assert_eq!(positions(&queue, &own), [1, 4]);
    assert_eq!(position(&queue, &newcomer), Some(3));
}

#[tokio::test]
async fn one_who_leaves_moves_those_behind_up() {
    let (queue, _) = queue(policy(&[1]));
    let _running = start(&queue, A, 0);
    let mut tickets: Vec<_> = (1..=6).map(|owner| join(&queue, A, owner)).collect();
    let mut gone = tickets.remove(2);
    assert!(queue.leave(gone.id(), LeaveReason::Abandoned));
    assert!(!queue.leave(gone.id(), LeaveReason::Cancelled), "it has left already");
    assert_eq!(left(&mut gone), LeaveReason::Abandoned);
    assert_eq!(left(&mut gone), LeaveReason::Abandoned, "asked again, it says the same");
    assert_eq!(positions(&queue, &tickets), [1, 2, 3, 4, 5]);
    assert_eq!(queue.standing(tickets[4].id()).unwrap().waiting, 5);
    assert_eq!(position(&queue, &gone), None);
}

#[tokio::test]
async fn a_slot_that_nobody_took_goes_to_the_next() {
    let (queue, recorder) = queue(policy(&[1]));
    let running = start(&queue, A, 1);
    let (given, mut next) = (join(&queue, A, 2), join(&queue, A, 3));
    running.finish(Outcome::Done);
    assert!(
        !queue.leave(given.id(), LeaveReason::Cancelled),
        "it does not wait any more"
    );
    drop(given);
    take(&mut next).finish(Outcome::Cancelled);
    assert_eq!(*recorder.leavings.lock().unwrap(), [(A, LeaveReason::Cancelled)]);
    let outcomes: Vec<_> = recorder
        .endings
        .lock()
        .unwrap()
        .iter()
        .map(|(_, outcome, _)| *outcome)
        .collect();
    assert_eq!(outcomes, [Outcome::Done, Outcome::Cancelled]);
    assert_eq!(recorder.started.load(SeqCst), 2);
    assert_eq!(queue.running(), 0);
}

#[tokio::test]
async fn a_panic_frees_its_slot() {
    let (queue, recorder) = queue(policy(&[1]));
    let permit = start(&queue, A, 1);
    let mut next = join(&queue, A, 2);
    let work = tokio::spawn(async move {
        let _permit = permit;
        std::panic::resume_unwind(Box::new("a fault of the work"));
    });
    assert!(work.await.unwrap_err().is_panic());
    assert_eq!(recorder.endings.lock().unwrap()[0].1, Outcome::Failed);
    take(&mut next);
}

#[tokio::test]
async fn a_waiting_task_is_woken_by_the_drop() {
    let (queue, _) = queue(policy(&[1]));
    let permit = start(&queue, A, 1);
    let mut next = join(&queue, A, 2);
    let waiting = tokio::spawn(async move { next.admitted().await.map(|permit| permit.waited()) });
    tokio::task::yield_now().await;
    let before = queue.changes().heard;
    drop(permit);
    assert_eq!(queue.running(), 1, "the next one started within the drop");
    assert_eq!(queue.changes().heard, before + 1);
    waiting.await.unwrap().unwrap();
    assert_eq!(queue.running(), 0);
}

#[tokio::test]
async fn dropping_the_future_keeps_the_place() {
    let (queue, _) = queue(policy(&[1]));
    let permit = start(&queue, A, 1);
    let mut ticket = join(&queue, A, 2);
    for _ in 0..3 {
        assert!(waits(&mut ticket));
        assert_eq!(position(&queue, &ticket), Some(1));
    }
    drop(permit);
    take(&mut ticket);
}

#[tokio::test]
async fn the_bounds_count_waiting_tickets_only() {
    let mut bounded = policy(&[1, 1]);
    bounded.max_size = Some(3);
    bounded.max_waiting_per_owner = Some(2);
    let (queue, _) = queue(bounded);
    let refusal = |event: EventIndex, owner| queue.join(event, Owner(owner), Instant::now()).unwrap_err();
    let _running = start(&queue, A, 1);
    let own = [join(&queue, A, 1), join(&queue, A, 1)];
    assert_eq!(refusal(A, 1), JoinError::TooManyOfYours);
    let b = start(&queue, B, 1);
    assert_eq!(refusal(B, 1), JoinError::TooManyOfYours, "all lines together");
    let _third = join(&queue, B, 2);
    assert_eq!(refusal(B, 3), JoinError::Full);
    drop(own);
    let _again = [join(&queue, B, 3), join(&queue, A, 1)];
    assert_eq!(refusal(A, 4), JoinError::Full);
    drop(b);
    let _fits_now = join(&queue, A, 4);
}

#[tokio::test(start_paused = true)]
async fn the_longest_wait_counts_from_joining() {
    let mut timed = policy(&[1]);
    timed.max_wait = Some(Duration::from_secs(10));
    let (queue, recorder) = queue(timed);
    let joined = Instant::now();
    let permit = start(&queue, A, 1);
    let mut restored = queue.join(A, Owner(2), joined - Duration::from_secs(6)).unwrap();
    let mut fresh = join(&queue, A, 3);
    assert_eq!(restored.admitted().await.unwrap_err(), LeaveReason::Expired);
    assert_eq!(joined.elapsed(), Duration::from_secs(4));
    assert_eq!(position(&queue, &fresh), Some(1));
    let mut too_late = queue.join(A, Owner(4), joined - Duration::from_secs(60)).unwrap();
    assert_eq!(left(&mut too_late), LeaveReason::Expired);
    assert_eq!(recorder.left.load(SeqCst), 2);
    drop(permit);
    take(&mut fresh);
}

#[tokio::test(start_paused = true)]
async fn nobody_starts_late_in_place_of_one_in_time() {
    let mut timed = policy(&[1]);
    timed.max_wait = Some(Duration::from_secs(10));
    timed.max_size = Some(2);
    let (queue, _) = queue(timed);
    let permit = start(&queue, A, 1);
    let mut late = join(&queue, A, 2);
    advance(Duration::from_secs(6)).await;
    let mut in_time = join(&queue, A, 3);
    advance(Duration::from_secs(4)).await;
    // Nobody has polled `late` since: no timer has told it.
    drop(permit);
    assert_eq!(left(&mut late), LeaveReason::Expired);
    drop(take(&mut in_time));
}

#[tokio::test(start_paused = true)]
async fn a_new_longest_wait_holds_for_those_who_wait_already() {
    let mut timed = policy(&[1]);
    let (queue, _) = queue(timed.clone());
    let _running = start(&queue, A, 1);
    let joined = Instant::now();
    let mut ticket = join(&queue, A, 2);
    let waiting = tokio::spawn(async move { ticket.admitted().await.map(drop) });
    advance(Duration::from_secs(5)).await;
    timed.max_wait = Some(Duration::from_secs(20));
    queue.retune(timed);
    assert_eq!(waiting.await.unwrap().unwrap_err(), LeaveReason::Expired);
    assert_eq!(joined.elapsed(), Duration::from_secs(20));
}

#[tokio::test]
async fn closing_ends_the_waiting_and_leaves_the_running() {
    let (queue, recorder) = queue(policy(&[1]));
    let permit = start(&queue, A, 1);
    let mut tickets: Vec<_> = (2..6).map(|owner| join(&queue, A, owner)).collect();
    queue.close();
    assert!(tickets.iter_mut().all(|ticket| left(ticket) == LeaveReason::Closed));
    assert_eq!(queue.join(A, Owner(9), Instant::now()).unwrap_err(), JoinError::Closed);
    assert_eq!((queue.running(), queue.waiting()), (1, 0));
    assert_eq!(queue.line_of(A).estimate, None);
    permit.finish(Outcome::Done);
    assert_eq!((queue.running(), recorder.ended.load(SeqCst)), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn the_longest_wait_shown_is_the_oldest_tickets() {
    let (queue, _) = queue(policy(&[1]));
    let _running = start(&queue, A, 1);
    assert_eq!(queue.line_of(A).longest_wait, None);
    let first = join(&queue, A, 2);
    advance(Duration::from_secs(3)).await;
    let restored = queue
        .join(A, Owner(3), Instant::now() - Duration::from_secs(7))
        .unwrap();
    let last = join(&queue, A, 4);
    assert_eq!(queue.line_of(A).longest_wait, Some(Duration::from_secs(7)));
    drop(restored);
    assert_eq!(queue.line_of(A).longest_wait, Some(Duration::from_secs(3)));
    drop(first);
    assert_eq!(queue.line_of(A).longest_wait, Some(Duration::ZERO));
    drop(last);
    assert_eq!(queue.line_of(A).longest_wait, None);
}

#[tokio::test]
async fn a_newcomer_is_told_the_position_that_it_then_gets() {
    for order in [Order::Fifo, Order::Fair] {
        let mut one = policy(&[1]);
        one.order = order;
        let (queue, _) = queue(one);
        assert_eq!(queue.line_of(A).newcomer, 0, "it would start at once");
        let _running = start(&queue, A, 1);
        assert_eq!(queue.line_of(A).newcomer, 1);
        let mut crowd: Vec<_> = (0..5).map(|_| join(&queue, A, 1)).collect();
        assert!(crowd.iter_mut().all(waits));
        let told = queue.line_of(A).newcomer;
        let mut newcomer = join(&queue, A, 2);
        assert!(waits(&mut newcomer));
        assert_eq!(position(&queue, &newcomer), Some(told));
        assert_eq!(told == 6, order == Order::Fifo);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_not_accepted_is_no_work() {
    let (queue, told) = queue(policy(&[1]));
    let running = start(&queue, A, 1);
    let (mut next, waiting) = (join(&queue, A, 2), join(&queue, A, 3));
    advance(Duration::from_secs(9)).await;
    running.withdraw();
    waiting.withdraw();
    let second = take(&mut next);
    assert_eq!((queue.running(), queue.waiting()), (1, 0), "the slot was free at once");
    assert_eq!(*told.leavings.lock().unwrap(), [(A, LeaveReason::Withdrawn); 2]);
    assert!(told.endings.lock().unwrap().is_empty());
    assert_eq!(queue.line_of(A).estimate, None, "nothing is learnt from it");

    // Whether this one was accepted is known only after its slot has gone to the next.
    let mut third = join(&queue, A, 4);
    let ended = second.free(Outcome::Done);
    take(&mut third).finish(Outcome::Failed);
    assert_eq!(told.endings.lock().unwrap().len(), 1, "it is not counted yet");
    ended.withdraw();
    assert_eq!(told.leavings.lock().unwrap().len(), 3);
    drop(start(&queue, A, 5).free(Outcome::Done));
    let outcomes: Vec<_> = told.endings.lock().unwrap().iter().map(|(_, how, _)| *how).collect();
    assert_eq!(outcomes, [Outcome::Failed, Outcome::Done]);
}

#[tokio::test]
async fn a_burst_of_twenty_costs_one_place_and_the_receipt_says_so() {
    let (queue, _) = queue(policy(&[1]));
    let mut running = start(&queue, A, 1);
    let mut burst: Vec<_> = (0..20).map(|_| join(&queue, A, 2)).collect();
    let mut newcomer = join(&queue, A, 3);
    let mut latecomer = join(&queue, A, 4);
    drop(running);
    running = take(&mut burst[0]);
    let first = Wait {
        position: 1,
        ..Wait::default()
    };
    assert_eq!(running.wait(), Some(first));
    drop(running);
    running = take(&mut newcomer);
    let passed_by_nobody = Wait {
        position: 2,
        found: 20,
        owners: 1,
        own: 0,
        earlier: 1,
        later: 0,
    };
    assert_eq!(running.wait(), Some(passed_by_nobody));
    drop(running);
    running = take(&mut latecomer);
    drop(running);
    // The second of the burst has let two go first who came later: it was their turn.
    let second = take(&mut burst[1]).wait().expect("it has waited");
    assert_eq!((second.own, second.earlier, second.later), (1, 1, 2));
}

#[tokio::test]
async fn whoever_finds_a_slot_has_no_wait_to_tell_of() {
    let (queue, _) = queue(policy(&[1]));
    assert_eq!(start(&queue, A, 1).wait(), None);
}
