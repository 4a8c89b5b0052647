//! Owners take turns where several lines could use a slot: each line keeps its own rounds, which say nothing about those of another.

use hashbrown::HashTable;

use super::ids::hash_owner;
use crate::queue::Owner;

/// Owners that are remembered for each that waits. Beyond, most of them have gone, and the next round begins.
const PER_WAITING: usize = 4;

/// Who has had a slot in this round that others could have used, too.
///
/// It is start-time fair queueing once more, with the round counted when a slot is given: an owner's next start belongs to the
/// round after its last, so within one round it is enough to know who has had theirs.
#[derive(Default)]
pub(super) struct Turns {
    had: HashTable<Owner>,
}

impl Turns {
    pub(super) fn has_had(&self, owner: Owner) -> bool {
        self.had.find(hash_owner(owner), |known| *known == owner).is_some()
    }

    /// This owner gets a slot, while so many tickets wait.
    pub(super) fn take(&mut self, owner: Owner, waiting: usize) {
        if self.has_had(owner) || self.had.len() >= waiting.saturating_mul(PER_WAITING) {
            self.had.clear();
        }
        self.had
            .insert_unique(hash_owner(owner), owner, |owner| hash_owner(*owner));
    }

    /// Nobody has had a turn.
    pub(super) fn begin(&mut self) {
        self.had.clear();
    }

    /// Those who have had theirs, in an order that is the same for all who have the same state.
    pub(super) fn owners(&self) -> Vec<Owner> {
        let mut owners: Vec<Owner> = self.had.iter().copied().collect();
        owners.sort_unstable();
        owners
    }

    pub(super) fn restore(&mut self, owners: &[Owner]) {
        for owner in owners
            .iter()
            .filter(|owner| !self.has_had(**owner))
            .copied()
            .collect::<Vec<_>>()
        {
            self.had
                .insert_unique(hash_owner(owner), owner, |owner| hash_owner(*owner));
        }
    }
}
