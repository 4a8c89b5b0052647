//! Which address has asked for what is being answered.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use uuid::Uuid;

use crate::queue::Owner;

/// How many there may be. What is asked for longest ago goes first: its tokens count for its key alone then.
const MOST: usize = 100_000;

/// A request, a turn or a task, and whose it is: of the names that programs give, two owners may have the same.
type Named = (Uuid, Owner);

/// The addresses from which requests, turns and tasks were asked for, for as long as there is room.
#[derive(Debug)]
pub(super) struct Payers {
    most: usize,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    of: HashMap<Named, IpAddr>,
    /// The oldest first.
    order: VecDeque<Named>,
}

impl Default for Payers {
    fn default() -> Self {
        Self::at_most(MOST)
    }
}

impl Payers {
    fn at_most(most: usize) -> Self {
        Self {
            most,
            known: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This was asked for from there. Asked for again, it is the last address that pays.
    pub(super) fn note(&self, asked: Named, address: IpAddr) {
        let mut known = self.lock();
        match known.of.entry(asked) {
            Entry::Occupied(mut there) => {
                there.insert(address);
                return;
            }
            Entry::Vacant(free) => free.insert(address),
        };
        known.order.push_back(asked);
        if known.order.len() > self.most
            && let Some(oldest) = known.order.pop_front()
        {
            known.of.remove(&oldest);
        }
    }

    /// From where this was asked for, if that is known.
    pub(super) fn of(&self, asked: Named) -> Option<IpAddr> {
        self.lock().of.get(&asked).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_address_pays_and_what_is_oldest_is_forgotten() {
        let payers = Payers::at_most(2);
        let id = |number| (Uuid::from_u128(number), Owner(1));
        let address = |number: u8| IpAddr::from([192, 0, 2, number]);
        payers.note(id(1), address(1));
        payers.note(id(2), address(2));
        payers.note(id(1), address(3));
        assert_eq!(
            [1, 2, 3].map(|one| payers.of(id(one))),
            [Some(address(3)), Some(address(2)), None]
        );
        payers.note(id(3), address(3));
        assert_eq!(
            [1, 2, 3].map(|one| payers.of(id(one))),
            [None, Some(address(2)), Some(address(3))]
        );
        assert_eq!(payers.lock().of.len(), 2);
        assert_eq!(
            payers.of((Uuid::from_u128(3), Owner(2))),
            None,
            "another's of the same name"
        );
    }
}
