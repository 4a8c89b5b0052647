//! A list that runs through the waiters, so that joining it and leaving it allocates nothing.

use super::{
    arena::{Arena, Key},
    waiter::{Links, Waiter},
};

/// Both ends of the list of a line's waiters, by age.
#[derive(Clone, Copy, Default)]
pub(super) struct Ends {
    pub(super) first: Option<Key>,
    pub(super) last: Option<Key>,
}

impl Ends {
    /// Puts `key` behind `before`; `None` puts it first.
    pub(super) fn insert(&mut self, before: Option<Key>, key: Key, waiters: &mut Arena<Waiter>) {
        let after = match before {
            Some(before) => waiters[before].age.after.replace(key),
            None => self.first.replace(key),
        };
        match after {
            Some(after) => waiters[after].age.before = Some(key),
            None => self.last = Some(key),
        }
        waiters[key].age = Links { before, after };
    }

    pub(super) fn remove(&mut self, key: Key, waiters: &mut Arena<Waiter>) {
        let Links { before, after } = std::mem::take(&mut waiters[key].age);
        match before {
            Some(before) => waiters[before].age.after = after,
            None => self.first = after,
        }
        match after {
            Some(after) => waiters[after].age.before = before,
            None => self.last = before,
        }
    }
}
