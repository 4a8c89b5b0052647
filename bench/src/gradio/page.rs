//! A page of one browser.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use hyper::{Method, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{sync::watch, task::AbortHandle, time::timeout};
use uuid::Uuid;

use super::server::PAGE;
use crate::{
    http::{Http, Stream},
    system::{Chat, Page, Shown, Tally},
};

const JSON: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];
const EVENTS: [(header::HeaderName, &str); 1] = [(header::ACCEPT, "text/event-stream")];
/// Longest silence on a stream: it says something every 15 s.
const PATIENCE: Duration = Duration::from_secs(120);

/// The app's functions, as its queue numbers them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Functions {
    chat: u64,
    nothing: u64,
}

impl Functions {
    pub(super) fn find(config: &Value) -> anyhow::Result<Self> {
        let find = |name: &str| {
            let all = config["dependencies"].as_array().into_iter().flatten();
            let mut named = all.filter(|function| function["api_name"] == name);
            named
                .next()
                .and_then(|function| function["id"].as_u64())
                .with_context(|| format!("there is no {name}"))
        };
        Ok(Self {
            chat: find("chat")?,
            nothing: find("nothing")?,
        })
    }
}

/// One browser and its page. Its streams are closed when this is dropped.
#[derive(Debug)]
pub(crate) struct GradioPage {
    requests: Http,
    streams: Http,
    functions: Functions,
    tally: Arc<Tally>,
    session: String,
    /// Whether the session follows an event; another at the same time is another tab's.
    follows: AtomicBool,
    heartbeat: AbortHandle,
    /// The event that was sent last.
    last: Mutex<Option<Joined>>,
}

/// An event in the queue.
#[derive(Clone, Debug)]
struct Joined {
    event: String,
    session: String,
    function: u64,
}

/// What the queue says of an event.
#[derive(Debug, Deserialize)]
struct Message {
    msg: String,
    event_id: Option<String>,
    rank: Option<u64>,
    success: Option<bool>,
    #[serde(default)]
    output: Value,
}

impl GradioPage {
    pub(super) async fn open(
        requests: Http,
        streams: Http,
        functions: Functions,
        tally: Arc<Tally>,
    ) -> anyhow::Result<Self> {
        let (session, heartbeat) = load(&requests, &streams).await?;
        Ok(Self {
            requests,
            streams,
            functions,
            tally,
            session,
            follows: AtomicBool::new(false),
            heartbeat,
            last: Mutex::default(),
        })
    }

    /// Sends an event and follows it; `hear` says when it has heard enough.
    async fn follow(
        &self,
        session: &str,
        function: u64,
        data: Value,
        mut hear: impl FnMut(Message, usize) -> anyhow::Result<bool> + Send,
    ) -> anyhow::Result<()> {
        let body = json!({
            "data": data, "fn_index": function, "session_hash": session, "event_data": null, "trigger_id": null,
        });
        let reply = self
            .requests
            .ask(Method::POST, "/gradio_api/queue/join", &JSON, body.to_string())
            .await?;
        ensure!(reply.status == StatusCode::OK, "{}: {}", reply.status, reply.text());
        let joined: Value = reply.json()?;
        let event = joined["event_id"].as_str().context("no event id")?.to_owned();
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Joined {
            event: event.clone(),
            session: session.to_owned(),
            function,
        });
        let path = format!("/gradio_api/queue/data?session_hash={session}");
        let mut stream = Events::new(self.streams.stream(Method::GET, &path, &EVENTS, "").await?);
        while let Some((message, bytes)) = stream.next().await? {
            if message.msg == "unexpected_error" {
                bail!("the queue failed");
            }
            if message.event_id.as_deref() == Some(event.as_str()) && hear(message, bytes)? {
                return Ok(());
            }
        }
        bail!("the stream ended before the event")
    }

    /// The page's session where it is free, else that of another tab.
    fn session(&self) -> (String, Option<Follows<'_>>) {
        if self.follows.swap(true, Ordering::AcqRel) {
            (session_hash(), None)
        } else {
            (self.session.clone(), Some(Follows(&self.follows)))
        }
    }
}

/// The session is in use; dropped, it is free again.
struct Follows<'a>(&'a AtomicBool);

impl Drop for Follows<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Page for GradioPage {
    async fn chat(&self, message: &str, shown: &watch::Sender<Shown>) -> anyhow::Result<Chat> {
        let (session, _follows) = self.session();
        let begun = Instant::now();
        let mut chat = Chat::default();
        let mut told = 0;
        let hear = |heard: Message, bytes: usize| {
            let after = begun.elapsed();
            match heard.msg.as_str() {
                "estimation" => {
                    told += 1;
                    self.tally.count(bytes, true, told);
                    chat.position.get_or_insert(after);
                    shown.send_replace(Shown {
                        position: heard.rank.map(|rank| rank + 1),
                        answering: false,
                    });
                }
                "process_starts" => {
                    shown.send_replace(Shown::default());
                }
                "process_generating" => {
                    ensure!(heard.success == Some(true), "the function failed: {}", heard.output);
                    chat.first_piece.get_or_insert(after);
                    shown.send_replace(Shown {
                        position: None,
                        answering: true,
                    });
                }
                "process_completed" => {
                    ensure!(heard.success == Some(true), "the function failed: {}", heard.output);
                    let answer = heard.output["data"][0].as_str().unwrap_or_default();
                    ensure!(answer.contains(message), "{answer:?} is no answer to {message:?}");
                    chat.done = after;
                    return Ok(true);
                }
                _ => {}
            }
            Ok(false)
        };
        self.follow(&session, self.functions.chat, json!([message, null]), hear)
            .await?;
        Ok(chat)
    }

    async fn leave(&self) -> anyhow::Result<()> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let last = last.context("nothing was sent")?;
        let body = json!({ "event_id": last.event, "session_hash": last.session, "fn_index": last.function });
        let reply = self
            .requests
            .ask(Method::POST, "/gradio_api/cancel", &JSON, body.to_string())
            .await?;
        ensure!(reply.status == StatusCode::OK, "{}: {}", reply.status, reply.text());
        Ok(())
    }

    async fn reload(&mut self) -> anyhow::Result<()> {
        self.heartbeat.abort();
        (self.session, self.heartbeat) = load(&self.requests, &self.streams).await?;
        self.follows.store(false, Ordering::Release);
        Ok(())
    }

    async fn shows_answer_to(&self, message: &str) -> anyhow::Result<bool> {
        // All that a page knows when it is loaded.
        let path = format!("/config?session_hash={}", self.session);
        Ok(self
            .requests
            .ask(Method::GET, &path, &[], "")
            .await?
            .text()
            .contains(message))
    }

    async fn event(&self) -> anyhow::Result<()> {
        let (session, _follows) = self.session();
        let hear = |heard: Message, _: usize| {
            let over = heard.msg == "process_completed";
            ensure!(
                !over || heard.success == Some(true),
                "the function failed: {}",
                heard.output
            );
            Ok(over)
        };
        self.follow(&session, self.functions.nothing, json!([]), hear).await
    }
}

impl Drop for GradioPage {
    fn drop(&mut self) {
        self.heartbeat.abort();
    }
}

/// Loads the page: a new session, and the heartbeat that keeps it.
async fn load(requests: &Http, streams: &Http) -> anyhow::Result<(String, AbortHandle)> {
    let reply = requests.ask(Method::GET, "/", &PAGE, "").await?;
    ensure!(reply.status == StatusCode::OK, "the page: {}", reply.status);
    let session = session_hash();
    let path = format!("/gradio_api/heartbeat/{session}");
    let mut heartbeat = streams.stream(Method::GET, &path, &EVENTS, "").await?;
    heartbeat.next().await?.context("no heartbeat")?;
    // Ends with the stream, or when the page is closed.
    let reading = tokio::spawn(async move { while let Ok(Some(_)) = heartbeat.next().await {} });
    Ok((session, reading.abort_handle()))
}

fn session_hash() -> String {
    Uuid::new_v4().simple().to_string()
}

/// Server-sent events, each one JSON.
struct Events {
    stream: Stream,
    read: Vec<u8>,
}

impl Events {
    fn new(stream: Stream) -> Self {
        Self {
            stream,
            read: Vec::new(),
        }
    }

    /// The next and its size; `None` at the end.
    async fn next(&mut self) -> anyhow::Result<Option<(Message, usize)>> {
        const END: &[u8] = b"\n\n";
        loop {
            if let Some(length) = self.read.windows(END.len()).position(|bytes| bytes == END) {
                let event: Vec<u8> = self.read.drain(..length + END.len()).collect();
                let Some(data) = event.strip_prefix(b"data: ") else {
                    continue;
                };
                return Ok(Some((serde_json::from_slice(data)?, data.len() - END.len())));
            }
            match timeout(PATIENCE, self.stream.next())
                .await
                .context("the stream is silent")??
            {
                Some(bytes) => self.read.extend_from_slice(&bytes),
                None => return Ok(None),
            }
        }
    }
}
