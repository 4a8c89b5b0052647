//! What is sent and answered is as the document describes it: tasks, what becomes of them, and what programs are told.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    support::{
        Site,
        program::{Program, Stream},
        shapes::Shapes,
    },
    tasks::{look, over, until},
    webhooks::{Receiver, SECRET},
};

const TASKS: &str = "/api/v1/tasks";
const TASK: &str = "/api/v1/tasks/{id}";
const BATCH: &str = "/api/v1/tasks/batches/{id}";

async fn shapes(program: &Program) -> Shapes {
    Shapes::new(program.ask(program.get("/api/v1/openapi.json")).await.json)
}

/// Reads a stream to its end, or to the first event of this name. Each event has to be described; returns the names that were among them.
async fn described(shapes: &Shapes, at: (&str, &str), stream: &mut Stream, last: Option<&str>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    while let Some(event) = stream.event().await {
        shapes.streams(at, &json!({ "event": event.name, "data": event.data.to_string() }));
        let is_last = last == Some(&*event.name);
        names.insert(event.name);
        if is_last {
            break;
        }
    }
    names
}

fn set<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    names.into_iter().map(str::to_owned).collect()
}

/// One of each kind that there is.
fn batch(url: &str) -> Value {
    let tool = json!({ "type": "function", "function": { "name": "f", "parameters": { "type": "object" } } });
    let calls = json!({ "messages": [{ "role": "user", "content": "[[reply=tool]] rain?" }], "tools": [tool] });
    json!({
        "webhook": { "url": url, "secret": SECRET },
        "tasks": [
            { "name": "first", "message": "One [[tokens=3]]", "metadata": { "row": 1 }, "priority": 7 },
            { "name": "second", "message": ["Of: ", { "type": "result", "of": "first" }, { "type": "text", "text": "." }] },
            { "name": "calls", "request": calls, "model": "loopback" },
            { "name": "fails", "message": "[[fault=status:400]]" },
            { "name": "behind", "message": "x", "depends_on": ["fails"] },
            { "name": "ended", "message": "x", "priority": -1 },
            { "message": "nameless", "priority": -2 },
        ],
    })
}

#[tokio::test]
async fn tasks_and_what_becomes_of_them_are_as_described() {
    let site = Site::start(&[("WEBHOOK_PRIVATE_ADDRESSES", "true"), ("MODEL_RETRIES", "0")]).await;
    let program = Program::new(site.addr);
    let shapes = shapes(&program).await;
    let mut receiver = Receiver::start(&[]).await;
    site.model.hold(true);

    let alone = json!({ "message": "Alone", "webhook": { "url": receiver.url, "secret": SECRET } });
    shapes.takes(("post", TASKS), &alone);
    let taken = program.ask(program.post(TASKS, &alone)).await;
    shapes.answers(("post", TASKS), 202, &taken.json);
    let alone = taken.json["id"].as_str().expect("an id").to_owned();
    until(&program, &alone, |task| task["state"] == "running").await;

    let all = batch(&receiver.url);
    shapes.takes(("post", TASKS), &all);
    let taken = program.ask(program.post(TASKS, &all)).await;
    shapes.answers(("post", TASKS), 202, &taken.json);
    let ids = taken.json["tasks"].as_array().expect("tasks").iter();
    let ids: Vec<_> = ids.map(|task| task["id"].as_str().expect("an id").to_owned()).collect();
    let of_batch = format!("/api/v1/tasks/batches/{}", taken.json["batch"].as_str().expect("an id"));

    // Where they stand: in the line, behind it, and behind each other.
    until(&program, &ids[0], |task| task["state"] == "waiting").await;
    let mut states = BTreeSet::new();
    let mut fields = BTreeSet::new();
    let mut see = |task: &Value| {
        shapes.answers(("get", TASK), 200, task);
        states.insert(task["state"].as_str().expect("a state").to_owned());
        fields.extend(task.as_object().expect("fields").keys().cloned());
    };
    for id in ids.iter().chain([&alone]) {
        see(&look(&program, id).await);
    }
    let (of_task, of_all) = (
        ("get", "/api/v1/tasks/{id}/stream"),
        ("get", "/api/v1/tasks/batches/{id}/stream"),
    );
    let mut stream = program
        .stream(program.get(&format!("/api/v1/tasks/{}/stream", ids[0])))
        .await;
    let mut streams = program.stream(program.get(&format!("{of_batch}/stream"))).await;
    let ended = program.ask(program.delete(&format!("/api/v1/tasks/{}", ids[5]))).await;
    shapes.answers(("delete", TASK), 200, &ended.json);
    // Until somebody has seen it run, the first of them is held by the model.
    site.model.release_one();
    let mut told_of_all = described(&shapes, of_all, &mut streams, Some("started")).await;
    site.model.hold(false);
    for id in ids.iter().chain([&alone]) {
        see(&over(&program, id).await);
    }
    assert_eq!(
        states,
        set(["held", "waiting", "running", "done", "failed", "cancelled"])
    );
    for field in [
        "position",
        "waiting",
        "estimate_seconds",
        "yours_before",
        "needs",
        "metadata",
        "usage",
        "error",
        "result",
    ] {
        assert!(fields.contains(field), "{field} was not among them: {fields:?}");
    }

    let told = described(&shapes, of_task, &mut stream, None).await;
    assert_eq!(told, set(["position", "started", "part", "done"]));
    told_of_all.extend(described(&shapes, of_all, &mut streams, None).await);
    assert_eq!(told_of_all, set(["position", "started", "done", "error", "end"]));
    let listed = program.ask(program.get(&format!("{TASKS}?limit=2"))).await;
    shapes.answers(("get", TASKS), 200, &listed.json);
    assert!(listed.json["next"].is_string(), "{listed:?}");
    for (method, request) in [("get", program.get(&of_batch)), ("delete", program.delete(&of_batch))] {
        shapes.answers((method, BATCH), 200, &program.ask(request).await.json);
    }
    let unknown = format!("/api/v1/tasks/{}", uuid::Uuid::nil());
    let unknown = program.ask(program.get(&unknown)).await;
    shapes.answers(("get", TASK), 404, &unknown.json);

    // A message for each task and for each of the two batches, of which one may come more than once.
    let (mut kinds, mut known) = (BTreeSet::new(), BTreeSet::new());
    while known.len() < ids.len() + 3 {
        let (_, message) = receiver.next().await;
        shapes.tells(&message);
        kinds.insert(message["type"].as_str().expect("a kind").to_owned());
        known.insert(message["data"]["id"].as_str().expect("an id").to_owned());
    }
    assert_eq!(
        kinds,
        set(["task.done", "task.failed", "task.cancelled", "batch.ended"])
    );
}

#[tokio::test]
async fn streams_of_requests_are_as_described() {
    let at = ("post", "/api/v1/chat/stream");
    let site = Site::start(&[("MODEL_RETRIES", "0")]).await;
    let program = Program::new(site.addr);
    let shapes = shapes(&program).await;
    site.model.hold(true);
    let ask = |text: &str| program.stream(program.post(at.1, &json!({ "message": text })));
    let mut first = ask("The first").await;
    site.until_load(1, 0).await;
    let mut second = ask("The second [[tokens=3 reasoning=2]]").await;
    site.model.hold(false);
    let mut third = ask("The third [[fault=close:2]]").await;
    let mut told = BTreeSet::new();
    for stream in [&mut first, &mut second, &mut third] {
        told.extend(described(&shapes, at, stream, None).await);
    }
    assert_eq!(told, set(["position", "started", "part", "done", "error"]));
}
