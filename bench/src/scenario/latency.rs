//! One user: what the way through the server adds to the direct call, up to the first piece of the answer.

use std::time::Instant;

use anyhow::Context as _;

use crate::{
    figures::{Measure, Unit},
    http::Http,
    model::ask,
    numbers::{median, percentile},
    stage::{AT_ONCE, Stage, millis, unseen},
    system::{Page as _, Places, System},
};

const MESSAGES: usize = 300;
/// The first ones find connections that are not open yet, and code that has not run.
const WARM_UP: usize = 20;
const SLOTS: usize = 5;

pub(crate) async fn run<S: System>(places: &Places) -> anyhow::Result<Vec<Measure>> {
    let stage = Stage::<S>::set(places, SLOTS, AT_ONCE).await?;
    let page = stage.system.visit().await?;
    let model = Http::new(stage.model.loopback().addr, 1);
    let (mut direct, mut through) = (Vec::new(), Vec::new());
    // In turns, so that whatever else the machine does meets both.
    for number in 0..WARM_UP + MESSAGES {
        let message = format!("message {number}");
        let call = direct_call(&model, &message).await?;
        let chat = page.chat(&message, &unseen()).await?;
        if number >= WARM_UP {
            direct.push(call);
            through.push(millis(chat.first_piece.unwrap_or(chat.done)));
        }
    }
    let usual = median(&direct).context("nothing was measured")?;
    let added: Vec<f64> = through.iter().map(|through| through - usual).collect();
    let share = |share| percentile(&added, share).context("nothing was measured");
    Ok(vec![
        Measure::new(
            "first piece, added to the direct call's median, p50",
            share(0.5)?,
            Unit::Millis,
        )
        .at_most(0.6),
        Measure::new(
            "first piece, added to the direct call's median, p99",
            share(0.99)?,
            Unit::Millis,
        )
        .at_most(5.0),
        Measure::new("first piece of the direct call, median", usual, Unit::Millis),
    ])
}

/// Milliseconds from the request to the first piece of its answer.
async fn direct_call(model: &Http, message: &str) -> anyhow::Result<f64> {
    let began = Instant::now();
    Ok(millis(ask(model, message).await?.began - began))
}
