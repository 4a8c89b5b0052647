//! Records that keep their place while others come and go.
//!
//! The crate `slab` does the same with keys twice as wide, of which the index of owners holds as many as owners wait, and never
//! gives its memory back by itself.

use std::ops::{Index, IndexMut};

/// A place in an [`Arena`]; used again once its record has been removed.
pub(super) type Key = u32;

/// Capacity that is kept when the last record leaves; above it, the memory goes back after a rush.
const KEPT: usize = 1024;

/// A growing table with reuse of vacated places: no allocation per record once it has grown.
pub(super) struct Arena<T> {
    records: Vec<Option<T>>,
    vacant: Vec<Key>,
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Self {
            records: Vec::new(),
            vacant: Vec::new(),
        }
    }
}

impl<T> Arena<T> {
    pub(super) fn insert(&mut self, record: T) -> Key {
        if let Some(key) = self.vacant.pop() {
            self.records[key as usize] = Some(record);
            return key;
        }
        let key = Key::try_from(self.records.len()).expect("fewer than 2^32 records fit into memory");
        self.records.push(Some(record));
        key
    }

    pub(super) fn remove(&mut self, key: Key) -> T {
        let record = self.records[key as usize].take().expect("a key is removed once");
        self.vacant.push(key);
        if self.len() == 0 && self.records.capacity() > KEPT {
            *self = Self::default();
        }
        record
    }

    /// All records, in an order that depends on which places were vacant.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.records.iter().flatten()
    }

    pub(super) fn len(&self) -> usize {
        self.records.len() - self.vacant.len()
    }
}

impl<T> Index<Key> for Arena<T> {
    type Output = T;

    fn index(&self, key: Key) -> &T {
        self.records[key as usize].as_ref().expect("a key in use has a record")
    }
}

impl<T> IndexMut<Key> for Arena<T> {
    fn index_mut(&mut self, key: Key) -> &mut T {
        self.records[key as usize].as_mut().expect("a key in use has a record")
    }
}
