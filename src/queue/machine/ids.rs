//! A map by ticket id, and the hash of an owner. Hashes are fixed: nothing about the machine is random.

use hashbrown::HashTable;

use crate::queue::{Owner, TicketId};

/// Capacity of a map that is kept when its last ticket leaves; above it, the memory goes back after a rush.
const KEPT: usize = 1024;

/// A map by ticket id.
pub(in crate::queue) struct IdMap<V>(HashTable<(TicketId, V)>);

impl<V> Default for IdMap<V> {
    fn default() -> Self {
        Self(HashTable::new())
    }
}

impl<V> IdMap<V> {
    pub(in crate::queue) fn get(&self, ticket: TicketId) -> Option<&V> {
        let found = self.0.find(hash_id(ticket), |(id, _)| *id == ticket);
        found.map(|(_, value)| value)
    }

    pub(in crate::queue) fn get_mut(&mut self, ticket: TicketId) -> Option<&mut V> {
        let found = self.0.find_mut(hash_id(ticket), |(id, _)| *id == ticket);
        found.map(|(_, value)| value)
    }

    pub(in crate::queue) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, value)| value)
    }

    pub(in crate::queue) fn retain(&mut self, mut keep: impl FnMut(TicketId, &mut V) -> bool) {
        self.0.retain(|(id, value)| keep(*id, value));
    }

    /// Puts in a ticket that is not in here: that is not looked into.
    pub(in crate::queue) fn insert_new(&mut self, ticket: TicketId, value: V) {
        self.0
            .insert_unique(hash_id(ticket), (ticket, value), |(id, _)| hash_id(*id));
    }

    pub(in crate::queue) fn remove(&mut self, ticket: TicketId) -> Option<V> {
        let entry = self.0.find_entry(hash_id(ticket), |(id, _)| *id == ticket).ok()?;
        let ((_, value), _) = entry.remove();
        if self.0.is_empty() && self.0.capacity() > KEPT {
            self.0 = HashTable::new();
        }
        Some(value)
    }
}

/// Ids are our own and count upwards, so they need no protection from crafted keys. Neighbours stay neighbours: tickets that
/// join and leave one after the other find their entries in the same cache lines. The low bits, in which
/// neighbours differ, are repeated at the top, where the table looks for its short tags.
///
/// The price: looking for a ticket that is not there takes long where many are, for it ends at the first gap between neighbours.
fn hash_id(TicketId(id): TicketId) -> u64 {
    id ^ (id << 57)
}

/// The hash of an owner: both halves multiplied, and the product folded. Owners are names that the server has made up, so they
/// need no protection from crafted keys either.
pub(super) fn hash_owner(Owner(owner): Owner) -> u64 {
    let low = owner as u64 ^ 0x9e37_79b9_7f4a_7c15;
    let high = (owner >> 64) as u64 ^ 0xd1b5_4a32_d192_ed03;
    let product = u128::from(low) * u128::from(high);
    product as u64 ^ (product >> 64) as u64
}
