//! The same promises under real threads: whatever interleaves, no limit is passed, nobody is lost or moved back, nothing idles.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::Poll,
    time::Duration,
};

use futures_util::poll;
use tokio::{
    sync::mpsc,
    task::{JoinSet, yield_now},
    time::{Instant, timeout},
};

use super::{support::*, witness::Witness};
use crate::queue::{EventIndex, LeaveReason, Order, Outcome, Owner, Permit, Policy, Queue, Ticket, TicketId};

const VISITORS: usize = 24;
const ROUNDS: usize = 100;
/// A ticket that waits this long was forgotten: a storm takes a second.
const FOR_EVER: Duration = Duration::from_secs(300);

/// How many run of each event, counted by those who run.
#[derive(Default)]
struct Gauge {
    running: [AtomicUsize; 3],
    most: [AtomicUsize; 3],
}

struct Counted<'a>(&'a Gauge, EventIndex);

impl<'a> Counted<'a> {
    fn new(gauge: &'a Gauge, event: EventIndex) -> Self {
        let running = gauge.running[event.0].fetch_add(1, SeqCst) + 1;
        gauge.most[event.0].fetch_max(running, SeqCst);
        Self(gauge, event)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.running[self.1.0].fetch_sub(1, SeqCst);
    }
}

/// Repeatable dice, a different one for each task.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// How a ticket has ended, as somebody was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Started,
    /// Its owner took it back, or somebody else did.
    TakenOut,
    Expired,
}

/// A queue with everybody who is at it.
struct Rush {
    queue: Queue,
    recorder: Arc<Recorder>,
    gauge: Gauge,
    witness: Witness,
    joined: AtomicUsize,
    fates: Mutex<HashMap<TicketId, Fate>>,
    /// Whose owners have heard that they were taken out. The thread that did it may write that down a moment later, so this is compared
    /// at the end.
    heard: Mutex<Vec<TicketId>>,
    /// Whether what shares a line stays as it is, so that positions can be compared over time.
    same_lines: bool,
}

impl Rush {
    fn new(policy: Policy, same_lines: bool) -> Arc<Self> {
        let (queue, recorder) = queue(policy);
        Arc::new(Self {
            queue,
            recorder,
            gauge: Gauge::default(),
            witness: Witness::default(),
            joined: AtomicUsize::new(0),
            fates: Mutex::default(),
            heard: Mutex::default(),
            same_lines,
        })
    }

    fn ended(&self, ticket: TicketId, fate: Fate) {
        let earlier = self.fates.lock().unwrap().insert(ticket, fate);
        assert_eq!(earlier, None, "{ticket:?} ends a second time, as {fate:?}");
    }

    fn take_out(&self, ticket: TicketId, how: LeaveReason) -> bool {
        let in_time = self.queue.leave(ticket, how);
        if in_time {
            self.ended(ticket, Fate::TakenOut);
        }
        in_time
    }

    fn look(&self) {
        self.witness.look(&self.queue);
    }

    async fn work(self: Arc<Self>, permit: Permit, event: EventIndex, fate: u64) {
        let counted = Counted::new(&self.gauge, event);
        for _ in 0..fate % 3 {
            yield_now().await;
        }
        match fate {
            0..3 => {
                drop(counted);
                permit.finish(Outcome::Done);
            }
            3..5 => drop((counted, permit)),
            _ => {
                let _held = (counted, permit);
                std::panic::resume_unwind(Box::new("a fault of the work"));
            }
        }
    }

    /// Joins with one ticket or several; waits, cancels, is taken out by others, works, panics.
    async fn visitor(self: Arc<Self>, number: usize, waiting: mpsc::UnboundedSender<TicketId>) {
        let mut dice = Dice(number as u64 + 1);
        for _ in 0..ROUNDS {
            let event = EventIndex(dice.below(3) as usize);
            let mut tickets = VecDeque::new();
            for _ in 0..=dice.below(3) {
                if let Ok(ticket) = self.queue.join(event, Owner(number as u128), Instant::now()) {
                    self.joined.fetch_add(1, SeqCst);
                    let _ = waiting.send(ticket.id());
                    tickets.push_back(ticket);
                }
                self.look();
            }
            if dice.below(4) == 0 {
                // One from the middle or the end, wherever it has got to meanwhile.
                drop(tickets.pop_back());
            }
            while let Some(first) = tickets.pop_front() {
                self.stand_first(first, event, &mut dice).await;
            }
        }
    }

    /// A ticket that is its owner's first in the line, from now to its end.
    async fn stand_first(self: &Arc<Self>, mut ticket: Ticket, event: EventIndex, dice: &mut Dice) {
        let id = ticket.id();
        let patience = match dice.below(4) {
            0 => dice.below(4),
            _ => u64::MAX,
        };
        let (mut last, mut looks) = (u64::MAX, 0);
        let outcome = loop {
            if dice.below(8) == 0 && patience == u64::MAX {
                break ticket.admitted().await;
            }
            if let Poll::Ready(outcome) = poll!(std::pin::pin!(ticket.admitted())) {
                break outcome;
            }
            if looks == patience {
                // Gives up: races with admission, and with another thread that takes it out.
                if self.take_out(id, LeaveReason::Cancelled) {
                    return;
                }
                break ticket.admitted().await;
            }
            if let Some((_, standing)) = self.queue.look(|machine, _| machine.standing(id)) {
                assert!(standing.position <= standing.waiting);
                assert!(
                    !self.same_lines || standing.position <= last,
                    "a first ticket has moved back from {last} to {}",
                    standing.position
                );
                last = standing.position;
            }
            looks += 1;
            yield_now().await;
        };
        match outcome {
            Ok(permit) => {
                self.ended(id, Fate::Started);
                self.look();
                let work = tokio::spawn(Arc::clone(self).work(permit, event, dice.below(6)));
                let _panicked = work.await;
            }
            Err(LeaveReason::Expired) => self.ended(id, Fate::Expired),
            Err(_) => self.heard.lock().unwrap().push(id),
        }
    }

    /// Takes others out of the line and retunes, until nobody comes any more.
    async fn meddler(self: Arc<Self>, mut ids: mpsc::UnboundedReceiver<TicketId>, policy: impl Fn(usize) -> Policy) {
        let mut dice = Dice(99);
        while let Some(id) = ids.recv().await {
            match dice.below(8) {
                0 => {
                    self.take_out(id, LeaveReason::Abandoned);
                }
                1 => self
                    .witness
                    .retuning(|| self.queue.retune(policy(dice.below(1_000) as usize))),
                _ => yield_now().await,
            }
            self.look();
        }
    }

    /// Everybody comes and goes while the policy changes; in the end each ticket has ended once, and every slot is there again.
    async fn storm(self: &Arc<Self>, policy: impl Fn(usize) -> Policy + Send + 'static) {
        let (sender, ids) = mpsc::unbounded_channel();
        let mut everybody = JoinSet::new();
        for number in 0..VISITORS {
            everybody.spawn(Arc::clone(self).visitor(number, sender.clone()));
        }
        drop(sender);
        everybody.spawn(Arc::clone(self).meddler(ids, policy));
        let all = async {
            while let Some(visitor) = everybody.join_next().await {
                visitor.unwrap();
            }
        };
        timeout(FOR_EVER, all).await.expect("somebody was never woken");
        self.settled();
    }

    fn settled(&self) {
        let queue = &self.queue;
        assert_eq!((queue.running(), queue.waiting()), (0, 0));
        assert!(queue.lines().iter().all(|line| line.running == 0 && line.waiting == 0));
        let count = |counter: &AtomicUsize| counter.load(SeqCst);
        let (started, left) = (count(&self.recorder.started), count(&self.recorder.left));
        assert_eq!(
            started + left,
            count(&self.joined),
            "each ticket starts or leaves, once"
        );
        assert_eq!(started, count(&self.recorder.ended), "what has started has ended");
        assert!(started > 0 && left > 0 && self.witness.has_seen_waiting());
        let fates = self.fates.lock().unwrap();
        for ticket in self.heard.lock().unwrap().iter() {
            assert_eq!(fates.get(ticket), Some(&Fate::TakenOut), "{ticket:?}");
        }

        let limits = [3, 1, 2];
        queue.retune(policy(&limits));
        for (event, limit) in limits.iter().enumerate() {
            let event = EventIndex(event);
            let running: Vec<_> = (0..*limit).map(|owner| start(queue, event, owner as u128)).collect();
            assert!(waits(&mut join(queue, event, 0)), "one slot too many");
            assert_eq!(queue.line_of(event).running, running.len());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn running_never_exceeds_a_limit() {
    let limits = [3, 1, 2];
    let rush = Rush::new(policy(&limits), true);
    // The same policy again and again: it changes nothing, but takes the lock and starts whom it can.
    rush.storm(move |_| policy(&limits)).await;
    for (event, limit) in limits.iter().enumerate() {
        assert!(rush.gauge.most[event].load(SeqCst) <= *limit, "event {event}");
    }
    assert_eq!(rush.recorder.refused.load(SeqCst), 0);
}

/// Limits grow and shrink, bounds and the order change, while everybody comes, goes, cancels and panics.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_is_lost_or_moved_back_while_limits_change() {
    let tuned = |chance: usize| Policy {
        max_running: (!chance.is_multiple_of(3)).then_some(1 + chance % 5),
        max_size: chance.is_multiple_of(5).then_some(12),
        max_waiting_per_owner: chance.is_multiple_of(7).then_some(2),
        max_wait: chance.is_multiple_of(11).then_some(Duration::from_millis(1)),
        order: if chance.is_multiple_of(2) {
            Order::Fair
        } else {
            Order::Fifo
        },
        ..policy(&[1 + chance % 4, 1 + chance % 3, 1 + chance % 2])
    };
    let rush = Rush::new(tuned(1), true);
    rush.storm(tuned).await;
    let most = [4, 3, 2];
    assert!((0..3).all(|event| rush.gauge.most[event].load(SeqCst) <= most[event]));
}

/// Lines merge and split, the master switches are thrown.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_is_lost_while_lines_merge_and_split() {
    let tuned = |chance: usize| {
        let id = (chance % 4 > 1).then_some("gpu");
        let next = Policy {
            concurrent: !chance.is_multiple_of(7),
            queue: !chance.is_multiple_of(13),
            max_running: (!chance.is_multiple_of(3)).then_some(1 + chance % 5),
            ..policy(&[1 + chance % 4, 1 + chance % 3, 1 + chance % 2])
        };
        shared(next, &[id, None, id])
    };
    let rush = Rush::new(tuned(1), false);
    rush.storm(tuned).await;
    assert!((0..3).all(|event| rush.gauge.most[event].load(SeqCst) <= 4));
}

/// While more wait than there are slots, every slot is in use whenever the queue is at rest.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_slot_idles_beside_a_waiting_ticket() {
    let (queue, _) = queue(policy(&[4]));
    let mut tickets: Vec<_> = (0..64).map(|owner| join(&queue, A, owner % 7)).collect();
    while !tickets.is_empty() {
        let waiting = queue.waiting();
        assert_eq!(queue.running(), 4.min(tickets.len()), "{waiting} wait");
        let mut admitted = Vec::new();
        tickets.retain_mut(|ticket| {
            let waits = queue.standing(ticket.id()).is_some();
            if !waits {
                admitted.push(take(ticket));
            }
            waits
        });
        let releases: Vec<_> = admitted
            .into_iter()
            .map(|permit| tokio::spawn(async move { drop(permit) }))
            .collect();
        for release in releases {
            release.await.unwrap();
        }
    }
    assert_eq!(queue.running(), 0);
}
