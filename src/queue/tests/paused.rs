//! Tickets that give their slot back until they may go on from where they stood: the pause before a question is asked again.

use tokio::time::{Duration, Instant, advance, timeout};

use super::support::*;
use crate::queue::{
    BackendIndex, BackendPolicy, LeaveReason, Owner, Policy, PoolIndex, PoolPolicy, Queue, Ticket, Work,
};

const PAUSE: Duration = Duration::from_millis(250);

/// Events `a` and `b` with a slot each; work of `b` is done by two pools of one back end each.
fn pools() -> Policy {
    let mut policy = policy(&[1, 2]);
    policy.events[1].pooled = true;
    for at in 0..2 {
        policy.backends.push(BackendPolicy {
            name: format!("server {at}"),
            limit: Some(1),
            weight: 1,
        });
        policy.pools.push(PoolPolicy {
            name: format!("pool {at}"),
            backends: vec![BackendIndex(at)],
        });
    }
    policy
}

fn join_pool(queue: &Queue, pool: u32, owner: u128) -> Ticket {
    let work = Work {
        pool: Some(PoolIndex(pool)),
        ..B.into()
    };
    queue.join(work, Owner(owner), Instant::now()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_slot_is_used_during_a_pause_and_the_ticket_comes_back_to_the_front() {
    let (queue, told) = queue(policy(&[1]));
    let permit = start(&queue, A, 1);
    let (mut second, third) = (join(&queue, A, 2), join(&queue, A, 3));
    let mut pauses = permit.start_back_after(PAUSE);
    let running = take(&mut second);
    assert_eq!((queue.running(), queue.waiting(), queue.parked()), (1, 1, 1));
    assert!(!pauses.is_parked(), "nobody has to tell it to go on");
    assert_eq!((position(&queue, &pauses), position(&queue, &third)), (None, Some(1)));
    assert!(waits(&mut pauses));
    advance(PAUSE).await;
    pauses.paused().await;
    assert!(waits(&mut pauses), "the slot is in use");
    assert_eq!(positions(&queue, &[pauses, third]), [1, 2]);
    drop(running);
    assert_eq!(told.endings.lock().unwrap().len(), 1, "what goes on has not ended");
}

#[tokio::test(start_paused = true)]
async fn with_nobody_else_it_has_its_slot_again_as_soon_as_its_pause_is_over() {
    let (queue, _) = queue(policy(&[1]));
    let mut pauses = start(&queue, A, 1).start_back_after(PAUSE);
    assert_eq!((queue.running(), queue.parked()), (0, 1));
    let since = Instant::now();
    let permit = pauses.admitted().await.expect("it is its turn");
    assert_eq!((since.elapsed(), queue.running(), queue.parked()), (PAUSE, 1, 0));
    let mut at_once = permit.start_back_after(Duration::ZERO);
    take(&mut at_once);
}

#[tokio::test(start_paused = true)]
async fn one_that_pauses_can_be_taken_out_and_ends_with_the_queue() {
    let (queue, _) = queue(policy(&[3]));
    let mut taken = start(&queue, A, 1).start_back_after(PAUSE);
    let mut closed = start(&queue, A, 2).start_back_after(PAUSE);
    drop(start(&queue, A, 3).start_back_after(PAUSE));
    assert_eq!(queue.parked(), 2);
    let id = taken.id();
    let leaves = async {
        tokio::task::yield_now().await;
        assert!(queue.leave(id, LeaveReason::Cancelled));
    };
    let since = Instant::now();
    let (left_as, ()) = tokio::join!(taken.admitted(), leaves);
    assert_eq!(left_as.err(), Some(LeaveReason::Cancelled));
    assert!(since.elapsed().is_zero(), "its pause need not be over");
    let late = start(&queue, A, 4);
    queue.close();
    assert_eq!(left(&mut closed), LeaveReason::Closed);
    assert_eq!(left(&mut late.start_back_after(PAUSE)), LeaveReason::Closed);
    assert_eq!((queue.running(), queue.parked()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn waiting_for_the_end_of_a_pause_can_be_given_up_and_begun_again() {
    let (queue, _) = queue(policy(&[1]));
    let mut pauses = start(&queue, A, 1).start_back_after(PAUSE);
    assert!(timeout(PAUSE / 2, pauses.paused()).await.is_err());
    let since = Instant::now();
    pauses.paused().await;
    assert_eq!(since.elapsed(), PAUSE / 2, "it is over when it was to be");
    take(&mut pauses);
}

/// A ticket that another pool is chosen for meanwhile comes there as its owner's next: what it was owed elsewhere counts for nobody there.
#[tokio::test]
async fn one_that_is_for_another_pool_by_then_passes_nobody_there() {
    let (queue, _) = queue(pools());
    let aside = take(&mut join_pool(&queue, 0, 1)).step_aside();
    let _first = take(&mut join_pool(&queue, 1, 2));
    let waits_there = [join_pool(&queue, 1, 3), join_pool(&queue, 1, 4)];
    assert!(aside.is_parked() && queue.change_pool(aside.id(), PoolIndex(1)));
    aside.resume();
    assert_eq!(position(&queue, &aside), Some(3));
    assert_eq!(positions(&queue, &waits_there), [1, 2]);
}

/// It would take the place of its owner's first with it: its wait could be over as it comes.
#[tokio::test(start_paused = true)]
async fn the_wait_for_another_pool_begins_anew_and_costs_its_owner_no_place() {
    let mut timed = pools();
    timed.max_wait = Some(PAUSE);
    let (queue, _) = queue(timed);
    let aside = take(&mut join_pool(&queue, 0, 1)).step_aside();
    let _running = take(&mut join_pool(&queue, 1, 9));
    advance(2 * PAUSE).await;
    let waits_there = [join_pool(&queue, 1, 1), join_pool(&queue, 1, 2)];
    assert!(queue.change_pool(aside.id(), PoolIndex(1)));
    aside.resume();
    assert_eq!(position(&queue, &aside), Some(1), "it is its owner's next");
    assert_eq!(positions(&queue, &waits_there), [3, 2]);
}

#[tokio::test]
async fn one_that_waits_and_steps_aside_leaves_its_place_and_comes_back_as_its_owners_next() {
    let (queue, _) = queue(policy(&[1]));
    let running = start(&queue, A, 9);
    let (mut aside, others) = (join(&queue, A, 1), [join(&queue, A, 2), join(&queue, A, 3)]);
    aside.step_aside();
    assert!(aside.is_parked());
    assert_eq!((position(&queue, &aside), queue.parked()), (None, 1));
    assert_eq!(positions(&queue, &others), [1, 2]);
    let own = join(&queue, A, 1);
    aside.resume();
    assert_eq!(position(&queue, &aside), Some(3), "nobody else has moved back for it");
    assert_eq!(position(&queue, &own), Some(4));
    // A slot that it has, and has not taken, is free again.
    let mut granted = others.into_iter().next().unwrap();
    drop(running);
    assert_eq!(queue.running(), 1);
    granted.step_aside();
    assert!(granted.is_parked() && queue.running() == 1, "the next has it");
    granted.resume();
    assert_eq!(position(&queue, &granted), Some(1), "it had started");
}

/// As after any fault, another back end is asked where there is one.
#[tokio::test]
async fn it_goes_on_at_another_back_end_of_its_pool_where_one_has_room() {
    let mut both = pools();
    both.pools[0].backends = vec![BackendIndex(0), BackendIndex(1)];
    let (queue, _) = queue(both);
    let permit = take(&mut join_pool(&queue, 0, 1));
    let failed = permit.backend();
    let mut aside = permit.step_aside();
    aside.resume();
    assert_ne!(take(&mut aside).backend(), failed);
}
