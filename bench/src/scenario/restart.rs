//! A kill with ten thousand turns waiting: how long until they are back in the line.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use anteroom::wire::TurnId;
use anteroom_loopback::Config;
use anyhow::{Context as _, bail, ensure};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::{
    anteroom::{Anteroom, AnteroomPage, Load},
    figures::{Measure, Unit},
    model::Model,
    system::{Places, Setup, System as _},
};

/// Turns that wait when the server is killed.
const WAITING: usize = 10_000;
const SESSIONS: usize = 250;
const SLOTS: usize = 3;
/// Messages on their way in at once.
const AT_ONCE: usize = 200;
/// Longest time to be back; one that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where each waiting turn stands.
type Order = HashMap<TurnId, u64>;

pub(crate) async fn run(places: &Places) -> anyhow::Result<Vec<Measure>> {
    let model = Model::start(Config::default()).await?;
    // Nothing ends, so the line stands still.
    model.loopback().hold(true);
    let setup = Setup {
        slots: SLOTS,
        model: model.loopback().base_url(),
    };
    let mut server = Anteroom::start(places, &setup).await?;
    let cookies = fill(&server).await?;
    let full = Load {
        waiting: WAITING,
        running: SLOTS,
    };
    let load = server.load().await?;
    ensure!(load == full, "{load:?} after {WAITING} were sent");
    let before = order(&server, &cookies).await?;

    server.kill()?;
    let began = Instant::now();
    let server = server.start_again()?;
    let listening = began.elapsed();
    while server.load().await? != full {
        ensure!(
            began.elapsed() < PATIENCE,
            "not back after {PATIENCE:?}: {:?}",
            server.load().await?
        );
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let back = began.elapsed();

    let after = order(&server, &cookies).await?;
    let moved = before
        .iter()
        .filter(|&(turn, position)| after.get(turn) != Some(position))
        .count();
    if moved > 0 {
        bail!("{moved} of {WAITING} turns have another place than before the kill");
    }
    Ok(vec![
        Measure::new(
            "from the start of the process until 10,000 are back in line, in their order",
            back.as_secs_f64(),
            Unit::Seconds,
        )
        .at_most(1.0),
        Measure::new(
            "of that, until it says that it listens",
            listening.as_secs_f64(),
            Unit::Seconds,
        ),
    ])
}

/// Sends until the line is full. Returns the cookies of those who sent.
async fn fill(server: &Anteroom) -> anyhow::Result<Vec<String>> {
    let pages: Vec<AnteroomPage> = stream::iter(0..SESSIONS)
        .map(|_| server.browser())
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    stream::iter(0..WAITING + SLOTS)
        .map(|number| {
            let page = &pages[number % SESSIONS];
            async move { page.send(&format!("message {number}")).await.map(drop) }
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<()>>()
        .await
        .context("a message was not accepted")?;
    Ok(pages.iter().map(|page| page.cookie().to_owned()).collect())
}

/// The whole line, as those who wait in it see it.
async fn order(server: &Anteroom, cookies: &[String]) -> anyhow::Result<Order> {
    let pages = cookies.iter().map(|cookie| server.known(cookie));
    let seen: Vec<Vec<(TurnId, u64)>> = stream::iter(pages)
        .map(|page| async move {
            let status = page.status().await?;
            let places = status
                .places
                .into_iter()
                .filter_map(|place| Some((place.turn?, place.position)));
            Ok::<_, anyhow::Error>(places.collect())
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    let order: Order = seen.into_iter().flatten().collect();
    let mut positions: Vec<u64> = order.values().copied().collect();
    positions.sort_unstable();
    ensure!(
        positions.iter().copied().eq(1..=WAITING as u64),
        "some places are taken twice, or by nobody"
    );
    Ok(order)
}
