//! Streams that say where a request stands, and that go on where they broke off.

use std::time::Duration;

use serde_json::json;

use super::chat::refused;
use crate::support::{
    Site,
    events::{Event, text_of},
    program::{Program, Stream},
    soon,
};

const KEY: &str = "idempotency-key";
const LAST: &str = "last-event-id";

/// A site with one slot, which somebody has.
async fn busy() -> (Site, Program) {
    let site = Site::start(&[]).await;
    site.model.hold(true);
    site.browser().await.send("The first").await;
    site.until_load(1, 0).await;
    soon("the model", site.model.until(|record| record.now == 1)).await;
    let program = Program::new(site.addr);
    (site, program)
}

async fn next(stream: &mut Stream) -> Event {
    stream.event().await.expect("an event")
}

#[tokio::test]
async fn a_stream_says_where_it_stands_and_what_the_model_says() {
    let (site, program) = busy().await;
    let body = json!({ "message": "The second [[tokens=4 reasoning=2]]" });
    let mut stream = program.stream(program.post("/chat/stream", &body)).await;
    assert_eq!(stream.header("content-type"), Some("text/event-stream; charset=utf-8"));
    assert_eq!(stream.header("x-anteroom-position"), Some("1"));
    let placed = next(&mut stream).await;
    assert_eq!((placed.name.as_str(), placed.number()), ("position", 0));
    assert_eq!(
        (&placed.data["position"], &placed.data["waiting"]),
        (&json!(1), &json!(1))
    );
    site.model.hold(false);
    let events = stream.events().await;
    let started = events
        .iter()
        .position(|event| event.name == "started")
        .expect("it starts");
    assert!(
        events[..started].iter().all(|event| event.name == "position"),
        "{events:?}"
    );
    let told = &events[started..];
    let numbers: Vec<_> = told.iter().map(Event::number).collect();
    assert_eq!(
        numbers,
        (1..=told.len() as u64).collect::<Vec<_>>(),
        "each has the next number"
    );
    let (done, parts) = told[1..].split_last().expect("an end");
    assert!(parts.iter().all(|event| event.name == "part"), "{parts:?}");
    assert_eq!(text_of(parts), "Answer to: The second\n\nword1 word2 word3 ");
    assert!(parts[0].data["reasoning"].is_string(), "thoughts come first: {parts:?}");
    assert_eq!(done.name, "done");
    assert_eq!(
        (&done.data["model"], &done.data["finish"], &done.data["usage"]["output"]),
        (&json!("loopback@openai"), &json!("stop"), &json!(6))
    );
}

#[tokio::test]
async fn a_stream_goes_on_after_the_last_event_that_was_read() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    let body = json!({ "message": "Hello [[tokens=6]]" });
    let ask = || program.post("/api/v1/chat/stream", &body).header(KEY, "mine");
    let whole = program.stream(ask()).await.events().await;
    assert!(whole.len() > 5, "{whole:?}");
    for (at, last) in whole.iter().enumerate().take(whole.len() - 1) {
        let rest = program.stream(ask().header(LAST, &last.id)).await.events().await;
        assert_eq!(rest, whole[at + 1..], "after {}", last.id);
    }
    let end = &whole.last().expect("an end").id;
    let response = ask().header(LAST, end).send().await.expect("an answer");
    assert_eq!(response.status().as_u16(), 204, "there is no more to come");
    assert_eq!(site.model.record().of("Hello").count(), 1);
}

#[tokio::test]
async fn a_stream_that_breaks_off_in_the_middle_has_no_gap_and_no_repeat() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    let body = json!({ "message": "Hello [[tokens=6 gate=middle after=2]]" });
    let ask = || program.post("/api/v1/chat/stream", &body).header(KEY, "mine");
    let mut stream = program.stream(ask()).await;
    let mut read = vec![next(&mut stream).await, next(&mut stream).await];
    drop(stream);
    let last = read.last().expect("one").id.clone();
    let mut stream = program.stream(ask().header(LAST, last)).await;
    site.model.open("middle");
    read.extend(stream.events().await);
    assert_eq!(text_of(&read), "Answer to: Hello\n\nword1 word2 word3 word4 word5 ");
    let numbers: Vec<_> = read.iter().map(Event::number).collect();
    assert_eq!(numbers, (1..=read.len() as u64).collect::<Vec<_>>());
    assert_eq!(site.model.record().of("Hello").count(), 1);
}

#[tokio::test]
async fn one_that_waits_goes_on_in_its_place() {
    let (site, program) = busy().await;
    let body = json!({ "message": "The second" });
    let ask = || program.post("/api/v1/chat/stream", &body).header(KEY, "mine");
    let mut stream = program.stream(ask()).await;
    let placed = next(&mut stream).await;
    drop(stream);
    site.browser().await.send("The third").await;
    site.until_load(1, 2).await;
    let mut stream = program.stream(ask().header(LAST, &placed.id)).await;
    let again = next(&mut stream).await;
    assert_eq!(
        (again.request(), &again.data["position"]),
        (placed.request(), &json!(1))
    );
    site.model.hold(false);
    let events = stream.events().await;
    assert!(text_of(&events).starts_with("Answer to: The second"));
}

#[tokio::test]
async fn what_is_not_kept_is_said_to_be_gone_or_asked_anew() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    let body = json!({ "message": "Hello" });
    let ask = |last: &str| program.post("/api/v1/chat/stream", &body).header(LAST, last);
    // Nobody said that it would come back.
    let events = program
        .stream(program.post("/api/v1/chat/stream", &body))
        .await
        .events()
        .await;
    let gone = program.ask(ask(&events[2].id)).await;
    assert_eq!(refused(&gone), (410, "request_gone"));
    for last in [0, 1].map(|number| format!("{}-{number}", events[0].request())) {
        let anew = program.stream(ask(&last)).await.events().await;
        assert!(text_of(&anew).starts_with("Answer to: Hello"), "{anew:?}");
    }
    let odd = program.ask(ask("12")).await;
    assert_eq!(refused(&odd), (400, "request_invalid"));
}

#[tokio::test]
async fn a_program_that_goes_leaves_the_line_unless_it_has_named_its_request() {
    let (site, program) = busy().await;
    let body = json!({ "message": "The second" });
    let mut stream = program.stream(program.post("/api/v1/chat/stream", &body)).await;
    next(&mut stream).await;
    drop(stream);
    site.until_load(1, 0).await;
    let named = program.post("/api/v1/chat/stream", &body).header(KEY, "mine");
    let mut stream = program.stream(named).await;
    let placed = next(&mut stream).await;
    drop(stream);
    // Others come and go, and it is still there.
    let mut other = program.stream(program.post("/api/v1/chat/stream", &body)).await;
    assert_eq!(next(&mut other).await.data["position"], 2);
    drop(other);
    site.until_load(1, 1).await;
    let end = || program.delete(&format!("/api/v1/chat/{}", placed.request()));
    let ended = end().send().await.expect("an answer");
    assert_eq!(ended.status().as_u16(), 204);
    site.until_load(1, 0).await;
    // Once it has ended there is none of its id.
    let gone = async {
        while end().send().await.expect("an answer").status().as_u16() != 404 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon("the end of the request", gone).await;
    assert_eq!(site.model.record().of("The second").count(), 0);
}

#[tokio::test]
async fn a_fault_is_the_last_event() {
    let site = Site::start(&[("MODEL_RETRIES", "0")]).await;
    let program = Program::new(site.addr);
    let body = json!({ "message": "Hello [[tokens=5 fault=close:2]]" });
    let events = program
        .stream(program.post("/api/v1/chat/stream", &body))
        .await
        .events()
        .await;
    let last = events.last().expect("an end");
    assert_eq!(last.name, "error", "{events:?}");
    assert_eq!(last.data["reason"]["code"], "model_cut_off");
    assert!(last.data["message"].as_str().is_some_and(|message| !message.is_empty()));
    assert_eq!(events.iter().filter(|event| event.name == "error").count(), 1);
}

#[tokio::test]
async fn a_full_line_is_a_status() {
    let site = Site::start(&[("QUEUE_MAX_SIZE", "1")]).await;
    site.model.hold(true);
    let browser = site.browser().await;
    browser.send("The first").await;
    browser.send("The second").await;
    site.until_load(1, 1).await;
    let program = Program::new(site.addr);
    for path in ["/api/v1/chat", "/api/v1/chat/stream"] {
        let whole = program.ask(program.post(path, &json!({ "message": "Hello" }))).await;
        assert_eq!(refused(&whole), (429, "line_full"));
        let seconds: u64 = whole.header("retry-after").expect("a time").parse().expect("seconds");
        assert!((1..=120).contains(&seconds));
    }
}
