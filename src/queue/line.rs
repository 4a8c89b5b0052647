//! One line: the places of its waiting tickets in the order in which they will start, and its slots.

use std::collections::HashMap;

use super::{
    Order, Owner,
    arena::{Arena, Key},
    list::Ends,
    policy::LinePlan,
    rank::RankTree,
    slots::Slots,
    waiter::{Place, Waiter},
};

/// Capacity of the index of owners that is kept when nobody waits any more.
const KEPT: usize = 1024;

/// What one owner has waiting in a line.
struct Turn {
    owner: Owner,
    tickets: Ends,
    waiting: usize,
}

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
    turns: Arena<Turn>,
    turn_of: HashMap<Owner, Key>,
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
            turns: Arena::default(),
            turn_of: HashMap::new(),
            by_age: Ends::default(),
            admitted: 0,
        }
    }

    pub(super) fn waiting(&self) -> usize {
        self.places.len()
    }

    pub(super) fn waiting_of(&self, owner: Owner) -> usize {
        self.turn_of.get(&owner).map_or(0, |turn| self.turns[*turn].waiting)
    }

    /// How many start before a ticket with this place.
    pub(super) fn before(&self, place: Place) -> usize {
        self.places.rank(place)
    }

    /// How many would start before an owner who joined now and has nothing waiting.
    pub(super) fn before_newcomer(&self) -> usize {
        match self.order {
            Order::Fifo => self.waiting(),
            Order::Fair => self.before(Place {
                tag: self.admitted + 2,
                ..Place::default()
            }),
        }
    }

    /// The ticket that starts next.
    pub(super) fn head(&self) -> Option<Key> {
        self.turns[self.places.first()?.turn].tickets.first
    }

    /// The ticket that has waited longest, which need not be the head.
    pub(super) fn oldest(&self) -> Option<Key> {
        self.by_age.first
    }

    /// The `most` tickets that start next, in order.
    pub(super) fn next(&self, most: usize, waiters: &Arena<Waiter>) -> Vec<(Owner, Key)> {
        // An owner's places are in the order of its tickets: each time it comes up, its next ticket is meant.
        let mut upcoming = HashMap::<Key, Option<Key>>::new();
        let places = self.places.smallest(most).into_iter();
        let tickets = places.filter_map(|Place { turn, .. }| {
            let next = upcoming.entry(turn).or_insert(self.turns[turn].tickets.first);
            let key = (*next)?;
            *next = waiters[key].own.after;
            Some((self.turns[turn].owner, key))
        });
        tickets.collect()
    }

    /// Gives a ticket its place. Start-time fair queueing (Goyal, Vin, Cheng 1996) with tickets of length one:
    /// `tag = max(tag last admitted, tag of the owner's last waiting ticket) + 1`.
    ///
    /// Hence the first place of every owner has a tag of at most the last admitted one plus 1, which is the least that a
    /// newcomer can get, with a later arrival: nobody who comes can pass it.
    pub(super) fn push(&mut self, key: Key, owner: Owner, arrival: u64, waiters: &mut Arena<Waiter>) {
        let tag = match self.order {
            Order::Fifo => 0,
            Order::Fair => {
                let last = self.turn_of.get(&owner).and_then(|turn| self.turns[*turn].tickets.last);
                last.map_or(0, |last| waiters[last].place.tag).max(self.admitted) + 1
            }
        };
        self.seat(key, owner, tag, arrival, waiters);
    }

    /// Gives a ticket the place that it had before a restart. To be called for one after the other in their order, after
    /// [`Line::resume`]; one that had no round, because plain arrival counted then, is dealt one.
    pub(super) fn push_back(&mut self, key: Key, owner: Owner, tag: u64, arrival: u64, waiters: &mut Arena<Waiter>) {
        if tag == 0 || self.order == Order::Fifo {
            self.push(key, owner, arrival, waiters);
        } else {
            self.seat(key, owner, tag, arrival, waiters);
        }
    }

    /// Goes on counting rounds where the line was before a restart.
    pub(super) fn resume(&mut self, admitted: u64) {
        self.admitted = self.admitted.max(admitted);
    }

    fn seat(&mut self, key: Key, owner: Owner, tag: u64, arrival: u64, waiters: &mut Arena<Waiter>) {
        let new = || {
            self.turns.insert(Turn {
                owner,
                tickets: Ends::default(),
                waiting: 0,
            })
        };
        let turn = *self.turn_of.entry(owner).or_insert_with(new);
        let Turn { tickets, waiting, .. } = &mut self.turns[turn];
        let place = Place { tag, arrival, turn };
        waiters[key].place = place;
        *waiting += 1;
        tickets.insert(tickets.last, key, waiters, |waiter| &mut waiter.own);
        self.places.insert(place);
        self.enter_by_age(key, waiters);
    }

    /// Takes the head out of the line because it starts.
    pub(super) fn admit(&mut self, key: Key, waiters: &mut Arena<Waiter>) {
        // One that ran before a restart and waits again has a round that is over.
        self.admitted = self.admitted.max(waiters[key].place.tag);
        self.take_out(key, waiters);
    }

    /// Takes a ticket out of the line that will not start.
    ///
    /// In fair order its owner gives up its last place, and its later tickets move up into the places it keeps. (A gap
    /// in its tags would let newcomers pass its next ticket.) Nobody else's position grows by that. Costs O(log n) and
    /// a step for each later ticket of the owner.
    pub(super) fn remove(&mut self, key: Key, waiters: &mut Arena<Waiter>) {
        if self.order == Order::Fair {
            let (mut given_up, mut later) = (waiters[key].place, waiters[key].own.after);
            while let Some(ticket) = later {
                std::mem::swap(&mut waiters[ticket].place, &mut given_up);
                later = waiters[ticket].own.after;
            }
            waiters[key].place = given_up;
        }
        self.take_out(key, waiters);
    }

    fn take_out(&mut self, key: Key, waiters: &mut Arena<Waiter>) {
        let place = waiters[key].place;
        self.places.remove(place);
        self.by_age.remove(key, waiters, |waiter| &mut waiter.age);
        let turn = &mut self.turns[place.turn];
        turn.tickets.remove(key, waiters, |waiter| &mut waiter.own);
        turn.waiting -= 1;
        if turn.waiting == 0 {
            let turn = self.turns.remove(place.turn);
            self.turn_of.remove(&turn.owner);
            if self.turn_of.is_empty() && self.turn_of.capacity() > KEPT {
                self.turn_of.shrink_to_fit();
            }
        }
    }

    /// Walks only past those that joined later: none, but for a ticket that comes back after a restart.
    fn enter_by_age(&mut self, key: Key, waiters: &mut Arena<Waiter>) {
        let joined = waiters[key].joined;
        let mut older = self.by_age.last;
        while let Some(other) = older.filter(|other| waiters[*other].joined > joined) {
            older = waiters[other].age.before;
        }
        self.by_age.insert(older, key, waiters, |waiter| &mut waiter.age);
    }
}
