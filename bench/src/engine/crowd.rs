//! A queue with so many waiting, and the operations on it whose cost is measured. `benches/queue.rs` uses it, too.

use std::{
    collections::VecDeque,
    hint::black_box,
    mem,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use anteroom::queue::{EventIndex, EventPolicy, Order, Outcome, Owner, Permit, Policy, Queue, Ticket};
use tokio::time::Instant;

const CHAT: EventIndex = EventIndex(0);
/// Turns that are over before anybody waits, so that estimates are made.
const SERVED: usize = 24;
/// The owner who has many tickets waiting.
const MANY: Owner = Owner(0);
/// From one ticket to the next one that is looked at. Coprime to the powers of ten, so it comes by all of them.
const STRIDE: usize = 38_197;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Somebody new joins.
    Join,
    /// The one who came last leaves.
    CancelLast,
    /// Somebody leaves from anywhere in the line.
    Cancel,
    /// An owner who has half of all tickets takes back any one of them.
    CancelOfMany,
    /// The position of anybody is read.
    Position,
    /// The whole way: somebody joins, what runs ends, and the head of the line has its permit.
    Cycle,
}

impl Operation {
    pub(crate) const ALL: [Self; 6] = [
        Self::Join,
        Self::CancelLast,
        Self::Cancel,
        Self::CancelOfMany,
        Self::Position,
        Self::Cycle,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Join => "join",
            Self::CancelLast => "cancel the last",
            Self::Cancel => "cancel in the middle",
            Self::CancelOfMany => "cancel one of an owner's many",
            Self::Position => "read a position",
            Self::Cycle => "join → admit → release",
        }
    }
}

/// One slot, in use, and a line in front of it. Every ticket has an owner of its own, but for [`Operation::CancelOfMany`].
pub(crate) struct Crowd {
    queue: Queue,
    running: Option<Permit>,
    waiting: VecDeque<Ticket>,
    owners: u128,
    /// Where the last operation was that may be anywhere.
    looked_at: usize,
}

impl Crowd {
    /// A line of `waiting` tickets to measure `operation` with.
    pub(crate) fn gather(operation: Operation, order: Order, waiting: usize) -> Self {
        let mut crowd = Self {
            queue: Queue::new(policy(order), Arc::new(())),
            running: None,
            waiting: VecDeque::with_capacity(waiting + 1),
            owners: 0,
            looked_at: 0,
        };
        for _ in 0..=SERVED {
            crowd.running = None;
            let owner = crowd.newcomer();
            crowd.running = Some(take(crowd.ask(owner)));
        }
        for number in 0..waiting {
            let of_many = operation == Operation::CancelOfMany && number % 2 == 0;
            let owner = if of_many { MANY } else { crowd.newcomer() };
            let ticket = crowd.ask(owner);
            crowd.waiting.push_back(ticket);
        }
        // The estimates that a first reader computes are there for the others.
        crowd.position();
        crowd
    }

    /// Does an operation so many times, while `measure` runs what it is given. What else is done keeps the line at its length.
    pub(crate) fn play<T>(
        &mut self,
        operation: Operation,
        times: usize,
        measure: impl FnOnce(&mut dyn FnMut()) -> T,
    ) -> T {
        match operation {
            Operation::Join => {
                let measured = measure(&mut || (0..times).for_each(|_| self.join()));
                (0..times).for_each(|_| self.cancel_last());
                measured
            }
            Operation::CancelLast => {
                (0..times).for_each(|_| self.join());
                measure(&mut || (0..times).for_each(|_| self.cancel_last()))
            }
            Operation::Cancel => {
                let mut leaving: Vec<Ticket> = (0..times).map(|_| self.replace()).collect();
                measure(&mut || leaving.clear())
            }
            Operation::CancelOfMany => {
                let mut leaving: Vec<Ticket> = (0..times).map(|_| self.replace_one_of_many()).collect();
                measure(&mut || leaving.clear())
            }
            Operation::Position => measure(&mut || {
                for _ in 0..times {
                    black_box(self.position());
                }
            }),
            Operation::Cycle => measure(&mut || (0..times).for_each(|_| self.cycle())),
        }
    }

    fn join(&mut self) {
        let owner = self.newcomer();
        let ticket = self.ask(owner);
        self.waiting.push_back(ticket);
    }

    /// Dropping a ticket leaves the line.
    fn cancel_last(&mut self) {
        self.waiting.pop_back().expect("somebody waits");
    }

    /// Takes any ticket, to be dropped; another joins instead.
    fn replace(&mut self) -> Ticket {
        let owner = self.newcomer();
        let ticket = self.ask(owner);
        let any = self.any();
        mem::replace(&mut self.waiting[any], ticket)
    }

    /// Takes any ticket of the owner who has many, who joins again instead.
    fn replace_one_of_many(&mut self) -> Ticket {
        let ticket = self.ask(MANY);
        let any = self.any() / 2 * 2;
        mem::replace(&mut self.waiting[any], ticket)
    }

    fn position(&mut self) -> u64 {
        let any = self.any();
        let standing = self.queue.standing(self.waiting[any].id());
        standing.expect("it waits").position
    }

    fn cycle(&mut self) {
        self.join();
        if let Some(running) = self.running.take() {
            running.finish(Outcome::Done);
        }
        let head = self.waiting.pop_front().expect("somebody waits");
        self.running = Some(take(head));
    }

    /// A ticket somewhere in the line, another one each time.
    fn any(&mut self) -> usize {
        self.looked_at = (self.looked_at + STRIDE) % self.waiting.len();
        self.looked_at
    }

    fn ask(&self, owner: Owner) -> Ticket {
        let joined = self.queue.join(CHAT, owner, Instant::now());
        joined.expect("nothing bounds the line")
    }

    /// Sessions have random names; these are spread as evenly, and the same each time.
    fn newcomer(&mut self) -> Owner {
        self.owners += 1;
        Owner(self.owners.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
    }
}

/// The permit of a ticket that has its slot.
fn take(mut ticket: Ticket) -> Permit {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(ticket.admitted()).poll(&mut context) {
        Poll::Ready(permit) => permit.expect("it has not left"),
        Poll::Pending => unreachable!("it is the head, and the slot is free"),
    }
}

fn policy(order: Order) -> Policy {
    Policy {
        order,
        max_running: Some(100),
        ..Policy::new([EventPolicy::new("chat", 1)])
    }
}
