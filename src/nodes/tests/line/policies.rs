//! What nodes have set, and what is in force.

use super::*;

#[tokio::test]
async fn an_edit_on_one_node_holds_on_all_and_a_newcomer_changes_nothing() {
    let (log, [a, b, c]) = three(1).await;
    let first = a.place(1, 1).await.granted().expect("a slot is free");
    let mut second = b.place(2, 2).await;
    a.queue.retune(policy(2));
    let second = admitted(&mut second).await;
    until(&c.queue, || c.queue.limits()[0].limit == Some(2)).await;
    assert!(a.queue.agrees() && !c.queue.agrees(), "its own file says 1");
    assert_eq!(a.queue.differences(), []);
    assert_eq!(c.queue.differences(), [Difference::Limit(CHAT)]);
    let d = Node::join(&log, 4, policy(7)).await;
    assert_eq!(d.queue.limits()[0].limit, Some(2));
    assert!(!d.queue.agrees());
    // Two at once: both have their say, and all have the same.
    a.queue.retune(policy(3));
    b.queue.retune(policy(4));
    until(&c.queue, || log.truth().policies() >= 3).await;
    let last = log.truth().machine().policy().clone();
    assert!(last == policy(3) || last == policy(4), "{last:?}");
    drop((first, second));
}

/// The line of a version that did not have some event, and a node that has it.
#[tokio::test]
async fn an_event_that_the_others_lack_comes_with_the_first_node_that_has_it() {
    let log = Arc::new(MemoryLog::new(policy(1)));
    let a = Node::join(&log, 1, policy(1)).await;
    let mut later = policy(7);
    later.events.push(EventPolicy::new("tool", 2));
    let (tool, b) = (EventIndex(1), Node::join(&log, 2, later).await);
    let placed = within(b.queue.place(1, tool, Owner(1))).await;
    let permit = placed.expect("it is known by now").granted().expect("a slot is free");
    until(&a.queue, || a.queue.limits().len() == 2).await;
    let limits: Vec<_> = a
        .queue
        .limits()
        .iter()
        .map(|limit| (limit.running, limit.limit))
        .collect();
    assert_eq!(limits, [(0, Some(1)), (1, Some(2))], "all else stays as they have it");
    drop(permit);
}
