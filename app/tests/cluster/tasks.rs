//! Tasks in front of three nodes: asked of one, read, followed and cancelled at another, and taken up when the one that has them dies.

use std::time::Duration;

use anteroom_loopback::{Config, Loopback};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::nodes::Node;

/// Far more than anything here needs.
const GIVE_UP: Duration = Duration::from_secs(120);

struct Program {
    http: Client,
}

impl Program {
    fn url(node: &Node, path: &str) -> String {
        format!("http://{}/api/v1/tasks{path}", node.addr)
    }

    async fn send(&self, node: &Node, body: &Value) -> Vec<String> {
        let request = self.http.post(Self::url(node, "")).body(body.to_string());
        let reply = request.send().await.expect("an answer");
        assert_eq!(reply.status(), 202);
        let reply: Value = serde_json::from_slice(&reply.bytes().await.expect("a body")).expect("JSON");
        let tasks = reply["tasks"].as_array().expect("tasks").iter();
        tasks
            .map(|task| task["id"].as_str().expect("an id").to_owned())
            .collect()
    }

    /// A task at a node; `None`: that cannot say at the moment.
    async fn look(&self, node: &Node, id: &str) -> Option<Value> {
        let reply = self.http.get(Self::url(node, &format!("/{id}"))).send().await.ok()?;
        let is_there = reply.status() == 200;
        let reply = reply.bytes().await.ok()?;
        is_there.then(|| serde_json::from_slice(&reply).expect("JSON"))
    }

    async fn until(&self, node: &Node, id: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let wait = async {
            loop {
                if let Some(task) = self.look(node, id).await.filter(&is_so) {
                    return task;
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        let waited = timeout(GIVE_UP, wait).await;
        waited.unwrap_or_else(|_| panic!("waited in vain for {id}"))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_belong_to_all_nodes() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let model = Loopback::start(Config::default()).await.expect("a free port");
    model.hold(true);
    let database = cluster.database();
    let base = model.base_url();
    let settings = [
        ("MODEL", "loopback@openai"),
        ("OPENAI_BASE_URL", base.as_str()),
        ("CHAT_CONCURRENCY_LIMIT", "2"),
    ];
    let mut nodes = Vec::new();
    for _ in 0..3 {
        let mut node = Node::new(cluster, &database, &settings);
        node.start();
        nodes.push(node);
    }
    anteroom::tls::install();
    let program = Program {
        http: Client::builder().no_proxy().build().expect("a client"),
    };
    let tasks: Vec<Value> = (0..40)
        .map(|at| json!({ "message": format!("task {at} end") }))
        .collect();
    let ids = program.send(&nodes[0], &json!({ "tasks": tasks })).await;

    // What was asked of one node is read, followed and cancelled at others.
    for node in &nodes {
        let waiting = program.until(node, &ids[2], |task| task["state"] == "waiting").await;
        assert_eq!(waiting["position"], 1);
        let held = program.until(node, &ids[39], |task| task["state"] == "held").await;
        assert_eq!(held["yours_before"], 37);
    }
    let cancelled = program.http.delete(Program::url(&nodes[1], &format!("/{}", ids[39])));
    assert_eq!(cancelled.send().await.expect("an answer").status(), 200);
    assert_eq!(
        program.look(&nodes[2], &ids[39]).await.expect("there")["state"],
        "cancelled"
    );
    let stream = program
        .http
        .get(Program::url(&nodes[2], &format!("/{}/stream", ids[0])));
    let mut stream = stream.send().await.expect("an answer");
    let mut told = String::new();
    timeout(GIVE_UP, async {
        while !told.contains("event: part") {
            let more = stream.chunk().await.expect("it is not cut off").expect("it goes on");
            told.push_str(&String::from_utf8_lossy(&more));
        }
    })
    .await
    .expect("a part of an answer");
    drop(stream);

    // Whichever node has them at work dies, and another one does the same.
    for at in [0, 1] {
        nodes[at].kill();
        for _ in 0..4 {
            model.release_one();
        }
        program.until(&nodes[2], &ids[at], |task| task["state"] != "open").await;
    }
    model.hold(false);
    for (at, id) in ids.iter().enumerate().take(39) {
        let task = program.until(&nodes[2], id, |task| !task["ended_at"].is_null()).await;
        assert_eq!(task["state"], "done", "{task}");
        let said = task["result"]["choices"][0]["message"]["content"]
            .as_str()
            .expect("a text");
        assert!(said.contains(&format!("task {at} end")), "{said}");
    }
    assert!(
        model.record().max <= 4,
        "two slots, and two of the dead whom the model server has not missed yet"
    );
}
