//! A server whose limit nobody tells: how long until Anteroom has found how many it has room for, when that changes, too, and how
//! many requests the server has to refuse meanwhile.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, ensure};
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::pools::Pool;
use crate::{
    figures::{Measure, Unit},
    stage::unseen,
    system::{Page as _, Places},
};

/// More than there is room for, at any time.
const BROWSERS: usize = 20;
/// An answer takes 0.5 s. Who is refused is told to come again soon, so that a pause is not taken for a limit.
const SERVER: &str = "gpu limit=6 tokens=11 pace=50ms retry_after=100ms";
/// What there is room for, first and after a while.
const ROOM: [usize; 2] = [6, 3];
/// How long each lasts: time to find it, and time to stay there.
const PHASE: Duration = Duration::from_secs(75);
/// How often is looked how many run.
const LOOK: Duration = Duration::from_millis(50);
/// What ran most within so long is the limit: the line is never empty.
const WINDOW: Duration = Duration::from_secs(1);
/// Longest time to find it.
const SOON: f64 = 60.0;
/// How far from it is near enough.
const NEAR: usize = 1;

pub(super) async fn run(places: &Places) -> anyhow::Result<Vec<Measure>> {
    let pool = Pool::set(places, &[SERVER], |_| "limit = \"auto\"".to_owned(), &[]).await?;
    let over = Arc::new(Notify::new());
    let mut browsers = JoinSet::new();
    for (browser, page) in pool.visit(BROWSERS).await?.into_iter().enumerate() {
        let over = Arc::clone(&over);
        browsers.spawn(async move {
            let mut ended = std::pin::pin!(over.notified());
            ended.as_mut().enable();
            for number in 0.. {
                let (message, shown) = (format!("message {number} of browser {browser}"), unseen());
                tokio::select! {
                    biased;
                    () = &mut ended => break,
                    chat = page.chat(&message, &shown) => {
                        chat?;
                    }
                }
            }
            anyhow::Ok(())
        });
    }
    let mut measures = Vec::new();
    for room in ROOM {
        let server = &pool.fleet()["gpu"];
        server.set("limit", &room.to_string())?;
        let before = server.record();
        let looks = look(&pool).await?;
        let after = server.record();
        if let Some(broken) = browsers.try_join_next() {
            broken
                .context("a browser broke")?
                .context("a message was not answered")?;
        }
        let windows = most_in_windows(&looks);
        // The curve says more than the figures do, where one is missed.
        let curve: Vec<_> = windows
            .iter()
            .map(|most| most.map_or("–".to_owned(), |most| most.to_string()))
            .collect();
        eprintln!(
            "bench: auto: room for {room}; the most in each second: {}",
            curve.join(" ")
        );
        let found = settled(&windows, room);
        let of = |what: &str| format!("room for {room}: {what}");
        measures.extend(found.map(|seconds| {
            let what = of("until Anteroom's limit stays within one of it");
            Measure::new(what, seconds, Unit::Seconds).at_most(SOON)
        }));
        ensure!(
            found.is_some(),
            "room for {room}, and Anteroom's limit does not stay near it"
        );
        let (asked, refused) = (
            after.requests.len() - before.requests.len(),
            after.beyond_limit() - before.beyond_limit(),
        );
        let share = refused as f64 / asked as f64 * 100.0;
        measures.push(Measure::new(
            of("requests that the server refused"),
            share,
            Unit::Percent,
        ));
    }
    over.notify_waiters();
    while let Some(browser) = browsers.join_next().await {
        browser.context("a browser broke")??;
    }
    Ok(measures)
}

/// When, since the beginning of a phase, how many ran.
type Look = (Duration, usize);

/// Looks through a whole phase.
async fn look(pool: &Pool) -> anyhow::Result<Vec<Look>> {
    let began = Instant::now();
    let mut looks = Vec::new();
    let mut next = began;
    loop {
        sleep_until(next).await;
        if began.elapsed() >= PHASE {
            return Ok(looks);
        }
        next += LOOK;
        looks.push((began.elapsed(), pool.system.load().await?.running));
    }
}

/// The most that ran in each window; `None`: nobody looked, for this machine had other things to do.
fn most_in_windows(looks: &[Look]) -> Vec<Option<usize>> {
    let mut windows = Vec::new();
    for &(at, running) in looks {
        let window = (at.as_millis() / WINDOW.as_millis()) as usize;
        if windows.len() <= window {
            windows.resize(window + 1, None);
        }
        windows[window] = windows[window].max(Some(running));
    }
    windows
}

/// Seconds until the last window that is too far from what there is room for; `None` if that is the last of all.
fn settled(windows: &[Option<usize>], room: usize) -> Option<f64> {
    let far = |most: &Option<usize>| most.is_some_and(|most| most.abs_diff(room) > NEAR);
    let settled = windows.iter().rposition(far).map_or(0, |last| last + 1);
    (settled < windows.len()).then(|| settled as f64 * WINDOW.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_has_the_most_that_ran_in_it() {
        let at = |millis, running| (Duration::from_millis(millis), running);
        let looks = [at(0, 1), at(950, 2), at(1_000, 3), at(1_999, 1), at(3_100, 4)];
        assert_eq!(most_in_windows(&looks), [Some(2), Some(3), None, Some(4)]);
    }

    #[test]
    fn it_has_settled_once_it_stays_near() {
        let settled = |windows: &[usize]| {
            let windows: Vec<_> = windows.iter().map(|&most| Some(most)).collect();
            settled(&windows, 6)
        };
        assert_eq!(settled(&[1, 2, 4, 5, 6, 7, 6]), Some(3.0));
        assert_eq!(settled(&[5, 6, 7]), Some(0.0));
        assert_eq!(settled(&[5, 6, 8, 6]), Some(3.0), "what comes back was away");
        assert_eq!(settled(&[6, 6, 8]), None);
        assert_eq!(settled(&[]), None);
        assert_eq!(
            super::settled(&[Some(1), None, Some(6)], 6),
            Some(1.0),
            "what nobody saw is not far"
        );
    }
}
