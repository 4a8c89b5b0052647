//! A hundred browsers and three servers: one goes down, comes back, then hangs; one refuses now and then. Whether anybody sees it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use anteroom_loopback::{Ending, Fleet, FleetRecord, Record};
use anyhow::Context as _;
use tokio::{task::JoinSet, time::timeout};

use super::Pool;
use crate::{
    figures::{Measure, Unit},
    numbers::percentile,
    stage::{millis, unseen},
    system::{Page, Places},
};

const BROWSERS: usize = 100;
/// Slots of each server.
const SLOTS: usize = 4;
/// Answers of 0.1 s. The second goes down and hangs, the third refuses every twentieth.
const SERVERS: [&str; 3] = [
    "steady limit=4 tokens=9 first_token=20ms pace=10ms",
    "failing limit=4 tokens=9 first_token=20ms pace=10ms",
    "refusing limit=4 tokens=9 first_token=20ms pace=10ms fault=status:429 every=20 retry_after=200ms",
];
/// A server that says nothing for so many seconds has failed: short, for many such have to be waited for.
const VARIABLES: [(&str, &str); 2] = [("MODEL_STALL_TIMEOUT", "1"), ("MODEL_RETRIES", "3")];
/// Answers between one event and the next.
const MEANWHILE: usize = 200;
/// Failures in a row after which a server is not asked any more, but for probes.
const FAILURES: usize = 3;
/// Probes that are waited for.
const PROBES: usize = 3;
/// A failure is known to Anteroom this much later at most, in milliseconds.
const KNOWN: f64 = 100.0;
/// Longest time for anything here.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) async fn run(places: &Places) -> anyhow::Result<Vec<Measure>> {
    let pool = Pool::set(places, &SERVERS, |_| format!("limit = {SLOTS}"), &VARIABLES).await?;
    let pages = pool.visit(BROWSERS).await?;
    let sending = Sending::start(pages);
    let probed = story(pool.fleet(), &sending).await;
    let sent = sending.end().await?;
    let probes_at_once = probed?;

    let record = pool.fleet().record();
    let mut measures = vec![
        Measure::new(
            "three servers that fail in turns, 100 browsers: errors shown",
            sent.errors as f64,
            Unit::Count,
        )
        .at_most(0.0),
        Measure::new("messages answered", sent.times.len() as f64, Unit::Count),
        Measure::new(
            "requests beyond a server's limit",
            record.beyond_limits() as f64,
            Unit::Count,
        )
        .at_most(0.0),
        Measure::new(
            "probes at once of a server that is out",
            probes_at_once as f64,
            Unit::Count,
        )
        .at_most(1.0),
    ];
    // Whatever was refused, reset or hung was asked again.
    let made = record.requests().len() - sent.times.len();
    measures.push(Measure::new("requests made again", made as f64, Unit::Count));
    for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
        let what = format!("from send to the end of the answer, {name}");
        measures.extend(percentile(&sent.times, share).map(|time| Measure::new(what, time, Unit::Millis)));
    }
    Ok(measures)
}

/// What happens to the servers. Returns how many probes of the hanging one were made at once.
async fn story(fleet: &Fleet, sending: &Sending) -> anyhow::Result<usize> {
    let failing = &fleet["failing"];
    let later = || sending.answered(MEANWHILE);
    later().await?;

    // It goes down before any of its answers has begun: what has been shown cannot be asked for again.
    failing.set("after", "0")?;
    failing.hold(true);
    wait("every slot of it holds an answer that has not begun", fleet, |record| {
        let record = &record["failing"];
        record.now == SLOTS && running(record).all(|pieces| pieces == 0)
    })
    .await?;
    failing.kill().await?;
    failing.hold(false);
    later().await?;

    failing.revive().await?;
    let known = complete(&failing.record());
    wait("it answers again", fleet, |record| complete(&record["failing"]) > known).await?;
    later().await?;

    let known = failing.record().requests.len();
    failing.set("fault", "hang")?;
    let given_up = |record: &Record| -> Vec<f64> {
        let hung = record.requests.iter().skip(known);
        hung.filter(|request| request.ending == Some(Ending::ClientGone))
            .filter_map(|request| request.ended)
            .collect()
    };
    wait("it is given up", fleet, |record| {
        given_up(&record["failing"]).len() >= FAILURES
    })
    .await?;
    let probing_from = from_when(&given_up(&failing.record())).context("nothing was given up")?;
    wait("it is probed", fleet, |record| {
        probes(&record["failing"], probing_from) >= PROBES
    })
    .await?;
    let probes_at_once = failing.record().most_at_once(probing_from);
    failing.set("fault", "none")?;
    let known = complete(&failing.record());
    wait("it is well again", fleet, |record| complete(&record["failing"]) > known).await?;
    later().await?;
    Ok(probes_at_once)
}

/// Pieces of each answer under way.
fn running(record: &Record) -> impl Iterator<Item = usize> {
    let running = record.requests.iter().filter(|request| request.ending.is_none());
    running.map(|request| request.pieces)
}

fn complete(record: &Record) -> usize {
    let complete = record.requests.iter();
    complete
        .filter(|request| request.ending == Some(Ending::Complete))
        .count()
}

/// When Anteroom knows that it has been failed often enough.
fn from_when(failures: &[f64]) -> Option<f64> {
    let mut failures = failures.to_vec();
    failures.sort_by(f64::total_cmp);
    failures.get(FAILURES - 1).map(|last| last + KNOWN)
}

fn probes(record: &Record, from: f64) -> usize {
    record.requests.iter().filter(|request| request.began >= from).count()
}

async fn wait(what: &str, fleet: &Fleet, condition: impl FnMut(&FleetRecord) -> bool) -> anyhow::Result<()> {
    timeout(PATIENCE, fleet.until(condition))
        .await
        .with_context(|| format!("waited in vain: {what}"))
}

/// Browsers that send one message after the other.
struct Sending {
    browsers: JoinSet<Sent>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    answered: AtomicUsize,
    is_over: AtomicBool,
}

/// What came of what was sent.
#[derive(Default)]
struct Sent {
    errors: usize,
    /// Of those answered, in milliseconds.
    times: Vec<f64>,
}

impl Sending {
    fn start<P: Page>(pages: Vec<P>) -> Self {
        let shared = Arc::new(Shared::default());
        let mut browsers = JoinSet::new();
        for (browser, page) in pages.into_iter().enumerate() {
            browsers.spawn(send(browser, page, Arc::clone(&shared)));
        }
        Self { browsers, shared }
    }

    /// Returns once so many more have been answered.
    async fn answered(&self, more: usize) -> anyhow::Result<()> {
        let count = || self.shared.answered.load(Ordering::Relaxed);
        let enough = count() + more;
        let answered = async {
            while count() < enough {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, answered).await.context("nobody is answered any more")
    }

    /// Lets each browser wait for its last answer.
    async fn end(mut self) -> anyhow::Result<Sent> {
        self.shared.is_over.store(true, Ordering::Relaxed);
        let mut all = Sent::default();
        while let Some(sent) = self.browsers.join_next().await {
            let sent = sent.context("a browser broke")?;
            all.errors += sent.errors;
            all.times.extend(sent.times);
        }
        Ok(all)
    }
}

async fn send<P: Page>(browser: usize, page: P, shared: Arc<Shared>) -> Sent {
    let mut sent = Sent::default();
    for number in 0.. {
        if shared.is_over.load(Ordering::Relaxed) {
            break;
        }
        match page
            .chat(&format!("message {number} of browser {browser}"), &unseen())
            .await
        {
            Ok(chat) => {
                sent.times.push(millis(chat.done));
                shared.answered.fetch_add(1, Ordering::Relaxed);
            }
            Err(fault) => {
                eprintln!("bench: pools: browser {browser}: {fault:#}");
                sent.errors += 1;
                // A server that fails everything is not to be asked as fast as it can refuse.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    sent
}

#[cfg(test)]
mod tests {
    use anteroom_loopback::RequestRecord;

    use super::*;

    #[test]
    fn probing_begins_once_enough_have_failed() {
        assert_eq!(from_when(&[30.0, 10.0]), None);
        assert_eq!(from_when(&[30.0, 10.0, 20.0, 50.0]), Some(30.0 + KNOWN));
    }

    #[test]
    fn what_began_before_is_no_probe() {
        let requests = [0.0, 5.0, 6.0].map(|began| RequestRecord {
            began,
            ..RequestRecord::default()
        });
        let record = Record {
            requests: requests.into(),
            ..Record::default()
        };
        assert_eq!((probes(&record, 5.0), probes(&record, 7.0)), (2, 0));
    }
}
