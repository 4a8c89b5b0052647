//! Memory: at the start, for each open and idle browser, and what is given back after all have gone.

use std::time::Duration;

use crate::{
    figures::{Measure, Unit},
    stage::{AT_ONCE, Stage},
    system::{Places, System},
};

const SLOTS: usize = 5;
/// Browsers that come and go before anything is compared: what the first page needs once is no browser's.
const WARM_UP: usize = 100;
/// How long a page has been open when it is looked at: a server that closes what a browser only keeps has done so by then, and
/// every feed has said something.
const REST: Duration = Duration::from_secs(60);

pub(crate) async fn run<S: System>(places: &Places, crowds: &[usize]) -> anyhow::Result<Vec<Measure>> {
    let stage = Stage::<S>::set(places, SLOTS, AT_ONCE).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let start = memory(&stage)?;
    let base = warmed(&stage).await?;

    let mut measures = vec![Measure::new("at start", start, Unit::Bytes).at_most(40e6)];
    let mut pages = Vec::new();
    let mut most = base;
    for &crowd in crowds {
        pages.extend(stage.visit_and_stay_connected(crowd - pages.len()).await?);
        let grouped = Unit::Count.show(crowd as f64);
        let each = |bytes: f64| (bytes - base) / crowd as f64;
        let (opened, rested) = (memory(&stage)?, rested(&stage).await?);
        most = most.max(opened).max(rested);
        measures.push(Measure::new(
            format!("for each of {grouped} browsers, just opened"),
            each(opened),
            Unit::Bytes,
        ));
        let idle = Measure::new(
            format!("for each of {grouped}, a minute later"),
            each(rested),
            Unit::Bytes,
        );
        // What a session keeps in common weighs less the more there are.
        measures.push(idle.at_most(if crowd >= 10_000 { 7e3 } else { 8e3 }));
    }
    drop(pages);
    let kept = rested(&stage).await? - base;
    // Most of it: more than half.
    let given_back = 1.0 - kept / (most - base);
    measures.push(Measure::new("share given back a minute after all have gone", given_back, Unit::Times).at_least(0.5));
    Ok(measures)
}

fn memory<S: System>(stage: &Stage<S>) -> anyhow::Result<f64> {
    Ok(stage.system.program().memory()? as f64)
}

/// Bytes that a server takes a while after the first browsers have come and gone.
pub(super) async fn warmed<S: System>(stage: &Stage<S>) -> anyhow::Result<f64> {
    drop(stage.visit_and_stay_connected(WARM_UP).await?);
    stage.system.close_idle();
    rested(stage).await
}

/// Bytes that it takes once all has been as it is for a while.
pub(super) async fn rested<S: System>(stage: &Stage<S>) -> anyhow::Result<f64> {
    tokio::time::sleep(REST).await;
    memory(stage)
}
