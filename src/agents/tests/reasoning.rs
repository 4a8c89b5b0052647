//! What a model thinks before it answers, as each server tells it.

use axum::{body::Body, response::Response};
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use super::{
    providers::{Stub, events},
    *,
};

/// Makes a frame of one piece.
type Piece = Box<dyn Fn(&str) -> Value>;

/// What a model thinks and says, in each provider's own way, with what it says last.
fn thinking(provider: &str, thoughts: &[&str], text: &[&str], ended: bool) -> String {
    let delta = |kind: &str, of: Value| json!({ "type": "content_block_delta", "delta": { "type": kind, (kind.trim_end_matches("_delta")): of } });
    let part = |part: Value| json!({ "candidates": [{ "content": { "parts": [part] } }] });
    let choice = |delta: Value| json!({ "choices": [{ "delta": delta }] });
    let (thought, said, end): (Piece, Piece, Value) = match provider {
        "openai" => (
            Box::new(move |piece| choice(json!({ "reasoning_content": piece, "content": null }))),
            Box::new(move |piece| choice(json!({ "reasoning_content": null, "content": piece }))),
            json!({ "choices": [{ "delta": {}, "finish_reason": "stop" }] }),
        ),
        "openrouter" => (
            Box::new(move |piece| choice(json!({ "reasoning": piece, "content": "" }))),
            Box::new(move |piece| choice(json!({ "content": piece }))),
            json!({ "choices": [{ "delta": {}, "finish_reason": "stop" }] }),
        ),
        "both" => (
            Box::new(move |piece| choice(json!({ "reasoning_content": piece, "reasoning": piece }))),
            Box::new(move |piece| choice(json!({ "reasoning_content": "", "content": piece }))),
            json!({ "choices": [{ "delta": {}, "finish_reason": "stop" }] }),
        ),
        "ollama" => (
            Box::new(|piece| json!({ "message": { "content": "", "thinking": piece }, "done": false })),
            Box::new(|piece| json!({ "message": { "content": piece }, "done": false })),
            json!({ "message": { "content": "" }, "done": true }),
        ),
        "anthropic" => (
            Box::new(move |piece| delta("thinking_delta", json!(piece))),
            Box::new(move |piece| delta("text_delta", json!(piece))),
            json!({ "type": "message_stop" }),
        ),
        _ => (
            Box::new(move |piece| part(json!({ "text": piece, "thought": true }))),
            Box::new(move |piece| part(json!({ "text": piece }))),
            json!({ "candidates": [{ "finishReason": "STOP" }] }),
        ),
    };
    let mut frames: Vec<Value> = thoughts.iter().map(|piece| thought(piece)).collect();
    frames.extend(text.iter().map(|piece| said(piece)));
    frames.extend(ended.then_some(end));
    if provider == "ollama" {
        return frames.iter().map(|frame| format!("{frame}\n")).collect();
    }
    events(&frames)
}

/// Each way of telling what a model thinks, the model that tells it, and the variable with the address of its server.
const THINKERS: [(&str, &str, &str); 6] = [
    ("openai", "m@openai", "OPENAI_BASE_URL"),
    ("openrouter", "m@openai", "OPENAI_BASE_URL"),
    ("both", "m@openai", "OPENAI_BASE_URL"),
    ("ollama", "m@ollama", "OLLAMA_URL"),
    ("anthropic", "m@anthropic", "ANTHROPIC_BASE_URL"),
    ("gemini", "m@gemini", "GEMINI_BASE_URL"),
];

/// All parts, those of one kind in a row joined.
async fn parts(mut asked: Asked) -> (Vec<Part>, Result<Answered, AgentError>) {
    let mut parts: Vec<Part> = Vec::new();
    while let Some(part) = asked.parts.recv().await {
        match (parts.last_mut(), part) {
            (Some(Part::Text(text)), Part::Text(piece)) | (Some(Part::Reasoning(text)), Part::Reasoning(piece)) => {
                text.push_str(&piece);
            }
            (_, part) => parts.push(part),
        }
    }
    (parts, asked.outcome.await.unwrap())
}

#[tokio::test]
async fn what_a_model_thinks_is_told_apart_from_what_it_says() {
    for (way, model, address) in THINKERS {
        let body = thinking(way, &["Let me ", "see: é"], &["A c", "at."], true);
        let stub = Stub::streaming("text/event-stream", body).await;
        let (parts, outcome) = parts(ask(&agent(&[("MODEL", model), (address, &stub.url)]), question("q"))).await;
        outcome.unwrap();
        let expected = [
            Part::Reasoning("Let me see: é".to_owned()),
            Part::Text("A cat.".to_owned()),
        ];
        assert_eq!(parts, expected, "{way}");
    }
}

#[tokio::test]
async fn thoughts_alone_are_no_answer() {
    for (way, model, address) in THINKERS {
        let stub = Stub::streaming("text/event-stream", thinking(way, &["hm"], &[], true)).await;
        let (parts, outcome) = parts(ask(&agent(&[("MODEL", model), (address, &stub.url)]), question("q"))).await;
        assert_eq!(outcome, Err(AgentError::Empty), "{way}");
        assert_eq!(parts, [Part::Reasoning("hm".to_owned())], "{way}");
        assert_eq!(
            stub.got.lock().unwrap().len(),
            1,
            "{way}: asking again would not mend it"
        );
    }
}

#[tokio::test]
async fn a_reader_that_goes_while_the_model_thinks_is_no_fault() {
    for (way, model, address) in THINKERS {
        let stub = Stub::start(move |_| {
            let thoughts = thinking(way, &["hm"], &[], false);
            let endless =
                futures_util::stream::iter([Ok::<_, std::io::Error>(thoughts)]).chain(futures_util::stream::pending());
            Response::new(Body::from_stream(endless))
        })
        .await;
        let mut asked = ask(&agent(&[("MODEL", model), (address, &stub.url)]), question("q"));
        assert_eq!(
            asked.parts.recv().await,
            Some(Part::Reasoning("hm".to_owned())),
            "{way}"
        );
        drop(asked.parts);
        assert_eq!(asked.outcome.await.unwrap(), Ok(Answered::default()), "{way}");
    }
}

#[tokio::test]
async fn what_is_no_text_where_thoughts_are_expected_harms_no_answer() {
    let frames = [
        json!({ "choices": [{ "delta": { "content": "A ", "reasoning": { "effort": "low" } } }] }),
        json!({ "choices": [{ "delta": { "content": "cat.", "reasoning": true } }] }),
        json!({ "choices": [{ "delta": {}, "finish_reason": "stop" }] }),
    ];
    let stub = Stub::streaming("text/event-stream", events(&frames)).await;
    let agent = agent(&[("MODEL", "m@openai"), ("OPENAI_BASE_URL", &stub.url)]);
    let (text, outcome) = ask(&agent, question("q")).all().await;
    outcome.unwrap();
    assert_eq!(text, "A cat.");
}
