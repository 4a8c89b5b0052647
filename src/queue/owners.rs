//! Who waits where.

use std::collections::{HashMap, VecDeque};

use super::{
    Owner, TicketId,
    arena::{Arena, Key},
};

/// A place in a line's order. It belongs to an owner, not to a ticket: the owner's n-th ticket has its n-th place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// The round, in fair order.
    pub(super) tag: u64,
    /// Grows with every place; the order within a round.
    pub(super) arrival: u64,
    pub(super) owner: Key,
}

/// What one owner has in one line: tickets and places, as many of one as of the other, both in order.
#[derive(Default)]
pub(super) struct Seats {
    pub(super) tickets: VecDeque<(TicketId, Key)>,
    pub(super) places: VecDeque<Place>,
}

impl Seats {
    /// Which of the owner's tickets this is, counted from 0.
    pub(super) fn index_of(&self, ticket: TicketId) -> usize {
        self.tickets.partition_point(|(id, _)| *id < ticket)
    }
}

/// One owner with waiting tickets.
pub(super) struct OwnerEntry {
    owner: Owner,
    /// All lines together.
    pub(super) waiting: usize,
    /// By line.
    pub(super) seats: Vec<Seats>,
}

/// Emptied seats that are kept for the next owner, so that coming and going does not allocate.
const SPARE: usize = 256;

/// Every owner with waiting tickets.
pub(super) struct Owners {
    keys: HashMap<Owner, Key>,
    pub(super) entries: Arena<OwnerEntry>,
    spare: Vec<Vec<Seats>>,
    lines: usize,
}

impl Owners {
    pub(super) fn new(lines: usize) -> Self {
        Self {
            keys: HashMap::new(),
            entries: Arena::default(),
            spare: Vec::new(),
            lines,
        }
    }

    pub(super) fn waiting(&self, owner: Owner) -> usize {
        self.keys.get(&owner).map_or(0, |key| self.entries[*key].waiting)
    }

    /// The entry of `owner`, with one more ticket waiting.
    pub(super) fn enter(&mut self, owner: Owner) -> Key {
        let key = *self.keys.entry(owner).or_insert_with(|| {
            let seats = self.spare.pop().unwrap_or_else(|| empty(self.lines));
            self.entries.insert(OwnerEntry {
                owner,
                waiting: 0,
                seats,
            })
        });
        self.entries[key].waiting += 1;
        key
    }

    /// One ticket less waiting; its seat has been emptied already.
    pub(super) fn leave(&mut self, key: Key) {
        let entry = &mut self.entries[key];
        entry.waiting -= 1;
        if entry.waiting > 0 {
            return;
        }
        let entry = self.entries.remove(key);
        self.keys.remove(&entry.owner);
        if self.spare.len() < SPARE && entry.seats.iter().all(|seats| seats.places.capacity() <= SPARE) {
            self.spare.push(entry.seats);
        }
        if self.keys.is_empty() {
            self.keys.shrink_to(SPARE);
        }
    }

    /// Empties every seat and makes room for another number of lines. The tickets are the caller's to seat again.
    pub(super) fn clear_seats(&mut self, lines: usize) {
        self.lines = lines;
        self.spare.clear();
        for entry in self.entries.iter_mut() {
            entry.seats = empty(lines);
        }
    }
}

fn empty(lines: usize) -> Vec<Seats> {
    (0..lines).map(|_| Seats::default()).collect()
}
