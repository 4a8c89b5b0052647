//! One tab that asks for one refresh after the other, and waits for what comes of each.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use anteroom::wire::RefreshKind;
use anyhow::{Context as _, ensure};
use futures_util::StreamExt as _;
use hyper::{Method, StatusCode, header};
use serde::{Deserialize, de::IgnoredAny};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep, timeout, timeout_at},
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest as _, http::HeaderValue},
};

use super::Soak;
use crate::{dice::Dice, http};

/// One that has not come by then does not come. Far more than any takes: a line of forty is through in a second.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longest time that a feed may take to open.
const OPENING: Duration = Duration::from_secs(60);
/// A feed is dropped before a refresh is asked for, or while it is waited for, once in so many times each.
const DROPS: f64 = 20.0;
/// Longest pause after a refusal, in seconds: who asks again at once leaves no time for answers.
const PAUSE: f64 = 0.2;
/// Longest time, in seconds, for which a feed that is going to be dropped waits.
const HALFWAY: f64 = 0.02;
/// The greeting is not waited for once in so many times: the server may not know of the feed yet.
const HASTE: f64 = 3.0;
/// A new feed that has said nothing of a refresh for so long says nothing of those that were asked for before it.
const QUIET: Duration = Duration::from_millis(200);

/// What a feed says, as far as it matters here.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Said {
    Hello(IgnoredAny),
    Event(IgnoredAny),
    Status(IgnoredAny),
    Drawn { refresh: RefreshKind },
    RefreshRefused { refresh: RefreshKind },
}

/// What came of a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    Answer,
    Refusal,
    /// The feed's greeting, which says that what was asked for before it has to be asked for again.
    Greeting,
    /// The feed has ended.
    Gone,
}

type Feed = WebSocketStream<TcpStream>;

pub(super) struct Tab {
    soak: Arc<Soak>,
    cookie: Arc<str>,
    dice: Dice,
    seed: u64,
    /// The only one of its browser: what comes is what it has asked for, and nobody else.
    alone: bool,
}

impl Tab {
    pub(super) fn new(soak: Arc<Soak>, cookie: Arc<str>, seed: u64, alone: bool) -> Self {
        Self {
            soak,
            cookie,
            dice: Dice(seed),
            seed,
            alone,
        }
    }

    /// Asks until there is enough.
    pub(super) async fn run(mut self) -> anyhow::Result<()> {
        while self.soak.goes_on() {
            let (mut feed, greeted) = self.open().await?;
            if self.alone && greeted {
                // What was asked for on a feed before this one may be told on it.
                self.drain(&mut feed, QUIET).await;
            }
            while self.soak.goes_on() && !self.dice.once_in(DROPS) {
                if !self.refresh(&mut feed).await? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Takes what comes without being asked for, until nothing has come for so long. What stood there unread could else be taken for what is
    /// asked for next, and hide that this never comes.
    async fn drain(&self, feed: &mut Feed, quiet: Duration) {
        while let Ok(Some(said)) = timeout(quiet, said(feed)).await {
            if matches!(said, Said::Drawn { .. } | Said::RefreshRefused { .. }) {
                self.soak.counts.unasked.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// A new feed, and whether it has been greeted.
    async fn open(&mut self) -> anyhow::Result<(Feed, bool)> {
        let addr = self.soak.http.addr();
        let mut request = format!("ws://{addr}/feed").into_client_request()?;
        request
            .headers_mut()
            .insert("cookie", HeaderValue::from_str(&self.cookie)?);
        let opened = async {
            let stream = http::tcp(addr).await?;
            let (feed, _) = client_async(request, stream).await?;
            Ok::<_, anyhow::Error>(feed)
        };
        let mut feed = timeout(OPENING, opened).await.context("no feed")?.context("no feed")?;
        self.soak.counts.feeds.fetch_add(1, Ordering::Relaxed);
        let waits = !self.dice.once_in(HASTE);
        if waits {
            let greeted = timeout(OPENING, said(&mut feed)).await.context("no greeting")?;
            ensure!(
                matches!(greeted, Some(Said::Hello(_)) | None),
                "the first frame is no greeting"
            );
        }
        Ok((feed, waits))
    }

    /// Asks for one and waits for what comes of it. `false`: the feed is of no use any more.
    async fn refresh(&mut self, feed: &mut Feed) -> anyhow::Result<bool> {
        let kind = if self.dice.once_in(2.0) {
            RefreshKind::Stats
        } else {
            RefreshKind::Logs
        };
        let halfway = self
            .dice
            .once_in(DROPS)
            .then(|| Duration::from_secs_f64(self.dice.unit() * HALFWAY));
        if self.alone {
            self.drain(feed, Duration::ZERO).await;
        }
        let counts = &self.soak.counts;
        counts.asked.fetch_add(1, Ordering::Relaxed);
        let began = Instant::now();
        let asked = self.ask(kind);
        let until = began + halfway.unwrap_or(PATIENCE);
        // Listened to from the beginning: it may come before the reply to the request.
        let (asked, came) = tokio::join!(asked, timeout_at(until, came(feed, kind)));
        asked?;
        if self.alone && matches!(came, Ok(Came::Answer | Came::Refusal)) {
            counts.certain.fetch_add(1, Ordering::Relaxed);
        }
        match came {
            Ok(Came::Answer) => counts.answered.fetch_add(1, Ordering::Relaxed),
            Ok(Came::Refusal) => {
                counts.refused.fetch_add(1, Ordering::Relaxed);
                sleep(Duration::from_secs_f64(self.dice.unit() * PAUSE)).await;
                return Ok(halfway.is_none());
            }
            Ok(Came::Greeting) => counts.too_early.fetch_add(1, Ordering::Relaxed),
            Ok(Came::Gone) => counts.lost_with_feed.fetch_add(1, Ordering::Relaxed),
            Err(_) if halfway.is_some() => counts.lost_with_feed.fetch_add(1, Ordering::Relaxed),
            Err(_) => {
                let number = counts.asked.load(Ordering::Relaxed);
                counts.unanswered(format!("{kind:?} of tab {}, about the {number}th of all", self.seed));
                return Ok(false);
            }
        };
        // What was asked for before the greeting may still come, on this feed or on the next.
        Ok(halfway.is_none() && came == Ok(Came::Answer))
    }

    async fn ask(&self, kind: RefreshKind) -> anyhow::Result<()> {
        let body = match kind {
            RefreshKind::Stats => "kind=stats",
            RefreshKind::Logs => "kind=logs",
        };
        let headers = [
            (header::COOKIE, &*self.cookie),
            (header::CONTENT_TYPE, "application/x-www-form-urlencoded"),
        ];
        let reply = self.soak.http.ask(Method::POST, "/api/refresh", &headers, body).await?;
        ensure!(reply.status == StatusCode::OK, "{}: {}", reply.status, reply.text());
        Ok(())
    }
}

/// The next thing that a feed says of a refresh of this kind.
async fn came(feed: &mut Feed, wanted: RefreshKind) -> Came {
    loop {
        match (said(feed).await, wanted) {
            (None, _) => return Came::Gone,
            (Some(Said::Hello(_)), _) => return Came::Greeting,
            (Some(Said::Drawn { refresh }), _) if refresh == wanted => return Came::Answer,
            (Some(Said::RefreshRefused { refresh }), _) if refresh == wanted => return Came::Refusal,
            (Some(_), _) => {}
        }
    }
}

/// The next message; `None`: the feed has ended. Cancel-safe.
async fn said(feed: &mut Feed) -> Option<Said> {
    loop {
        match feed.next().await? {
            // What cannot be read is missed, and shows as what has not come.
            Ok(Message::Text(text)) => match serde_json::from_str(&text) {
                Ok(said) => return Some(said),
                Err(_) => continue,
            },
            Ok(Message::Close(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}
