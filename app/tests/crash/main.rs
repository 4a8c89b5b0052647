//! Nothing accepted is ever lost: the real server is killed again and again while fifty browsers send to it.
//!
//! `cargo xtask bench crash` runs more rounds. Every choice comes from one seed, which a failure prints:
//! `ANTEROOM_CRASH_SEED` replays it, `ANTEROOM_CRASH_ROUNDS` sets the number of rounds.

#[cfg(unix)]
#[path = "../browser/mod.rs"]
mod browser;
#[cfg(unix)]
mod order;
#[cfg(unix)]
mod server;
#[cfg(unix)]
mod story;
#[cfg(unix)]
mod tasks;

/// Kills in the ordinary test run.
#[cfg(unix)]
const ROUNDS: u32 = 20;

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_accepted_is_answered_once_however_often_the_server_is_killed() {
    play(&[]).await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_holds_where_everything_is_kept_in_postgresql() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let address = cluster.url(&cluster.database());
    play(&[("DATABASE_URL", &address), ("SECRET_KEY", &"k".repeat(40))]).await;
}

#[cfg(unix)]
async fn play(store: &[(&str, &str)]) {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .map(|text| text.parse::<u64>().expect("a number"))
    };
    let seed = number("ANTEROOM_CRASH_SEED").unwrap_or_else(rand::random);
    let rounds =
        number("ANTEROOM_CRASH_ROUNDS").map_or(ROUNDS, |rounds| u32::try_from(rounds).expect("a small number"));
    println!("ANTEROOM_CRASH_SEED={seed} ANTEROOM_CRASH_ROUNDS={rounds}");
    let counts = story::tell(seed, rounds, store).await;
    println!("{counts}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_task_has_one_result_however_often_the_server_is_killed() {
    let seed = rand::random();
    println!("seed {seed}");
    tasks::tell(seed, ROUNDS / 2, &[]).await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_it_has_where_everything_is_kept_in_postgresql() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let seed = rand::random();
    println!("seed {seed}");
    let address = cluster.url(&cluster.database());
    tasks::tell(
        seed,
        ROUNDS / 2,
        &[("DATABASE_URL", &address), ("SECRET_KEY", &"k".repeat(40))],
    )
    .await;
}
