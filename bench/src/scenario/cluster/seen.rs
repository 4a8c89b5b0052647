//! A thousand browsers wait; somebody ahead leaves: how soon those behind see it.
//!
//! Somebody far back is told less often than somebody near the head, so some of them have to wait for that; whoever has not been told
//! anything for that long is told at once. How soon these see it is how long a change takes to reach them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anteroom::wire::TurnId;
use anteroom_pgtest::Cluster;
use anyhow::{Context as _, bail, ensure};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::NODES;
use crate::{
    anteroom::{Anteroom, AnteroomPage, Nodes, Seen},
    figures::{Measure, Unit},
    model::Model,
    numbers::percentile,
    stage::{AT_ONCE, millis, opened},
    system::{Places, Setup, System as _},
};

const BROWSERS: usize = 1_000;
/// How often somebody leaves.
const TIMES: usize = 3;
/// Between two who leave: longer than the pace of the last one in line.
const STILL: Duration = Duration::from_secs(11);
/// The pace at which somebody is told anything: what each place further back adds, and the least.
const A_PLACE: Duration = Duration::from_millis(10);
const LEAST: Duration = Duration::from_millis(250);
/// A page that has not seen it by then still shows the old place.
const LONGEST: Duration = Duration::from_secs(12);
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) async fn run(places: &Places, postgres: &Cluster) -> anyhow::Result<Vec<Measure>> {
    let one = {
        let (model, setup) = model().await?;
        let server = Anteroom::start(places, &setup).await?;
        let pages = opened(&server, BROWSERS).await?;
        server.keep_connections(BROWSERS).await?;
        look(&model, pages).await?
    };
    let (model, setup) = model().await?;
    let database = postgres.url(&postgres.database());
    let nodes = Nodes::start(places, &setup, &database, NODES, &[]).await?;
    let mut pages = Vec::new();
    for node in 0..NODES {
        let number = BROWSERS / NODES + usize::from(node < BROWSERS % NODES);
        pages.extend(opened(nodes.door(node), number).await?);
        nodes.door(node).keep_connections(number).await?;
    }
    let three = look(&model, pages).await?;
    let measure = |what: &str, seen: &[f64], share| {
        let value = percentile(seen, share).context("nobody has seen anything")?;
        let what = format!("N = 1,000: {what}, p{:.0}", share * 100.0);
        anyhow::Ok(Measure::new(what, value, Unit::Millis))
    };
    Ok(vec![
        measure(
            "somebody ahead leaves: shown to whoever is due, three doors",
            &three.due,
            0.5,
        )?,
        measure(
            "somebody ahead leaves: shown to whoever is due, three doors",
            &three.due,
            0.95,
        )?
        .at_most(200.0),
        measure("shown to whoever is due, one server over SQLite", &one.due, 0.95)?,
        measure("shown to all, three doors", &three.left, 0.95)?,
        measure("shown to all, one server over SQLite", &one.left, 0.95)?,
        measure(
            "from send to the first sight of one's position, three doors",
            &three.joined,
            0.95,
        )?,
        measure(
            "first sight of one's position, one server over SQLite",
            &one.joined,
            0.95,
        )?,
    ])
}

/// A model server at which nothing ends, so that a line of one slot moves only when somebody leaves.
async fn model() -> anyhow::Result<(Model, Setup)> {
    let model = Model::start(AT_ONCE).await?;
    model.loopback().hold(true);
    let setup = Setup {
        slots: 1,
        model: model.loopback().base_url(),
    };
    Ok((model, setup))
}

/// Milliseconds until each page has seen what it should.
#[derive(Default)]
struct Sights {
    /// Its own place, since it was sent.
    joined: Vec<f64>,
    /// That somebody ahead has left.
    left: Vec<f64>,
    /// Those of them that had not been told anything for as long as their pace is.
    due: Vec<f64>,
}

/// What a page that waits shows.
#[derive(Clone, Copy)]
struct Shows {
    position: u64,
    /// Since when.
    since: Instant,
    /// When it was told that last.
    told: Instant,
}

impl Shows {
    fn is_due(self, now: Instant) -> bool {
        let pace = A_PLACE.saturating_mul(u32::try_from(self.position).unwrap_or(u32::MAX));
        now.saturating_duration_since(self.told) >= pace.max(LEAST)
    }
}

/// A page that waits.
struct Waiting {
    page: Arc<AnteroomPage>,
    turn: TurnId,
    sent: Instant,
    shown: watch::Receiver<Option<Shows>>,
}

async fn look(model: &Model, pages: Vec<AnteroomPage>) -> anyhow::Result<Sights> {
    let mut pages = pages.into_iter().map(Arc::new);
    let first = pages.next().context("no browser")?;
    let _running = first.send("the one that holds the slot").await?;
    timeout(PATIENCE, model.loopback().until(|record| record.now == 1))
        .await
        .context("the first message did not reach the model")?;
    let mut sending = JoinSet::new();
    for page in pages {
        sending.spawn(async move { page.send("one that waits").await.map(|sending| (page, sending)) });
    }
    // They end with this.
    let mut following = JoinSet::new();
    let mut line = Vec::new();
    while let Some(sent) = sending.join_next().await {
        let (page, mut sending) = sent.context("a browser broke")??;
        let known = sending.sent.place.as_ref().map(|place| Shows {
            position: place.position,
            since: sending.accepted,
            told: sending.accepted,
        });
        let (show, shown) = watch::channel(known);
        let (turn, sent) = (sending.sent.turn, sending.at);
        following.spawn(async move {
            while let Ok((told, Seen::Position(position))) = sending.next().await {
                show.send_modify(|shown| {
                    let same = shown.filter(|old| old.position == position);
                    let since = same.map_or(told, |old| old.since);
                    *shown = Some(Shows { position, since, told });
                });
            }
        });
        line.push(Waiting {
            page,
            turn,
            sent,
            shown,
        });
    }
    let mut sights = Sights::default();
    for waiting in &mut line {
        let shown = timeout(PATIENCE, waiting.shown.wait_for(Option::is_some)).await;
        let shows = shown
            .context("a page does not show its place")??
            .context("it is shown")?;
        let took = shows.since.saturating_duration_since(waiting.sent);
        sights.joined.push(millis(took));
    }
    for _ in 0..TIMES {
        sleep(STILL).await;
        leave(&mut line, &mut sights).await?;
    }
    Ok(sights)
}

/// The first in line leaves. How many milliseconds later each of the others saw that it had moved up is added to what was seen.
async fn leave(line: &mut Vec<Waiting>, sights: &mut Sights) -> anyhow::Result<()> {
    let shown: Option<Vec<Shows>> = line.iter().map(|waiting| *waiting.shown.borrow()).collect();
    let mut shown = shown.context("a page does not show its place")?;
    let mut positions: Vec<u64> = shown.iter().map(|shows| shows.position).collect();
    positions.sort_unstable();
    ensure!(
        positions.iter().copied().eq(1..=line.len() as u64),
        "a line that stands still is not shown as it is"
    );
    let first = shown.iter().position(|shows| shows.position == 1);
    let first = first.context("nobody is first")?;
    let leaver = line.swap_remove(first);
    shown.swap_remove(first);
    let began = Instant::now();
    leaver.page.cancel(leaver.turn).await?;
    for (waiting, before) in line.iter_mut().zip(shown) {
        let moved = |shown: &Option<Shows>| shown.is_some_and(|now| now.position < before.position);
        let Ok(moved) = timeout(LONGEST, waiting.shown.wait_for(moved)).await else {
            bail!(
                "{} has not seen in {LONGEST:?} that one ahead has left",
                before.position
            );
        };
        let seen = moved?.context("it is shown")?.since;
        let took = millis(seen.saturating_duration_since(began));
        sights.left.push(took);
        if before.is_due(began) {
            sights.due.push(took);
        }
    }
    Ok(())
}
