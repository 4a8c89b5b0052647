//! The nodes, one by one and in a simulated world in which the same seed gives the same luck.

mod callers;
mod checks;
pub(crate) mod database;
pub(crate) mod dice;
mod line;
pub(crate) mod memory;
mod node;
mod replica;
mod throttles;
mod trouble;
mod world;

use std::{
    env,
    panic::{AssertUnwindSafe, catch_unwind},
};

use world::{Luck, Seen, World};

/// Worlds of each kind, unless `ANTEROOM_WORLDS` says how many. `ANTEROOM_WORLDS_FROM` says which is the first; one that a failure names is
/// played again by that and a number of 1.
const SEEDS: u64 = 5_000;

fn number(variable: &str) -> Option<u64> {
    Some(env::var(variable).ok()?.parse().expect("a number"))
}

/// Runs worlds. One in which a promise is broken is run again and tells all that happens in it.
fn run(from: u64, luck: Luck) -> Seen {
    let from = number("ANTEROOM_WORLDS_FROM").unwrap_or(from);
    let seeds = number("ANTEROOM_WORLDS").unwrap_or(SEEDS);
    let mut seen = Seen::default();
    for seed in from..from.saturating_add(seeds) {
        let run = catch_unwind(AssertUnwindSafe(|| World::new(seed, luck, false, &mut seen).run()));
        if run.is_err() {
            eprintln!("ANTEROOM_WORLDS_FROM={seed} ANTEROOM_WORLDS=1, from the beginning:");
            World::new(seed, luck, true, &mut seen).run();
            panic!("seed {seed} does not come out the same twice");
        }
    }
    // In all of them together each thing has to have happened often; in few of them it need not.
    let often = seen.counts.values().all(|count| *count >= seeds / 5);
    let kinds = if luck.failover { 22 } else { 21 };
    let proves = often && seen.counts.len() == kinds;
    assert!(proves || seeds < SEEDS, "this proves too little: {seen:?}");
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
