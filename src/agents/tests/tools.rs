//! Tools, in the words of each format: what is offered, what is called, and what is given back.

mod formats;
mod rounds;
mod without;

use anteroom_loopback::{Config, Loopback};
use axum::{body::Body, response::Response};
use serde_json::{Value, json};

use super::{
    providers::{Stub, events},
    *,
};
use crate::agents::{Notice, ToolCall, ToolResult, ToolSpec};

/// A question that offers a tool.
fn offering(messages: Vec<Message>) -> Question {
    let tool = ToolSpec {
        name: "add".to_owned(),
        description: "Adds two numbers.".to_owned(),
        schema: json!({ "type": "object", "properties": { "x": { "type": "number" } }, "required": ["x"] }),
    };
    Question {
        tools: [tool].into(),
        ..question_of(messages, Parameters::default())
    }
}

fn called(id: &str, arguments: &str) -> ToolCall {
    ToolCall {
        id: id.to_owned(),
        name: "add".to_owned(),
        arguments: arguments.to_owned(),
        opaque: None,
        thoughts: None,
    }
}

fn returned(id: &str, content: &str) -> ToolResult {
    ToolResult {
        id: id.to_owned(),
        name: "add".to_owned(),
        content: content.to_owned(),
        images: Vec::new(),
        failed: false,
    }
}

/// A conversation in which two calls were made: one that brought a picture, and one that failed and was no JSON.
fn used() -> Vec<Message> {
    let mut sum = returned("a", "3");
    sum.images.push(picture("sum.png"));
    let failed = ToolResult {
        failed: true,
        ..returned("b", "no JSON")
    };
    let opaque = Some("{\"google\":{\"thought_signature\":\"s\"}}".to_owned());
    vec![
        said(Role::User, "add"),
        Message {
            calls: vec![
                ToolCall {
                    opaque,
                    ..called("a", "{\"x\": 1}")
                },
                called("b", "{\"x\""),
            ],
            ..said(Role::Agent, "")
        },
        Message {
            results: vec![sum, failed],
            ..said(Role::User, "")
        },
    ]
}

/// The variable that says where a provider's servers are, and its key's.
fn variables(model: &str) -> (&'static str, &'static str) {
    match model.rsplit('@').next() {
        Some("openai") => ("OPENAI_BASE_URL", "OPENAI_API_KEY"),
        Some("anthropic") => ("ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"),
        Some("gemini") => ("GEMINI_BASE_URL", "GEMINI_API_KEY"),
        _ => ("OLLAMA_URL", "OPENAI_API_KEY"),
    }
}

fn agent_at(model: &str, url: &str) -> Talker {
    let (address, key) = variables(model);
    agent(&[("MODEL", model), (address, url), (key, "k")])
}

/// All parts of an answer, and how it ended.
async fn parts(talker: &Talker, question: Question) -> (Vec<Part>, Result<Answered, AgentError>) {
    let mut asked = ask(talker, question);
    let mut parts = Vec::new();
    while let Some(part) = asked.parts.recv().await {
        parts.push(part);
    }
    (parts, asked.outcome.await.unwrap())
}

/// What a server of `model` is asked, and what is heard of its answer.
async fn exchange(model: &str, question: Question, answer: String) -> (Value, Vec<Part>) {
    let mime = "text/event-stream";
    let stub = Stub::streaming(mime, answer).await;
    let (parts, outcome) = parts(&agent_at(model, &stub.url), question).await;
    outcome.unwrap();
    let body = stub.got.lock().unwrap().remove(0).body;
    (body, parts)
}

fn openai_answer(calls: &Value, finish: &str) -> String {
    events(&[
        json!({ "choices": [{ "index": 0, "delta": { "role": "assistant", "content": null, "tool_calls": calls } }] }),
        json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": finish }] }),
    ])
}
