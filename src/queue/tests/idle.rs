//! A slot that nobody needs, lent to work that is no ticket.

use std::collections::VecDeque;

use futures_util::FutureExt as _;
use proptest::prelude::*;

use super::{
    pools::{join_pool, pools, start_in},
    support::*,
};
use crate::queue::{BackendIndex, IdleSlot, JoinError, Permit, PoolIndex, Queue, Ticket};

fn lent(queue: &Queue, pool: u32) -> Option<IdleSlot> {
    queue
        .idle_slot(A, PoolIndex(pool))
        .now_or_never()
        .map(|slot| slot.unwrap())
}

fn is_claimed(slot: &IdleSlot) -> bool {
    slot.claimed().now_or_never().is_some()
}

fn is_cleared(permit: &Permit) -> bool {
    permit.cleared().now_or_never().is_some()
}

#[tokio::test(start_paused = true)]
async fn whoever_joins_starts_at_once_and_asks_once_the_slot_is_back() {
    let (queue, recorder) = queue(pools(&[&[0]], &[1]));
    let slot = lent(&queue, 0).expect("it is idle");
    assert_eq!(slot.backend(), BackendIndex(0));
    assert!(lent(&queue, 0).is_none(), "there is one at a time");
    assert!(!is_claimed(&slot));
    // Nobody sees it.
    assert_eq!((queue.running(), queue.waiting()), (0, 0));
    assert_eq!(queue.lines()[0].newcomer, 0);

    let permit = start_in(&queue, 0, 1);
    assert!(is_claimed(&slot));
    assert!(!is_cleared(&permit), "what has it is still at work");
    let mut next = join_pool(&queue, 0, 2);
    assert_eq!(position(&queue, &next), Some(1));
    let (mut cleared, mut slot) = (Box::pin(permit.cleared()), Some(slot));
    assert!(cleared.as_mut().now_or_never().is_none());
    drop(slot.take());
    cleared.await;
    assert!(lent(&queue, 0).is_none(), "it is in use, and somebody waits");
    drop(permit);
    let second = take(&mut next);
    assert!(is_cleared(&second));
    drop(second);
    assert!(lent(&queue, 0).is_some());
    assert_eq!(recorder.started.load(std::sync::atomic::Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn it_is_claimed_only_where_there_is_no_other() {
    let (queue, _) = queue(pools(&[&[0, 1], &[1]], &[1, 2]));
    let slot = lent(&queue, 1).expect("it is idle");
    assert_eq!(slot.backend(), BackendIndex(1));
    // The other one, then the second of this: both are free beside it.
    let both = [start_in(&queue, 0, 1), start_in(&queue, 0, 2)];
    assert!(!is_claimed(&slot) && both.iter().all(is_cleared));
    let third = start_in(&queue, 1, 3);
    assert_eq!(third.backend(), Some(BackendIndex(1)));
    assert!(is_claimed(&slot) && !is_cleared(&third));
    drop(slot);
    assert!(is_cleared(&third));
}

#[tokio::test(start_paused = true)]
async fn every_limit_counts_and_so_does_one_that_shrinks() {
    let mut most = pools(&[&[0]], &[4]);
    most.max_running = Some(1);
    let mut event = pools(&[&[0]], &[4]);
    event.events[0].limit = Some(1);
    for tight in [most, event] {
        let (queue, _) = queue(tight);
        let slot = lent(&queue, 0).expect("it is idle");
        let permit = start_in(&queue, 0, 1);
        assert!(is_claimed(&slot) && !is_cleared(&permit));
    }
    let (queue, _) = queue(pools(&[&[0]], &[2]));
    let permit = start_in(&queue, 0, 1);
    let slot = lent(&queue, 0).expect("one is idle");
    queue.throttle(BackendIndex(0), Some(1));
    assert!(is_claimed(&slot), "it may have no more than the one");
    drop(slot);
    assert!(lent(&queue, 0).is_none());
    queue.throttle(BackendIndex(0), None);
    let slot = lent(&queue, 0).expect("one is idle again");
    queue.retune(pools(&[&[0]], &[1]));
    assert!(is_claimed(&slot));
    drop((slot, permit));
    let slot = lent(&queue, 0).expect("it is idle");
    queue.close();
    assert!(is_claimed(&slot), "the end of all");
    drop(slot);
    assert!(lent(&queue, 0).is_none());
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_one_gets_it_when_the_last_ticket_ends_or_another_is_given_back() {
    let (queue, _) = queue(pools(&[&[0]], &[1]));
    let permit = start_in(&queue, 0, 1);
    let mut one = Box::pin(queue.idle_slot(A, PoolIndex(0)));
    assert!(one.as_mut().now_or_never().is_none());
    drop(permit);
    let one = one.await.expect("this process keeps the line alone");
    let mut other = Box::pin(queue.idle_slot(A, PoolIndex(0)));
    assert!(other.as_mut().now_or_never().is_none());
    drop(one);
    assert!(other.await.is_some());
}

#[derive(Clone, Debug)]
enum Step {
    Join { pool: u32, owner: u128 },
    End,
    Leave,
    Throttle { backend: u32, cap: Option<usize> },
    Retune { first: usize, second: usize },
    Borrow { pool: u32 },
    GiveBack,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..2_u32, 1..4_u128).prop_map(|(pool, owner)| Step::Join { pool, owner }),
        3 => Just(Step::End),
        1 => Just(Step::Leave),
        1 => (0..2_u32, prop::option::of(0..3_usize)).prop_map(|(backend, cap)| Step::Throttle { backend, cap }),
        1 => (1..4_usize, 1..4_usize).prop_map(|(first, second)| Step::Retune { first, second }),
        3 => (0..2_u32).prop_map(|pool| Step::Borrow { pool }),
        2 => Just(Step::GiveBack),
    ]
}

/// A queue with those who hold its slots, and those who wait.
struct World {
    queue: Queue,
    running: VecDeque<Permit>,
    waiting: Vec<Ticket>,
}

impl World {
    fn new() -> Self {
        let mut policy = tight(2, 2);
        policy.max_size = Some(3);
        let (queue, _) = queue(policy);
        Self {
            queue,
            running: VecDeque::new(),
            waiting: Vec::new(),
        }
    }

    /// Does what only tickets do. Says whether somebody was refused.
    fn take(&mut self, step: &Step) -> Option<JoinError> {
        let mut refused = None;
        match *step {
            Step::Join { pool, owner } => {
                let work = crate::queue::Work {
                    pool: Some(PoolIndex(pool)),
                    ..A.into()
                };
                let now = tokio::time::Instant::now();
                match self.queue.join(work, crate::queue::Owner(owner), now) {
                    Ok(ticket) => self.waiting.push(ticket),
                    Err(why) => refused = Some(why),
                }
            }
            Step::End => drop(self.running.pop_front()),
            Step::Leave => drop(self.waiting.pop()),
            Step::Throttle { backend, cap } => self.queue.throttle(BackendIndex(backend), cap),
            Step::Retune { first, second } => {
                let mut policy = tight(first, second);
                policy.max_size = Some(3);
                self.queue.retune(policy);
            }
            Step::Borrow { .. } | Step::GiveBack => {}
        }
        let (mut waiting, mut started) = (Vec::new(), Vec::new());
        for mut ticket in std::mem::take(&mut self.waiting) {
            match ticket.admitted().now_or_never() {
                Some(permit) => started.push(permit.unwrap()),
                None => waiting.push(ticket),
            }
        }
        self.waiting = waiting;
        self.running.extend(started);
        refused
    }

    fn shown(&self) -> (Vec<crate::queue::BackendState>, Vec<u64>, Vec<u64>) {
        let newcomers = self.queue.lines().into_iter().map(|line| line.newcomer);
        (
            self.queue.backends(),
            positions(&self.queue, &self.waiting),
            newcomers.collect(),
        )
    }
}

fn tight(first: usize, second: usize) -> crate::queue::Policy {
    let mut policy = pools(&[&[0], &[0, 1]], &[first, second]);
    policy.max_running = Some(3);
    policy
}

proptest! {
    /// Beside a queue that lends nothing, nobody can tell that this one does; and what it has lent and nobody claims is never too much.
    #[test]
    fn nobody_can_tell_that_a_slot_is_lent(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (mut lends, mut plain) = (World::new(), World::new());
            let mut slot: Option<IdleSlot> = None;
            for step in &steps {
                assert_eq!(lends.take(step), plain.take(step));
                match step {
                    Step::Borrow { pool } if slot.is_none() => {
                        let idle = lent(&lends.queue, *pool);
                        let line = lends.queue.line_of(crate::queue::Work {
                            pool: Some(PoolIndex(*pool)),
                            ..A.into()
                        });
                        assert_eq!(idle.is_some(), line.newcomer == 0, "exactly where a newcomer would start");
                        slot = idle;
                    }
                    Step::GiveBack => slot = None,
                    _ => {}
                }
                assert_eq!(lends.shown(), plain.shown());
                let claimed = slot.as_ref().is_some_and(is_claimed);
                if let Some(slot) = slot.as_ref().filter(|_| !claimed) {
                    let backend = lends.queue.backends()[slot.backend().0 as usize];
                    assert!(backend.limit.is_none_or(|limit| backend.running < limit), "{backend:?}");
                    assert!(lends.queue.running() < 3);
                }
                assert!(lends.running.iter().all(|permit| is_cleared(permit) != claimed));
            }
        });
    }
}
