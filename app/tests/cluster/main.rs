//! Three nodes behind nginx, over one PostgreSQL: whatever happens to a node, nobody loses anything and nobody is answered twice.
//!
//! Every choice comes from one seed, which a failure prints: `ANTEROOM_CLUSTER_SEED` replays it, `ANTEROOM_CLUSTER_ROUNDS` sets the number
//! of rounds.
#![cfg(unix)]

mod adrift;
mod auto;
#[path = "../browser/mod.rs"]
mod browser;
#[path = "../drawn/mod.rs"]
#[expect(dead_code, reason = "the tests of one site look at more of it")]
mod drawn;
mod nginx;
mod nodes;
mod proxy;
mod refused;
mod seen;
mod story;
mod surroundings;
mod tasks;
mod tools;

/// Troubles in the ordinary test run.
const ROUNDS: u32 = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_loses_anything_whatever_happens_to_a_node() {
    let Some(nginx) = nginx::program().filter(|_| anteroom_pgtest::present()) else {
        return;
    };
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .map(|text| text.parse::<u64>().expect("a number"))
    };
    let seed = number("ANTEROOM_CLUSTER_SEED").unwrap_or_else(rand::random);
    let rounds =
        number("ANTEROOM_CLUSTER_ROUNDS").map_or(ROUNDS, |rounds| u32::try_from(rounds).expect("a small number"));
    println!("ANTEROOM_CLUSTER_SEED={seed} ANTEROOM_CLUSTER_ROUNDS={rounds}");
    let story = story::Story::begin(nginx, seed, story::set_apart).await;
    let counts = story.tell(rounds).await;
    println!("{counts}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_shows_nobody_an_error() {
    let Some(nginx) = nginx::program().filter(|_| anteroom_pgtest::present()) else {
        return;
    };
    story::Story::begin(nginx, 1, |_| ()).await.roll().await;
}
