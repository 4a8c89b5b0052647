//! N browsers send at once: how long until all are answered, against what the model itself needs; how soon each sees its
//! place; what all are told meanwhile; how long a slot stands empty while somebody waits.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use anyhow::{Context as _, ensure};
use tokio::task::JoinSet;

use crate::{
    figures::{Measure, Unit},
    http::Http,
    model::{Model, ask},
    numbers::percentile,
    stage::{Chats, SERVICE, SERVICE_SECONDS, Stage, millis},
    system::{Places, System},
};

const SLOTS: usize = 5;
const BROWSERS: [usize; 4] = [25, 100, 250, 1_000];
/// The drain whose gaps have a budget.
const FOR_GAPS: usize = 100;
/// The drain whose messages and first sights have a budget.
const FOR_MESSAGES: usize = 1_000;

pub(crate) async fn run<S: System>(places: &Places) -> anyhow::Result<Vec<Measure>> {
    let mut measures = Vec::new();
    for browsers in BROWSERS {
        measures.extend(drain::<S>(places, browsers).await?);
    }
    Ok(measures)
}

async fn drain<S: System>(places: &Places, browsers: usize) -> anyhow::Result<Vec<Measure>> {
    let stage = Stage::<S>::set(places, SLOTS, SERVICE).await?;
    let pages: Vec<Arc<S::Page>> = stage.visit(browsers).await?.into_iter().map(Arc::new).collect();
    stage.system.keep_connections(browsers).await?;
    let before = stage.system.tally().told();

    let began = Instant::now();
    let mut sent = Chats::default();
    for (number, page) in pages.iter().enumerate() {
        sent.send(page, format!("message {number} of the drain"));
    }
    let chats = sent.all().await?;
    let took = began.elapsed().as_secs_f64();
    let after = stage.system.tally().told();

    let record = stage.model.loopback().record();
    ensure!(record.max <= SLOTS, "{} ran at once, with {SLOTS} slots", record.max);
    ensure!(
        record.requests.len() == browsers,
        "{} requests for {browsers} messages",
        record.requests.len()
    );
    let ideal = browsers.div_ceil(SLOTS) as f64 * SERVICE_SECONDS;
    let gaps = Model::gaps(&record, SLOTS);
    // A handful has fewer rounds to spread the first and the last over.
    let most = if browsers == FOR_MESSAGES { 1.01 } else { 1.02 };
    let mut measures =
        vec![Measure::new(format!("N = {browsers}: makespan ÷ ideal"), took / ideal, Unit::Times).at_most(most)];
    if browsers == FOR_GAPS {
        let gap = |share| percentile(&gaps, share);
        measures.extend(gap(0.5).map(|gap| Measure::new("N = 100: idle gap of a slot, p50", gap, Unit::Millis)));
        measures.extend(
            gap(0.99).map(|gap| Measure::new("N = 100: idle gap of a slot, p99", gap, Unit::Millis).at_most(1.0)),
        );
        let direct = direct_gaps(browsers).await?;
        let direct = percentile(&direct, 0.5);
        measures.extend(direct.map(|gap| {
            Measure::new(
                "N = 100: the same gap where nothing stands before the model, p50",
                gap,
                Unit::Millis,
            )
        }));
        // What waking threads takes on this machine is in both.
        measures.extend(gap(0.5).zip(direct).map(|(gap, direct)| {
            Measure::new(
                "N = 100: idle gap ÷ the gap with nothing before the model",
                gap / direct,
                Unit::Times,
            )
            .at_most(1.5)
        }));
    }
    if browsers == FOR_MESSAGES {
        let seen: Vec<f64> = chats.iter().filter_map(|chat| chat.position).map(millis).collect();
        measures.extend(percentile(&seen, 0.95).map(|seen| {
            Measure::new(
                "N = 1,000: from send to the first sight of one's position, p95",
                seen,
                Unit::Millis,
            )
            .at_most(100.0)
        }));
        let count = |count: u64| count as f64;
        let (messages, waiting) = (after.messages - before.messages, after.waiting - before.waiting);
        measures.extend([
            Measure::new("N = 1,000: status messages, all browsers", count(messages), Unit::Count).at_most(40_000.0),
            Measure::new(
                "N = 1,000: the most of them to one browser",
                count(after.most),
                Unit::Count,
            )
            .at_most(40.0),
            Measure::new("N = 1,000: of them, to somebody who waits", count(waiting), Unit::Count),
            Measure::new(
                "N = 1,000: bytes of the status messages",
                count(after.bytes - before.bytes),
                Unit::Bytes,
            ),
        ]);
    }
    Ok(measures)
}

/// The gaps when as many clients as there are slots ask the model themselves, each at once after its last answer: what the
/// network, the model server and this side take of the gaps above.
async fn direct_gaps(messages: usize) -> anyhow::Result<Vec<f64>> {
    let model = Model::start(SERVICE).await?;
    let http = Http::new(model.loopback().addr, SLOTS);
    let next = Arc::new(AtomicUsize::new(0));
    let mut clients = JoinSet::new();
    for _ in 0..SLOTS {
        let (http, next) = (http.clone(), Arc::clone(&next));
        clients.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= messages {
                    return anyhow::Ok(());
                }
                ask(&http, &format!("message {number}, asked directly")).await?;
            }
        });
    }
    while let Some(client) = clients.join_next().await {
        client.context("a client broke")??;
    }
    Ok(Model::gaps(&model.loopback().record(), SLOTS))
}
