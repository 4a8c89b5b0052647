//! What is sent while there is no answer yet, in paused time.

use axum::{
    body::{Body, to_bytes},
    response::IntoResponse as _,
};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::Instant;

use super::*;
use crate::{accounts::Program, logs::Logs, settings::Settings};

/// An engine whose demo model says its first word after 25 seconds, in paused time from here on.
async fn slow(folder: &TempDir, settings: &[(&str, &str)]) -> Arc<Engine> {
    let data = ("DATA_DIR", folder.path().to_str().expect("a path"));
    let demo = [
        data,
        ("MODEL", "demo@builtin"),
        ("DEMO_FIRST_TOKEN", "25"),
        ("DEMO_SPEED", "10000"),
    ];
    let variables = demo.iter().chain(settings);
    let variables = variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let loaded = Settings::load(variables.collect::<Vec<_>>(), None).expect("good settings");
    let engine = Engine::start(loaded, Logs::default()).await.expect("it starts");
    tokio::time::pause();
    engine
}

async fn ask(engine: &Arc<Engine>, streams: bool) -> Response {
    let body = json!({ "model": "demo", "messages": [{ "role": "user", "content": "Hello" }], "stream": streams });
    let who = Principal::program(Program::LOCAL);
    let body = Ok(Bytes::from(body.to_string()));
    let answered = completions(State(Arc::clone(engine)), who, HeaderMap::new(), body).await;
    answered.unwrap_or_else(|error| error.into_response())
}

/// What comes of a body, each time with the second of its coming.
async fn timed(mut body: Body, since: Instant) -> Vec<(u64, String)> {
    let mut all = Vec::new();
    while let Some(frame) = body.frame().await {
        let data = frame.expect("it does not break off").into_data().expect("data");
        let text = String::from_utf8(data.to_vec()).expect("text");
        all.push((since.elapsed().as_secs(), text));
    }
    all
}

#[tokio::test]
async fn an_answer_in_one_body_is_preceded_by_empty_lines() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = slow(&folder, &[]).await;
    let since = Instant::now();
    let response = ask(&engine, false).await;
    let opened = since.elapsed().as_secs();
    assert_eq!((response.status(), opened), (StatusCode::OK, waiting::OPEN.as_secs()));
    let came = timed(response.into_body(), since).await;
    let [(20, line), (25, whole)] = &came[..] else {
        panic!("{came:?}")
    };
    assert_eq!(line, "\n");
    let whole: Value = serde_json::from_str(whole).expect("JSON");
    assert!(whole["choices"][0]["message"]["content"].is_string(), "{whole}");
}

#[tokio::test]
async fn a_fault_has_its_status_until_the_head_is_sent_and_a_body_from_then_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = slow(&folder, &[("CHAT_TIMEOUT", "5")]).await;
    let early = ask(&engine, false).await;
    assert_eq!(early.status(), StatusCode::GATEWAY_TIMEOUT);
    let folder = tempfile::tempdir().expect("a folder");
    tokio::time::resume();
    let engine = slow(&folder, &[("CHAT_TIMEOUT", "15")]).await;
    let late = ask(&engine, false).await;
    assert_eq!(late.status(), StatusCode::OK);
    let body = to_bytes(late.into_body(), usize::MAX).await.expect("a body");
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(body["error"]["code"], "timeout");
    let stream = ask(&engine, true).await;
    assert_eq!(stream.status(), StatusCode::OK);
    let body = to_bytes(stream.into_body(), usize::MAX).await.expect("a body");
    let body = String::from_utf8(body.to_vec()).expect("text");
    let (comment, event) = body.split_once('\n').expect("two lines");
    assert_eq!(comment, ": answering");
    let event = event
        .strip_prefix("data: ")
        .and_then(|event| event.strip_suffix("\n\n"));
    let event: Value = serde_json::from_str(event.expect("an event")).expect("JSON");
    assert_eq!(event["error"]["code"], "timeout");
}

#[tokio::test]
async fn a_stream_gives_a_sign_of_life_every_ten_seconds() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = slow(&folder, &[]).await;
    let since = Instant::now();
    let response = ask(&engine, true).await;
    assert_eq!(since.elapsed().as_secs(), waiting::OPEN.as_secs());
    let came = timed(response.into_body(), since).await;
    assert_eq!(came[0], (10, ": answering\n".to_owned()));
    assert_eq!(came[1], (20, ": answering\n".to_owned()));
    assert!(came[2].0 == 25 && came[2].1.starts_with("data: "), "{came:?}");
    assert!(came.last().expect("one").1.ends_with("data: [DONE]\n\n"));
}

#[tokio::test]
async fn one_that_waits_is_told_of_its_place_at_once_and_of_each_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = slow(&folder, &[("CHAT_CONCURRENCY_LIMIT", "1")]).await;
    let since = Instant::now();
    let first = tokio::spawn({
        let engine = Arc::clone(&engine);
        async move { ask(&engine, false).await }
    });
    while engine.queue().running() == 0 {
        tokio::task::yield_now().await;
    }
    let second = ask(&engine, true).await;
    assert_eq!(
        (
            second.headers()["x-anteroom-position"].as_bytes(),
            since.elapsed().as_secs()
        ),
        (&b"1"[..], 0)
    );
    let third = ask(&engine, true).await;
    assert_eq!(third.headers()["x-anteroom-position"], "2");
    let (second, third) = tokio::join!(timed(second.into_body(), since), timed(third.into_body(), since));
    first.await.expect("it runs");
    let positions = |came: &[(u64, String)]| -> Vec<String> {
        let comments = came.iter().filter_map(|(_, text)| text.strip_prefix(": "));
        let mut positions: Vec<_> = comments
            .map(|comment| comment.trim_end().split(' ').next().unwrap_or("").to_owned())
            .collect();
        positions.dedup();
        positions
    };
    assert_eq!(positions(&second), ["position=1", "answering"]);
    assert_eq!(positions(&third), ["position=2", "position=1", "answering"]);
    // Nobody is silent for longer than that.
    for came in [&second, &third] {
        for pair in came.windows(2) {
            assert!(pair[1].0 - pair[0].0 <= 10, "{came:?}");
        }
    }
}
