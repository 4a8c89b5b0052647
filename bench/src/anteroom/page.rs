//! A page of one browser: its cookie, its requests, its feed.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anteroom::wire::{ConversationId, ConversationView, SendRequest, Sent, Status, TurnId, TurnState};
use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use hyper::{Method, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::feed::{Feed, Seen, Subjects};
use crate::{
    http::{Http, Reply},
    system::{Chat, Page, Tally},
};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
/// Longest time that a page waits for something to happen, far longer than a drain of the longest line here.
const PATIENCE: Duration = Duration::from_secs(900);

/// One browser and its page. The feed is closed when this is dropped.
#[derive(Debug)]
pub(crate) struct AnteroomPage {
    http: Http,
    cookie: String,
    subjects: Arc<Subjects>,
    tally: Arc<Tally>,
    feed: Option<Feed>,
}

/// A message on its way, and what its page hears of it.
#[derive(Debug)]
pub(crate) struct Sending {
    pub(crate) sent: Sent,
    /// When it was sent.
    pub(crate) at: Instant,
    /// When the answer to it was read.
    pub(crate) accepted: Instant,
    seen: mpsc::UnboundedReceiver<(Instant, Seen)>,
}

impl Sending {
    /// The next that its page sees of it.
    pub(crate) async fn next(&mut self) -> anyhow::Result<(Instant, Seen)> {
        let next = tokio::time::timeout(PATIENCE, self.seen.recv());
        let seen = next
            .await
            .with_context(|| format!("nothing was heard of a turn in {PATIENCE:?}"))?;
        seen.context("the feed ended before the answer")
    }
}

impl AnteroomPage {
    /// A browser that was here before.
    pub(super) fn of(http: Http, cookie: &str, tally: Arc<Tally>) -> Self {
        Self {
            http,
            cookie: cookie.to_owned(),
            subjects: Arc::default(),
            tally,
            feed: None,
        }
    }

    /// A new browser that asks for the page; its feed is not open yet.
    pub(super) async fn visit(http: Http, tally: Arc<Tally>) -> anyhow::Result<Self> {
        let reply = http.ask(Method::GET, "/", &[(header::ACCEPT, "text/html")], "").await?;
        ensure!(reply.status == StatusCode::OK, "the page: {}", reply.status);
        let cookie = reply.headers.get(header::SET_COOKIE).context("no cookie")?.to_str()?;
        let cookie = cookie.split(';').next().unwrap_or_default();
        Ok(Self::of(http, cookie, tally))
    }

    /// Opens the feed.
    pub(crate) async fn follow(&mut self) -> anyhow::Result<()> {
        let (subjects, tally) = (Arc::clone(&self.subjects), Arc::clone(&self.tally));
        self.feed = Some(Feed::open(self.http.addr(), &self.cookie, subjects, tally).await?);
        Ok(())
    }

    pub(crate) fn cookie(&self) -> &str {
        &self.cookie
    }

    async fn post(&self, function: &str, kind: &str, body: impl Into<Bytes>) -> anyhow::Result<Reply> {
        let headers = [(header::COOKIE, self.cookie.as_str()), (header::CONTENT_TYPE, kind)];
        self.http
            .ask(Method::POST, &format!("/api/{function}"), &headers, body)
            .await
    }

    async fn call<T: DeserializeOwned>(&self, function: &str, form: String) -> anyhow::Result<T> {
        self.post(function, FORM, form).await?.json()
    }

    /// Sends a message in a new conversation; returns once it is accepted.
    pub(crate) async fn send(&self, text: &str) -> anyhow::Result<Sending> {
        let request = SendRequest {
            turn: TurnId(Uuid::new_v4()),
            conversation: None,
            instead_of: None,
            text: text.to_owned(),
            files: Vec::new(),
        };
        let body = json!({ "request": request }).to_string();
        // Before it is sent: the feed may know of it before the reply is here.
        let seen = self.subjects.watch(request.turn);
        let at = Instant::now();
        let reply = self.post("send", JSON, body).await?;
        let accepted = Instant::now();
        Ok(Sending {
            sent: reply.json()?,
            at,
            accepted,
            seen,
        })
    }

    /// Ends a turn. `false`: it was over already.
    pub(crate) async fn cancel(&self, turn: TurnId) -> anyhow::Result<bool> {
        self.call("cancel", format!("turn={turn}")).await
    }

    /// Where this session stands.
    pub(crate) async fn status(&self) -> anyhow::Result<Status> {
        let mut house: Value = self.call("house", String::new()).await?;
        Ok(serde_json::from_value(house["status"].take())?)
    }

    /// One conversation, as a page loads it.
    pub(crate) async fn conversation(&self, id: ConversationId) -> anyhow::Result<ConversationView> {
        let found: Option<ConversationView> = self.call("conversation", format!("id={id}")).await?;
        found.context("a conversation is gone")
    }
}

impl Page for AnteroomPage {
    async fn chat(&self, message: &str) -> anyhow::Result<Chat> {
        let mut sending = self.send(message).await?;
        let begun = sending.at;
        let mut chat = Chat {
            position: sending.sent.place.is_some().then(|| sending.accepted - begun),
            ..Chat::default()
        };
        loop {
            let (at, seen) = sending.next().await?;
            match seen {
                Seen::Position(_) => {
                    let at = at.saturating_duration_since(begun);
                    chat.position = Some(chat.position.map_or(at, |known| known.min(at)));
                }
                Seen::Piece => {
                    chat.first_piece.get_or_insert(at.saturating_duration_since(begun));
                }
                Seen::Over(TurnState::Done, answer) => {
                    ensure!(answer.contains(message), "{answer:?} is no answer to {message:?}");
                    chat.done = at.saturating_duration_since(begun);
                    return Ok(chat);
                }
                Seen::Over(state, _) => bail!("a turn ended as {state:?}"),
            }
        }
    }
}
