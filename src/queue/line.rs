//! One line: the places of its waiting tickets in the order in which they will start, and its slots.

use std::{cmp::Ordering, collections::HashMap};

use super::{
    Order, OrderKey, Owner,
    arena::{Arena, Key},
    list::Ends,
    policy::LinePlan,
    rank::RankTree,
    slots::Slots,
    turns::{GivenUp, Turn, Turns},
    waiter::Waiter,
};

/// A place in the order. It belongs to an owner more than to a ticket: see [`Line::remove`].
#[derive(Clone, Copy)]
struct Place {
    order: OrderKey,
    /// Whose it is: a key of the turns.
    turn: Key,
}

impl Place {
    /// Round and arrival as one number, which compares without a branch. No two places have the same.
    fn number(self) -> u128 {
        u128::from(self.order.tag) << 64 | u128::from(self.order.arrival)
    }
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        self.number().cmp(&other.number())
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.number() == other.number()
    }
}

impl Eq for Place {}

/// One limit's line.
pub(super) struct Line {
    pub(super) plan: LinePlan,
    pub(super) slots: Slots,
    /// Slots in use.
    pub(super) running: usize,
    /// Changes with everything that the estimate curve of this line rests on.
    pub(super) epoch: u64,
    order: Order,
    places: RankTree<Place>,
    turns: Turns,
    by_age: Ends,
    /// The tag last admitted.
    admitted: u64,
}

impl Line {
    pub(super) fn new(plan: LinePlan, order: Order) -> Self {
        Self {
            slots: Slots::new(plan.limit),
            plan,
            running: 0,
            epoch: 0,
            order,
            places: RankTree::new(),
            turns: Turns::default(),
            by_age: Ends::default(),
            admitted: 0,
        }
    }

    pub(super) fn waiting(&self) -> usize {
        self.places.len()
    }

    pub(super) fn waiting_of(&self, owner: Owner) -> usize {
        self.turns.of(owner).map_or(0, Turn::waiting)
    }

    /// How many start before a ticket with this place in the order.
    pub(super) fn before(&self, order: OrderKey) -> usize {
        self.places.rank(Place { order, turn: 0 })
    }

    /// The place in the order of a ticket that waits here.
    pub(super) fn place_of(&self, waiter: &Waiter) -> OrderKey {
        self.turns.get(waiter.turn).place_of(waiter.id)
    }

    /// How many would start before an owner who joined now and has nothing waiting.
    pub(super) fn before_newcomer(&self) -> usize {
        match self.order {
            Order::Fifo => self.waiting(),
            Order::Fair => self.before(OrderKey {
                tag: self.admitted + 2,
                arrival: 0,
            }),
        }
    }

    /// The ticket that starts next.
    pub(super) fn head(&self) -> Option<Key> {
        Some(self.turns.get(self.places.first()?.turn).first())
    }

    /// The ticket that has waited longest, which need not be the head.
    pub(super) fn oldest(&self) -> Option<Key> {
        self.by_age.first
    }

    /// The `most` tickets that start next, in order.
    pub(super) fn next(&self, most: usize) -> Vec<(Owner, Key)> {
        // An owner's places are in the order of its tickets: each time it comes up, its next ticket is meant.
        let mut passed = HashMap::<Key, usize>::new();
        let places = self.places.smallest(most).into_iter();
        let tickets = places.filter_map(|Place { turn, .. }| {
            let before = passed.entry(turn).or_insert(0);
            *before += 1;
            let turn = self.turns.get(turn);
            Some((turn.owner, turn.ticket(*before - 1)?))
        });
        tickets.collect()
    }

    /// Gives a ticket its place. Start-time fair queueing (Goyal, Vin, Cheng 1996) with tickets of length one:
    /// `tag = max(tag last admitted, tag of the owner's last waiting ticket) + 1`.
    ///
    /// Hence the first place of every owner has a tag of at most the last admitted one plus 1, which is the least that a
    /// newcomer can get, with a later arrival: nobody who comes can pass it.
    ///
    /// Plain arrival goes on in the round last admitted, so that whoever comes later has the higher place in any case.
    pub(super) fn push(&mut self, key: Key, owner: Owner, arrival: u64, waiters: &mut Arena<Waiter>) {
        let (order, admitted) = (self.order, self.admitted);
        self.seat(key, owner, waiters, |last| {
            let tag = match order {
                Order::Fifo => admitted,
                Order::Fair => last.map_or(0, |last| last.tag).max(admitted) + 1,
            };
            OrderKey { tag, arrival }
        });
    }

    /// Gives a ticket the place that it had before a restart. To be called for one after the other in their order, after
    /// [`Line::resume`]. In fair order a round has one ticket of each owner, so where plain arrival counted before, an owner's
    /// later tickets are dealt rounds of their own.
    pub(super) fn push_back(&mut self, key: Key, owner: Owner, order: OrderKey, waiters: &mut Arena<Waiter>) {
        let fair = self.order == Order::Fair;
        self.seat(key, owner, waiters, |last| OrderKey {
            tag: last
                .filter(|_| fair)
                .map_or(order.tag, |last| order.tag.max(last.tag + 1)),
            ..order
        });
    }

    /// Goes on counting rounds where they were before a restart, or in another line.
    pub(super) fn resume(&mut self, admitted: u64) {
        self.admitted = self.admitted.max(admitted);
    }

    /// The round last admitted.
    pub(super) fn admitted(&self) -> u64 {
        self.admitted
    }

    /// The place of a ticket that starts without waiting: after all that have started, before all that come.
    pub(super) fn place_at_once(&self, arrival: u64) -> OrderKey {
        OrderKey {
            tag: self.admitted,
            arrival,
        }
    }

    /// `place` is told the last place that the owner has in the line.
    fn seat(
        &mut self,
        key: Key,
        owner: Owner,
        waiters: &mut Arena<Waiter>,
        place: impl FnOnce(Option<OrderKey>) -> OrderKey,
    ) {
        let waiter = &mut waiters[key];
        let (turn, order) = self.turns.push(owner, (waiter.id, key), place);
        waiter.turn = turn;
        self.places.insert(Place { order, turn });
        self.enter_by_age(key, waiters);
    }

    /// Takes the head out of the line because it starts. Returns the place that it had.
    pub(super) fn admit(&mut self, key: Key, waiters: &mut Arena<Waiter>) -> OrderKey {
        let order = self.take_out(key, GivenUp::Own, waiters);
        // One that ran before a restart and waits again has a round that is over.
        self.resume(order.tag);
        order
    }

    /// Takes a ticket out of the line that will not start.
    ///
    /// In fair order its owner gives up its last place, and its later tickets move up into the places it keeps. (A gap
    /// in its tags would let newcomers pass its next ticket.) Nobody else's position grows by that. Costs O(log n).
    pub(super) fn remove(&mut self, key: Key, waiters: &mut Arena<Waiter>) {
        let given_up = match self.order {
            Order::Fair => GivenUp::Last,
            Order::Fifo => GivenUp::Own,
        };
        self.take_out(key, given_up, waiters);
    }

    fn take_out(&mut self, key: Key, given_up: GivenUp, waiters: &mut Arena<Waiter>) -> OrderKey {
        self.by_age.remove(key, waiters);
        let Waiter { id, turn, .. } = waiters[key];
        let order = self.turns.remove(turn, (id, key), given_up);
        self.places.remove(Place { order, turn });
        order
    }

    /// Walks only past those that joined later: none, but for a ticket that comes back after a restart.
    fn enter_by_age(&mut self, key: Key, waiters: &mut Arena<Waiter>) {
        let joined = waiters[key].joined;
        let mut older = self.by_age.last;
        while let Some(other) = older.filter(|other| waiters[*other].joined > joined) {
            older = waiters[other].age.before;
        }
        self.by_age.insert(older, key, waiters);
    }
}
