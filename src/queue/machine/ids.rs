//! Maps by ticket id and by owner. Their hashes are fixed: nothing about the machine is random.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use crate::queue::{Owner, TicketId};

/// A map by ticket id.
pub(in crate::queue) type IdMap<V> = HashMap<TicketId, V, BuildHasherDefault<IdHasher>>;

/// Capacity of a map that is kept when its last ticket leaves; above it, the memory goes back after a rush.
const KEPT: usize = 1024;

/// Takes a ticket out.
pub(in crate::queue) fn remove<V>(map: &mut IdMap<V>, ticket: TicketId) -> Option<V> {
    let value = map.remove(&ticket);
    if map.is_empty() && map.capacity() > KEPT {
        map.shrink_to_fit();
    }
    value
}

/// Ids are our own and count upwards, so they need no protection from crafted keys. Neighbours stay neighbours: tickets that
/// join and leave one after the other find their entries in the same cache lines. The low bits, in which
/// neighbours differ, are repeated at the top, where the table looks for its short tags.
#[derive(Default)]
pub(in crate::queue) struct IdHasher(u64);

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

/// The hash of an owner: both halves multiplied, and the product folded. Owners are names that the server has made up, so they
/// need no protection from crafted keys either.
pub(super) fn hash_owner(Owner(owner): Owner) -> u64 {
    let low = owner as u64 ^ 0x9e37_79b9_7f4a_7c15;
    let high = (owner >> 64) as u64 ^ 0xd1b5_4a32_d192_ed03;
    let product = u128::from(low) * u128::from(high);
    product as u64 ^ (product >> 64) as u64
}
