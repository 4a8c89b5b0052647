//! What the log holds of a fault: enough to mend it, never a key, a message's text only at debug.

use std::{
    io,
    sync::{Mutex, MutexGuard},
};

use axum::{body::Body, response::Response};
use serde_json::json;
use tracing::Level;

use super::{
    providers::{Stub, events},
    *,
};
use crate::agents::ToolSpec;

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap()
    }
}

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Somebody who listens at this level, and what they have heard.
fn listening(level: Level) -> (impl tracing::Subscriber + Send + Sync, Written) {
    let written = Written::default();
    let writer = written.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(false)
        .with_writer(move || writer.clone());
    (subscriber.finish(), written)
}

/// What is logged at this level when a server refuses with all that it was told.
async fn logged(level: Level) -> String {
    let stub = Stub::start(|got| {
        let key = got.headers["authorization"].to_str().unwrap();
        let body = format!(
            "not with {key}: {} {}",
            got.body["messages"][0]["content"],
            "x".repeat(5000)
        );
        Response::builder().status(400).body(Body::from(body)).unwrap()
    })
    .await;
    let talker = agent(&[
        ("MODEL", "m@openai"),
        ("OPENAI_BASE_URL", &stub.url),
        ("OPENAI_API_KEY", "sk-very-secret"),
    ]);
    let (subscriber, written) = listening(level);
    let mut question = question("my diary");
    question.model = talker.backends.default_model();
    let asked = || {
        let (sender, pieces) = mpsc::channel(8);
        let answer = talker.agent.answer(question.clone(), sender, CancellationToken::new());
        async move {
            let _pieces = pieces;
            answer.await
        }
    };
    // A record's place in the code that is first come by where nobody listens, in another test at the same time, might stay mute. This
    // has all of them come by before anybody listens here, which makes them look again.
    let _unheard = asked().await;
    let guard = tracing::subscriber::set_default(subscriber);
    // In this task: the subscriber is this thread's only.
    let outcome = asked().await;
    drop(guard);
    assert_eq!(outcome, Err(AgentError::Rejected { status: 400 }));
    let text = String::from_utf8(written.lock().clone()).unwrap();
    assert!(!text.contains("very-secret"), "{text}");
    text
}

#[tokio::test]
async fn that_a_model_takes_no_tools_is_told_to_the_operator_once() {
    let stub = Stub::start(|got| {
        let (status, body) = match got.body.get("tools") {
            Some(_) => (400, json!({ "error": "m does not support tools" }).to_string()),
            None => {
                let answer = json!({ "choices": [{ "delta": { "content": "Hi" }, "finish_reason": "stop" }] });
                (200, events(&[answer]))
            }
        };
        Response::builder().status(status).body(Body::from(body)).unwrap()
    })
    .await;
    let variables = [
        ("MODEL", "m@openai"),
        ("OPENAI_BASE_URL", &*stub.url),
        ("OPENAI_API_KEY", "k"),
    ];
    let talker = agent(&variables);
    let mut question = question("q");
    question.model = talker.backends.default_model();
    let tool = ToolSpec {
        name: "add".to_owned(),
        description: String::new(),
        schema: json!({ "type": "object" }),
    };
    question.tools = [tool].into();
    let asked = || {
        let (sender, pieces) = mpsc::channel(8);
        let answer = talker.agent.answer(question.clone(), sender, CancellationToken::new());
        async move {
            let _pieces = pieces;
            answer.await.unwrap()
        }
    };
    // As above: come by once before anybody listens, and forgotten by an edit.
    asked().await;
    talker.backends.retune(&load(&variables).settings).unwrap();
    let (subscriber, written) = listening(Level::WARN);
    let guard = tracing::subscriber::set_default(subscriber);
    for _ in 0..2 {
        asked().await;
    }
    drop(guard);
    let text = String::from_utf8(written.lock().clone()).unwrap();
    assert_eq!(text.matches("takes no tools").count(), 1, "{text}");
    assert!(text.contains("m@openai"), "{text}");
}

#[tokio::test]
async fn a_refusal_is_logged_without_what_was_said() {
    let text = logged(Level::INFO).await;
    assert!(text.contains("status 400") && text.contains("openai"), "{text}");
    assert!(!text.contains("diary"), "{text}");
}

#[tokio::test]
async fn at_debug_its_beginning_is_logged_too() {
    let text = logged(Level::DEBUG).await;
    assert!(text.contains("diary") && text.contains("(hidden)"), "{text}");
    assert!(!text.contains(&"x".repeat(300)), "{text}");
}
