//! A map by ticket id.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use super::TicketId;

/// A map by ticket id.
pub(super) type IdMap<V> = HashMap<TicketId, V, BuildHasherDefault<IdHasher>>;

/// Ids are our own and count upwards, so they need no protection from crafted keys. Neighbours stay neighbours: tickets that
/// join and leave one after the other find their entries in the same cache lines. The low bits, in which
/// neighbours differ, are repeated at the top, where the table looks for its short tags.
#[derive(Default)]
pub(super) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, id: u64) {
        self.0 = id ^ (id << 57);
    }
}
