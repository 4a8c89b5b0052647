//! The nodes, one by one and in a simulated world in which the same seed gives the same luck.

mod callers;
mod checks;
mod database;
mod dice;
mod line;
pub(crate) mod memory;
mod node;
mod replica;
mod throttles;
mod trouble;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use world::{Luck, Seen, World};

/// Worlds of each kind.
const SEEDS: u64 = 5_000;
/// How often something has to have happened in all of them together, at least.
const OFTEN: u64 = SEEDS / 5;

/// Runs worlds. One in which a promise is broken is run again and tells all that happens in it.
fn run(from: u64, luck: Luck) -> Seen {
    let mut seen = Seen::default();
    for seed in from..from + SEEDS {
        let run = catch_unwind(AssertUnwindSafe(|| World::new(seed, luck, false, &mut seen).run()));
        if run.is_err() {
            eprintln!("seed {seed}, from the beginning:");
            World::new(seed, luck, true, &mut seen).run();
            panic!("seed {seed} does not come out the same twice");
        }
    }
    let often = seen.counts.values().all(|count| *count >= OFTEN);
    let kinds = if luck.failover { 22 } else { 21 };
    assert!(often && seen.counts.len() == kinds, "this proves too little: {seen:?}");
    seen
}

#[test]
fn one_line_whatever_happens() {
    run(
        0,
        Luck {
            trouble: 5_000,
            failover: false,
            jobs: 16,
        },
    );
}

#[test]
fn one_line_after_a_standby_has_taken_over_that_lacks_the_last_entries() {
    run(
        1_000_000,
        Luck {
            trouble: 5_000,
            failover: true,
            jobs: 16,
        },
    );
}
