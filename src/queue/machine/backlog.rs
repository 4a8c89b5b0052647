//! Who has what waiting in a line, and which place goes when one of its tickets is cancelled.

use hashbrown::{HashTable, hash_table::Entry};

use super::{
    arena::{Arena, Key},
    ids::hash_owner,
    rank::RankTree,
    waiter::Precedence,
};
use crate::queue::{OrderKey, Owner};

/// Capacity of the index that is kept when nobody waits any more.
const KEPT: usize = 1024;

/// The backlogs of a line, found by their keys and by their owners.
#[derive(Default)]
pub(super) struct Backlogs {
    backlogs: Arena<OwnerBacklog>,
    /// Keys only, not owners: with 100,000 waiting it still fits into a processor's cache.
    of: HashTable<Key>,
}

impl Backlogs {
    pub(super) fn get(&self, backlog: Key) -> &OwnerBacklog {
        &self.backlogs[backlog]
    }

    /// How many owners wait.
    pub(super) fn owners(&self) -> usize {
        self.of.len()
    }

    pub(super) fn of(&self, owner: Owner) -> Option<&OwnerBacklog> {
        let backlog = self
            .of
            .find(hash_owner(owner), |backlog| self.backlogs[*backlog].owner == owner);
        backlog.map(|backlog| &self.backlogs[*backlog])
    }

    /// Adds a ticket to what its owner has waiting; `place` is told the last place that the owner has. Returns the key of the
    /// backlog, and the place.
    pub(super) fn push(
        &mut self,
        owner: Owner,
        ticket: (Precedence, Key),
        place: impl FnOnce(Option<OrderKey>) -> OrderKey,
    ) -> (Key, OrderKey) {
        let Self { backlogs, of } = self;
        let known = of.entry(
            hash_owner(owner),
            |backlog| backlogs[*backlog].owner == owner,
            |backlog| hash_owner(backlogs[*backlog].owner),
        );
        match known {
            Entry::Occupied(entry) => {
                let backlog = &mut backlogs[*entry.get()];
                let place = place(Some(backlog.last_place()));
                backlog.push(ticket, place);
                (*entry.get(), place)
            }
            Entry::Vacant(entry) => {
                let place = place(None);
                let backlog = backlogs.insert(OwnerBacklog::new(owner, ticket, place));
                entry.insert(backlog);
                (backlog, place)
            }
        }
    }

    /// Takes out a ticket, and a place of its owner's, which is returned.
    pub(super) fn remove(&mut self, backlog: Key, ticket: (Precedence, Key), given_up: GivenUp) -> OrderKey {
        if let Some(place) = self.backlogs[backlog].remove(ticket, given_up) {
            return place;
        }
        let OwnerBacklog { owner, place, .. } = self.backlogs.remove(backlog);
        if let Ok(entry) = self.of.find_entry(hash_owner(owner), |known| *known == backlog) {
            entry.remove();
        }
        if self.of.is_empty() && self.of.capacity() > KEPT {
            self.of = HashTable::new();
        }
        place
    }
}

/// The place that goes with a ticket.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum GivenUp {
    /// Its own.
    Own,
    /// Its owner's last: the later tickets move up.
    Last,
}

/// What one owner has waiting: tickets in the order of their precedence, and as many places. The nth ticket has the nth place.
///
/// Most owners have one ticket, which takes no memory but this.
pub(super) struct OwnerBacklog {
    pub(super) owner: Owner,
    first: Key,
    first_precedence: Precedence,
    place: OrderKey,
    rest: Option<Box<Rest>>,
}

/// All but the first. Trees, because an owner may have any number of tickets and take back any of them.
struct Rest {
    tickets: RankTree<(Precedence, Key)>,
    places: RankTree<OrderKey>,
}

impl OwnerBacklog {
    fn new(owner: Owner, (first_precedence, first): (Precedence, Key), place: OrderKey) -> Self {
        Self {
            owner,
            first,
            first_precedence,
            place,
            rest: None,
        }
    }

    /// How many tickets.
    pub(super) fn waiting(&self) -> usize {
        1 + self.rest.as_ref().map_or(0, |rest| rest.tickets.len())
    }

    /// The ticket that starts next.
    pub(super) fn first(&self) -> Key {
        self.first
    }

    /// The ticket with so many before it.
    pub(super) fn ticket(&self, before: usize) -> Option<Key> {
        let Some(before) = before.checked_sub(1) else {
            return Some(self.first);
        };
        Some(self.rest.as_ref()?.tickets.nth(before)?.1)
    }

    /// How many tickets are before this one.
    pub(super) fn before(&self, ticket: Precedence) -> usize {
        match &self.rest {
            Some(rest) if ticket != self.first_precedence => 1 + rest.tickets.rank((ticket, 0)),
            _ => 0,
        }
    }

    /// The place of a ticket.
    pub(super) fn place_of(&self, ticket: Precedence) -> OrderKey {
        let later = self.before(ticket).checked_sub(1);
        let later = later.and_then(|before| self.rest.as_ref()?.places.nth(before));
        later.unwrap_or(self.place)
    }

    fn last_place(&self) -> OrderKey {
        let last = self.rest.as_ref().and_then(|rest| rest.places.last());
        last.unwrap_or(self.place)
    }

    fn push(&mut self, mut ticket: (Precedence, Key), place: OrderKey) {
        // Tickets start in their order, also one that comes back.
        if ticket.0 < self.first_precedence {
            ticket = (
                std::mem::replace(&mut self.first_precedence, ticket.0),
                std::mem::replace(&mut self.first, ticket.1),
            );
        }
        let rest = self.rest.get_or_insert_with(|| {
            Box::new(Rest {
                tickets: RankTree::new(),
                places: RankTree::new(),
            })
        });
        rest.tickets.insert(ticket);
        // A ticket that comes back may bring a place before the others'; the first ticket has the first place all the same.
        let later = if place < self.place {
            std::mem::replace(&mut self.place, place)
        } else {
            place
        };
        rest.places.insert(later);
    }

    /// Takes out one of several tickets, and a place; `None`: there is only one.
    fn remove(&mut self, ticket: (Precedence, Key), given_up: GivenUp) -> Option<OrderKey> {
        let rest = self.rest.as_ref()?;
        // `None`: the place is the first.
        let later = match given_up {
            GivenUp::Own => self
                .before(ticket.0)
                .checked_sub(1)
                .and_then(|before| rest.places.nth(before)),
            GivenUp::Last => rest.places.last(),
        };
        let Rest { tickets, places } = &mut **self.rest.as_mut()?;
        if ticket.0 == self.first_precedence {
            let next = tickets.first()?;
            tickets.remove(next);
            (self.first_precedence, self.first) = next;
        } else {
            tickets.remove(ticket);
        }
        let place = match later {
            Some(place) => {
                places.remove(place);
                place
            }
            None => {
                let next = places.first()?;
                places.remove(next);
                std::mem::replace(&mut self.place, next)
            }
        };
        if tickets.len() == 0 {
            self.rest = None;
        }
        Some(place)
    }
}
