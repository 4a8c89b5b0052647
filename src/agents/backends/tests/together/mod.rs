//! What `auto` promises is promised by all nodes together: one limit for the server, whoever of them asks it, comes and goes.
//!
//! What decides is the real thing: the nodes, their copies of the line, and what each knows of the server. The database, the server, time and luck are made up,
//! so a seed tells the same story each time.

mod process;
mod site;
mod trouble;
mod ways;

use std::{
    collections::BTreeMap,
    env,
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::nodes::Digest;
use site::{SECOND, Site};

/// Sites, each with a seed of its own, unless `ANTEROOM_SITES` says how many. `ANTEROOM_SITES_FROM` says which is the first.
const SITES: u64 = 20;
/// Within so long a time of load the limit is found, whatever there was before.
const FOUND: i64 = 60 * SECOND;
/// From then on it is looked at for so long.
const LOOKED_AT: i64 = 30 * SECOND;

/// How often each thing has happened: sites in which nothing does prove nothing.
type Seen = BTreeMap<&'static str, u64>;

fn number(variable: &str) -> Option<u64> {
    Some(env::var(variable).ok()?.parse().expect("a number"))
}

/// Two servers, one after the other, at the same address: whatever was known of the first, and whatever happens, the limit of the second is found, too.
/// Returns what stands for all that was said in the line.
fn tell(seed: u64, seen: &mut Seen) -> Digest {
    let mut site = Site::new(seed, seen);
    for _ in 0..2 {
        site.another_server();
        site.go_on(30 * SECOND, true);
        site.mend();
        site.go_on(FOUND, false);
        let most = site.off_by(LOOKED_AT);
        assert!(most <= 1, "it is {most} off where the server takes {}", site.capacity);
    }
    site.empty();
    site.check_agreed();
    site.database.truth().digest()
}

#[test]
fn one_limit_is_found_and_found_again_by_all_nodes_whichever_come_and_go() {
    let (from, sites) = (
        number("ANTEROOM_SITES_FROM").unwrap_or_default(),
        number("ANTEROOM_SITES").unwrap_or(SITES),
    );
    let mut seen = Seen::new();
    for seed in from..from.saturating_add(sites) {
        let told = catch_unwind(AssertUnwindSafe(|| tell(seed, &mut seen)));
        assert!(
            told.is_ok(),
            "ANTEROOM_SITES_FROM={seed} ANTEROOM_SITES=1 tells it again"
        );
    }
    let often = seen.values().all(|count| *count >= sites / 4);
    assert!(
        sites < SITES || often && seen.len() == site::KINDS,
        "this proves too little: {seen:?}"
    );
}

#[test]
fn the_same_seed_tells_the_same_story() {
    for seed in 0..3 {
        let stories = [(); 2].map(|()| {
            let mut seen = Seen::new();
            (tell(seed, &mut seen), seen)
        });
        assert_eq!(stories[0], stories[1]);
    }
}
