//! The queue, kept by several nodes.

use std::{sync::Arc, time::Duration};

use tokio::{sync::mpsc, task::JoinSet, time::timeout};

use super::memory::MemoryLog;
use crate::{
    nodes::{Incarnation, Membership, Replica},
    queue::{
        BackendIndex, BackendPolicy, Difference, EventIndex, EventPolicy, JoinError, LeaveReason, Outcome, Owner,
        Permit, Policy, PoolIndex, PoolPolicy, Queue, Retuning, Stray, Ticket, Work,
        machine::{Restored, TicketState},
    },
};

const CHAT: EventIndex = EventIndex(0);
/// Far longer than anything here takes: what has not happened by then never does.
const NEVER: Duration = Duration::from_secs(60);

fn policy(limit: usize) -> Policy {
    Policy::new([EventPolicy::new("chat", limit)])
}

/// One with a pool of one back end for each of these names.
fn pools(names: &[&str]) -> Policy {
    let mut policy = policy(10);
    policy.events[0].pooled = true;
    for (name, at) in names.iter().zip(0..) {
        policy.backends.push(BackendPolicy {
            name: format!("server of {name}"),
            limit: Some(1),
            weight: 1,
        });
        policy.pools.push(PoolPolicy {
            name: (*name).to_owned(),
            backends: vec![BackendIndex(at)],
        });
    }
    policy
}

struct Node {
    membership: Membership,
    queue: Queue,
    strays: mpsc::UnboundedReceiver<Vec<Stray>>,
}

impl Node {
    async fn join(log: &Arc<MemoryLog>, node: u128, policy: Policy) -> Self {
        let address = Some(format!("node-{node}"));
        let (membership, queue) = Membership::join(
            Incarnation(node),
            address,
            Arc::clone(log) as _,
            policy.clone(),
            Arc::new(()),
        );
        assert!(within(membership.ready()).await);
        queue.propose(policy, Retuning::Joining);
        let strays = queue.strays().expect("nobody else has them");
        Self {
            membership,
            queue,
            strays,
        }
    }

    async fn place(&self, job: u128, owner: u128) -> Ticket {
        let placed = self.queue.place(job, CHAT, Owner(owner));
        within(placed).await.expect("there is room")
    }

    /// Ends it as `kill -9` would, and has the others know.
    fn kill(self, log: &MemoryLog) {
        let node = self.membership.me();
        drop(self);
        log.declare_gone(node);
    }

    async fn stray(&mut self) -> Stray {
        let strays = within(self.strays.recv()).await.expect("it goes on");
        assert_eq!(strays.len(), 1);
        strays[0]
    }

    fn position(&self, ticket: &Ticket) -> Option<u64> {
        self.queue.standing(ticket.id()).map(|standing| standing.position)
    }
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(NEVER, future).await.expect("it comes to an end")
}

async fn left(ticket: &mut Ticket) -> LeaveReason {
    within(ticket.admitted()).await.expect_err("it leaves")
}

async fn admitted(ticket: &mut Ticket) -> Permit {
    within(ticket.admitted()).await.expect("it gets its slot")
}

/// Waits until something is so, as a queue shows it.
async fn until(queue: &Queue, is: impl Fn() -> bool) {
    let mut changes = queue.changes();
    within(async {
        while !is() {
            changes.changed().await;
        }
    })
    .await;
}

async fn three(limit: usize) -> (Arc<MemoryLog>, [Node; 3]) {
    let log = Arc::new(MemoryLog::new(policy(limit)));
    let nodes = [
        Node::join(&log, 1, policy(limit)).await,
        Node::join(&log, 2, policy(limit)).await,
        Node::join(&log, 3, policy(limit)).await,
    ];
    (log, nodes)
}

fn waiting(replica: &Replica) -> usize {
    replica.machine().waiting()
}

#[tokio::test]
async fn a_slot_goes_to_whoever_is_next_on_whichever_node() {
    let (_log, [a, b, c]) = three(1).await;
    let mut first = a.place(1, 1).await;
    let permit = first.granted().expect("a slot is free");
    let mut second = b.place(2, 2).await;
    let mut third = c.place(3, 3).await;
    assert!(second.granted().is_none());
    assert_eq!((b.position(&second), c.position(&third)), (Some(1), Some(2)));
    let before = c.queue.waiting();
    permit.finish(Outcome::Done);
    let permit = admitted(&mut second).await;
    assert_eq!(before, 2);
    until(&c.queue, || c.position(&third) == Some(1)).await;
    drop(permit);
    let _permit = admitted(&mut third).await;
}

#[tokio::test]
async fn who_leaves_makes_room_for_those_behind_on_other_nodes() {
    let (log, [a, b, c]) = three(1).await;
    let running = a.place(1, 1).await.granted().expect("a slot is free");
    let mut leaving = a.place(2, 2).await;
    let dropped = b.place(3, 3).await;
    let last = c.place(4, 4).await;
    assert_eq!(c.position(&last), Some(3));
    assert!(a.queue.leave(leaving.id(), LeaveReason::Cancelled));
    assert!(!a.queue.leave(leaving.id(), LeaveReason::Expired), "it has left");
    assert_eq!(left(&mut leaving).await, LeaveReason::Cancelled);
    drop(dropped);
    until(&c.queue, || c.position(&last) == Some(1)).await;
    assert_eq!(waiting(&log.truth()), 1);
    drop(running);
}

#[tokio::test]
async fn whoever_stops_asking_for_a_place_does_not_keep_it() {
    let (log, [a, b, _c]) = three(1).await;
    for round in 0..20 {
        let asking = a.queue.place(round, CHAT, Owner(1));
        // Dropped after a few steps, which may be before or after it has its slot.
        let _ = timeout(Duration::from_micros(round as u64 * 50), asking).await;
    }
    let mut other = b.place(100, 2).await;
    let _permit = admitted(&mut other).await;
    until(&b.queue, || b.queue.running() == 1 && b.queue.waiting() == 0).await;
    assert_eq!(log.truth().machine().running(), 1);
}

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

#[tokio::test]
async fn what_the_line_lacks_is_let_in_once_and_in_its_order() {
    let (log, [mut a, b, c]) = three(1).await;
    let running = a.place(1, 1).await.granted().expect("a slot is free");
    b.membership.is_dead(c.membership.me());
    within(c.membership.over()).await;
    let owner = |job: u128| {
        let mut owners = (job << 32..).map(Owner);
        let of_a = |owner: &Owner| log.truth().home(*owner) == Some(a.membership.me());
        owners.find(of_a).expect("some owner is at home there")
    };
    let restored = |job: u128, arrival| Restored {
        work: CHAT.into(),
        owner: owner(job),
        joined: log.truth().at(),
        key: Some(crate::queue::OrderKey { tag: 1, arrival }),
        ran: false,
        parked: false,
    };
    let missing: Vec<(u128, Restored)> = vec![(6, restored(6, 2)), (5, restored(5, 1))];
    let (known, ..) = a.membership.known([(Owner(1), 1), (missing[0].1.owner, 6)].into_iter());
    assert_eq!(known.into_iter().collect::<Vec<_>>(), [1]);
    let mut found = Vec::new();
    for node in [&b, &a] {
        within(node.queue.recover(missing.clone())).await.expect("it is open");
    }
    while found.len() < 2 {
        found.extend(within(a.strays.recv()).await.expect("it goes on"));
    }
    let mut tickets: Vec<(u128, Ticket)> = found
        .iter()
        .map(|stray| (stray.job, a.queue.take_up(stray.ticket).expect("it is this node's")))
        .collect();
    tickets.sort_by_key(|(job, _)| *job);
    until(&a.queue, || a.queue.waiting() == 2).await;
    assert_eq!(
        tickets.iter().map(|(_, ticket)| a.position(ticket)).collect::<Vec<_>>(),
        [Some(1), Some(2)]
    );
    drop(running);
    for (_, mut ticket) in tickets {
        drop(admitted(&mut ticket).await);
    }
}

#[tokio::test]
async fn a_place_that_cannot_be_had_in_time_is_refused_and_given_back_if_it_comes() {
    let log = Arc::new(MemoryLog::new(policy(1)));
    let node = Node::join(&log, 1, policy(1)).await;
    log.set_away(true);
    // The node goes by a clock of the system's.
    tokio::time::pause();
    let refused = node.queue.place(1, CHAT, Owner(1)).await;
    assert_eq!(refused.expect_err("nobody is let in"), JoinError::Away);
    tokio::time::resume();
    log.set_away(false);
    let appended = log.truth().applied();
    until(&node.queue, || log.truth().applied().0 >= appended.0 + 2).await;
    until(&node.queue, || node.queue.running() == 0 && node.queue.waiting() == 0).await;
}

/// Many callers on three nodes: never more than the limit, and all come to their end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_on_three_nodes_is_never_too_many_and_all_get_through() {
    const LIMIT: usize = 3;
    let (log, [a, b, c]) = three(LIMIT).await;
    let mut tasks = JoinSet::new();
    for caller in 0..60_u128 {
        let queue = [&a, &b, &c][caller as usize % 3].queue.clone();
        let log = Arc::clone(&log);
        tasks.spawn(async move {
            for round in 0..10 {
                let mut ticket = loop {
                    match queue.place(caller << 32 | round, CHAT, Owner(caller)).await {
                        // On a machine with a lot to do: what comes late is given back, and asked for again.
                        Err(JoinError::Away) => {}
                        placed => break placed.ok()?,
                    }
                };
                if round % 4 == 3 {
                    drop(ticket);
                    continue;
                }
                let permit = ticket.admitted().await.ok()?;
                log.look(|truth| {
                    assert!(truth.machine().running() <= LIMIT);
                    let state = truth.machine().state_of(ticket.id());
                    assert!(matches!(state, Some(TicketState::Running(_))), "{state:?}");
                });
                tokio::task::yield_now().await;
                permit.finish(Outcome::Done);
            }
            Some(())
        });
    }
    let mut through = 0;
    while let Some(done) = within(tasks.join_next()).await {
        through += usize::from(done.expect("no caller panics").is_some());
    }
    assert_eq!(through, 60);
    until(&a.queue, || a.queue.running() == 0 && a.queue.waiting() == 0).await;
    drop((b, c));
}
