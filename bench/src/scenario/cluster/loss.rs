//! A node is killed, or stands still: how long until all that was at home there is back in line on the others, in its places, and what
//! ran there runs again.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use anteroom::wire::TurnId;
use anteroom_pgtest::Cluster;
use anyhow::{Context as _, ensure};
use tokio::{
    join,
    time::{sleep, timeout},
};

use super::NODES;
use crate::{
    anteroom::{Anteroom, AnteroomPage, Load, Nodes, Resident},
    figures::{Measure, Unit},
    model::Model,
    stage::AT_ONCE,
    system::{Places, Setup},
};

const BROWSERS: usize = 90;
/// One that is answered on each node.
const SLOTS: usize = NODES;
/// Asked by those who come through the door of another node.
const DOOR: usize = 0;
/// The node that goes.
const LOST: usize = NODES - 1;
const PATIENCE: Duration = Duration::from_secs(60);
/// For one try to be told where one stands.
const A_TRY: Duration = Duration::from_millis(200);
const AGAIN: Duration = Duration::from_millis(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    Killed,
    Stopped,
}

pub(super) async fn run(places: &Places, postgres: &Cluster) -> anyhow::Result<Vec<Measure>> {
    let killed = lose(places, postgres, Loss::Killed).await?;
    let stopped = lose(places, postgres, Loss::Stopped).await?;
    let measure = |what: &str, value: Duration| Measure::new(what, value.as_secs_f64(), Unit::Seconds);
    // The lease, and the beat with which it is seen to have run out.
    let (soon, later) = (2.0, 18.0);
    Ok(vec![
        measure(
            "a node is killed: those at home there are back in line, in their places, after",
            killed.in_line,
        )
        .at_most(soon),
        measure("a node is killed: what ran there runs again after", killed.runs_again).at_most(soon),
        measure(
            "a node stands still: those at home there are back in line, in their places, after",
            stopped.in_line,
        )
        .at_most(later),
        measure(
            "a node stands still: what ran there runs again after",
            stopped.runs_again,
        )
        .at_most(later),
    ])
}

/// How long the loss of a node is felt.
struct Back {
    /// Until all who were at home there are told their places again.
    in_line: Duration,
    /// Until the model server is asked again what it was asked by that node.
    runs_again: Duration,
}

async fn lose(places: &Places, postgres: &Cluster, loss: Loss) -> anyhow::Result<Back> {
    let model = Model::start(AT_ONCE).await?;
    // Nothing ends, so places stay as they are.
    model.loopback().hold(true);
    let setup = Setup {
        slots: SLOTS,
        model: model.loopback().base_url(),
    };
    let database = postgres.url(&postgres.database());
    let mut nodes = Nodes::start(places, &setup, &database, NODES, &[]).await?;
    let browsers = nodes.residents(BROWSERS).await?;
    let ran = fill(&nodes, &model, &browsers).await?;
    // Those who were at home on the node, as they come back: through another door.
    let lost = browsers.iter().filter(|browser| browser.home == LOST);
    let pages: Vec<AnteroomPage> = lost
        .map(|browser| nodes.door(DOOR).known(browser.page.cookie()))
        .collect();
    let mut before = Vec::new();
    for page in &pages {
        before.push(Stands::of(page).await?);
    }
    ensure!(
        before.iter().any(|stands| stands.running == 1),
        "nobody's answer was under way on the node that goes"
    );

    let began = Instant::now();
    match loss {
        Loss::Killed => nodes.kill(LOST)?,
        Loss::Stopped => nodes.stop(LOST)?,
    }
    let in_line = async {
        for (page, before) in pages.iter().zip(&before) {
            back(page, before).await;
        }
        began.elapsed()
    };
    let runs_again = async {
        model.loopback().until(|record| record.of(&ran).count() == 2).await;
        began.elapsed()
    };
    let (in_line, runs_again) = timeout(PATIENCE, async { join!(in_line, runs_again) })
        .await
        .context("the others do not take up what was a lost node's")?;
    ensure_line(nodes.door(DOOR)).await?;
    Ok(Back { in_line, runs_again })
}

/// Until a browser is told that it stands where it stood.
async fn back(page: &AnteroomPage, before: &Stands) {
    loop {
        // Until the others know that the node is gone, nobody answers for it.
        match timeout(A_TRY, Stands::of(page)).await {
            Ok(Ok(stands)) if stands == *before => return,
            _ => sleep(AGAIN).await,
        }
    }
}

/// Everybody sends, first one of each home. Returns what runs on the node that will be lost.
async fn fill(nodes: &Nodes, model: &Model, browsers: &[Resident]) -> anyhow::Result<String> {
    let mut first: HashMap<usize, usize> = HashMap::new();
    for (number, browser) in browsers.iter().enumerate() {
        first.entry(browser.home).or_insert(number);
    }
    ensure!(first.len() == NODES, "nobody is at home on one of the nodes");
    for &number in first.values() {
        browsers[number].page.send(&question(number)).await?;
    }
    timeout(PATIENCE, model.loopback().until(|record| record.now == SLOTS))
        .await
        .context("the first messages did not reach the model")?;
    for (number, browser) in browsers.iter().enumerate() {
        if first.get(&browser.home) != Some(&number) {
            browser.page.send(&question(number)).await?;
        }
    }
    ensure_line(nodes.door(DOOR)).await?;
    Ok(question(first[&LOST]))
}

fn question(number: usize) -> String {
    format!("the question of browser {number}.")
}

/// All are in line, and as many run as may, as a node says that is not lost.
async fn ensure_line(door: &Anteroom) -> anyhow::Result<()> {
    let full = Load {
        waiting: BROWSERS - SLOTS,
        running: SLOTS,
    };
    let load = async {
        while door.load().await? != full {
            sleep(AGAIN).await;
        }
        anyhow::Ok(())
    };
    timeout(PATIENCE, load).await.context("the line is not whole")?
}

/// Where a browser stands.
#[derive(Debug, PartialEq, Eq)]
struct Stands {
    places: Vec<(Option<TurnId>, u64)>,
    running: u64,
}

impl Stands {
    async fn of(page: &AnteroomPage) -> anyhow::Result<Self> {
        let status = page.status().await?;
        let places = status.places.into_iter().map(|place| (place.turn, place.position));
        Ok(Self {
            places: places.collect(),
            running: status.running,
        })
    }
}
