//! Lists that run through the waiters, so that joining one and leaving one allocates nothing.

use super::{
    arena::{Arena, Key},
    waiter::{Links, Waiter},
};

/// Both ends of a list.
#[derive(Clone, Copy, Default)]
pub(super) struct Ends {
    pub(super) first: Option<Key>,
    pub(super) last: Option<Key>,
}

/// Which of a waiter's links a list uses.
pub(super) type Through = fn(&mut Waiter) -> &mut Links;

impl Ends {
    /// Puts `key` behind `before`; `None` puts it first.
    pub(super) fn insert(&mut self, before: Option<Key>, key: Key, waiters: &mut Arena<Waiter>, through: Through) {
        let after = match before {
            Some(before) => through(&mut waiters[before]).after.replace(key),
            None => self.first.replace(key),
        };
        match after {
            Some(after) => through(&mut waiters[after]).before = Some(key),
            None => self.last = Some(key),
        }
        *through(&mut waiters[key]) = Links { before, after };
    }

    pub(super) fn remove(&mut self, key: Key, waiters: &mut Arena<Waiter>, through: Through) {
        let Links { before, after } = std::mem::take(through(&mut waiters[key]));
        match before {
            Some(before) => through(&mut waiters[before]).after = after,
            None => self.first = after,
        }
        match after {
            Some(after) => through(&mut waiters[after]).before = before,
            None => self.last = before,
        }
    }
}
