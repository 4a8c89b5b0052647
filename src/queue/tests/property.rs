//! The queue and the model get the same random visits, and must agree after each. `PROPTEST_CASES` makes it longer.

use std::{collections::HashMap, sync::Arc, sync::atomic::Ordering::SeqCst, time::Duration};

use futures_util::FutureExt;
use proptest::prelude::*;
use tokio::time::{Instant, advance};

use super::{
    model::{Model, Number, State},
    support::*,
};
use crate::queue::{EventIndex, Left, Order, Outcome, Owner, Permit, Policy, Queue, Ticket};

#[derive(Clone, Debug)]
enum Step {
    /// `earlier`: milliseconds by which it comes back later than it first joined.
    Join {
        event: usize,
        owner: u128,
        earlier: i64,
    },
    /// The ticket asks whether it has been admitted.
    Ask(prop::sample::Index),
    /// The ticket is dropped, wherever it is.
    Drop(prop::sample::Index),
    Leave(prop::sample::Index, Left),
    /// The permit comes back: with a word, without one, or by a panic.
    Release(prop::sample::Index, u8),
    Advance(u64),
    Retune(Policy),
    Read(prop::sample::Index),
}

fn any_policy() -> impl Strategy<Value = Policy> {
    let limit = || prop_oneof![8 => (0..4_usize).prop_map(Some), 1 => Just(None)];
    let id = || prop_oneof![3 => Just(None), 2 => Just(Some("gpu")), 1 => Just(Some("a"))];
    let bounds = (
        prop::option::of(1..6_usize),
        prop_oneof![2 => Just(None), 1 => (0..9_usize).prop_map(Some)],
        prop_oneof![2 => Just(None), 1 => (1..5_usize).prop_map(Some)],
        prop_oneof![1 => Just(None), 1 => (1..4_000_u64).prop_map(Some)],
    );
    (
        [limit(), limit(), limit()],
        [id(), id(), id()],
        prop::bool::weighted(0.8),
        prop::bool::weighted(0.9),
        prop::bool::weighted(0.7),
        bounds,
    )
        .prop_map(
            |(limits, ids, concurrent, queue, fair, (max_running, max_size, per_owner, max_wait))| {
                let mut policy = shared(policy(&[1, 1, 1]), &ids);
                for (event, limit) in policy.events.iter_mut().zip(limits) {
                    event.limit = limit;
                }
                Policy {
                    concurrent,
                    queue,
                    order: if fair { Order::Fair } else { Order::Fifo },
                    max_running,
                    max_size,
                    max_waiting_per_owner: per_owner,
                    max_wait: max_wait.map(Duration::from_millis),
                    ..policy
                }
            },
        )
}

fn any_step() -> impl Strategy<Value = Step> {
    let which = any::<prop::sample::Index>;
    let how = prop_oneof![Just(Left::Cancelled), Just(Left::Abandoned)];
    let earlier = prop_oneof![5 => Just(0), 1 => 0..3_000_i64];
    prop_oneof![
        10 => (0..3_usize, 0..4_u128, earlier).prop_map(|(event, owner, earlier)| Step::Join { event, owner, earlier }),
        5 => which().prop_map(Step::Ask),
        3 => which().prop_map(Step::Drop),
        2 => (which(), how).prop_map(|(ticket, how)| Step::Leave(ticket, how)),
        5 => (which(), 0..5_u8).prop_map(|(permit, how)| Step::Release(permit, how)),
        2 => (1..900_u64).prop_map(Step::Advance),
        1 => any_policy().prop_map(Step::Retune),
        1 => which().prop_map(Step::Read),
    ]
}

/// Both queues, side by side.
struct Pair {
    queue: Queue,
    recorder: Arc<Recorder>,
    model: Model,
    tickets: Vec<(Number, Ticket)>,
    permits: Vec<(Number, Permit)>,
    firsts: HashMap<Number, usize>,
    refused: usize,
    started: usize,
    ended: usize,
    left: usize,
    beginning: Instant,
}

impl Pair {
    fn new(policy: Policy) -> Self {
        let (queue, recorder) = queue(policy.clone());
        Self {
            queue,
            recorder,
            model: Model::new(policy),
            tickets: Vec::new(),
            permits: Vec::new(),
            firsts: HashMap::new(),
            refused: 0,
            started: 0,
            ended: 0,
            left: 0,
            beginning: Instant::now(),
        }
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Join { event, owner, earlier } => {
                let joined = self.model.now - earlier;
                let at = self.beginning + Duration::from_millis(self.model.now as u64)
                    - Duration::from_millis(earlier as u64);
                let ticket = self.queue.join(EventIndex(event), Owner(owner), at);
                let number = self.model.join(event, owner, joined);
                assert_eq!(ticket.as_ref().err(), number.as_ref().err());
                match (number, ticket) {
                    (Ok(number), Ok(ticket)) => self.tickets.push((number, ticket)),
                    _ => self.refused += 1,
                }
            }
            Step::Ask(which) if !self.tickets.is_empty() => self.ask(which.index(self.tickets.len())),
            Step::Drop(which) if !self.tickets.is_empty() => {
                let (number, ticket) = self.tickets.swap_remove(which.index(self.tickets.len()));
                drop(ticket);
                match self.model.tickets[number].state {
                    State::Waiting => assert!(self.model.leave(number, Left::Cancelled)),
                    State::Granted => {
                        self.model.release(number);
                        self.left += 1;
                    }
                    State::Left(_) | State::Gone => {}
                }
            }
            Step::Leave(which, how) if !self.tickets.is_empty() => {
                let (number, ticket) = &self.tickets[which.index(self.tickets.len())];
                assert_eq!(self.queue.leave(ticket.id(), how), self.model.leave(*number, how));
            }
            Step::Release(which, how) if !self.permits.is_empty() => {
                let (number, permit) = self.permits.swap_remove(which.index(self.permits.len()));
                match how {
                    0 => drop(permit),
                    1 => {
                        let work = std::panic::AssertUnwindSafe(move || {
                            let _permit = permit;
                            std::panic::resume_unwind(Box::new("a fault of the work"));
                        });
                        assert!(std::panic::catch_unwind(work).is_err());
                    }
                    2 => permit.finish(Outcome::Cancelled),
                    _ => permit.finish(Outcome::Done),
                }
                self.model.release(number);
                self.ended += 1;
            }
            Step::Advance(ms) => {
                advance(Duration::from_millis(ms)).await;
                self.model.now += ms as i64;
            }
            Step::Retune(policy) => {
                let sharing = self.model.sharing();
                self.queue.retune(policy.clone());
                self.model.retune(policy);
                if self.model.sharing() != sharing {
                    // In a line of other members a position means something else.
                    self.firsts.clear();
                }
            }
            Step::Read(which) if !self.tickets.is_empty() => {
                let (_, ticket) = &self.tickets[which.index(self.tickets.len())];
                let estimate = self.queue.standing(ticket.id()).and_then(|standing| standing.estimate);
                assert!(estimate.is_none_or(|range| range.low <= range.high));
            }
            _ => {}
        }
    }

    fn ask(&mut self, index: usize) {
        let (number, ticket) = &mut self.tickets[index];
        // Its own timer ends its wait where nothing else has happened since, and that of all who are due.
        if self.model.tickets[*number].state == State::Waiting && self.model.is_due(*number) {
            self.model.expire();
        }
        let before = self.model.tickets[*number].state;
        match (before, ticket.admitted().now_or_never()) {
            (State::Waiting, None) => {}
            (State::Granted, Some(Ok(permit))) => {
                let (number, _) = self.tickets.swap_remove(index);
                self.permits.push((number, permit));
                self.started += 1;
            }
            (State::Left(how), Some(Err(seen))) => assert_eq!(how, seen),
            (state, seen) => panic!("{state:?} in the model, {seen:?} in the queue"),
        }
    }

    fn agree(&mut self) {
        let (queue, model) = (&self.queue, &self.model);
        assert_eq!(queue.running(), model.running.len());
        assert_eq!(queue.waiting(), model.waiting().len());
        let now = Instant::now();
        for (number, ticket) in &self.tickets {
            let standing = queue
                .shared
                .lock()
                .standing(ticket.id(), now)
                .map(|(standing, _)| standing);
            let position = model.position(*number);
            assert_eq!(standing.map(|standing| standing.position as usize), position);
            let line = model.order(model.tickets[*number].event).len();
            assert!(standing.is_none_or(|standing| standing.waiting as usize == line));
        }
        for event in 0..3 {
            let state = queue.shared.lock();
            let (line, _) = state.line(state.line_of(EventIndex(event)), now);
            let order = model.order(event);
            assert_eq!(
                (line.limit, line.running),
                (model.limit(event), model.running_in_line_of(event))
            );
            assert_eq!(
                (line.waiting, line.longest_wait),
                (order.len(), model.longest_wait(event))
            );
            assert!(order.is_empty() || !model.has_slot(event), "a slot idles");
        }
        let firsts: HashMap<Number, usize> = model
            .firsts()
            .into_iter()
            .filter_map(|ticket| Some((ticket, model.position(ticket)?)))
            .collect();
        for (ticket, position) in &firsts {
            assert!(
                self.firsts.get(ticket).is_none_or(|before| position <= before),
                "a first ticket has moved back"
            );
        }
        self.firsts = firsts;
        let left = model
            .tickets
            .iter()
            .filter(|ticket| matches!(ticket.state, State::Left(_)))
            .count();
        let counts = [
            &self.recorder.refused,
            &self.recorder.started,
            &self.recorder.ended,
            &self.recorder.left,
        ];
        assert_eq!(
            counts.map(|count| count.load(SeqCst)),
            [self.refused, self.started, self.ended, left + self.left],
            "refused, started, ended, left"
        );
    }

    /// Everybody goes; the queue is as new.
    fn end(mut self) {
        self.permits.clear();
        self.tickets.clear();
        assert_eq!((self.queue.running(), self.queue.waiting()), (0, 0));
        self.queue.retune(policy(&[2, 1, 1]));
        let _running = [
            start(&self.queue, A, 1),
            start(&self.queue, A, 2),
            start(&self.queue, C, 3),
        ];
        assert!(waits(&mut join(&self.queue, A, 4)));
    }
}

proptest! {
    #[test]
    fn agrees_with_the_model(policy in any_policy(), steps in prop::collection::vec(any_step(), 1..160)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            // Room before the beginning, for those that come back from earlier.
            advance(Duration::from_secs(3_600)).await;
            let mut pair = Pair::new(policy);

            for step in steps {
                pair.step(step).await;
                pair.agree();
            }
            pair.end();
        });
    }
}
