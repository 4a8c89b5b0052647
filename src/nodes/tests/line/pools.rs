//! Pools, and tickets that go over to another one.

use super::*;

#[tokio::test]
async fn each_node_counts_pools_and_back_ends_as_its_own_settings_do() {
    let log = Arc::new(MemoryLog::new(pools(&["small", "large"])));
    let a = Node::join(&log, 1, pools(&["small", "large"])).await;
    let b = Node::join(&log, 2, pools(&["huge", "large"])).await;
    let work = |pool: u32| Work {
        event: CHAT,
        pool: Some(PoolIndex(pool)),
        prefers: None,
    };
    let place = |node: &Node, job, pool| {
        let queue = node.queue.clone();
        async move {
            within(queue.place(job, work(pool), Owner(job)))
                .await
                .expect("there is room")
        }
    };
    // "large" is the second of both.
    let large = place(&b, 1, 1).await.granted().expect("a slot is free");
    assert_eq!(large.backend(), Some(BackendIndex(1)));
    // "huge" is b's first, and nothing that a knows.
    let huge = place(&b, 2, 0).await.granted().expect("a slot is free");
    assert_eq!(huge.backend(), Some(BackendIndex(0)));
    let small = place(&a, 3, 0).await.granted().expect("a slot is free");
    assert_eq!(small.backend(), Some(BackendIndex(0)));
    let mut moving = place(&a, 4, 0).await;
    assert!(moving.granted().is_none());
    assert_eq!(a.queue.pool_of(moving.id()), Some(PoolIndex(0)));
    let running = |queue: &Queue| -> Vec<usize> { queue.backends().iter().map(|backend| backend.running).collect() };
    until(&a.queue, || running(&a.queue) == [1, 1]).await;
    until(&b.queue, || running(&b.queue) == [1, 1]).await;
    assert_eq!(a.queue.lines().len(), 2, "of what it knows");
    // It waits for the other one then.
    assert!(a.queue.change_pool(moving.id(), PoolIndex(1)));
    assert_eq!(
        a.queue.pool_of(moving.id()),
        Some(PoolIndex(1)),
        "at once, for its owner"
    );
    drop(small);
    until(&b.queue, || log.truth().machine().running() == 2).await;
    drop(large);
    let moved = admitted(&mut moving).await;
    assert_eq!(moved.backend(), Some(BackendIndex(1)));
}

#[tokio::test]
async fn a_slot_that_comes_while_a_ticket_changes_its_pool_is_not_taken() {
    let log = Arc::new(MemoryLog::new(pools(&["small", "large"])));
    let a = Node::join(&log, 1, pools(&["small", "large"])).await;
    let work = |pool| Work {
        event: CHAT,
        pool: Some(PoolIndex(pool)),
        prefers: None,
    };
    for round in 0..50_u128 {
        let place = |job, pool| within(a.queue.place(round << 32 | job, work(pool), Owner(job)));
        let small = place(1, 0).await.expect("there is room").granted().expect("it is free");
        let mut moving = place(2, 0).await.expect("there is room");
        // In either order, as the log has it: the slot of the one comes, or the place in the other line.
        drop(small);
        if a.queue.change_pool(moving.id(), PoolIndex(1)) {
            let permit = admitted(&mut moving).await;
            assert_eq!(permit.backend(), Some(BackendIndex(1)), "round {round}");
        } else {
            let permit = admitted(&mut moving).await;
            assert_eq!(permit.backend(), Some(BackendIndex(0)), "round {round}");
        }
        until(&a.queue, || a.queue.running() == 0).await;
    }
}

#[tokio::test]
async fn a_ticket_whose_slot_is_taken_back_after_its_longest_wait_leaves() {
    let mut policy = pools(&["small", "large"]);
    policy.max_wait = Some(Duration::from_secs(30));
    let log = Arc::new(MemoryLog::new(policy.clone()));
    let a = Node::join(&log, 1, policy.clone()).await;
    let b = Node::join(&log, 2, policy).await;
    let work = Work {
        event: CHAT,
        pool: Some(PoolIndex(0)),
        prefers: None,
    };
    let small = within(b.queue.place(1, work, Owner(1))).await;
    let small = small.expect("there is room").granted().expect("it is free");
    let mut moving = within(a.queue.place(2, work, Owner(2))).await.expect("there is room");
    // Its slot comes while it is on its way to the other line, where it arrives when its time is over.
    log.hold(a.membership.me());
    assert!(a.queue.change_pool(moving.id(), PoolIndex(1)));
    drop(small);
    until(&a.queue, || a.queue.waiting() == 0).await;
    log.let_go_after(Duration::from_secs(60));
    assert_eq!(left(&mut moving).await, LeaveReason::Expired);
    for node in [&a, &b] {
        until(&node.queue, || node.queue.running() == 0).await;
    }
}
