//! A server of tools within this process, which does all that a server should not.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, duplex},
    sync::{Notify, Semaphore, mpsc},
};

use super::super::{
    dial::{Dial, Dialed, begin},
    error::Trouble,
    faults::of_beginning,
    lines::Lines,
};
use crate::settings::{LeaveRules, OwnValues, Secret, ToolServer, ToolSettings, ToolTransport};

/// Shared by all its connections, and the test.
#[derive(Default)]
pub(super) struct Fake {
    /// How often it was connected to, whether or not that worked.
    pub(super) dials: AtomicUsize,
    /// Connections that are open.
    pub(super) open: AtomicUsize,
    /// How many more times it cannot be connected to.
    pub(super) broken: AtomicUsize,
    /// It takes that long to connect.
    pub(super) slow: Mutex<Option<Duration>>,
    pub(super) tools: Mutex<Vec<Value>>,
    /// What `gate` waits for.
    pub(super) gate: Gate,
    /// Calls of which it was told that nobody waits any more.
    pub(super) cancelled: AtomicUsize,
    pub(super) news: Notify,
    /// Writes to each connection that is open.
    pub(super) writers: Mutex<Vec<mpsc::UnboundedSender<Value>>>,
    /// The request that wants to hear of changes.
    pub(super) subscription: Mutex<Value>,
    /// What it answers to requests of these methods, and that it can.
    pub(super) answers: Mutex<HashMap<&'static str, Value>>,
    /// The requests of such methods.
    pub(super) asked: Mutex<Vec<Value>>,
    /// It answers with nothing to what it does not know.
    pub(super) is_vague: bool,
    /// It speaks the version without a handshake.
    pub(super) is_new: bool,
    /// Keys that it does not take.
    pub(super) refused: Mutex<Vec<String>>,
}

/// The key that is sent to it.
fn key(server: &ToolServer) -> String {
    match &server.transport {
        ToolTransport::Http { headers, .. } => headers.iter().map(|(_, value)| value.0.as_str()).collect(),
        ToolTransport::Program { .. } => String::new(),
    }
}

pub(super) struct Gate(pub(super) Semaphore);

impl Default for Gate {
    fn default() -> Self {
        Self(Semaphore::new(0))
    }
}

pub(super) fn tool(name: &str) -> Value {
    json!({ "name": name, "description": format!("Does {name}."), "inputSchema": { "type": "object" } })
}

impl Fake {
    pub(super) fn with(names: &[&str]) -> Arc<Self> {
        Arc::new(Self {
            tools: Mutex::new(names.iter().map(|name| tool(name)).collect()),
            ..Self::default()
        })
    }

    pub(super) fn dials(&self) -> usize {
        self.dials.load(Ordering::SeqCst)
    }

    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }

    /// Waits until this holds. It is looked at whenever something has happened.
    pub(super) async fn until(&self, holds: impl Fn(&Self) -> bool) {
        while !holds(self) {
            self.news.notified().await;
        }
    }

    pub(super) fn say(&self, message: &Value) {
        let writers = self.writers.lock().expect("whole");
        for writer in &*writers {
            let _ = writer.send(message.clone());
        }
    }

    fn happened(&self) {
        self.news.notify_one();
    }

    async fn serve(self: Arc<Self>, stream: DuplexStream, key: String) {
        let (read, mut write) = tokio::io::split(stream);
        let (say, mut said) = mpsc::unbounded_channel::<Value>();
        self.writers.lock().expect("whole").push(say.clone());
        self.open.fetch_add(1, Ordering::SeqCst);
        self.happened();
        let mut lines = BufReader::new(read).lines();
        loop {
            tokio::select! {
                line = lines.next_line() => {
                    let Ok(Some(line)) = line else { break };
                    let message: Value = serde_json::from_str(&line).expect("JSON");
                    if message["params"]["name"] == "die" {
                        break;
                    }
                    let (fake, say, key) = (Arc::clone(&self), say.clone(), key.clone());
                    tokio::spawn(async move { fake.hear(message, &say, &key).await });
                }
                Some(message) = said.recv() => {
                    let line = match message {
                        Value::String(raw) => raw,
                        message => message.to_string(),
                    };
                    if write.write_all(format!("{line}\n").as_bytes()).await.is_err() {
                        break;
                    }
                }
            }
        }
        self.open.fetch_sub(1, Ordering::SeqCst);
        self.happened();
    }

    fn capabilities(&self) -> Value {
        let mut capabilities = json!({ "tools": { "listChanged": true } });
        for method in self.answers.lock().expect("whole").keys() {
            if let Some((kind, _)) = method.split_once('/') {
                capabilities[kind] = json!({});
            }
        }
        capabilities
    }

    async fn hear(&self, message: Value, say: &mpsc::UnboundedSender<Value>, key: &str) {
        let id = message["id"].clone();
        let answer = |result: Value| {
            let _ = say.send(json!({ "jsonrpc": "2.0", "id": id, "result": result }));
        };
        let fail = |code: i64, text: &str| {
            let _ = say.send(json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": text } }));
        };
        let text = |text: &str| answer(json!({ "content": [{ "type": "text", "text": text }] }));
        let params = &message["params"];
        let method = message["method"].as_str();
        if let Some(result) = method.and_then(|method| self.answers.lock().expect("whole").get(method).cloned()) {
            self.asked.lock().expect("whole").push(message.clone());
            self.happened();
            // Nothing at all, where it is to keep silent.
            if !result.is_null() {
                answer(result);
            }
            return;
        }
        match method {
            Some("server/discover") if self.is_new => answer(json!({
                "resultType": "complete", "supportedVersions": ["2026-07-28"],
                "capabilities": { "tools": { "listChanged": true } }, "ttlMs": 0, "cacheScope": "private",
            })),
            // As some answer whatever they do not know.
            Some("server/discover") if self.is_vague => answer(json!({})),
            Some("server/discover") => fail(-32_601, "Method not found"),
            Some("subscriptions/listen") => {
                *self.subscription.lock().expect("whole") = id.clone();
                let _ = say.send(json!({
                    "jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged",
                    "params": {
                        "_meta": { "io.modelcontextprotocol/subscriptionId": id },
                        "notifications": { "toolsListChanged": true },
                    },
                }));
            }
            Some("initialize") => answer(json!({
                "protocolVersion": "2025-06-18", "capabilities": self.capabilities(),
                "serverInfo": { "name": "fake", "version": "1" },
            })),
            // Two on a page.
            Some("tools/list") => {
                let from: usize = params["cursor"]
                    .as_str()
                    .map_or(0, |cursor| cursor.parse().expect("ours"));
                let mut tools = self.tools.lock().expect("whole").clone();
                // Whoever has a key sees a tool that is theirs alone.
                if !key.is_empty() {
                    tools.push(tool(&format!("of-{key}")));
                }
                let page: Vec<_> = tools.iter().skip(from).take(2).collect();
                let mut result = json!({ "tools": page });
                if from + 2 < tools.len() {
                    result["nextCursor"] = json!((from + 2).to_string());
                }
                answer(result);
            }
            Some("notifications/cancelled") => {
                self.cancelled.fetch_add(1, Ordering::SeqCst);
                self.happened();
            }
            Some("tools/call") => match params["name"].as_str().expect("a name") {
                "hang" => self.happened(),
                "gate" => {
                    self.happened();
                    self.gate.0.acquire().await.expect("open").forget();
                    text("let through");
                }
                // Its id comes last, as it does from servers in TypeScript.
                "huge" => {
                    let long = "x".repeat(10 << 20);
                    let line = format!(
                        "{{\"result\":{{\"content\":[{{\"type\":\"text\",\"text\":\"{long}\"}}]}},\"jsonrpc\":\"2.0\",\"id\":{id}}}"
                    );
                    let _ = say.send(json!(line));
                }
                "ask" => {
                    for (method, id) in [
                        ("sampling/createMessage", "a"),
                        ("elicitation/create", "b"),
                        ("roots/list", "c"),
                    ] {
                        let params = match method {
                            "sampling/createMessage" => json!({ "messages": [], "maxTokens": 1 }),
                            "elicitation/create" => {
                                json!({ "message": "?", "requestedSchema": { "type": "object", "properties": {} } })
                            }
                            _ => json!({}),
                        };
                        let _ = say.send(json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
                    }
                    self.gate.0.acquire_many(3).await.expect("open").forget();
                    text("all refused");
                }
                "progress" => {
                    let token = &params["_meta"]["progressToken"];
                    let _ = say.send(json!({
                        "jsonrpc": "2.0", "method": "notifications/progress",
                        "params": { "progressToken": token, "progress": 1, "total": 2, "message": "half" },
                    }));
                    self.gate.0.acquire().await.expect("open").forget();
                    text("whole");
                }
                "whose" => text(key),
                "refuse" => fail(-32_000, "not today"),
                "mistake" => fail(-32_602, "no such column"),
                "odd" => {
                    let _ = say.send(json!({ "jsonrpc": "2.0", "id": id, "error": "no object" }));
                }
                _ => text(&params["arguments"].to_string()),
            },
            Some(_) => {}
            // What we asked.
            None => {
                if message["error"]["code"] == -32_601 {
                    self.gate.0.add_permits(1);
                }
            }
        }
    }
}

#[async_trait]
impl Dial for Arc<Fake> {
    async fn dial(&self, server: &ToolServer) -> Result<Dialed, Trouble> {
        self.dials.fetch_add(1, Ordering::SeqCst);
        let slow = *self.slow.lock().expect("whole");
        if let Some(slow) = slow {
            tokio::time::sleep(slow).await;
        }
        let broken = self.broken.load(Ordering::SeqCst);
        if broken > 0 {
            self.broken.store(broken - 1, Ordering::SeqCst);
            return Err(Trouble::NoAnswer);
        }
        let key = key(server);
        if self.refused.lock().expect("whole").contains(&key) {
            return Err(Trouble::Unauthorized);
        }
        let (ours, theirs) = duplex(64 << 10);
        tokio::spawn(Arc::clone(self).serve(theirs, key));
        let (read, write) = tokio::io::split(ours);
        let begun = begin(Lines::new("fake", read, write)).await;
        let (running, listeners, changed) = begun.map_err(|error| of_beginning(&error))?;
        Ok(Dialed {
            running,
            listeners,
            changed,
            how_it_ended: Box::new(|| Trouble::Ended { code: Some(3) }),
        })
    }
}

/// A server of this name.
pub(super) fn server(name: &str) -> ToolServer {
    ToolServer {
        name: name.to_owned(),
        transport: ToolTransport::Http {
            url: Secret(String::new()),
            headers: Vec::new(),
        },
        limit: None,
        timeout: Duration::from_secs(60),
        connect_timeout: Duration::from_secs(30),
        idle: Duration::from_secs(600),
        leave: LeaveRules::default(),
        only: None,
        own: OwnValues::default(),
        resources: true,
        prompts: true,
    }
}

pub(super) fn settings(servers: impl IntoIterator<Item = ToolServer>) -> ToolSettings {
    ToolSettings {
        servers: servers.into_iter().map(Arc::new).collect(),
        keeper: None,
        ..ToolSettings::default()
    }
}
