//! Retuning while it runs.

use super::support::*;
use crate::queue::{Order, Outcome, Owner};

#[tokio::test]
async fn growing_starts_waiting_tickets_at_once() {
    let (queue, _) = queue(policy(&[2]));
    let mut running: Vec<_> = (0..2).map(|owner| start(&queue, A, owner)).collect();
    let mut tickets: Vec<_> = (10..20).map(|owner| join(&queue, A, owner)).collect();
    queue.retune(policy(&[4]));
    assert_eq!(queue.running(), 4);
    running.extend(tickets.drain(..2).map(|mut ticket| take(&mut ticket)));
    assert_eq!(positions(&queue, &tickets), [1, 2, 3, 4, 5, 6, 7, 8]);
}

#[tokio::test]
async fn shrinking_lets_running_ones_finish_and_starts_nobody_above_the_limit() {
    let (queue, _) = queue(policy(&[5]));
    let mut running: Vec<_> = (0..5).map(|owner| start(&queue, A, owner)).collect();
    let mut tickets: Vec<_> = (10..14).map(|owner| join(&queue, A, owner)).collect();
    queue.retune(policy(&[2]));
    assert_eq!((queue.running(), queue.waiting()), (5, 4));
    for left in [4, 3, 2] {
        running.pop();
        assert_eq!((queue.running(), queue.waiting()), (left, 4));
    }
    running.pop();
    assert_eq!((queue.running(), queue.waiting()), (2, 3));
    // Growing pays the debt that a shrinking left before it frees anything.
    let all = [take(&mut tickets[0]), running.pop().unwrap()];
    queue.retune(policy(&[1]));
    queue.retune(policy(&[2]));
    assert_eq!((queue.running(), queue.waiting()), (2, 3));
    drop(all);
    assert_eq!((queue.running(), queue.waiting()), (2, 1));
}

#[tokio::test]
async fn the_overall_cap_can_be_resized_too() {
    let (queue, _) = queue(policy(&[3, 3]));
    let mut running = vec![start(&queue, A, 1), start(&queue, A, 2), start(&queue, B, 3)];
    let mut capped = policy(&[3, 3]);
    capped.max_running = Some(2);
    queue.retune(capped.clone());
    let mut ticket = join(&queue, B, 4);
    running.pop();
    assert!(waits(&mut ticket));
    running.pop();
    drop(take(&mut ticket));
    capped.max_running = None;
    queue.retune(capped);
    let _more = [
        start(&queue, A, 5),
        start(&queue, B, 6),
        start(&queue, B, 7),
        start(&queue, B, 8),
    ];
}

#[tokio::test]
async fn what_runs_counts_against_the_limit_its_event_belongs_to_now() {
    let (queue, _) = queue(policy(&[2, 2]));
    let (a, b) = (
        [start(&queue, A, 1), start(&queue, A, 2)],
        [start(&queue, B, 3), start(&queue, B, 4)],
    );
    queue.retune(shared(policy(&[3, 3]), &[Some("gpu"), Some("gpu")]));
    assert_eq!((queue.line_of(A).running, queue.line_of(A).limit), (4, Some(3)));
    let mut ticket = join(&queue, A, 5);
    let [one, other] = b;
    one.finish(Outcome::Done);
    assert!(waits(&mut ticket), "three run where three may");
    other.finish(Outcome::Done);
    let _c = take(&mut ticket);
    queue.retune(policy(&[2, 2]));
    assert_eq!((queue.line_of(A).running, queue.line_of(B).running), (3, 0));
    let mut ticket = join(&queue, A, 6);
    let _b = [start(&queue, B, 7), start(&queue, B, 8)];
    drop(a);
    take(&mut ticket);
}

#[tokio::test]
async fn a_new_order_moves_no_owners_first_ticket_back() {
    let mut policy = policy(&[1]);
    policy.order = Order::Fifo;
    let (queue, _) = queue(policy.clone());
    let _running = start(&queue, A, 0);
    let tickets: Vec<_> = [1, 1, 1, 2, 2, 3].map(|owner| join(&queue, A, owner)).into();
    policy.order = Order::Fair;
    queue.retune(policy.clone());
    assert_eq!(positions(&queue, &tickets), [1, 4, 6, 2, 5, 3]);
    policy.order = Order::Fifo;
    queue.retune(policy);
    assert_eq!(
        positions(&queue, &tickets),
        [1, 4, 6, 2, 5, 3],
        "plain arrival counts for those who come now"
    );
    assert_eq!(position(&queue, &join(&queue, A, 4)), Some(7));
}

#[tokio::test]
async fn lines_merge_by_waiting_time_and_split_in_their_order() {
    let apart = policy(&[1, 1]);
    let together = shared(policy(&[1, 1]), &[Some("gpu"), Some("gpu")]);
    let (queue, _) = queue(apart.clone());
    let _running = [start(&queue, A, 0), start(&queue, B, 0)];
    let tickets: Vec<_> = [(A, 1), (B, 2), (A, 3), (B, 1), (B, 4)]
        .map(|(event, owner)| join(&queue, event, owner))
        .into();
    assert_eq!(positions(&queue, &tickets), [1, 1, 2, 2, 3]);
    queue.retune(together);
    assert_eq!(
        positions(&queue, &tickets),
        [1, 2, 3, 5, 4],
        "owner 1 has two now, and takes turns"
    );
    queue.retune(apart);
    assert_eq!(positions(&queue, &tickets), [1, 1, 2, 3, 2]);
}

#[tokio::test]
async fn the_master_switch_can_be_thrown_while_it_runs() {
    let (queue, recorder) = queue(policy(&[2, 2]));
    let running = [
        start(&queue, A, 1),
        start(&queue, A, 2),
        start(&queue, B, 3),
        start(&queue, B, 4),
    ];
    let mut tickets: Vec<_> = [(A, 5), (B, 6), (A, 7)]
        .map(|(event, owner)| join(&queue, event, owner))
        .into();
    let mut one = policy(&[2, 2]);
    one.concurrent = false;
    queue.retune(one);
    drop(running);
    assert_eq!(queue.running(), 1);
    for ticket in &mut tickets {
        assert_eq!(queue.running(), 1);
        take(ticket);
    }
    assert_eq!((queue.running(), queue.waiting()), (0, 0));
    assert_eq!(recorder.ended.load(std::sync::atomic::Ordering::SeqCst), 7);
}

#[tokio::test]
async fn an_event_that_the_new_policy_lacks_stays() {
    let (queue, _) = queue(policy(&[1, 1]));
    let b = start(&queue, B, 1);
    let mut waiting = join(&queue, B, 2);
    queue.retune(policy(&[3]));
    assert_eq!(queue.lines().len(), 2);
    drop(b);
    take(&mut waiting);
    assert!(queue.join(A, Owner(3), tokio::time::Instant::now()).is_ok());
}
