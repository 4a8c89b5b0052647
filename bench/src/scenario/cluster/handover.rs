//! How long a slot that comes free on one node is empty until the next answer begins on another, as the model server sees it.
//!
//! That is from the last byte of one answer to the next request as it was read, so what the model server and HTTP take is in it. The same
//! between the answers of one server over SQLite is taken off.

use std::{collections::HashMap, sync::Arc, time::Duration};

use anteroom_loopback::{Config, RequestRecord};
use anteroom_pgtest::Cluster;
use anyhow::{Context as _, ensure};
use tokio::task::JoinSet;

use super::{Commits, NODES};
use crate::{
    anteroom::{Anteroom, AnteroomPage, Nodes, Resident},
    figures::{Measure, Unit},
    model::Model,
    numbers::percentile,
    stage::{AT_ONCE, opened, unseen},
    system::{Page as _, Places, Setup, System as _},
};

/// Browsers that always have a message in line, at home on each node.
const AT_HOME: usize = 2;
const BROWSERS: usize = NODES * AT_HOME;
/// Long enough that whoever was answered last is back in line before the next one ends.
const ANSWER: Config = Config {
    first_token: Duration::from_millis(20),
    ..AT_ONCE
};
/// All are played in turns, so that whatever else the machine does meets both.
const PARTS: usize = 6;
/// Messages of each browser in a part.
const MESSAGES: usize = 12;
/// Commits after each part.
const COMMITS: usize = 40;

/// Milliseconds of each gap.
#[derive(Debug, Default)]
pub(super) struct Handovers {
    /// Where the one answer was another node's than the next.
    among_nodes: Vec<f64>,
    /// Within one server over SQLite.
    in_one: Vec<f64>,
    /// Within one server that has a database of PostgreSQL to itself.
    over_postgres: Vec<f64>,
}

pub(super) async fn measure(places: &Places, postgres: &Cluster, commits: &mut Commits) -> anyhow::Result<Handovers> {
    let model = Model::start(ANSWER).await?;
    let setup = Setup {
        slots: 1,
        model: model.loopback().base_url(),
    };
    let one = Anteroom::start(places, &setup).await?;
    let alone = residents(opened(&one, BROWSERS).await?);
    let over_postgres = Nodes::alone(places, &setup, &postgres.url(&postgres.database()))?;
    let over = residents(opened(&over_postgres, BROWSERS).await?);
    let nodes = Nodes::start(places, &setup, &postgres.url(&postgres.database()), NODES, &[]).await?;
    let spread = spread(&nodes).await?;
    let mut handovers = Handovers::default();
    // Code that has not run and connections that are not open yet are nobody's gap.
    play(&model, &alone, "alone, to begin with").await?;
    play(&model, &over, "over PostgreSQL, to begin with").await?;
    play(&model, &spread, "spread, to begin with").await?;
    for part in 0..PARTS {
        let gaps = play(&model, &alone, &format!("alone {part}")).await?;
        handovers.in_one.extend(gaps);
        let gaps = play(&model, &over, &format!("over PostgreSQL {part}")).await?;
        handovers.over_postgres.extend(gaps);
        let gaps = play(&model, &spread, &format!("spread {part}")).await?;
        handovers.among_nodes.extend(gaps);
        commits.make(COMMITS).await?;
    }
    Ok(handovers)
}

/// The browsers of one server, as if each were at home on a node of its own: all gaps count.
fn residents(pages: Vec<AnteroomPage>) -> Vec<Resident> {
    let resident = |(home, page)| Resident {
        page: Arc::new(page),
        home,
    };
    pages.into_iter().enumerate().map(resident).collect()
}

/// Browsers so that each next one is at home on the next node, whatever door they have.
async fn spread(nodes: &Nodes) -> anyhow::Result<Vec<Resident>> {
    let mut of_node: Vec<Vec<Resident>> = (0..NODES).map(|_| Vec::new()).collect();
    let mut door = 0;
    while of_node.iter().any(|residents| residents.len() < AT_HOME) {
        let resident = nodes.resident(door).await?;
        door = (door + 1) % NODES;
        of_node[resident.home].push(resident);
    }
    of_node.iter_mut().for_each(|residents| residents.truncate(AT_HOME));
    let mut all = Vec::new();
    while let Some(residents) = of_node.iter_mut().map(Vec::pop).collect::<Option<Vec<_>>>() {
        all.extend(residents);
    }
    Ok(all)
}

/// Everybody sends so many messages, one after the other. Returns the gaps between answers of different homes, in milliseconds.
async fn play(model: &Model, browsers: &[Resident], part: &str) -> anyhow::Result<Vec<f64>> {
    let model = model.loopback();
    let before = model.record().requests.len();
    let mut chats = JoinSet::new();
    let mut home = HashMap::new();
    for (number, browser) in browsers.iter().enumerate() {
        let questions: Vec<String> = (0..MESSAGES)
            .map(|message| format!("{part}, browser {number}, message {message}"))
            .collect();
        home.extend(questions.iter().cloned().map(|question| (question, browser.home)));
        let page = Arc::clone(&browser.page);
        chats.spawn(async move {
            for question in questions {
                page.chat(&question, &unseen()).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(chat) = chats.join_next().await {
        chat.context("a browser broke")??;
    }
    let record = model.record();
    ensure!(record.max == 1, "{} ran at once, with one slot", record.max);
    let requests = &record.requests[before..];
    ensure!(
        requests.len() == BROWSERS * MESSAGES,
        "{} requests for {} messages",
        requests.len(),
        BROWSERS * MESSAGES
    );
    let home = |request: &RequestRecord| home.get(&request.question).copied().context("another question");
    let mut gaps = Vec::new();
    for pair in requests.windows(2) {
        if home(&pair[0])? != home(&pair[1])? {
            gaps.push(pair[1].began - pair[0].ended.context("an answer did not end")?);
        }
    }
    Ok(gaps)
}

impl Handovers {
    pub(super) fn measures(&self, commit: f64) -> anyhow::Result<Vec<Measure>> {
        let at = |values: &[f64], share| percentile(values, share).context("no gap was measured");
        let gap =
            |what: &str, value| Measure::new(format!("end of an answer → next request, {what}"), value, Unit::Millis);
        let added = |what: &str, value| {
            Measure::new(
                format!("the same, added to SQLite's median, {what}"),
                value,
                Unit::Millis,
            )
        };
        let usual = at(&self.in_one, 0.5)?;
        let (half, most) = (at(&self.among_nodes, 0.5)?, at(&self.among_nodes, 0.99)?);
        Ok(vec![
            gap("one server over SQLite, p50", usual),
            gap("one server over SQLite, p99", at(&self.in_one, 0.99)?),
            gap("one server over PostgreSQL, p50", at(&self.over_postgres, 0.5)?),
            gap("one server over PostgreSQL, p99", at(&self.over_postgres, 0.99)?),
            gap("from one node to another, p50", half),
            gap("from one node to another, p99", most),
            added("p50", half - usual).at_most(commit + 1.0),
            added("p99", most - usual).at_most(commit.mul_add(3.0, 2.0)),
        ])
    }
}
