//! A refresh answers over the feed, whatever happens to it: it comes, or it is said why it does not. Here that is tried as often as
//! there is time for, where it is most likely to go wrong: with little room in the line, so that many are refused at once, with
//! several tabs a browser, with feeds that are dropped and opened again in the middle, and with sessions that have to leave memory.
//!
//! One that is neither answered nor refused ends the bench with a fault, however many were. What is waited for in one run counts together with that
//! of the runs before (`--go-on`), each of which has dice of its own.

mod so_far;
mod tab;

use std::{
    process::Command,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, ensure};
use hyper::{Method, header};
use tempfile::TempDir;
use tokio::{
    task::JoinSet,
    time::{Instant, interval},
};

use crate::{
    cli::Options,
    figures::{Measure, Unit},
    http::Http,
    process::Program,
};
use so_far::{SoFar, Totals};
use tab::Tab;

const BROWSERS: usize = 120;
/// Each second browser has one tab, the others have this many: whatever comes is told to all of them, so what one has asked for may be hidden by what
/// another has.
const TABS: usize = 3;
/// Fewer than there are browsers, so that some always have to leave.
const SESSIONS: usize = 100;
/// Connections for requests.
const CONNECTIONS: usize = 200;
/// Of what went wrong, so many are described.
const TOLD: usize = 5;
/// How often it is written down how far it is.
const SAVED: Duration = Duration::from_secs(10);

/// How much is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Refreshes, all browsers together.
    pub(crate) asks: u64,
    /// Longest time.
    pub(crate) time: Duration,
    /// Which dice; unless told, others each time.
    pub(crate) seed: Option<u64>,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            asks: 100_000,
            time: Duration::from_secs(300),
            seed: None,
        }
    }
}

/// What has become of what was asked for.
#[derive(Debug, Default)]
struct Counts {
    asked: AtomicU64,
    answered: AtomicU64,
    refused: AtomicU64,
    /// Of both, those that nobody else can have asked for.
    certain: AtomicU64,
    /// Told to a browser of one tab that had not asked for anything.
    unasked: AtomicU64,
    /// Their feed went before they came: they have to be asked for again.
    lost_with_feed: AtomicU64,
    /// Their feed's greeting came after they were asked for: likewise.
    too_early: AtomicU64,
    feeds: AtomicU64,
    unanswered: AtomicU64,
    /// What is known of the first of those.
    stories: Mutex<Vec<String>>,
}

impl Counts {
    fn totals(&self) -> Totals {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Totals {
            asked: count(&self.asked),
            answered: count(&self.answered),
            refused: count(&self.refused),
            certain: count(&self.certain),
            unanswered: count(&self.unanswered),
            ..Totals::default()
        }
    }

    fn unanswered(&self, story: String) {
        self.unanswered.fetch_add(1, Ordering::Relaxed);
        let mut stories = self.stories.lock().unwrap_or_else(PoisonError::into_inner);
        if stories.len() < TOLD {
            stories.push(story);
        }
    }
}

/// What all tabs share.
#[derive(Debug)]
struct Soak {
    http: Http,
    counts: Counts,
    asks: u64,
    end: Instant,
}

impl Soak {
    /// Whether one more is to be asked for.
    fn goes_on(&self) -> bool {
        self.counts.asked.load(Ordering::Relaxed) < self.asks && Instant::now() < self.end
    }
}

pub(super) async fn run(options: &Options) -> anyhow::Result<Vec<Measure>> {
    let (places, bounds) = (&options.places, options.soak);
    let so_far = SoFar::open(&places.scratch, &options.build, options.go_on)?;
    let seed = bounds.seed.unwrap_or_else(|| so_far.seed());
    eprintln!("bench: soak with the dice of --seed {seed}");
    let folder = TempDir::new_in(&places.scratch).context("no folder for the server's data")?;
    let mut command = Command::new(&places.anteroom);
    command
        .current_dir(folder.path())
        .env_clear()
        .env("SITE_ADDR", "127.0.0.1:0")
        .env("MAX_SESSIONS", SESSIONS.to_string())
        .env("STATS_CONCURRENCY_LIMIT", "1")
        .env("LOGS_CONCURRENCY_LIMIT", "2")
        .env("MAX_RUNNING", "2")
        .env("QUEUE_MAX_SIZE", "40")
        .env("QUEUE_MAX_WAITING_PER_SESSION", "1")
        .env("QUEUE_MAX_WAIT", "1")
        .env("QUEUE_ABANDON_AFTER", "1");
    let (mut program, output) = Program::start(&mut command, folder.path())?;
    let addr = program.greeting(output, |line| {
        let (_, rest) = line.split_once("http://")?;
        rest.split_whitespace().next()?.parse().ok()
    })?;
    let soak = Arc::new(Soak {
        http: Http::new(addr, CONNECTIONS),
        counts: Counts::default(),
        asks: bounds.asks,
        end: Instant::now() + bounds.time,
    });
    let mut tabs = JoinSet::new();
    let mut number = 0;
    for browser in 0..BROWSERS {
        let cookie: Arc<str> = cookie(&soak.http).await?.into();
        let count = if browser % 2 == 0 { 1 } else { TABS };
        for _ in 0..count {
            number += 1;
            let dice = seed.wrapping_mul(1_000_000).wrapping_add(number);
            tabs.spawn(Tab::new(Arc::clone(&soak), Arc::clone(&cookie), dice, count == 1).run());
        }
    }
    let counts = &soak.counts;
    let mut saved = interval(SAVED);
    loop {
        tokio::select! {
            ended = tabs.join_next() => match ended {
                Some(ended) => ended.context("a tab broke")?.with_context(|| program.complaints())?,
                None => break,
            },
            _ = saved.tick() => so_far.save(&counts.totals())?,
        }
    }
    so_far.save(&counts.totals())?;
    let all = so_far.with(&counts.totals());
    let told = format!(
        "{} refreshes in {} runs, of which {} were answered and {} refused ({} where nobody else can have asked), and {} neither",
        all.asked, all.runs, all.answered, all.refused, all.certain, all.unanswered
    );
    println!("  so far: {told}");
    let stories = counts.stories.lock().unwrap_or_else(PoisonError::into_inner).join("; ");
    ensure!(
        counts.unanswered.load(Ordering::Relaxed) == 0,
        "with --seed {seed} there was neither an answer nor a refusal: {stories} ({told})"
    );
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed) as f64;
    Ok(vec![
        Measure::new("refreshes asked for", count(&counts.asked), Unit::Count),
        Measure::new("of these, answered", count(&counts.answered), Unit::Count),
        Measure::new("refused", count(&counts.refused), Unit::Count),
        Measure::new(
            "of both, those that nobody else can have asked for",
            count(&counts.certain),
            Unit::Count,
        ),
        Measure::new(
            "told to whoever had asked for nothing",
            count(&counts.unasked),
            Unit::Count,
        ),
        Measure::new(
            "to be asked for again, since their feed had gone",
            count(&counts.lost_with_feed),
            Unit::Count,
        ),
        Measure::new(
            "to be asked for again, since their feed was not open yet",
            count(&counts.too_early),
            Unit::Count,
        ),
        Measure::new("feeds opened", count(&counts.feeds), Unit::Count),
    ])
}

/// A new browser's cookie.
async fn cookie(http: &Http) -> anyhow::Result<String> {
    let page = http.ask(Method::GET, "/", &[(header::ACCEPT, "text/html")], "").await?;
    let cookie = page.headers.get(header::SET_COOKIE).context("no cookie")?.to_str()?;
    Ok(cookie.split(';').next().unwrap_or_default().to_owned())
}
