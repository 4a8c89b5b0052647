//! One line: the places of its waiting tickets in the order in which they will start, and its slots.

use tokio::time::Instant;

use super::{
    EventIndex, Left, Order, TicketId,
    arena::{Arena, Key},
    owners::{Owners, Place},
    policy::LinePlan,
    rank::RankTree,
    slots::Slots,
    state::Grant,
};

/// A ticket that did not start at once, from joining until its [`Ticket`](super::Ticket) has learnt how it ended.
pub(super) struct Waiter {
    pub(super) id: TicketId,
    pub(super) event: EventIndex,
    pub(super) joined: Instant,
    pub(super) state: WaiterState,
    /// Whom to wake when `state` changes.
    pub(super) waker: Option<std::task::Waker>,
    /// The owner's entry, while waiting.
    pub(super) entry: Key,
    /// Neighbours in the line's list by age.
    older: Option<Key>,
    newer: Option<Key>,
}

/// Where a [`Waiter`] is.
#[derive(Clone, Copy, Debug)]
pub(super) enum WaiterState {
    Waiting,
    /// It has a slot that its ticket has not taken yet.
    Granted(Grant),
    Left(Left),
}

impl Waiter {
    pub(super) fn new(id: TicketId, event: EventIndex, joined: Instant, entry: Key) -> Self {
        let state = WaiterState::Waiting;
        Self {
            id,
            event,
            joined,
            state,
            waker: None,
            entry,
            older: None,
            newer: None,
        }
    }
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
    /// The tag last admitted.
    admitted: u64,
    oldest: Option<Key>,
    newest: Option<Key>,
}

impl Line {
    pub(super) fn new(plan: LinePlan, order: Order) -> Self {
        let slots = Slots::new(plan.limit);
        let places = RankTree::new();
        Self {
            plan,
            slots,
            running: 0,
            epoch: 0,
            order,
            places,
            admitted: 0,
            oldest: None,
            newest: None,
        }
    }

    pub(super) fn waiting(&self) -> usize {
        self.places.len()
    }

    /// How many would start before an owner who joined now and has nothing waiting.
    pub(super) fn before_newcomer(&self) -> usize {
        match self.order {
            Order::Fifo => self.waiting(),
            Order::Fair => self.places.rank(Place {
                tag: self.admitted + 2,
                arrival: 0,
                owner: 0,
            }),
        }
    }

    /// How many start before this waiting ticket.
    pub(super) fn before(&self, at: usize, waiter: &Waiter, owners: &Owners) -> usize {
        let seats = &owners.entries[waiter.entry].seats[at];
        self.places.rank(seats.places[seats.index_of(waiter.id)])
    }

    /// The ticket that starts next.
    pub(super) fn head(&self, at: usize, owners: &Owners) -> Option<Key> {
        let place = self.places.first()?;
        owners.entries[place.owner].seats[at]
            .tickets
            .front()
            .map(|(_, key)| *key)
    }

    /// The `most` tickets that start next, in order.
    pub(super) fn next(&self, at: usize, most: usize, owners: &Owners) -> Vec<Key> {
        // An owner's places are in the order of its tickets, so counting how often it has come up finds the ticket.
        let mut seen = std::collections::HashMap::<Key, usize>::new();
        self.places
            .smallest(most)
            .into_iter()
            .map(|place| {
                let nth = seen.entry(place.owner).or_default();
                *nth += 1;
                owners.entries[place.owner].seats[at].tickets[*nth - 1].1
            })
            .collect()
    }

    /// Gives a ticket its place. Start-time fair queueing (Goyal, Vin, Cheng 1996) with tickets of length one:
    /// `tag = max(tag last admitted, tag of the owner's last waiting ticket) + 1`.
    ///
    /// Hence the first place of every owner has a tag of at most the last admitted one plus 1, which is the least that a
    /// newcomer can get, with a later arrival: nobody who comes can pass it.
    pub(super) fn push(&mut self, at: usize, key: Key, arrival: u64, waiters: &mut Arena<Waiter>, owners: &mut Owners) {
        let (id, owner) = (waiters[key].id, waiters[key].entry);
        let seats = &mut owners.entries[owner].seats[at];
        let tag = match self.order {
            Order::Fifo => 0,
            Order::Fair => seats.places.back().map_or(0, |last| last.tag).max(self.admitted) + 1,
        };
        let place = Place { tag, arrival, owner };
        seats.tickets.push_back((id, key));
        seats.places.push_back(place);
        self.places.insert(place);
        self.link(key, waiters);
    }

    /// Takes the head out of the line because it starts.
    pub(super) fn admit(&mut self, at: usize, key: Key, waiters: &mut Arena<Waiter>, owners: &mut Owners) {
        let seats = &mut owners.entries[waiters[key].entry].seats[at];
        seats.tickets.pop_front();
        if let Some(place) = seats.places.pop_front() {
            self.places.remove(place);
            self.admitted = place.tag;
        }
        self.unlink(key, waiters);
    }

    /// Takes a ticket out of the line that will not start.
    ///
    /// In fair order its owner gives up its last place, and its later tickets move up into the places it keeps. (A gap
    /// in its tags would let newcomers pass its next ticket.) Nobody else's position grows by that.
    pub(super) fn remove(&mut self, at: usize, key: Key, waiters: &mut Arena<Waiter>, owners: &mut Owners) {
        let waiter = &waiters[key];
        let seats = &mut owners.entries[waiter.entry].seats[at];
        let index = seats.index_of(waiter.id);
        seats.tickets.remove(index);
        let place = match self.order {
            Order::Fifo => seats.places.remove(index),
            Order::Fair => seats.places.pop_back(),
        };
        if let Some(place) = place {
            self.places.remove(place);
        }
        self.unlink(key, waiters);
    }

    /// The ticket that has waited longest, which need not be the head.
    pub(super) fn oldest(&self) -> Option<Key> {
        self.oldest
    }

    /// Puts a ticket into the list by age. Walks only past those that joined later: none, but for a ticket that comes back
    /// after a restart.
    fn link(&mut self, key: Key, waiters: &mut Arena<Waiter>) {
        let joined = waiters[key].joined;
        let mut older = self.newest;
        while let Some(other) = older.filter(|other| waiters[*other].joined > joined) {
            older = waiters[other].older;
        }
        let newer = match older {
            Some(older) => waiters[older].newer.replace(key),
            None => self.oldest.replace(key),
        };
        match newer {
            Some(newer) => waiters[newer].older = Some(key),
            None => self.newest = Some(key),
        }
        let waiter = &mut waiters[key];
        (waiter.older, waiter.newer) = (older, newer);
    }

    fn unlink(&mut self, key: Key, waiters: &mut Arena<Waiter>) {
        let (older, newer) = (waiters[key].older.take(), waiters[key].newer.take());
        match older {
            Some(older) => waiters[older].newer = newer,
            None => self.oldest = newer,
        }
        match newer {
            Some(newer) => waiters[newer].older = older,
            None => self.newest = older,
        }
    }

    /// Forgets everybody's place; see [`Owners::clear_seats`].
    pub(super) fn unlink_all(order: &[Key], waiters: &mut Arena<Waiter>) {
        for key in order {
            let waiter = &mut waiters[*key];
            (waiter.older, waiter.newer) = (None, None);
        }
    }
}
