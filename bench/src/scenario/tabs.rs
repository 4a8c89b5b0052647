//! Tabs of one browser that chat at once, with the six connections to one host that browsers allow.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    figures::{Measure, Unit},
    stage::{AT_ONCE, Chats, Stage},
    system::{Places, System},
};

/// Tabs that are tried, and slots: every one could be answered.
const TABS: usize = 20;
/// A tab that has not opened by then does not open.
const PATIENCE: Duration = Duration::from_secs(5);
/// By then every message that gets through is being answered.
const UNTIL_ANSWERED: Duration = Duration::from_secs(5);

pub(crate) async fn run<S: System>(places: &Places) -> anyhow::Result<Vec<Measure>> {
    let (opened, answering) = chat::<S>(places, TABS).await?;
    let mut most = if answering == TABS { TABS } else { 0 };
    while most < TABS && chat::<S>(places, most + 1).await?.1 == most + 1 {
        most += 1;
    }
    Ok(vec![
        Measure::new("tabs that open", opened as f64, Unit::Count).at_least(TABS as f64),
        Measure::new("most tabs that all chat at once", most as f64, Unit::Count).at_least(TABS as f64),
    ])
}

/// Opens so many tabs and sends from each that opens. Returns how many open, and how many of them show an answer.
async fn chat<S: System>(places: &Places, tabs: usize) -> anyhow::Result<(usize, usize)> {
    let stage = Stage::<S>::set(places, TABS, AT_ONCE).await?;
    stage.model.loopback().hold(true);
    let tabs: Vec<Arc<S::Page>> = stage
        .system
        .tabs(tabs, PATIENCE)
        .await?
        .into_iter()
        .map(Arc::new)
        .collect();
    let mut sent = Chats::default();
    let shown: Vec<_> = tabs
        .iter()
        .enumerate()
        .map(|(number, tab)| sent.send(tab, format!("message of tab {number}")))
        .collect();
    let answering = || shown.iter().filter(|tab| tab.borrow().answering).count();
    let began = Instant::now();
    while answering() < tabs.len() && began.elapsed() < UNTIL_ANSWERED {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok((tabs.len(), answering()))
}
