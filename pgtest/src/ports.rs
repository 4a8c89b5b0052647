//! Ports for servers that have to be told theirs.

use std::{
    collections::hash_map::RandomState,
    fs,
    hash::{BuildHasher as _, Hasher as _},
    net::{Ipv4Addr, TcpListener},
};

/// The lowest port that is drawn: below are those of well-known services.
const LOWEST: u16 = 10_000;
/// From here on Linux draws ports for outgoing connections, unless it is set up otherwise.
const OUTGOING: u16 = 32_768;
/// Fewer ports than these are not enough to draw from.
const ENOUGH: u16 = 1_000;
const TRIES: u32 = 1_000;

/// A port of 127.0.0.1 that nobody listens on.
///
/// It lies below those that the system gives to outgoing connections: of these, one may be taken by any client of any test at any moment
/// until the server listens, or while it is started again.
///
/// # Panics
/// No port is free.
#[must_use]
pub fn free_port() -> u16 {
    let drawn = outgoing().checked_sub(LOWEST).filter(|&ports| ports >= ENOUGH);
    let mut candidates = (0..TRIES).filter_map(|_| {
        // Of a process's random state no two are the same, nor are those of two processes.
        let random = RandomState::new().build_hasher().finish();
        drawn.map(|ports| LOWEST + u16::try_from(random % u64::from(ports)).expect("less than the ports"))
    });
    let listener = candidates
        .find_map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok())
        .map_or_else(|| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)), Ok);
    let address = listener.and_then(|listener| listener.local_addr());
    address.expect("a free port").port()
}

/// The lowest port that the system gives to outgoing connections.
fn outgoing() -> u16 {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok();
    let lowest = range.and_then(|range| range.split_whitespace().next()?.parse().ok());
    lowest.unwrap_or(OUTGOING)
}
