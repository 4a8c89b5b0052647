//! How many events without work go through in a second, when the server is new and when it has seen many.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use tokio::task::JoinSet;

use crate::{
    figures::{Measure, Unit},
    stage::{AT_ONCE, Stage},
    system::{Page as _, Places, System},
};

const BROWSERS: usize = 100;
const SLOTS: usize = 5;
/// After so many the second look is taken.
const MANY: usize = 11_000;
const WINDOW: Duration = Duration::from_secs(5);
/// Longest time to get through [`MANY`].
const PATIENCE: Duration = Duration::from_secs(300);

pub(crate) async fn run<S: System>(places: &Places) -> anyhow::Result<Vec<Measure>> {
    let stage = Stage::<S>::set(places, SLOTS, AT_ONCE).await?;
    let done = Arc::new(AtomicUsize::new(0));
    let mut browsers = JoinSet::new();
    for page in stage.visit(BROWSERS).await? {
        let done = Arc::clone(&done);
        browsers.spawn(async move {
            loop {
                if let Err(fault) = page.event().await {
                    return fault;
                }
                done.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    let count = || done.load(Ordering::Relaxed);
    let rate = async || {
        let (before, began) = (count(), Instant::now());
        tokio::time::sleep(WINDOW).await;
        (count() - before) as f64 / began.elapsed().as_secs_f64()
    };
    let new = rate().await;
    let began = Instant::now();
    while count() < MANY {
        ensure!(began.elapsed() < PATIENCE, "only {} events in {PATIENCE:?}", count());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let old = rate().await;
    if let Some(broken) = browsers.try_join_next() {
        return Err(broken.context("a browser broke")?.context("an event failed"));
    }
    Ok(vec![
        Measure::new("events without work, 100 browsers", new, Unit::PerSecond).at_least(10_000.0),
        Measure::new("the same after 11,000 events", old, Unit::PerSecond).at_least(10_000.0),
    ])
}
