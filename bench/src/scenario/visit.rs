//! A first and a second visit with a real browser.

use anyhow::Context as _;
use serde::Deserialize;

use crate::{
    figures::{Measure, Unit},
    stage::{AT_ONCE, Stage},
    system::{Places, System},
};

const SLOTS: usize = 5;

/// What the script prints.
#[derive(Debug, Deserialize)]
struct Visits {
    cold: Visit,
    warm: Visit,
}

#[derive(Debug, Deserialize)]
struct Visit {
    bytes: f64,
    usable_ms: f64,
}

pub(crate) async fn run<S: System>(places: &Places) -> anyhow::Result<Vec<Measure>> {
    let browser = places.browser.as_ref().context("no browser was set up")?;
    let stage = Stage::<S>::set(places, SLOTS, AT_ONCE).await?;
    // A browser that has never been here must not pay for what the server does once.
    drop(stage.system.visit().await?);
    let visits: Visits = browser.play(&browser.visit, stage.system.addr()).await?;
    Ok(vec![
        Measure::new("first visit, over the wire", visits.cold.bytes, Unit::Bytes).at_most(350e3),
        Measure::new(
            "first visit, until the box can be used",
            visits.cold.usable_ms,
            Unit::Millis,
        )
        .at_most_of_gradio(0.5),
        Measure::new("second visit, over the wire", visits.warm.bytes, Unit::Bytes),
        Measure::new(
            "second visit, until the box can be used",
            visits.warm.usable_ms,
            Unit::Millis,
        )
        .at_most_of_gradio(0.5),
    ])
}
