//! A crowd: thousands of browsers wait at once, each with its page open; then all are served.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    figures::{Measure, Unit},
    stage::{AT_ONCE, Chats, Stage, in_line},
    system::{Places, System},
};

const SLOTS: usize = 5;
/// Once nobody more has come into the line for so long, nobody will.
const PATIENCE: Duration = Duration::from_secs(30);
/// Messages are sent in such groups.
const GROUP: usize = 100;

pub(crate) async fn run<S: System>(places: &Places, crowd: usize) -> anyhow::Result<Vec<Measure>> {
    let stage = Stage::<S>::set(places, SLOTS, AT_ONCE).await?;
    stage.model.loopback().hold(true);
    let pages: Vec<Arc<S::Page>> = stage.visit(crowd).await?.into_iter().map(Arc::new).collect();
    let began = Instant::now();
    let mut sent = Chats::default();
    let mut seen = Vec::with_capacity(crowd);
    for (number, page) in pages.iter().enumerate() {
        seen.push(sent.send(page, format!("message {number} of the crowd")));
        if number % GROUP == 0 {
            tokio::task::yield_now().await;
        }
    }
    let (mut at_once, mut last_came) = (0, Instant::now());
    while at_once + SLOTS < crowd && last_came.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let now = in_line(&seen);
        if now > at_once {
            (at_once, last_came) = (now, Instant::now());
        }
    }
    let joined = began.elapsed();
    stage.model.loopback().hold(false);
    let released = Instant::now();
    let each = sent.each().await;
    let drained = released.elapsed();
    let served = each.iter().filter(|chat| chat.is_ok()).count();
    if let Some(Err(fault)) = each.iter().find(|chat| chat.is_err()) {
        eprintln!("bench: one of the crowd: {fault:#}");
    }
    let mut measures = vec![
        Measure::new(
            "browsers that waited at once and knew their place",
            at_once as f64,
            Unit::Count,
        )
        .at_least((crowd - SLOTS) as f64),
        Measure::new("browsers that got their answer", served as f64, Unit::Count).at_least(crowd as f64),
    ];
    // Times to something that did not happen are none.
    if at_once + SLOTS >= crowd {
        measures.push(Measure::new(
            "until all were in line",
            joined.as_secs_f64(),
            Unit::Seconds,
        ));
    }
    if served == crowd {
        measures.push(Measure::new(
            "from the model's first answer until the last was served",
            drained.as_secs_f64(),
            Unit::Seconds,
        ));
    }
    Ok(measures)
}
