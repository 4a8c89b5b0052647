//! One browser sends twenty messages, five others one each: what the five wait, against the same five alone.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, ensure};

use crate::{
    figures::{Measure, Unit},
    numbers::mean,
    stage::{Chats, SERVICE, Stage, in_line, millis},
    system::{Places, System},
};

const SLOTS: usize = 3;
const BURST: usize = 20;
const OTHERS: usize = 5;
/// Longest time until all of the burst has reached the model or waits.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) async fn run<S: System>(places: &Places) -> anyhow::Result<Vec<Measure>> {
    let alone = wait::<S>(places, 0).await?;
    let behind = wait::<S>(places, BURST).await?;
    Ok(vec![
        Measure::new(
            "the five, from send to answer: behind the burst ÷ alone",
            behind / alone,
            Unit::Times,
        )
        .at_most(2.0),
        Measure::new("the five alone, mean", alone, Unit::Millis),
        Measure::new("the five behind the burst, mean", behind, Unit::Millis),
    ])
}

/// The mean time from send to answer of those who send one message each, after a burst of somebody else.
async fn wait<S: System>(places: &Places, burst: usize) -> anyhow::Result<f64> {
    let stage = Stage::<S>::set(places, SLOTS, SERVICE).await?;
    let greedy = Arc::new(stage.system.visit().await?);
    let others: Vec<Arc<S::Page>> = stage.visit(OTHERS).await?.into_iter().map(Arc::new).collect();
    // Whatever the first answers need that later ones do not.
    let mut warm = Chats::default();
    for page in others.iter().take(SLOTS) {
        warm.send(page, "good morning".to_owned());
    }
    warm.all().await?;

    let mut bursting = Chats::default();
    let burst: Vec<_> = (0..burst)
        .map(|number| bursting.send(&greedy, format!("message {number} of the burst")))
        .collect();
    // Those that do not start at once are told their place.
    let joined = async {
        while in_line(&burst) < burst.len().saturating_sub(SLOTS) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, joined)
        .await
        .context("the burst did not join the line")?;

    let mut sent = Chats::default();
    for (number, page) in others.iter().enumerate() {
        sent.send(page, format!("message of browser {number}"));
    }
    let waits: Vec<f64> = sent.all().await?.iter().map(|chat| millis(chat.done)).collect();
    ensure!(
        bursting.all().await?.len() == burst.len(),
        "a part of the burst is lost"
    );
    mean(&waits).context("nothing was measured")
}
