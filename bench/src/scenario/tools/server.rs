//! A server of tools that does nothing, as fast as it can: over HTTP, and as a program.

use std::{
    io::{BufRead as _, Write as _},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::Context as _;
use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::post,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::model::Apart;

/// Its one tool.
pub(super) const TOOL: &str = "look_up";
/// The word that makes a server of tools of the load generator's own program.
pub(crate) const SERVE: &str = "serve-tools";
/// What asks for the list of its tools.
const LIST: &str = "tools/list";

/// It runs on a thread of its own, and stops when this is dropped.
#[derive(Debug)]
pub(super) struct Server(Apart<Served>);

#[derive(Debug)]
struct Served {
    url: String,
    listed: Arc<AtomicUsize>,
    server: JoinHandle<std::io::Result<()>>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Server {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let begin = async {
            let listener = TcpListener::bind("127.0.0.1:0")
                .await
                .context("no port for the server of tools")?;
            let url = format!("http://{}/mcp", listener.local_addr()?);
            let listed = Arc::new(AtomicUsize::new(0));
            let router = Router::new()
                .route("/mcp", post(answer))
                .with_state(Arc::clone(&listed));
            let serve = axum::serve(
                axum::serve::ListenerExt::tap_io(listener, |stream| {
                    // An answer that is held back for a moment would be the server's time, not the client's.
                    let _ = stream.set_nodelay(true);
                }),
                router,
            );
            let server = tokio::spawn(serve.into_future());
            Ok(Served { url, listed, server })
        };
        Ok(Self(Apart::start(begin).await?))
    }

    pub(super) fn url(&self) -> &str {
        &self.0.url
    }

    /// How often it was asked what tools it has.
    pub(super) fn listed(&self) -> usize {
        self.0.listed.load(Ordering::Relaxed)
    }
}

async fn answer(State(listed): State<Arc<AtomicUsize>>, Json(message): Json<Value>) -> Response {
    if message["method"] == LIST {
        listed.fetch_add(1, Ordering::Relaxed);
    }
    match reply(&message) {
        Some(reply) => Json(reply).into_response(),
        None => StatusCode::ACCEPTED.into_response(),
    }
}

/// The same as a program: messages are lines of its standard input and output. Until the input ends. Whenever it is asked what tools it has, it makes
/// the file that its first argument names.
pub(crate) fn serve(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let listed = arguments.next();
    let mut output = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let message: Value = serde_json::from_str(&line?)?;
        if let Some(file) = listed.as_ref().filter(|_| message["method"] == LIST) {
            std::fs::write(file, "")?;
        }
        if let Some(reply) = reply(&message) {
            output.write_all(format!("{reply}\n").as_bytes())?;
            output.flush()?;
        }
    }
    Ok(())
}

/// What it has to say to a message; `None`: nothing.
fn reply(message: &Value) -> Option<Value> {
    let method = message["method"].as_str().unwrap_or_default();
    if method.starts_with("notifications/") {
        return None;
    }
    let id = &message["id"];
    let result = match method {
        "initialize" => json!({
            "protocolVersion": "2025-06-18", "capabilities": { "tools": {} }, "serverInfo": { "name": "bench", "version": "1" },
        }),
        LIST => {
            let schema = json!({
                "type": "object", "properties": { "question": { "type": "string" } }, "required": ["question"],
            });
            json!({ "tools": [{
                "name": TOOL, "description": "Looks something up.", "inputSchema": schema,
                "annotations": { "readOnlyHint": true, "openWorldHint": false },
            }] })
        }
        "tools/call" => {
            let text = format!(
                "{} Nothing of note was said by anybody.",
                message["params"]["arguments"]["question"]
            );
            json!({ "content": [{ "type": "text", "text": text }] })
        }
        _ => {
            let error = json!({ "code": -32601, "message": "Method not found" });
            return Some(json!({ "jsonrpc": "2.0", "id": id, "error": error }));
        }
    };
    Some(json!({ "jsonrpc": "2.0", "id": id, "result": result }))
}
