//! One line: the places of its waiting tickets in the order in which they will start, and how many of its slots are in use.

use std::{cmp::Ordering, collections::BTreeMap};

use super::{
    arena::{Arena, Key},
    backlog::{Backlogs, GivenUp, OwnerBacklog},
    list::Ends,
    rank::RankTree,
    story::Starts,
    waiter::Waiter,
};
use crate::queue::{Order, OrderKey, Owner, PoolIndex};

/// A place in the order. It belongs to an owner more than to a ticket: see [`Line::remove`].
#[derive(Clone, Copy)]
struct Place {
    order: OrderKey,
    /// Whose it is: a key of the backlogs.
    backlog: Key,
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

/// A waiting ticket and its place.
#[derive(Clone, Copy)]
pub(super) struct Placed {
    pub(super) order: OrderKey,
    pub(super) owner: Owner,
    pub(super) key: Key,
}

/// A line of one limit.
pub(super) struct Line {
    /// Its place among the limits.
    pub(super) limit: usize,
    /// Whose tickets wait here; `None`: those that need no back end, and where events share the limit, all.
    pub(super) pool: Option<PoolIndex>,
    /// Slots that its tickets have.
    pub(super) running: usize,
    order: Order,
    places: RankTree<Place>,
    backlogs: Backlogs,
    by_age: Ends,
    /// The tag last admitted.
    admitted: u64,
    pub(super) starts: Starts,
}

impl Line {
    pub(super) fn new(limit: usize, pool: Option<PoolIndex>, order: Order) -> Self {
        Self {
            limit,
            pool,
            running: 0,
            order,
            places: RankTree::new(),
            backlogs: Backlogs::default(),
            by_age: Ends::default(),
            admitted: 0,
            starts: Starts::new(),
        }
    }

    pub(super) fn waiting(&self) -> usize {
        self.places.len()
    }

    pub(super) fn waiting_of(&self, owner: Owner) -> usize {
        self.backlogs.of(owner).map_or(0, OwnerBacklog::waiting)
    }

    /// How many start before a ticket with this place in the order.
    pub(super) fn before(&self, order: OrderKey) -> usize {
        self.places.rank(Place { order, backlog: 0 })
    }

    /// The place in the order of a ticket that waits here.
    pub(super) fn place_of(&self, waiter: &Waiter) -> OrderKey {
        self.backlogs.get(waiter.backlog).place_of(waiter.precedence())
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

    /// How many owners wait here.
    pub(super) fn owners(&self) -> usize {
        self.backlogs.owners()
    }

    /// The ticket that starts next.
    pub(super) fn head(&self) -> Option<Key> {
        Some(self.backlogs.get(self.places.first()?.backlog).first())
    }

    /// Whose a waiting ticket is.
    pub(super) fn owner_of(&self, waiter: &Waiter) -> Owner {
        self.backlogs.get(waiter.backlog).owner
    }

    /// The ticket that has waited longest, which need not be the head.
    pub(super) fn oldest(&self) -> Option<Key> {
        self.by_age.first
    }

    /// The arrivals in use here, in no order.
    pub(super) fn arrivals(&self) -> impl Iterator<Item = u64> + use<> {
        let places = self.places.smallest(self.waiting()).into_iter();
        places.map(|place| place.order.arrival)
    }

    /// The first ticket, in the order of the line, that `may` start. Looks at all before it.
    pub(super) fn first_that(&self, may: impl Fn(Key) -> bool) -> Option<Key> {
        let head = self.head()?;
        if may(head) {
            return Some(head);
        }
        let placed = self.next(self.waiting()).into_iter();
        placed.map(|placed| placed.key).find(|key| may(*key))
    }

    /// The `most` tickets that start next, in order.
    pub(super) fn next(&self, most: usize) -> Vec<Placed> {
        // An owner's places are in the order of its tickets: each time it comes up, its next ticket is meant.
        let mut passed = BTreeMap::<Key, usize>::new();
        let places = self.places.smallest(most).into_iter();
        let tickets = places.filter_map(|Place { order, backlog }| {
            let before = passed.entry(backlog).or_insert(0);
            *before += 1;
            let backlog = self.backlogs.get(backlog);
            Some(Placed {
                order,
                owner: backlog.owner,
                key: backlog.ticket(*before - 1)?,
            })
        });
        tickets.collect()
    }

    /// Gives a ticket its place. Start-time fair queueing (Goyal, Vin, Cheng 1996) with tickets of length one:
    /// `tag = max(tag last admitted, tag of the owner's last waiting ticket) + 1`.
    ///
    /// Hence the first place of every owner has a tag of at most the last admitted one plus 1, which is the least that a
    /// newcomer can get, with a later arrival: nobody who comes can pass it.
    ///
    /// Plain arrival goes on in the round last admitted, so that a later ticket has the higher place in any case.
    pub(super) fn push(&mut self, key: Key, owner: Owner, arrival: u64, waiters: &mut Arena<Waiter>) {
        let (order, admitted) = (self.order, self.admitted);
        self.place(key, owner, waiters, |last| {
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
        self.place(key, owner, waiters, |last| OrderKey {
            tag: last
                .filter(|_| fair)
                .map_or(order.tag, |last| order.tag.max(last.tag + 1)),
            ..order
        });
    }

    /// Gives a ticket exactly this place. To be called for one after the other in their order.
    pub(super) fn put(&mut self, key: Key, owner: Owner, order: OrderKey, waiters: &mut Arena<Waiter>) {
        self.place(key, owner, waiters, |_| order);
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
    fn place(
        &mut self,
        key: Key,
        owner: Owner,
        waiters: &mut Arena<Waiter>,
        place: impl FnOnce(Option<OrderKey>) -> OrderKey,
    ) {
        let waiter = &mut waiters[key];
        let (backlog, order) = self.backlogs.push(owner, (waiter.precedence(), key), place);
        waiter.backlog = backlog;
        self.places.insert(Place { order, backlog });
    }

    /// A ticket that has its place is counted by its age, too. Walks only past those that joined later: none, but for a ticket that
    /// comes back after a restart.
    pub(super) fn enter_by_age(&mut self, key: Key, waiters: &mut Arena<Waiter>) {
        let age = waiters[key].age();
        let mut older = self.by_age.last;
        while let Some(other) = older.filter(|other| waiters[*other].age() > age) {
            older = waiters[other].age.before;
        }
        self.by_age.insert(older, key, waiters);
    }

    /// The same for many: the eldest first, so that none walks past another of them.
    pub(super) fn enter_all_by_age(&mut self, mut keys: Vec<Key>, waiters: &mut Arena<Waiter>) {
        keys.sort_unstable_by_key(|key| waiters[*key].age());
        keys.into_iter().for_each(|key| self.enter_by_age(key, waiters));
    }

    /// Takes the head out of the line because it starts. Returns the place that it had.
    pub(super) fn admit(&mut self, key: Key, waiters: &mut Arena<Waiter>) -> OrderKey {
        let order = self.remove(key, GivenUp::Own, waiters);
        // One that ran before a restart and waits again has a round that is over.
        self.resume(order.tag);
        order
    }

    /// Takes a ticket out of the line that will not start.
    ///
    /// In fair order its owner gives up its last place, and its later tickets move up into the places it keeps. (A gap
    /// in its tags would let newcomers pass its next ticket.) Nobody else's position grows by that. Costs O(log n).
    pub(super) fn leave(&mut self, key: Key, waiters: &mut Arena<Waiter>) {
        let given_up = match self.order {
            Order::Fair => GivenUp::Last,
            Order::Fifo => GivenUp::Own,
        };
        self.remove(key, given_up, waiters);
    }

    fn remove(&mut self, key: Key, given_up: GivenUp, waiters: &mut Arena<Waiter>) -> OrderKey {
        self.by_age.remove(key, waiters);
        let (ticket, backlog) = (waiters[key].precedence(), waiters[key].backlog);
        let order = self.backlogs.remove(backlog, (ticket, key), given_up);
        self.places.remove(Place { order, backlog });
        order
    }
}
