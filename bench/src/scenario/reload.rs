//! What becomes of a place and of an answer when the page is loaded again, and how soon those behind see that somebody ahead
//! has left.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anteroom_loopback::Ending;
use anyhow::{Context as _, bail};
use tokio::{sync::watch, time::timeout};

use crate::{
    figures::{Measure, Unit},
    stage::{AT_ONCE, Chats, Stage, in_line, millis},
    system::{Page as _, Places, Shown, System},
};

const BROWSERS: usize = 20;
/// Longest time that anything here may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Those behind the one who leaves: one is being answered, one leaves.
const BEHIND: usize = BROWSERS - 2;
/// A page that has not seen it by then still shows the old place.
const LEAVING: Duration = Duration::from_secs(10);
/// By then a page shows what there is to show.
const SOON: Duration = Duration::from_secs(2);

pub(crate) async fn run<S: System>(places: &Places) -> anyhow::Result<Vec<Measure>> {
    let waiting = answered_after_reload::<S>(places, 1).await?;
    let answering = answered_after_reload::<S>(places, BROWSERS).await?;
    let (seen, within) = somebody_leaves::<S>(places).await?;
    let all = BROWSERS as f64;
    let mut measures = vec![
        Measure::new(
            "of 20 that reload while they wait, answered all the same",
            waiting,
            Unit::Count,
        )
        .at_least(all),
        Measure::new(
            "of 20 that reload in the middle of an answer, answered all the same",
            answering,
            Unit::Count,
        )
        .at_least(all),
        Measure::new(
            "somebody ahead leaves: of 18 behind, shown within 10 s to",
            seen as f64,
            Unit::Count,
        )
        .at_least(BEHIND as f64),
    ];
    measures.extend(within.map(|within| {
        Measure::new(
            "somebody ahead leaves: shown to all behind within",
            within,
            Unit::Millis,
        )
        .at_most(300.0)
    }));
    Ok(measures)
}

/// Twenty browsers send; with one slot they wait, with twenty each sees the first piece of its answer. All reload. Then the
/// model goes on: how many get whole answers.
async fn answered_after_reload<S: System>(places: &Places, slots: usize) -> anyhow::Result<f64> {
    let stage = Stage::<S>::set(places, slots, AT_ONCE).await?;
    let model = stage.model.loopback();
    model.hold(true);
    let mut first = Chats::default();
    let holder = Arc::new(stage.system.visit().await?);
    let waits = slots < BROWSERS;
    if waits {
        first.send(&holder, "the one that holds the slot".to_owned());
        reached(&stage, 1).await?;
    }
    let mut pages: Vec<Arc<S::Page>> = stage.visit(BROWSERS).await?.into_iter().map(Arc::new).collect();
    let mut sent = Chats::default();
    let shown: Vec<_> = pages
        .iter()
        .enumerate()
        .map(|(number, page)| sent.send(page, question(number)))
        .collect();
    let there = async {
        let here = |page: &watch::Receiver<Shown>| {
            let shown = *page.borrow();
            if waits {
                shown.position.is_some()
            } else {
                shown.answering
            }
        };
        while !shown.iter().all(here) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, there)
        .await
        .context("not every page shows its message's state")?;

    // The pages are gone, and with them all that they were waiting for.
    drop(sent);
    for page in &mut pages {
        let page = loop {
            // The task that used it ends once it is told to.
            match Arc::get_mut(page) {
                Some(page) => break page,
                None => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        };
        page.reload().await?;
    }
    model.hold(false);
    // The slots are free again, and the line is empty, once a newcomer is answered.
    let newcomer = Arc::new(stage.system.visit().await?);
    let mut last = Chats::default();
    last.send(&newcomer, "the last one".to_owned());
    timeout(PATIENCE, last.all())
        .await
        .context("nobody is answered any more")??;
    drop(first);
    let mut kept = 0;
    let end = Instant::now() + SOON;
    for (number, page) in pages.iter().enumerate() {
        loop {
            // The page has to show it, too.
            let whole = model
                .record()
                .of(&question(number))
                .any(|request| request.ending == Some(Ending::Complete));
            if whole && page.shows_answer_to(&question(number)).await? {
                kept += 1;
                break;
            }
            if Instant::now() > end {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    Ok(f64::from(kept))
}

fn question(number: usize) -> String {
    format!("question number {number} of the twenty.")
}

/// How many of those behind have seen soon that somebody ahead has left, and in how many milliseconds all of them, if they have.
async fn somebody_leaves<S: System>(places: &Places) -> anyhow::Result<(usize, Option<f64>)> {
    let stage = Stage::<S>::set(places, 1, AT_ONCE).await?;
    stage.model.loopback().hold(true);
    let pages: Vec<Arc<S::Page>> = stage.visit(BROWSERS).await?.into_iter().map(Arc::new).collect();
    let mut sent = Chats::default();
    let mut shown = Vec::new();
    // One after the other, so that it is known who stands where.
    for (number, page) in pages.iter().enumerate() {
        shown.push(sent.send(page, question(number)));
        if number == 0 {
            reached(&stage, 1).await?;
        } else {
            let joined = async {
                while in_line(&shown) < number {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            timeout(PATIENCE, joined)
                .await
                .context("a message did not join the line")?;
        }
    }
    let before: Vec<Option<u64>> = shown.iter().map(|page| page.borrow().position).collect();
    let began = Instant::now();
    pages[1].leave().await?;
    let mut seen = 0;
    for (page, before) in shown.iter_mut().zip(before).skip(2) {
        let Some(before) = before else {
            bail!("a page that waits does not show its place")
        };
        let moved = page.wait_for(|shown| shown.position.is_some_and(|now| now < before));
        match timeout(LEAVING.saturating_sub(began.elapsed()), moved).await {
            Ok(moved) => drop(moved?),
            Err(_) => continue,
        }
        seen += 1;
    }
    Ok((seen, (seen == BEHIND).then(|| millis(began.elapsed()))))
}

/// Waits until so many requests are at the model.
async fn reached<S: System>(stage: &Stage<S>, requests: usize) -> anyhow::Result<()> {
    let reached = stage.model.loopback().until(|record| record.now >= requests);
    timeout(PATIENCE, reached)
        .await
        .context("a message did not reach the model")
}
