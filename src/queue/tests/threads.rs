//! The same promises under real threads: whatever interleaves, no limit is passed, nobody is lost, nothing idles.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::{
    sync::mpsc,
    task::{JoinSet, yield_now},
    time::Instant,
};

use super::support::*;
use crate::queue::{EventIndex, Left, Outcome, Owner, Permit, Queue, TicketId};

const TASKS: usize = 24;
const ROUNDS: usize = 200;

/// How many run of each event, counted by those who run.
#[derive(Default)]
struct Gauge {
    running: [AtomicUsize; 3],
    most: [AtomicUsize; 3],
    done: AtomicUsize,
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

async fn work(gauge: Arc<Gauge>, permit: Permit, event: EventIndex, fate: u64) {
    let counted = Counted::new(&gauge, event);
    for _ in 0..fate % 3 {
        yield_now().await;
    }
    gauge.done.fetch_add(1, SeqCst);
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

/// Joins and waits, cancels, lets others take it out, works, panics.
async fn visitor(queue: Queue, gauge: Arc<Gauge>, waiting: mpsc::UnboundedSender<TicketId>, number: usize) {
    let mut dice = Dice(number as u64 + 1);
    for _ in 0..ROUNDS {
        let event = EventIndex(dice.below(3) as usize);
        let owner = Owner(u128::from(dice.below(8)));
        let Ok(mut ticket) = queue.join(event, owner, Instant::now()) else {
            yield_now().await;
            continue;
        };
        let _ = waiting.send(ticket.id());
        match dice.below(6) {
            0 => drop(ticket),
            1 => {
                // Gives up after a while: races with admission.
                let mut admitted = Box::pin(ticket.admitted());
                for _ in 0..dice.below(4) {
                    if futures_util::poll!(&mut admitted).is_ready() {
                        break;
                    }
                    yield_now().await;
                }
            }
            _ => {
                if let Ok(permit) = ticket.admitted().await {
                    let work = tokio::spawn(work(Arc::clone(&gauge), permit, event, dice.below(6)));
                    let _panicked = work.await;
                }
            }
        }
    }
}

async fn storm(queue: &Queue, retune: impl Fn(u64) + Send + 'static) -> Arc<Gauge> {
    let gauge = Arc::new(Gauge::default());
    let (sender, mut ids) = mpsc::unbounded_channel();
    let mut visitors = JoinSet::new();
    for number in 0..TASKS {
        visitors.spawn(visitor(queue.clone(), Arc::clone(&gauge), sender.clone(), number));
    }
    drop(sender);
    let meddler = tokio::spawn({
        let queue = queue.clone();
        async move {
            let mut dice = Dice(99);
            while let Some(id) = ids.recv().await {
                match dice.below(8) {
                    0 => {
                        let _in_time = queue.leave(id, Left::Abandoned);
                    }
                    1 => assert!(
                        queue
                            .standing(id)
                            .is_none_or(|standing| standing.position <= standing.waiting)
                    ),
                    2 => retune(dice.below(1_000)),
                    _ => yield_now().await,
                }
            }
        }
    });
    while let Some(visitor) = visitors.join_next().await {
        visitor.unwrap();
    }
    meddler.await.unwrap();
    gauge
}

/// Everything has ended once, and every slot is there again.
fn settled(queue: &Queue, recorder: &Recorder, limits: &[usize]) {
    assert_eq!((queue.running(), queue.waiting()), (0, 0));
    assert_eq!(recorder.started.load(SeqCst), recorder.ended.load(SeqCst));
    queue.retune(policy(limits));
    for (event, limit) in limits.iter().enumerate() {
        let event = EventIndex(event);
        let running: Vec<_> = (0..*limit).map(|owner| start(queue, event, owner as u128)).collect();
        assert!(waits(&mut join(queue, event, 0)), "one slot too many");
        assert_eq!(queue.line_of(event).running, running.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn running_never_exceeds_a_limit() {
    let limits = [3, 1, 2];
    let (queue, recorder) = queue(policy(&limits));
    let gauge = storm(&queue, |_| {}).await;
    for (event, limit) in limits.iter().enumerate() {
        assert!(gauge.most[event].load(SeqCst) <= *limit, "event {event}");
    }
    assert!(gauge.done.load(SeqCst) > 0);
    settled(&queue, &recorder, &limits);
    assert_eq!(recorder.refused.load(SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_while_limits_change() {
    let (queue, recorder) = queue(policy(&[3, 1, 2]));
    let tuned = queue.clone();
    let gauge = storm(&queue, move |chance| {
        let chance = chance as usize;
        let mut next = policy(&[1 + chance % 4, 1 + chance % 3, 1 + chance % 2]);
        next.concurrent = !chance.is_multiple_of(7);
        next.max_running = (!chance.is_multiple_of(3)).then_some(1 + chance % 5);
        next.max_size = (!chance.is_multiple_of(5)).then_some(6);
        next.max_wait = chance.is_multiple_of(11).then_some(Duration::from_secs(60));
        let id = (chance % 4 > 1).then_some("gpu");
        tuned.retune(shared(next, &[id, None, id]));
    })
    .await;
    assert!((0..3).all(|event| gauge.most[event].load(SeqCst) <= 4));
    settled(&queue, &recorder, &[3, 1, 2]);
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
