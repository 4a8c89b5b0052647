//! Tickets that are parked, or that pause.

use super::*;

#[tokio::test]
async fn a_parked_ticket_gives_its_slot_to_another_node_and_comes_back_as_its_owners_next() {
    let (log, [a, b, c]) = three(1).await;
    let permit = a.place(1, 1).await.granted().expect("a slot is free");
    let mut other = b.place(2, 2).await;
    let own = a.place(3, 1).await;
    let mut parked = permit.park();
    let id = parked.id();
    assert!(parked.is_parked(), "at once, for its holder");
    let running = admitted(&mut other).await;
    until(&c.queue, || c.queue.is_parked(id) && c.queue.limits()[0].parked == 1).await;
    assert_eq!(a.position(&parked), None);
    assert!(!c.queue.resume(id), "it is not that node's");
    parked.resume();
    assert!(!a.queue.resume(id), "it has resumed");
    until(&a.queue, || a.position(&parked) == Some(1)).await;
    assert_eq!(a.position(&own), Some(2));
    drop(running);
    let permit = admitted(&mut parked).await;
    // Taken out while it is parked.
    let mut parked = permit.park();
    assert!(a.queue.leave(id, LeaveReason::Cancelled));
    assert_eq!(left(&mut parked).await, LeaveReason::Cancelled);
    let mut own = own;
    let parked = admitted(&mut own).await.park();
    drop(parked);
    until(&b.queue, || log.truth().tickets().count() == 0).await;
}

#[tokio::test]
async fn a_parked_ticket_of_a_node_that_is_gone_is_taken_up_parked() {
    let (log, [a, mut b, mut c]) = three(1).await;
    let mut parked = a.place(1, 1).await.granted().expect("a slot is free").park();
    let id = parked.id();
    until(&b.queue, || b.queue.is_parked(id)).await;
    log.declare_gone(a.membership.me());
    assert_eq!(left(&mut parked).await, LeaveReason::Closed);
    assert!(!a.queue.resume(id), "it is another's");
    let (stray, node) = tokio::select! {
        stray = b.stray() => (stray, &b),
        stray = c.stray() => (stray, &c),
    };
    assert_eq!((stray.job, stray.ticket), (1, id));
    assert!(node.queue.is_parked(id));
    let mut ticket = node.queue.take_up(id).expect("it is this node's");
    assert!(ticket.is_parked());
    assert_eq!(log.truth().machine().state_of(id), Some(TicketState::Parked));
    ticket.resume();
    let _permit = admitted(&mut ticket).await;
}

#[tokio::test]
async fn during_a_pause_another_node_has_the_slot_and_the_ticket_comes_back_to_the_front() {
    let (log, [a, b, c]) = three(1).await;
    let permit = a.place(1, 1).await.granted().expect("a slot is free");
    let (mut second, third) = (b.place(2, 2).await, c.place(3, 3).await);
    let mut pauses = permit.start_back_after(Duration::from_millis(1));
    let running = admitted(&mut second).await;
    pauses.paused().await;
    until(&a.queue, || a.position(&pauses) == Some(1)).await;
    until(&c.queue, || c.position(&third) == Some(2)).await;
    drop(running);
    drop(admitted(&mut pauses).await);
    drop((second, third));
    until(&b.queue, || log.truth().tickets().count() == 0).await;
}

/// Nobody is there who would end its pause, so whoever takes it up does.
#[tokio::test]
async fn a_ticket_that_pauses_on_a_node_that_is_gone_goes_on_where_it_is_taken_up() {
    let (log, [a, mut b, mut c]) = three(1).await;
    let permit = a.place(1, 1).await.granted().expect("a slot is free");
    let mut pauses = permit.start_back_after(Duration::from_secs(3600));
    let id = pauses.id();
    until(&b.queue, || b.queue.is_parked(id)).await;
    log.declare_gone(a.membership.me());
    assert_eq!(left(&mut pauses).await, LeaveReason::Closed);
    let (stray, node) = tokio::select! {
        stray = b.stray() => (stray, &b),
        stray = c.stray() => (stray, &c),
    };
    let mut ticket = node.queue.take_up(stray.ticket).expect("it is this node's");
    assert!(!ticket.is_parked());
    drop(admitted(&mut ticket).await);
}

#[tokio::test]
async fn what_a_node_has_parked_goes_to_another_when_it_leaves() {
    let (_log, [a, mut b, mut c]) = three(1).await;
    let mut parked = a.place(1, 1).await.granted().expect("a slot is free").park();
    a.queue.close();
    assert_eq!(left(&mut parked).await, LeaveReason::Closed);
    let (stray, node) = tokio::select! {
        stray = b.stray() => (stray, &b),
        stray = c.stray() => (stray, &c),
    };
    let ticket = node.queue.take_up(stray.ticket).expect("it is this node's");
    assert!(ticket.is_parked());
}

#[tokio::test]
async fn a_parked_ticket_resumes_in_the_line_of_the_pool_that_is_chosen_meanwhile() {
    let log = Arc::new(MemoryLog::new(pools(&["small", "large"])));
    let a = Node::join(&log, 1, pools(&["small", "large"])).await;
    let work = |pool| Work {
        event: CHAT,
        pool: Some(PoolIndex(pool)),
        prefers: None,
    };
    let small = within(a.queue.place(1, work(0), Owner(1))).await;
    let small = small.expect("there is room").granted().expect("it is free");
    let mut parked = small.park();
    assert!(a.queue.change_pool(parked.id(), PoolIndex(1)));
    assert_eq!(a.queue.pool_of(parked.id()), Some(PoolIndex(1)));
    parked.resume();
    assert_eq!(admitted(&mut parked).await.backend(), Some(BackendIndex(1)));
}

#[tokio::test]
async fn what_the_log_has_forgotten_of_a_parked_ticket_is_said_again() {
    let (log, [a, b, _c]) = three(1).await;
    let mut parked = a.place(1, 1).await.granted().expect("a slot is free").park();
    until(&a.queue, || log.truth().machine().parked() == 1).await;
    log.forget_last();
    assert_eq!(log.truth().machine().running(), 1, "it does not know");
    until(&a.queue, || log.truth().machine().parked() == 1).await;
    let other = b.place(2, 2).await.granted().expect("the slot is free");
    parked.resume();
    until(&a.queue, || log.truth().machine().waiting() == 1).await;
    log.forget_last();
    assert_eq!(log.truth().machine().parked(), 1, "it does not know");
    until(&a.queue, || log.truth().machine().waiting() == 1).await;
    drop(other);
    let _permit = admitted(&mut parked).await;
}
