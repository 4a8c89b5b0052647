//! What the documents show of answers: compared with what a server really sends.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{Way, of};
use crate::{
    Served,
    process::{GIVE_UP, command, model},
};

/// Whether two values have the same fields, of the same kinds. What the fields say differs each time.
pub(super) fn is_alike(shown: &Value, real: &Value) -> bool {
    match (shown, real) {
        (Value::Object(shown), Value::Object(real)) => {
            let is_there = |(name, value)| real.get(name).is_some_and(|real| is_alike(value, real));
            shown.len() == real.len() && shown.iter().all(is_there)
        }
        (Value::Array(shown), Value::Array(real)) => {
            shown.len() == real.len() && shown.iter().zip(real).all(|(shown, real)| is_alike(shown, real))
        }
        (shown, real) => std::mem::discriminant(shown) == std::mem::discriminant(real),
    }
}

/// An event: the number in its id, its name, its data.
#[derive(Debug)]
struct Event {
    number: u64,
    name: String,
    data: Value,
}

/// The events of a stream, of several with the same id the last one.
fn events(text: &str) -> Vec<Event> {
    let events = text.trim().split("\n\n").map(|event| {
        let field = |name: &str| {
            let field = event.lines().find_map(|line| line.strip_prefix(name));
            field.unwrap_or_else(|| panic!("{name} is missing: {event}")).to_owned()
        };
        let id = field("id: ");
        let (_, number) = id.rsplit_once('-').expect("an id with a number");
        Event {
            number: number.parse().expect("a number"),
            name: field("event: "),
            data: serde_json::from_str(&field("data: ")).expect("JSON"),
        }
    });
    let mut events: Vec<Event> = events.collect();
    events.reverse();
    events.dedup_by_key(|event| event.number);
    events.reverse();
    events
}

#[tokio::test]
async fn a_stream_has_the_events_that_the_documents_show() {
    let served = Served::start().await;
    let ask = |text: &str| {
        let request = served.site.http.post(format!("{}/api/v1/chat/stream", served.site.url));
        request.body(json!({ "message": text }).to_string()).send()
    };
    for block in of(Way::Stream) {
        // Without any answer before, nobody could say when another one begins.
        for number in 0..5 {
            let answered = ask(&number.to_string()).await.expect("an answer");
            answered.text().await.expect("events");
        }
        served.model.hold(true);
        let first = ask("First").await.expect("an answer");
        served.until_line(1, 0).await;
        let second = ask("Second [[tokens=1]]").await.expect("an answer");
        served.until_line(1, 1).await;
        served.model.hold(false);
        let (_, real) = tokio::join!(first.text(), second.text());
        let (real, shown) = (events(&real.expect("events")), events(&block.text));
        let names = |events: &[Event]| events.iter().map(|event| event.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&shown), names(&real), "{real:?}");
        for (shown, real) in shown.iter().zip(&real) {
            assert_eq!(shown.number, real.number, "{real:?}");
            assert!(is_alike(&shown.data, &real.data), "{shown:?}: {real:?}");
        }
    }
}

#[tokio::test]
async fn answers_have_the_headers_of_rates_that_the_documents_show() {
    let served = Served::start_with(&[("KEY_REQUESTS_PER_MINUTE", "60")]).await;
    for block in of(Way::Rates) {
        let answer = served.site.http.get(format!("{}/api/v1/key", served.site.url)).send();
        let answer = answer.await.expect("an answer");
        for line in block.text.lines() {
            let (name, shown) = line.split_once(": ").expect("a header");
            let real = answer.headers().get(name).and_then(|value| value.to_str().ok());
            let real = real.unwrap_or_else(|| panic!("{name} is not sent"));
            assert_eq!(without_figures(shown), without_figures(real), "{name}");
            // What is left, and until when, is another figure each time.
            assert!(name != "RateLimit-Policy" || shown == real, "{shown}: {real}");
        }
    }
}

fn without_figures(text: &str) -> String {
    let pieces = text.split(|letter: char| letter.is_ascii_digit());
    pieces.filter(|piece| !piece.is_empty()).collect::<Vec<_>>().join("0")
}

#[tokio::test]
async fn a_batch_of_the_documents_is_answered() {
    let served = Served::start().await;
    for block in of(Way::Batch) {
        let url = format!("{}/api/v1/tasks", served.site.url);
        let taken = served.site.http.post(url).body(block.text.clone()).send();
        let taken = taken.await.expect("an answer");
        assert_eq!(taken.status(), StatusCode::ACCEPTED, "{block:?}");
        let taken: Value = taken.json().await.expect("JSON");
        let batch = taken["batch"].as_str().expect("its id");
        let url = format!("{}/api/v1/tasks/batches/{batch}/stream", served.site.url);
        let followed = served.site.http.get(url).timeout(GIVE_UP).send();
        let followed = followed.await.expect("an answer").text().await.expect("events");
        assert!(followed.contains("event: end"), "{followed}");
        assert!(!followed.contains("event: error"), "{followed}");
        // What one of them has answered stands in what the other one asks.
        let asked = served.model.record().requests;
        let used = asked.iter().any(|request| request.question.contains("Answer to: "));
        assert_eq!(used, block.text.contains("\"result\""), "{asked:?}");
    }
}

#[tokio::test]
async fn a_server_begins_with_the_words_that_the_documents_show() {
    let (model, data) = (model().await, tempfile::tempdir().expect("a folder"));
    let address = format!("127.0.0.1:{}", anteroom_pgtest::free_port());
    let mut command = command(data.path(), &model);
    command.env("SITE_ADDR", &address).stdout(Stdio::piped());
    let mut child = command.spawn().expect("it runs");
    let said = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let said: Vec<_> = said.take(2).map(|line| line.expect("text")).collect();
    child.kill().expect("it runs still");
    child.wait().expect("it ends");
    for block in of(Way::Greeting) {
        let shown = block.text.replace("127.0.0.1:3000", &address);
        let (begin, _) = shown.split_once("key=").expect("a link");
        assert!(said.iter().any(|line| line.starts_with(begin)), "{begin}: {said:?}");
    }
}

#[test]
fn answers_are_alike_by_their_fields() {
    let shown = json!({ "id": "0190…", "tasks": [{ "name": null }] });
    assert!(is_alike(&shown, &json!({ "tasks": [{ "name": null }], "id": "x" })));
    for other in [
        json!({ "id": 7, "tasks": [{ "name": null }] }),
        json!({ "id": "x", "tasks": [] }),
        json!({ "id": "x", "tasks": [{ "name": "x" }] }),
        json!({ "id": "x", "tasks": [{ "name": null }], "more": 1 }),
    ] {
        assert!(!is_alike(&shown, &other), "{other}");
    }
    assert_eq!(without_figures("\"a\";r=58;t=2"), without_figures("\"a\";r=9;t=120"));
    assert_ne!(without_figures("\"a\";r=58;t=2"), without_figures("\"a\";q=9;t=120"));
}
