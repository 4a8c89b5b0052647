//! How many whole turns go through in a second, of 300 browsers that send again as soon as they are answered.
//!
//! Each is an accept and a release, but most of what it takes is HTTP, the store and the browsers themselves, on the same cores. What the line
//! itself can do is measured by the scenario `nodes`, which has the budget.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anteroom_pgtest::Cluster;
use anyhow::Context as _;
use tokio::task::JoinSet;

use super::NODES;
use crate::{
    anteroom::{Anteroom, AnteroomPage, Nodes},
    figures::{Measure, Unit},
    model::Model,
    stage::{AT_ONCE, opened, unseen},
    system::{Page as _, Places, Setup},
};

const BROWSERS: usize = 300;
/// Until all have begun.
const WARM_UP: Duration = Duration::from_secs(2);
const WINDOW: Duration = Duration::from_secs(5);

pub(super) async fn run(places: &Places, postgres: &Cluster) -> anyhow::Result<Vec<Measure>> {
    let model = Model::start(AT_ONCE).await?;
    let setup = Setup {
        // Nobody waits for a slot: what is looked for is how much goes through.
        slots: BROWSERS,
        model: model.loopback().base_url(),
    };
    let variables = [("MAX_RUNNING", "none")];
    let alone = {
        let one = Anteroom::with(places, &setup, &variables)?;
        rate(opened(&one, BROWSERS).await?).await?
    };
    let database = postgres.url(&postgres.database());
    let nodes = Nodes::start(places, &setup, &database, NODES, &variables).await?;
    let mut pages = Vec::new();
    for node in 0..NODES {
        pages.extend(opened(nodes.door(node), BROWSERS / NODES).await?);
    }
    let spread = rate(pages).await?;
    Ok(vec![
        Measure::new("whole turns of 300 browsers at three doors", spread, Unit::PerSecond),
        Measure::new(
            "whole turns of 300 browsers, one server over SQLite",
            alone,
            Unit::PerSecond,
        ),
    ])
}

/// Turns a second.
async fn rate(pages: Vec<AnteroomPage>) -> anyhow::Result<f64> {
    let done = Arc::new(AtomicUsize::new(0));
    let mut browsers = JoinSet::new();
    for page in pages {
        let done = Arc::clone(&done);
        browsers.spawn(async move {
            loop {
                if let Err(fault) = page.chat("again", &unseen()).await {
                    return fault;
                }
                done.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    tokio::time::sleep(WARM_UP).await;
    let (before, began) = (done.load(Ordering::Relaxed), Instant::now());
    tokio::time::sleep(WINDOW).await;
    let rate = (done.load(Ordering::Relaxed) - before) as f64 / began.elapsed().as_secs_f64();
    match browsers.try_join_next() {
        Some(broken) => Err(broken.context("a browser broke")?.context("a turn failed")),
        None => Ok(rate),
    }
}
