//! A page of one browser: its cookie, its requests, its feed.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anteroom::wire::{
    ConversationId, ConversationPage, ConversationView, SendRequest, Sent, Status, TurnId, TurnState,
};
use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use hyper::{Method, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use super::feed::{Feed, Seen, Subjects};
use crate::{
    http::{Http, Reply},
    system::{Chat, Page, Shown, Tally},
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
    /// The turn sent last, in [`Page::chat`].
    last: Mutex<Option<TurnId>>,
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
    subjects: Arc<Subjects>,
}

impl Sending {
    /// The next that its page sees of it.
    pub(crate) async fn next(&mut self) -> anyhow::Result<(Instant, Seen)> {
        let next = tokio::time::timeout(PATIENCE, self.seen.recv());
        let seen = next
            .await
            .with_context(|| format!("nothing was heard of a turn in {PATIENCE:?}"))?;
        seen.with_context(|| format!("the feed ended before the answer: {}", self.subjects.why_it_ended()))
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
            last: Mutex::default(),
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

    /// Another tab of the same browser; its feed is not open yet.
    pub(super) fn tab(&self) -> Self {
        Self::of(self.http.clone(), &self.cookie, Arc::clone(&self.tally))
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
            choice: None,
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
            subjects: Arc::clone(&self.subjects),
        })
    }

    /// Takes a message out of the line.
    pub(crate) async fn cancel(&self, turn: TurnId) -> anyhow::Result<()> {
        let left: bool = self.call("cancel", format!("turn={turn}")).await?;
        ensure!(left, "the turn did not wait any more");
        Ok(())
    }

    /// Where this session stands.
    pub(crate) async fn status(&self) -> anyhow::Result<Status> {
        let mut overview: Value = self.call("overview", String::new()).await?;
        Ok(serde_json::from_value(overview["status"].take())?)
    }

    /// One conversation, as a page loads it.
    pub(crate) async fn conversation(&self, id: ConversationId) -> anyhow::Result<ConversationView> {
        let found: Option<ConversationView> = self.call("conversation", format!("id={id}")).await?;
        found.context("a conversation is gone")
    }
}

impl Page for AnteroomPage {
    async fn chat(&self, message: &str, shown: &watch::Sender<Shown>) -> anyhow::Result<Chat> {
        let mut sending = self.send(message).await?;
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(sending.sent.turn);
        let begun = sending.at;
        let mut chat = Chat::default();
        if let Some(known) = &sending.sent.place {
            chat.position = Some(sending.accepted - begun);
            shown.send_replace(waiting(known.position));
        }
        loop {
            let (at, seen) = sending.next().await?;
            let after = at.saturating_duration_since(begun);
            match seen {
                Seen::Position(position) => {
                    chat.position = Some(chat.position.map_or(after, |known| known.min(after)));
                    shown.send_replace(waiting(position));
                }
                Seen::Piece => {
                    chat.first_piece.get_or_insert(after);
                    shown.send_replace(Shown {
                        position: None,
                        answering: true,
                    });
                }
                Seen::Over(TurnState::Done, answer) => {
                    // What the model server is told is no part of its answer.
                    let question = message.rsplit("]] ").next().unwrap_or_default();
                    ensure!(answer.contains(question), "{answer:?} is no answer to {message:?}");
                    chat.done = after;
                    return Ok(chat);
                }
                Seen::Over(state, _) => bail!("a turn ended as {state:?}"),
            }
        }
    }

    async fn leave(&self) -> anyhow::Result<()> {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        self.cancel(last.context("nothing was sent")?).await
    }

    async fn reload(&mut self) -> anyhow::Result<()> {
        self.feed = None;
        let headers = [(header::COOKIE, self.cookie.as_str()), (header::ACCEPT, "text/html")];
        let reply = self.http.ask(Method::GET, "/", &headers, "").await?;
        ensure!(reply.status == StatusCode::OK, "the page: {}", reply.status);
        self.follow().await
    }

    async fn shows_answer_to(&self, message: &str) -> anyhow::Result<bool> {
        let page: ConversationPage = self.call("conversations", String::new()).await?;
        for conversation in page.conversations {
            let view = self.conversation(conversation.id).await?;
            let shown = view
                .turns
                .iter()
                .any(|turn| turn.message == message && turn.state == TurnState::Done && turn.answer.contains(message));
            if shown {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn event(&self) -> anyhow::Result<()> {
        let mut refreshed = self.subjects.watch_refreshes();
        let reply = self.post("refresh", FORM, "kind=logs").await?;
        ensure!(reply.status == StatusCode::OK, "{}: {}", reply.status, reply.text());
        let refreshed = tokio::time::timeout(PATIENCE, refreshed.recv())
            .await
            .context("no refresh")?;
        refreshed.map(drop).context("the feed ended before the refresh")
    }
}

const fn waiting(position: u64) -> Shown {
    Shown {
        position: Some(position),
        answering: false,
    }
}
