//! How many connections each address has open.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Counts the connections of each address.
#[derive(Clone, Debug, Default)]
pub(super) struct Addresses(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One connection of an address, counted until this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    addresses: Addresses,
    client: IpAddr,
}

impl Addresses {
    /// Counts a connection from `address`; `None` where it has as many as it may (`None`: as many as it likes).
    pub(super) fn enter(&self, address: IpAddr, most: Option<usize>) -> Option<Place> {
        let client = network(address);
        let mut counts = self.lock();
        let count = counts.entry(client).or_default();
        // An entry that was made just now is never refused: at least one is allowed.
        if most.is_some_and(|most| *count >= most) {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Place {
            addresses: self.clone(),
            client,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Entry::Occupied(mut count) = self.addresses.lock().entry(self.client) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

/// The address that a client is counted by. One client of IPv6 usually has a whole network of 64 bits to itself.
pub(in crate::http) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn each_address_has_its_own_count_and_gets_places_back() {
        let addresses = Addresses::default();
        let enter = |text: &str| addresses.enter(address(text), Some(2));
        let first = enter("192.0.2.1").expect("the first");
        let _second = enter("192.0.2.1").expect("the second");
        assert!(enter("192.0.2.1").is_none());
        assert!(
            enter("::ffff:192.0.2.1").is_none(),
            "the same, as a listener of IPv6 sees it"
        );
        let other = enter("192.0.2.2").expect("another address");
        drop(first);
        assert!(enter("192.0.2.1").is_some());
        drop(other);
        assert_eq!(addresses.lock().len(), 1, "who has gone takes no memory");
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_client() {
        let addresses = Addresses::default();
        let _one = addresses.enter(address("2001:db8:0:1::1"), Some(1));
        assert!(addresses.enter(address("2001:db8:0:1:ffff::2"), Some(1)).is_none());
        assert!(addresses.enter(address("2001:db8:0:2::1"), Some(1)).is_some());
    }

    #[test]
    fn without_a_bound_all_are_let_in() {
        let addresses = Addresses::default();
        let places: Vec<_> = (0..1000).map(|_| addresses.enter(address("192.0.2.1"), None)).collect();
        assert!(places.iter().all(Option::is_some));
    }
}
