//! Fifty browsers, a slow model, a server that is killed.

use std::{fmt, time::Duration};

use anteroom::wire::ConversationId;
use anteroom_loopback::{Config, Loopback};
use futures_util::future::join_all;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::task::JoinSet;

use crate::{
    browser::{Accepted, Browser},
    order::Order,
    server::Server,
};

const BROWSERS: usize = 50;
const SLOTS: usize = 3;
/// Longest time that anything may take before it is given up: far more than it needs.
const GIVE_UP: Duration = Duration::from_secs(120);

/// What happened.
pub(crate) struct Counts {
    rounds: u32,
    accepted: usize,
    requests: usize,
    longest_line: usize,
    refusals: usize,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} kills; {} messages accepted, each with exactly one answer; {} requests to the model, so {} were begun again; \
             longest line {}; {} were sent again",
            self.rounds,
            self.accepted,
            self.requests,
            self.requests - self.accepted,
            self.longest_line,
            self.refusals
        )
    }
}

async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(GIVE_UP, work).await {
        Ok(value) => value,
        Err(_) => panic!("waited in vain for: {what}"),
    }
}

/// `store` are the settings that say where things are kept.
pub(crate) async fn tell(seed: u64, rounds: u32, store: &[(&str, &str)]) -> Counts {
    let mut random = StdRng::seed_from_u64(seed);
    let model = Loopback::start(Config::default()).await.expect("a free port");
    // Nothing ends unless it is let go, so the line stands still while it is looked at.
    model.hold(true);
    let slots = SLOTS.to_string();
    let base = model.base_url();
    let settings = [
        ("MODEL", "loopback@openai"),
        ("OPENAI_BASE_URL", &base),
        ("CHAT_CONCURRENCY_LIMIT", &slots),
        ("QUEUE_MAX_WAITING_PER_SESSION", "none"),
        ("QUEUE_ABANDON_AFTER", "none"),
        ("CHAT_TIMEOUT", "none"),
        ("MODEL_RETRIES", "0"),
    ];
    let mut server = Server::new(&[&settings[..], store].concat());
    server.start();
    let browsers = join_all((0..BROWSERS).map(|_| Browser::visit(server.addr))).await;
    let mut pages = JoinSet::new();
    for browser in &browsers {
        pages.spawn(browser.clone().follow());
    }

    let mut accepted: Vec<Vec<Accepted>> = vec![Vec::new(); BROWSERS];
    let (mut order, mut longest_line) = (Order::default(), 0);
    for round in 0..rounds {
        println!("round {round}: {} wait", order.len());
        let mut sending = JoinSet::new();
        for (at, browser) in browsers.iter().enumerate() {
            // Enough for a line, not so many that it only grows.
            let messages = if random.random_bool(0.15) {
                random.random_range(1..=3)
            } else {
                0
            };
            for message in 0..messages {
                let (browser, wait) = (browser.clone(), Duration::from_micros(random.random_range(0..150_000)));
                let text = format!("round {round} browser {at} message {message} end");
                sending.spawn(async move {
                    tokio::time::sleep(wait).await;
                    (at, browser.send(None::<ConversationId>, text).await)
                });
            }
        }
        for _ in 0..random.random_range(1..=24) {
            model.release_one();
        }
        let kill_after = Duration::from_micros(random.random_range(0..400_000));
        tokio::time::sleep(kill_after).await;
        server.kill();
        soon(
            "the model to see that its client has gone",
            model.until(|record| record.now == 0),
        )
        .await;
        // What was let go and not used would let somebody start while the line is looked at.
        model.hold(false);
        model.hold(true);
        server.start();
        while let Some(sent) = soon("all that was sent to be accepted", sending.join_next()).await {
            let (at, sent) = sent.expect("no panic");
            accepted[at].push(sent);
        }
        let unfinished = unfinished(&browsers, SLOTS).await;
        longest_line = longest_line.max(unfinished.len());
        order.see(unfinished);
        assert!(pages.try_join_next().is_none(), "a page has failed");
    }

    model.hold(false);
    soon("the line to empty", async {
        loop {
            let statuses = join_all(browsers.iter().map(Browser::status)).await;
            let line = statuses[0].line().expect("a line");
            if line.waiting == 0 && line.running == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    for (browser, accepted) in browsers.iter().zip(&accepted) {
        for message in accepted {
            let view = settled(browser, message).await;
            browser.check(message, &view);
        }
    }
    no_slot_is_lost(&model, &browsers).await;
    let count = accepted.iter().map(Vec::len).sum();
    assert!(pages.try_join_next().is_none(), "a page has failed");
    let on_disk = server.folder().join("data/anteroom.db").exists();
    assert_eq!(on_disk, store.is_empty(), "it was kept where it should be");
    Counts {
        rounds,
        accepted: count,
        requests: model
            .record()
            .requests
            .iter()
            .filter(|request| request.question.starts_with("round"))
            .count(),
        longest_line,
        refusals: browsers.iter().map(|browser| browser.refusals().len()).sum(),
    }
}

/// The places of all that wait, once as many run as may and nothing moves: what was in the line and not accepted when the server was killed
/// leaves it a moment after the start.
async fn unfinished(browsers: &[Browser], slots: usize) -> Vec<(u64, anteroom::wire::TurnId)> {
    soon("a line that stands still", async {
        let mut before = None;
        loop {
            let statuses = join_all(browsers.iter().map(Browser::status)).await;
            let line = statuses[0].line().expect("a line");
            let places: Vec<_> = statuses.iter().flat_map(|status| &status.places).collect();
            let full = line.running as usize == slots || line.waiting == 0;
            let now = (full && places.len() == line.waiting as usize).then(|| {
                let places = places
                    .into_iter()
                    .map(|place| (place.position, place.turn.expect("a turn")));
                places.collect::<Vec<_>>()
            });
            if let Some(places) = now.clone().filter(|_| now == before) {
                return places;
            }
            before = now;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
}

/// A conversation whose turns are over: the slot is free a moment before the outcome is stored.
async fn settled(browser: &Browser, message: &Accepted) -> anteroom::wire::ConversationView {
    soon("an outcome", async {
        loop {
            let view = browser.conversation(message.conversation).await;
            if view.turns.iter().all(|turn| turn.state.is_over()) {
                return view;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
}

/// As many run at once as ever, and no more.
async fn no_slot_is_lost(model: &Loopback, browsers: &[Browser]) {
    model.hold(true);
    for (at, browser) in browsers.iter().enumerate().take(SLOTS + 1) {
        browser.send(None, format!("last {at}")).await;
    }
    soon("every slot to be in use", model.until(|record| record.now == SLOTS)).await;
    let status = browsers[0].status().await;
    let line = status.line().expect("a line");
    assert_eq!((line.running, line.waiting), (SLOTS as u64, 1));
    model.hold(false);
}
