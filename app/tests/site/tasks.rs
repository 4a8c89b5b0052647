//! Tasks: taken in by one request, answered when it is their turn, kept.

mod alike;
mod following;

use std::{collections::HashMap, time::Duration};

use anteroom::accounts::{Scope, Scopes};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    api::{keyed, keyed_for},
    support::{
        Site,
        program::{Program, Whole},
        soon,
    },
};

pub(crate) const ONE: &[(&str, &str)] = &[("CHAT_CONCURRENCY_LIMIT", "1")];

pub(crate) fn program(site: &Site) -> Program {
    Program::new(site.addr)
}

pub(crate) async fn send(program: &Program, body: &Value) -> Whole {
    program.ask(program.post("/api/v1/tasks", body)).await
}

/// Sends a batch that has to be taken in; returns the ids of its tasks.
pub(crate) async fn accepted(program: &Program, body: &Value) -> Vec<String> {
    let reply = send(program, body).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED, "{reply:?}");
    let tasks = reply.json["tasks"].as_array().expect("tasks").iter();
    tasks
        .map(|task| task["id"].as_str().expect("an id").to_owned())
        .collect()
}

pub(crate) async fn look(program: &Program, id: &str) -> Value {
    let reply = program.ask(program.get(&format!("/api/v1/tasks/{id}"))).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    reply.json
}

/// Waits until a task is so.
pub(crate) async fn until(program: &Program, id: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    soon("the state of a task", async {
        loop {
            let task = look(program, id).await;
            if is_so(&task) {
                return task;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
}

pub(crate) async fn over(program: &Program, id: &str) -> Value {
    until(program, id, |task| !task["ended_at"].is_null()).await
}

pub(crate) fn said(task: &Value) -> &str {
    let said = task["result"]["choices"][0]["message"]["content"].as_str();
    said.unwrap_or_else(|| panic!("{task}"))
}

/// The first words of each question that the model was asked, in order.
pub(crate) fn asked(site: &Site) -> Vec<String> {
    let requests = site.model.record().requests.into_iter();
    requests.map(|request| request.question).collect()
}

#[tokio::test]
async fn a_task_is_answered_and_kept() {
    let mut site = Site::start(ONE).await;
    let reply = send(
        &program(&site),
        &json!({ "message": "hello", "metadata": { "row": 7 }, "name": "greeting" }),
    )
    .await;
    assert_eq!(reply.status, StatusCode::ACCEPTED);
    let id = reply.json["id"].as_str().expect("an id").to_owned();
    let task = over(&program(&site), &id).await;
    assert_eq!(task["state"], "done", "{task}");
    assert!(said(&task).contains("hello"), "{task}");
    assert_eq!(
        (&task["metadata"]["row"], &task["name"], &task["attempts"]),
        (&json!(7), &json!("greeting"), &json!(1))
    );
    assert_eq!(task["result"]["object"], "chat.completion");
    assert_eq!(task["result"]["model"], "loopback@openai");
    assert!(task["usage"]["output"].as_u64().is_some_and(|tokens| tokens > 0));

    site.restart(Duration::from_secs(5)).await;
    assert_eq!(look(&program(&site), &id).await, task);
    let batch = program(&site);
    let batch = batch.ask(batch.get(&format!(
        "/api/v1/tasks/batches/{}",
        reply.json["batch"].as_str().expect("one")
    )));
    assert_eq!(batch.await.json["done"], 1);
    let deleted = program(&site);
    let deleted = deleted.ask(deleted.delete(&format!("/api/v1/tasks/{id}"))).await;
    assert_eq!(
        (deleted.status, &deleted.json["state"]),
        (StatusCode::OK, &json!("done"))
    );
    assert_eq!(asked(&site), ["hello"]);
}

#[tokio::test]
async fn results_are_used_by_what_needs_them_and_the_urgent_come_first() {
    let site = Site::start(ONE).await;
    let program = program(&site);
    site.model.hold(true);
    let blocker = accepted(&program, &json!({ "message": "blocker" })).await;
    site.until_load(1, 0).await;
    let ids = accepted(
        &program,
        &json!({ "tasks": [
            { "name": "later", "message": "later" },
            { "name": "sum", "priority": 9, "message": ["Of: ", { "type": "result", "of": "part" }, "."] },
            { "name": "part", "priority": 5, "request": { "messages": [{ "role": "user", "content": "part {{literal}}" }], "temperature": 0.5 } },
        ] }),
    )
    .await;
    let waits = until(&program, &ids[1], |task| task["needs"] == 1).await;
    assert_eq!(waits["state"], "held");
    site.model.hold(false);
    for id in blocker.iter().chain(&ids) {
        assert_eq!(over(&program, id).await["state"], "done");
    }
    let asked = asked(&site);
    assert_eq!(asked[..2], ["blocker", "part {{literal}}"]);
    let sum = asked
        .iter()
        .find(|question| question.starts_with("Of: "))
        .expect("asked");
    let part = look(&program, &ids[2]).await;
    assert_eq!(*sum, format!("Of: {}.", said(&part)));
}

#[tokio::test]
async fn a_batch_that_cannot_be_is_refused_whole() {
    let site = Site::start(&[("TASKS_MAX_OPEN", "3")]).await;
    let program = program(&site);
    let message = |name: &str, needs: &[&str]| json!({ "name": name, "message": "m", "depends_on": needs });
    let unknown = "0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f";
    let many: Vec<Value> = (0..4).map(|_| json!({ "message": "m" })).collect();
    for (tasks, status, code, names) in [
        (
            vec![message("a", &["b"]), message("b", &["a"]), message("c", &[])],
            400,
            "tasks_in_circle",
            "a, b",
        ),
        (vec![message("a", &["a"])], 400, "tasks_in_circle", "a"),
        (
            vec![message("a", &["nobody"]), message("b", &[])],
            400,
            "tasks_unknown",
            "nobody",
        ),
        (vec![message("a", &[unknown])], 400, "tasks_unknown", unknown),
        (
            vec![message("a", &[]), message("a", &[])],
            400,
            "tasks_named_twice",
            "a",
        ),
        (vec![message(unknown, &[])], 400, "task_unfit", unknown),
        (vec![json!({ "name": "x", "mesage": "m" })], 400, "task_unfit", "x"),
        (
            vec![json!({ "name": "x", "message": "m", "request": { "messages": [] } })],
            400,
            "task_unfit",
            "x",
        ),
        (
            vec![json!({ "message": "m" }), json!({ "model": "none", "message": "m" })],
            400,
            "task_unfit",
            "2",
        ),
        (
            vec![json!({ "message": "m".repeat(4 * 1024 * 1024) })],
            413,
            "task_too_long",
            "1",
        ),
        (
            vec![json!({ "message": "m", "metadata": "m".repeat(5000) })],
            400,
            "task_unfit",
            "1",
        ),
        (vec![], 400, "too_many_tasks", ""),
        (many, 429, "too_many_open_tasks", ""),
    ] {
        let reply = send(&program, &json!({ "tasks": tasks })).await;
        assert_eq!(reply.status.as_u16(), status, "{reply:?}");
        assert_eq!(reply.json["reason"]["code"], code, "{reply:?}");
        assert_eq!(
            reply.json["reason"]["name"].as_str().unwrap_or_default(),
            names,
            "{reply:?}"
        );
    }
    let listed = program.ask(program.get("/api/v1/tasks")).await;
    assert_eq!(listed.json["tasks"], json!([]), "nothing of any of them is there");
}

#[tokio::test]
async fn a_batch_that_is_sent_again_is_the_same_one() {
    let site = Site::start(ONE).await;
    let program = program(&site);
    let body = json!({ "tasks": [{ "message": "once" }, { "message": "twice", "name": "b" }] });
    let keyed = |body: &Value| program.post("/api/v1/tasks", body).header("idempotency-key", "k1");
    let first = program.ask(keyed(&body)).await;
    let again = program.ask(keyed(&body)).await;
    assert_eq!((again.status, &again.json), (StatusCode::ACCEPTED, &first.json));
    let other = program.ask(keyed(&json!({ "message": "other" }))).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(other.json["reason"]["code"], "key_of_another");
    for task in first.json["tasks"].as_array().expect("tasks") {
        over(&program, task["id"].as_str().expect("an id")).await;
    }
    assert_eq!(asked(&site), ["once", "twice"]);
}

#[tokio::test]
async fn a_task_can_be_cancelled_wherever_it_is_and_those_behind_it_hear_why() {
    let site = Site::start(ONE).await;
    let program = program(&site);
    site.model.hold(true);
    let mut tasks: Vec<Value> = (0..8)
        .map(|at| json!({ "name": format!("t{at}"), "message": "m" }))
        .collect();
    tasks.push(json!({ "name": "behind", "message": "m", "depends_on": ["t7"] }));
    tasks.push(json!({ "name": "further", "message": "m", "depends_on": ["behind"] }));
    let ids = accepted(&program, &json!({ "tasks": tasks })).await;
    let cancel = async |id: &String| {
        let reply = program.ask(program.delete(&format!("/api/v1/tasks/{id}"))).await;
        assert_eq!(reply.status, StatusCode::OK);
        reply.json
    };
    until(&program, &ids[0], |task| task["state"] == "running").await;
    let waiting = until(&program, &ids[1], |task| task["state"] == "waiting").await;
    assert_eq!(waiting["position"], 1);
    let held = look(&program, &ids[7]).await;
    assert_eq!((&held["state"], &held["yours_before"]), (&json!("held"), &json!(6)));
    for at in [7, 1, 0] {
        let first = cancel(&ids[at]).await;
        assert_eq!(first["state"], "cancelled");
        assert_eq!(cancel(&ids[at]).await, first, "a second time is the same");
    }
    for id in &ids[8..] {
        let failed = look(&program, id).await;
        assert_eq!(failed["state"], "failed");
        assert_eq!(
            failed["error"]["reason"],
            json!({ "code": "task_needs_failed", "name": "t7" })
        );
    }
    site.model.hold(false);
    for id in &ids[2..7] {
        assert_eq!(over(&program, id).await["state"], "done");
    }
    assert_eq!(site.model.record().requests.len(), 6);
    site.until_load(0, 0).await;
}

#[tokio::test]
async fn a_whole_batch_is_cancelled_by_one_request() {
    let site = Site::start(ONE).await;
    let (program, stranger) = (keyed(&site).await, keyed(&site).await);
    site.model.hold(true);
    let tasks: Value = (0..200)
        .map(|at| json!({ "name": format!("t{at}"), "message": "m" }))
        .collect();
    let first = send(&program, &json!({ "tasks": tasks })).await.json;
    let ids: Vec<&str> = first["tasks"]
        .as_array()
        .expect("tasks")
        .iter()
        .map(|task| task["id"].as_str().expect("an id"))
        .collect();
    let second = accepted(
        &program,
        &json!({ "tasks": [{ "message": "behind", "depends_on": [ids[150]] }, { "message": "beside" }] }),
    )
    .await;
    until(&program, ids[0], |task| task["attempts"] == 1).await;
    until(&program, ids[1], |task| task["state"] == "waiting").await;
    let path = format!("/api/v1/tasks/batches/{}", first["batch"].as_str().expect("an id"));
    let mut events = following::Events::open(&program, &format!("{path}/stream"), None).await;
    let refused = stranger.ask(stranger.delete(&path)).await;
    assert_eq!(
        (refused.status, &refused.json["reason"]["code"]),
        (StatusCode::NOT_FOUND, &json!("task_gone"))
    );
    let chats = keyed_for(&site, Scopes::NONE.with(Scope::Chat)).await;
    assert_eq!(chats.ask(chats.delete(&path)).await.status, StatusCode::FORBIDDEN);
    let cancelled = program.ask(program.delete(&path)).await;
    assert_eq!(cancelled.status, StatusCode::OK);
    assert_eq!(
        (
            &cancelled.json["cancelled"],
            &cancelled.json["open"],
            &cancelled.json["running"]
        ),
        (&json!(200), &json!(0), &json!(0))
    );
    let again = program.ask(program.delete(&path)).await;
    assert_eq!(again.json, cancelled.json, "a second time is the same");
    let mut ends = 0;
    let batch = loop {
        let (kind, _, data) = events.next().await.expect("it goes on");
        match kind.as_str() {
            "error" => ends += usize::from(data["state"] == "cancelled"),
            "end" => break data,
            _ => {}
        }
    };
    assert_eq!((ends, &batch), (200, &cancelled.json));
    let behind = look(&program, &second[0]).await;
    assert_eq!(
        behind["error"]["reason"],
        json!({ "code": "task_needs_failed", "name": "t150" })
    );
    let figures = program.get("/metrics").send().await.expect("an answer");
    let figures = figures.text().await.expect("a text");
    for line in [
        "anteroom_task_ends_total{outcome=\"cancelled\"} 200",
        "anteroom_task_ends_total{outcome=\"failed\"} 1",
        "anteroom_tasks{state=\"blocked\"} 0",
    ] {
        assert!(figures.lines().any(|known| known == line), "{line}\n{figures}");
    }
    site.model.hold(false);
    assert_eq!(over(&program, &second[1]).await["state"], "done");
    assert_eq!(asked(&site), ["m", "beside"], "none of the others was asked");
    site.until_load(0, 0).await;
}

#[tokio::test]
async fn a_hundred_tasks_hold_nobody_up() {
    let site = Site::start(&[("CHAT_CONCURRENCY_LIMIT", "2"), ("QUEUE_MAX_SIZE", "20")]).await;
    let program = program(&site);
    site.model.hold(true);
    let tasks: Vec<Value> = (0..100).map(|at| json!({ "message": format!("task {at}") })).collect();
    let ids = accepted(&program, &json!({ "tasks": tasks })).await;
    site.until_load(2, 2).await;
    let browser = site.browser().await;
    let mut feed = browser.feed().await;
    let sent = browser.send("a person").await;
    let place = sent.place.expect("it waits").position;
    assert!(place <= 2, "{place}: at most one of the tasks comes before it");
    for _ in 0..4 {
        site.model.release_one();
    }
    feed.over(sent.turn).await;
    let before = asked(&site);
    let at = before
        .iter()
        .position(|question| question == "a person")
        .expect("asked");
    assert!(at <= 3, "{before:?}");
    site.model.hold(false);
    for id in &ids {
        assert_eq!(over(&program, id).await["state"], "done");
    }
    let mut asked: Vec<String> = asked(&site);
    asked.remove(at);
    // Two that have got their slots at one moment may reach the model in either order: `order.rs` is about that of the starts.
    asked.sort_by_key(|task| task.trim_start_matches("task ").parse::<u32>().expect("a number"));
    let all: Vec<_> = (0..100).map(|at| format!("task {at}")).collect();
    assert_eq!(asked, all, "each once");
    assert!(site.model.record().max <= 2);
}

#[tokio::test]
async fn a_restart_loses_nothing_and_what_ran_comes_first() {
    let mut site = Site::start(ONE).await;
    site.model.hold(true);
    let tasks: Vec<Value> = (0..20)
        .map(|at| json!({ "message": format!("task {at}"), "priority": at / 10 }))
        .collect();
    let ids = accepted(&program(&site), &json!({ "tasks": tasks })).await;
    // The first of the more urgent ones has taken the slot, or the first of all, if that was asked before the others were there.
    let ran = site
        .model
        .record()
        .requests
        .first()
        .map(|request| request.question.clone());
    let ran = match ran {
        Some(ran) => ran,
        None => {
            site.model.until(|record| !record.requests.is_empty()).await;
            asked(&site)[0].clone()
        }
    };
    let at: usize = ran.trim_start_matches("task ").parse().expect("a number");
    until(&program(&site), &ids[at], |task| task["attempts"] == 1).await;
    site.restart(Duration::ZERO).await;
    site.model.hold(false);
    for id in &ids {
        assert_eq!(over(&program(&site), id).await["state"], "done");
    }
    let mut expected = vec![ran.clone(), ran.clone()];
    let urgent = (10..20).chain(0..10).map(|at| format!("task {at}"));
    expected.extend(urgent.filter(|task| *task != ran));
    assert_eq!(asked(&site), expected);
}

#[tokio::test]
async fn the_longest_wait_is_meant_for_people() {
    let site = Site::start(&[("CHAT_CONCURRENCY_LIMIT", "1"), ("QUEUE_MAX_WAIT", "0.1")]).await;
    let program = program(&site);
    site.model.hold(true);
    let ids = accepted(&program, &json!({ "tasks": [{ "message": "a" }, { "message": "b" }] })).await;
    site.until_load(1, 1).await;
    // Somebody who waits beside it is sent away in the meantime.
    let browser = site.browser().await;
    let mut feed = browser.feed().await;
    let sent = browser.send("a person").await;
    let turn = feed.over(sent.turn).await;
    assert!(
        matches!(turn.state, anteroom::wire::TurnState::Expired { .. }),
        "{turn:?}"
    );
    site.model.hold(false);
    for id in &ids {
        assert_eq!(over(&program, id).await["state"], "done");
    }
}

#[tokio::test]
async fn a_task_fails_in_the_words_of_its_model_server() {
    let site = Site::start(&[("CHAT_CONCURRENCY_LIMIT", "1"), ("MODEL_RETRIES", "0")]).await;
    let program = program(&site);
    let ids = accepted(&program, &json!({ "message": "[[fault=status:400]]" })).await;
    let task = over(&program, &ids[0]).await;
    assert_eq!(task["state"], "failed");
    assert_eq!(task["error"]["reason"]["code"], "model_rejected");
    let refused = send(&program, &json!({ "message": "m", "depends_on": [ids[0]] })).await;
    assert_eq!(
        (refused.status, &refused.json["reason"]["code"]),
        (StatusCode::CONFLICT, &json!("task_needs_failed"))
    );
}

#[tokio::test]
async fn pages_of_tasks() {
    let site = Site::start(ONE).await;
    let program = program(&site);
    let body = json!({ "tasks": (0..5).map(|at| json!({ "message": format!("m{at}") })).collect::<Value>() });
    let ids = accepted(&program, &body).await;
    for id in &ids {
        over(&program, id).await;
    }
    let page = async |query: &str| program.ask(program.get(&format!("/api/v1/tasks?{query}"))).await;
    let first = page("limit=3&state=done").await.json;
    assert_eq!(first["tasks"].as_array().expect("a list").len(), 3);
    assert_eq!(first["tasks"][0]["id"], json!(ids[4]));
    assert!(first["tasks"][0]["result"].is_null());
    let next = page(&format!("limit=3&before={}", first["next"].as_str().expect("more")))
        .await
        .json;
    assert_eq!(
        (next["tasks"].as_array().expect("a list").len(), &next["next"]),
        (2, &Value::Null)
    );
    assert_eq!(page("state=failed").await.json["tasks"], json!([]));
    assert_eq!(page("state=odd").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(page("batch=odd").await.status, StatusCode::BAD_REQUEST);
    let gone = program
        .ask(program.get("/api/v1/tasks/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f"))
        .await;
    assert_eq!(
        (gone.status, &gone.json["reason"]["code"]),
        (StatusCode::NOT_FOUND, &json!("task_gone"))
    );
}
