//! Nodes that leave, and nodes that are gone.

use super::*;

#[tokio::test]
async fn what_a_node_held_that_was_killed_is_taken_up_by_the_others() {
    let (log, [a, mut b, mut c]) = three(1).await;
    let permit = a.place(1, 1).await.granted().expect("a slot is free");
    let waiting = c.place(2, 2).await;
    assert_eq!(c.position(&waiting), Some(1));
    let home = if b.membership.home(Owner(1)).map(|home| home.node) == Some(a.membership.me()) {
        permit
    } else {
        panic!("an owner is at home where its tickets are");
    };
    a.kill(&log);
    drop(home);
    let (stray, node) = tokio::select! {
        stray = b.stray() => (stray, &b),
        stray = c.stray() => (stray, &c),
    };
    assert_eq!((stray.job, stray.owner), (1, Owner(1)));
    let mut ticket = node.queue.take_up(stray.ticket).expect("it is there to be taken up");
    assert!(node.queue.take_up(stray.ticket).is_none(), "once");
    // It comes before those who have waited.
    let permit = admitted(&mut ticket).await;
    assert_eq!(c.position(&waiting), Some(1));
    drop(permit);
    let mut waiting = waiting;
    let _permit = admitted(&mut waiting).await;
}

#[tokio::test]
async fn a_node_that_leaves_finishes_what_runs_and_gives_away_what_waits() {
    let (log, [a, mut b, mut c]) = three(2).await;
    let permit = a.place(1, 1).await.granted().expect("a slot is free");
    let _other = b.place(9, 9).await.granted().expect("a slot is free");
    let mut waits = a.place(2, 2).await;
    let mut behind = a.place(3, 1).await;
    a.queue.close();
    assert_eq!(left(&mut waits).await, LeaveReason::Closed);
    // An owner moves as a whole.
    assert_eq!(
        b.membership.home(Owner(1)).map(|home| home.node),
        Some(a.membership.me())
    );
    let (stray, node) = tokio::select! {
        stray = b.stray() => (stray, &b),
        stray = c.stray() => (stray, &c),
    };
    assert_eq!(stray.job, 2);
    let mut ticket = node.queue.take_up(stray.ticket).expect("it is this node's");
    permit.finish(Outcome::Done);
    let first = admitted(&mut ticket).await;
    assert_eq!(left(&mut behind).await, LeaveReason::Closed);
    a.queue.leave_now();
    within(a.membership.over()).await;
    let (stray, node) = tokio::select! {
        stray = b.stray() => (stray, &b),
        stray = c.stray() => (stray, &c),
    };
    assert_eq!(stray.job, 3);
    let mut ticket = node.queue.take_up(stray.ticket).expect("it is this node's");
    drop(first);
    let _permit = admitted(&mut ticket).await;
    assert_eq!(log.truth().nodes().count(), 2);
}

#[tokio::test]
async fn who_comes_to_a_node_that_leaves_is_taken_up_by_another_as_long_as_there_is_one() {
    let (log, [a, mut b, c]) = three(1).await;
    log.declare_gone(c.membership.me());
    a.queue.close();
    until(&b.queue, || b.membership.nodes().len() == 2).await;
    let mut late = within(a.queue.place(1, CHAT, Owner(1)))
        .await
        .expect("another one has room");
    assert_eq!(left(&mut late).await, LeaveReason::Closed);
    assert_eq!(b.stray().await.job, 1);
    b.queue.close();
    until(&b.queue, || {
        log.truth().members().filter(|member| member.leaving).count() == 2
    })
    .await;
    for node in [&a, &b] {
        let refused = within(node.queue.place(2, CHAT, Owner(2))).await;
        assert_eq!(refused.expect_err("nobody is let in"), JoinError::Closed);
    }
}

#[tokio::test]
async fn a_node_that_is_declared_gone_ends_its_work_and_begins_nothing() {
    let (log, [a, mut b, mut c]) = three(1).await;
    let permit = a.place(1, 1).await.granted().expect("a slot is free");
    let mut waits = a.place(2, 2).await;
    log.declare_gone(a.membership.me());
    within(permit.halted()).await;
    let mut ticket = permit.set_aside();
    assert_eq!(left(&mut ticket).await, LeaveReason::Closed);
    assert_eq!(left(&mut waits).await, LeaveReason::Closed);
    within(a.membership.over()).await;
    let mut jobs = Vec::new();
    while jobs.len() < 2 {
        let strays = tokio::select! {
            strays = b.strays.recv() => strays,
            strays = c.strays.recv() => strays,
        };
        jobs.extend(strays.expect("they go on").iter().map(|stray| stray.job));
    }
    jobs.sort_unstable();
    assert_eq!(jobs, [1, 2]);
}
