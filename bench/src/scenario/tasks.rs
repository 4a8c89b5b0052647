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
    dice::Dice,
    figures::{Measure, Unit},
    http::Http,
    model::Model,
    system::{Places, Setup, System as _},
};

const TASKS: usize = 10_000;
const SLOTS: usize = 5;
/// Connections of the program.
const CONNECTIONS: usize = 4;
const KILLS: usize = 10;
/// The part of them that is over before the first kill.
const CALM: f64 = 0.5;
/// Longest time until all are over: it ends within ten minutes, whatever the machine.
const PATIENCE: Duration = Duration::from_secs(540);
/// Between two looks at how many are over, for which the server counts them.
const LOOK: Duration = Duration::from_millis(250);

pub(crate) async fn run(places: &Places) -> anyhow::Result<Vec<Measure>> {
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
    let taken_in = began.elapsed();
    let reply: Value = reply.json()?;
    let batch = reply["batch"].as_str().context("a batch has an id")?;
    let path = format!("/api/v1/tasks/batches/{batch}");
    // Waits until such a part of them is over.
    let over = async |server: &Anteroom, part: f64| {
        let http = Http::new(server.addr(), CONNECTIONS);
        loop {
            let batch = look(&http, &path).await?;
            let seen = batch["done"].as_f64().zip(batch["failed"].as_f64());
            let (done, failed) = seen.context("two numbers")?;
            if done + failed >= part * TASKS as f64 {
                return anyhow::Ok(done);
            }
            let passed = began.elapsed();
            ensure!(
                passed < PATIENCE,
                "{done} of {TASKS} are done after {passed:?}, {failed} failed"
            );
            tokio::time::sleep(LOOK).await;
        }
    };
    let done = over(&server, CALM).await?;
    let rate = done / began.elapsed().saturating_sub(taken_in).as_secs_f64();
    let mut dice = Dice(7);
    for kill in 0..KILLS {
        let part = (kill as f64 + dice.unit()) / KILLS as f64;
        over(&server, CALM + (1.0 - CALM) * part).await?;
        // In the middle of something, and not always just after the answer to a look.
        tokio::time::sleep(LOOK.mul_f64(dice.unit())).await;
        server.kill()?;
        server = server.start_again()?;
    }
    over(&server, 1.0).await?;
    let wrong = wrong(&Http::new(server.addr(), CONNECTIONS), &path).await?;
    let requests = model.loopback().record().requests.len();
    let again = requests.saturating_sub(TASKS);
    Ok(vec![
        Measure::new(
            "10,000 tasks in one request, until they are taken in",
            taken_in.as_secs_f64(),
            Unit::Seconds,
        ),
        Measure::new("the first half, 5 slots, no work for the model", rate, Unit::PerSecond),
        Measure::new(
            "10 kills in the second half: tasks without exactly one result",
            wrong as f64,
            Unit::Count,
        )
        .at_most(0.0),
        Measure::new("10 kills: asked of the model once more", again as f64, Unit::Count),
    ])
}

async fn look(http: &Http, path: &str) -> anyhow::Result<Value> {
    let reply = http.ask(Method::GET, path, &[], "").await?;
    ensure!(reply.status == StatusCode::OK, "{path}: {}", reply.status);
    reply.json()
}

/// How many tasks have no result, or another one's. Each end is looked at, as whoever follows the batch is told it.
async fn wrong(http: &Http, batch: &str) -> anyhow::Result<usize> {
    let told = http.ask(Method::GET, &format!("{batch}/stream"), &[], "").await?;
    ensure!(told.status == StatusCode::OK, "{}", told.status);
    let (mut seen, mut right) = (HashSet::new(), 0);
    let told = told.text();
    let ends = told.split("\n\n").filter_map(|event| {
        let data = event.lines().find_map(|line| line.strip_prefix("data:"));
        let is_end = ["event: done", "event: error"]
            .iter()
            .any(|kind| event.lines().any(|line| line == *kind));
        data.filter(|_| is_end)
    });
    for end in ends {
        let task: Value = serde_json::from_str(end).context("JSON")?;
        let number = task["metadata"].as_u64().context("a number")?;
        ensure!(seen.insert(number), "task {number} has ended twice");
        let said = task["result"]["choices"][0]["message"]["content"].as_str();
        let own = said.is_some_and(|said| said.contains(&format!("task {number} end")));
        right += usize::from(own && task["state"] == "done");
    }
    Ok(TASKS - right)
}
