//! Who follows tasks and batches, and what they hear.

use super::*;

/// Events of a stream, by their kinds, ids and data.
pub(super) struct Events(crate::support::program::Stream);

impl Events {
    pub(super) async fn open(program: &Program, path: &str, seen: Option<&str>) -> Self {
        let request = program.get(path);
        let request = match seen {
            Some(seen) => request.header("last-event-id", seen),
            None => request,
        };
        Self(program.stream(request).await)
    }

    pub(super) async fn next(&mut self) -> Option<(String, Option<String>, Value)> {
        let (mut kind, mut id, mut data) = (String::new(), None, String::new());
        loop {
            let line = self.0.line().await?;
            if line.is_empty() && !data.is_empty() {
                return Some((kind, id, serde_json::from_str(&data).expect("JSON")));
            }
            if let Some(value) = line.strip_prefix("event: ") {
                value.clone_into(&mut kind);
            } else if let Some(value) = line.strip_prefix("id: ") {
                id = Some(value.to_owned());
            } else if let Some(value) = line.strip_prefix("data: ") {
                value.clone_into(&mut data);
            }
        }
    }

    /// The next one of a kind.
    async fn until(&mut self, kind: &str) -> (Option<String>, Value) {
        loop {
            let (found, id, data) = self.next().await.expect("it goes on");
            if found == kind {
                return (id, data);
            }
        }
    }
}

#[tokio::test]
async fn who_follows_a_task_misses_nothing_and_sees_nothing_twice() {
    let mut site = Site::start(ONE).await;
    let program_ = program(&site);
    site.model.hold(true);
    let ids = accepted(
        &program_,
        &json!({ "tasks": [{ "message": "first" }, { "message": "second" }] }),
    )
    .await;
    let path = |id: &str| format!("/api/v1/tasks/{id}/stream");
    let mut second = Events::open(&program_, &path(&ids[1]), None).await;
    loop {
        // It may not have been in the line yet.
        let (id, stands) = second.until("position").await;
        assert_eq!(id, None, "where it stands is a value, and no number");
        if stands["position"] == 1 {
            break;
        }
    }
    let mut first = Events::open(&program_, &path(&ids[0]), None).await;
    let (id, started) = first.until("started").await;
    assert_eq!((id.as_deref(), &started["attempt"]), (Some("1-0"), &json!(1)));
    let (seen, part) = first.until("part").await;
    assert_eq!(part["object"], "chat.completion.chunk");
    drop(first);

    // It comes back, and goes on where it was.
    let mut first = Events::open(&program_, &path(&ids[0]), seen.as_deref()).await;
    site.model.release_one();
    let mut parts = vec![part];
    let task = loop {
        let (kind, id, data) = first.next().await.expect("it goes on");
        match kind.as_str() {
            "part" => {
                parts.push(data);
                assert_eq!(id, Some(format!("1-{}", parts.len())));
            }
            "done" => break data,
            other => panic!("{other}: {data}"),
        }
    };
    assert_eq!(first.next().await, None, "it ends");
    let text: String = parts
        .iter()
        .filter_map(|part| part["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert_eq!(text, said(&task));
    let reply = program_.get(&path(&ids[0])).header("last-event-id", "end").send().await;
    assert_eq!(
        reply.expect("an answer").status(),
        StatusCode::NO_CONTENT,
        "it need not come back"
    );

    // After a restart the answer begins anew, and says so.
    let (_, started) = second.until("started").await;
    assert_eq!(started["attempt"], 1);
    let (seen, _) = second.until("part").await;
    assert_eq!(seen.as_deref(), Some("1-1"));
    site.restart(Duration::ZERO).await;
    let mut second = Events::open(&program(&site), &path(&ids[1]), seen.as_deref()).await;
    let (mut text, mut attempt) = (String::new(), 0);
    let task = loop {
        let (kind, _, data) = second.next().await.expect("it goes on");
        match kind.as_str() {
            "started" => {
                attempt = data["attempt"].as_u64().expect("a number");
                // Not before: what is over by the time somebody comes has no beginning to tell of.
                site.model.hold(false);
            }
            "part" => text.push_str(data["choices"][0]["delta"]["content"].as_str().unwrap_or_default()),
            "done" => break data,
            "position" => {}
            other => panic!("{other}: {data}"),
        }
    };
    assert_eq!((attempt, &task["attempts"]), (2, &json!(2)));
    assert_eq!(text, said(&task));
}

#[tokio::test]
async fn who_follows_a_batch_hears_each_end_once() {
    let site = Site::start(ONE).await;
    let program = program(&site);
    site.model.hold(true);
    let reply = send(
        &program,
        &json!({ "tasks": (0..5).map(|at| json!({ "name": format!("t{at}"), "message": "m" })).collect::<Value>() }),
    )
    .await;
    let path = format!(
        "/api/v1/tasks/batches/{}/stream",
        reply.json["batch"].as_str().expect("an id")
    );
    let mut events = Events::open(&program, &path, None).await;
    let (_, progress) = events.until("position").await;
    assert_eq!(progress["tasks"], 5);
    site.model.release_one();
    let (seen, first) = events.until("done").await;
    assert_eq!((seen.as_deref(), &first["name"]), (Some("1"), &json!("t0")));
    assert_eq!(first["result"]["object"], "chat.completion", "{first}");
    drop(events);
    site.model.hold(false);
    let mut events = Events::open(&program, &path, seen.as_deref()).await;
    let mut ends = HashMap::new();
    let batch = loop {
        let (kind, id, data) = events.next().await.expect("it goes on");
        match kind.as_str() {
            "done" => assert_eq!(ends.insert(id, data["name"].clone()), None),
            "end" => break data,
            _ => {}
        }
    };
    assert_eq!(ends.len(), 4);
    assert_eq!(batch["done"], 5);
    assert_eq!(events.next().await, None);
}
