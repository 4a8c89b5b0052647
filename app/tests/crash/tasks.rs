//! Some hundred tasks, and a server that is killed while it answers them.

use std::{collections::HashSet, time::Duration};

use anteroom_loopback::{Config, Loopback};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use reqwest::Client;
use serde_json::{Value, json};

use crate::server::Server;

/// Tasks of each round.
const TASKS: usize = 30;
/// Longest time that anything may take before it is given up: far more than it needs.
const GIVE_UP: Duration = Duration::from_secs(120);

/// `store` are the settings that say where things are kept.
pub(crate) async fn tell(seed: u64, rounds: u32, store: &[(&str, &str)]) {
    let mut random = StdRng::seed_from_u64(seed);
    let model = Loopback::start(Config::default()).await.expect("a free port");
    model.set("first_token", "20ms").expect("a knob");
    let base = model.base_url();
    let settings = [
        ("MODEL", "loopback@openai"),
        ("OPENAI_BASE_URL", &base),
        ("CHAT_CONCURRENCY_LIMIT", "3"),
    ];
    let mut server = Server::new(&[&settings[..], store].concat());
    server.start();
    anteroom::tls::install();
    let http = Client::builder().no_proxy().build().expect("a client");
    let site = format!("http://{}/api/v1/tasks", server.addr);

    let mut ids = Vec::new();
    for round in 0..rounds {
        // Every third one needs the one before it, and uses its result.
        let tasks: Vec<Value> = (0..TASKS)
            .map(|at| {
                let text = format!("round {round} task {at} end");
                let message = match at % 3 {
                    2 => json!([text, " after: ", { "type": "result", "of": format!("t{}", at - 1) }]),
                    _ => json!(text),
                };
                json!({ "name": format!("t{at}"), "message": message, "metadata": { "round": round, "task": at } })
            })
            .collect();
        let batch = json!({ "tasks": tasks });
        let sending = tokio::spawn(send(
            http.clone(),
            site.clone(),
            batch.to_string(),
            format!("round {round}"),
        ));
        tokio::time::sleep(Duration::from_micros(random.random_range(0..400_000))).await;
        server.kill();
        server.start();
        let sent = tokio::time::timeout(GIVE_UP, sending).await.expect("it is taken in");
        ids.extend(sent.expect("no panic"));
    }

    let mut again = 0;
    for (at, id) in ids.iter().enumerate() {
        let task = over(&http, &format!("{site}/{id}")).await;
        assert_eq!(task["state"], "done", "{task}");
        let (round, number) = (at / TASKS, at % TASKS);
        assert_eq!(task["metadata"], json!({ "round": round, "task": number }));
        let said = task["result"]["choices"][0]["message"]["content"]
            .as_str()
            .expect("a text");
        let own = format!("round {round} task {number} end");
        assert!(said.contains(&own), "{own}: {said}");
        if number % 3 == 2 {
            let before = format!("round {round} task {} end", number - 1);
            assert!(said.contains(&before), "{before}: {said}");
        }
        again += task["attempts"].as_u64().expect("a number").saturating_sub(1);
    }
    let unique: HashSet<&String> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len());
    // What was sent again is there once.
    let mut listed = 0;
    let mut next = String::new();
    loop {
        let page: Value = read(&http, &format!("{site}?limit=200{next}")).await.expect("a page");
        listed += page["tasks"].as_array().expect("a list").len();
        match page["next"].as_str() {
            Some(before) => next = format!("&before={before}"),
            None => break,
        }
    }
    assert_eq!(listed, ids.len());
    println!("{rounds} kills; {listed} tasks, each with exactly one result; {again} were begun again");
}

/// Sends a batch until it is taken in; returns the ids of its tasks.
async fn send(http: Client, site: String, body: String, key: String) -> Vec<String> {
    loop {
        let request = http.post(&site).header("idempotency-key", &key).body(body.clone());
        if let Ok(reply) = request.send().await
            && reply.status() == 202
            && let Ok(reply) = reply.bytes().await
        {
            let reply: Value = serde_json::from_slice(&reply).expect("JSON");
            let tasks = reply["tasks"].as_array().expect("tasks").iter();
            return tasks
                .map(|task| task["id"].as_str().expect("an id").to_owned())
                .collect();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn read(http: &Client, url: &str) -> Option<Value> {
    let reply = http.get(url).send().await.ok()?;
    serde_json::from_slice(&reply.bytes().await.ok()?).ok()
}

async fn over(http: &Client, url: &str) -> Value {
    let over = async {
        loop {
            if let Some(task) = read(http, url).await.filter(|task| !task["ended_at"].is_null()) {
                return task;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let over = tokio::time::timeout(GIVE_UP, over).await;
    over.unwrap_or_else(|_| panic!("waited in vain for {url}"))
}
