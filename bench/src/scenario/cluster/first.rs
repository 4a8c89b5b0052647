//! One user: what several nodes add, up to the first piece of the answer, to one server over SQLite.

use anteroom_pgtest::Cluster;
use anyhow::Context as _;

use super::NODES;
use crate::{
    anteroom::{Anteroom, AnteroomPage, Nodes, Resident},
    figures::{Measure, Unit},
    model::Model,
    numbers::percentile,
    stage::{AT_ONCE, millis, unseen},
    system::{Page as _, Places, Setup, System as _},
};

const MESSAGES: usize = 200;
/// The first ones find connections that are not open yet, and code that has not run.
const WARM_UP: usize = 20;
const SLOTS: usize = 5;
const DOOR: usize = 0;

/// Milliseconds of each message, from sending it to the first piece of its answer.
#[derive(Debug, Default)]
pub(super) struct First {
    in_one: Vec<f64>,
    over_postgres: Vec<f64>,
    at_home: Vec<f64>,
    elsewhere: Vec<f64>,
}

pub(super) async fn measure(places: &Places, postgres: &Cluster) -> anyhow::Result<First> {
    let model = Model::start(AT_ONCE).await?;
    let setup = Setup {
        slots: SLOTS,
        model: model.loopback().base_url(),
    };
    let one = Anteroom::start(places, &setup).await?;
    let nodes = Nodes::start(places, &setup, &postgres.url(&postgres.database()), NODES, &[]).await?;
    let alone = one.visit().await?;
    let over_postgres = Nodes::alone(places, &setup, &postgres.url(&postgres.database()))?;
    let over = over_postgres.visit().await?;
    let browsers = both(&nodes).await?;
    let find = |at_home| browsers.iter().find(|browser| (browser.home == DOOR) == at_home);
    let (at_home, elsewhere) = find(true).zip(find(false)).context("both are there")?;
    let mut first = First::default();
    // In turns, so that whatever else the machine does meets all of them.
    for number in 0..WARM_UP + MESSAGES {
        let message = format!("message {number}");
        let taken = [
            piece(&alone, &message).await?,
            piece(&over, &message).await?,
            piece(&at_home.page, &message).await?,
            piece(&elsewhere.page, &message).await?,
        ];
        if number >= WARM_UP {
            first.in_one.push(taken[0]);
            first.over_postgres.push(taken[1]);
            first.at_home.push(taken[2]);
            first.elsewhere.push(taken[3]);
        }
    }
    Ok(first)
}

/// Browsers at the first node's door, until one is at home there and one is not.
async fn both(nodes: &Nodes) -> anyhow::Result<Vec<Resident>> {
    let mut all: Vec<Resident> = Vec::new();
    let there = |all: &[Resident], at_home| all.iter().any(|resident| (resident.home == DOOR) == at_home);
    while !(there(&all, true) && there(&all, false)) {
        all.push(nodes.resident(DOOR).await?);
    }
    Ok(all)
}

async fn piece(page: &AnteroomPage, message: &str) -> anyhow::Result<f64> {
    let chat = page.chat(message, &unseen()).await?;
    Ok(millis(chat.first_piece.unwrap_or(chat.done)))
}

impl First {
    pub(super) fn measures(&self, commit: f64) -> anyhow::Result<Vec<Measure>> {
        let at = |values: &[f64], share| percentile(values, share).context("nothing was measured");
        let usual = at(&self.in_one, 0.5)?;
        let added = |what: &str, taken: &[f64], share| {
            let what = format!("first piece {what}, added to SQLite's median, p{:.0}", share * 100.0);
            anyhow::Ok(Measure::new(what, at(taken, share)? - usual, Unit::Millis))
        };
        let (home, elsewhere) = ("at the door of one's home", "through another node");
        Ok(vec![
            Measure::new("first piece, one server over SQLite, p50", usual, Unit::Millis),
            added("of one server over PostgreSQL", &self.over_postgres, 0.5)?,
            added(home, &self.at_home, 0.5)?.at_most(commit + 1.0),
            added(home, &self.at_home, 0.99)?,
            added(elsewhere, &self.elsewhere, 0.5)?.at_most(commit + 1.0),
            added(elsewhere, &self.elsewhere, 0.99)?,
        ])
    }
}
