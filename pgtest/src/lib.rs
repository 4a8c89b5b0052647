//! A PostgreSQL for tests, started when the first of them needs it: data of its own, a free port of 127.0.0.1, a socket.
//!
//! It goes when the test process ends, however that ends (`watcher.rs`). What is tested is durability, so it synchronises with the disk
//! as any other server does. Where no PostgreSQL is installed, a test that needs one says that it is skipped, or fails where
//! [`REQUIRED`] is set.
//!
//! Other servers that a test starts get their ports here too ([`free_port`]).

mod cluster;
mod installed;
mod ports;
mod watcher;

use std::{
    io::Write as _,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

pub use cluster::{Cluster, PASSWORD, USER};
pub use installed::programs;
pub use ports::free_port;

/// Set to anything in the environment, a test that needs PostgreSQL fails where there is none.
pub const REQUIRED: &str = "ANTEROOM_TEST_REQUIRE_POSTGRES";

/// The cluster that all tests of this process share. `None`: there is no PostgreSQL here, and the test has been said to be skipped.
///
/// # Panics
/// It does not start, or there is none and [`REQUIRED`] is set.
#[must_use]
pub fn shared() -> Option<&'static Cluster> {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    present().then(|| SHARED.get_or_init(Cluster::start))
}

/// Whether there is a PostgreSQL to start. Says that the test is skipped where there is none.
///
/// # Panics
/// There is none, and [`REQUIRED`] is set.
#[must_use]
pub fn present() -> bool {
    let present = programs().is_some();
    if !present {
        let required = std::env::var_os(REQUIRED).is_some_and(|value| !value.is_empty());
        assert!(!required, "{REQUIRED} is set, and no PostgreSQL is installed here");
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        // Not by `eprintln!`: of a test that passes, the harness would keep it to itself.
        let _ = writeln!(std::io::stderr(), "skipped: {test}: no PostgreSQL is installed");
    }
    present
}

/// A number that no other call in this process gets.
fn next_number() -> u32 {
    static NUMBER: AtomicU32 = AtomicU32::new(1);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

#[cfg(test)]
mod tests;
