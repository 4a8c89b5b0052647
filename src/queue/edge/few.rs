//! A list that is seldom longer than one.

use std::{iter::Chain, option, vec};

/// Holds one item without an allocation: most changes of the queue wake one task, or let one ticket in.
pub(super) struct Few<T> {
    first: Option<T>,
    more: Vec<T>,
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self {
            first: None,
            more: Vec::new(),
        }
    }
}

impl<T> Few<T> {
    pub(super) fn push(&mut self, item: T) {
        if self.first.is_none() {
            self.first = Some(item);
        } else {
            self.more.push(item);
        }
    }

    pub(super) fn into_first(self) -> Option<T> {
        self.first
    }

    /// Shorter than through the iterator where there is one item or none.
    pub(super) fn for_each(self, mut each: impl FnMut(T)) {
        if let Some(first) = self.first {
            each(first);
            self.more.into_iter().for_each(each);
        }
    }
}

impl<T> IntoIterator for Few<T> {
    type Item = T;
    type IntoIter = Chain<option::IntoIter<T>, vec::IntoIter<T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.first.into_iter().chain(self.more)
    }
}
