//! Ten thousand tasks in one request: how long they take to be taken in and to be answered; and, killed again and again meanwhile, whether each has
//! one result.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use anteroom_loopback::Config;
use anyhow::{Context as _, ensure};
use hyper::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    anteroom::Anteroom,
    figures::{Measure, Unit},
    http::Http,
    model::Model,
    system::{Places, Setup, System as _},
};

const TASKS: usize = 10_000;
const SLOTS: usize = 5;
/// Connections of the program.
const CONNECTIONS: usize = 4;
const KILLS: u32 = 4;
/// How long the server works between two kills.
const BETWEEN: Duration = Duration::from_millis(1_500);
/// Longest time until all are over.
const PATIENCE: Duration = Duration::from_secs(300);
/// Tasks of a page of the list.
const PAGE: usize = 1_000;

pub(crate) async fn run(places: &Places) -> anyhow::Result<Vec<Measure>> {
    let calm = play(places, 0).await?;
    let killed = play(places, KILLS).await?;
    Ok(vec![
        Measure::new(
            "10,000 tasks in one request, until they are taken in",
            calm.taken_in.as_secs_f64(),
            Unit::Seconds,
        ),
        Measure::new(
            "tasks answered, 5 slots, no work for the model",
            TASKS as f64 / calm.all.as_secs_f64(),
            Unit::PerSecond,
        ),
        Measure::new(
            "with 4 kills: tasks without exactly one result",
            killed.wrong as f64,
            Unit::Count,
        )
        .at_most(0.0),
        Measure::new(
            "with 4 kills: asked of the model once more",
            killed.again as f64,
            Unit::Count,
        ),
    ])
}

struct Played {
    taken_in: Duration,
    all: Duration,
    /// How many have no result, or another one's.
    wrong: usize,
    /// Requests to the model beyond one each.
    again: usize,
}

async fn play(places: &Places, kills: u32) -> anyhow::Result<Played> {
    let model = Model::start(Config::default()).await?;
    let setup = Setup {
        slots: SLOTS,
        model: model.loopback().base_url(),
    };
    let mut server = Anteroom::start(places, &setup).await?;
    let tasks: Vec<Value> = (0..TASKS)
        .map(|number| json!({ "message": format!("task {number} end"), "metadata": number }))
        .collect();
    let body = json!({ "tasks": tasks }).to_string();
    let json = [(header::CONTENT_TYPE, "application/json")];
    let began = Instant::now();
    let reply = Http::new(server.addr(), CONNECTIONS)
        .ask(Method::POST, "/api/v1/tasks", &json, body)
        .await?;
    ensure!(
        reply.status == StatusCode::ACCEPTED,
        "{}: {}",
        reply.status,
        reply.text()
    );
    let taken_in = began.elapsed();
    let reply: Value = reply.json()?;
    let batch = reply["batch"].as_str().context("a batch has an id")?.to_owned();
    for _ in 0..kills {
        tokio::time::sleep(BETWEEN).await;
        server.kill()?;
        server = server.start_again()?;
    }
    let http = Http::new(server.addr(), CONNECTIONS);
    while look(&http, &format!("/api/v1/tasks/batches/{batch}")).await?["ended_at"].is_null() {
        ensure!(began.elapsed() < PATIENCE, "not all are over after {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let all = began.elapsed();
    let wrong = wrong(&http).await?;
    let requests = model.loopback().record().requests.len();
    Ok(Played {
        taken_in,
        all,
        wrong,
        again: requests.saturating_sub(TASKS),
    })
}

async fn look(http: &Http, path: &str) -> anyhow::Result<Value> {
    let reply = http.ask(Method::GET, path, &[], "").await?;
    ensure!(reply.status == StatusCode::OK, "{path}: {}", reply.status);
    reply.json()
}

/// How many tasks have no result, or another one's. Every hundredth is looked at whole.
async fn wrong(http: &Http) -> anyhow::Result<usize> {
    let (mut seen, mut right, mut before) = (HashSet::new(), 0, String::new());
    loop {
        let page = look(http, &format!("/api/v1/tasks?limit={PAGE}{before}")).await?;
        for task in page["tasks"].as_array().context("a list")? {
            let number = task["metadata"].as_u64().context("a number")?;
            ensure!(seen.insert(number), "task {number} is there twice");
            let mut is_right = task["state"] == "done";
            if number.is_multiple_of(100) {
                let id = task["id"].as_str().context("an id")?;
                let whole = look(http, &format!("/api/v1/tasks/{id}")).await?;
                let said = whole["result"]["choices"][0]["message"]["content"].as_str();
                is_right &= said.is_some_and(|said| said.contains(&format!("task {number} end")));
            }
            right += usize::from(is_right);
        }
        match page["next"].as_str() {
            Some(next) => before = format!("&before={next}"),
            None => return Ok(TASKS - right),
        }
    }
}
