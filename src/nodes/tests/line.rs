//! The queue, kept by several nodes.

mod leaving;
mod parked;
mod policies;
mod pools;

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
