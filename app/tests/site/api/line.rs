//! The lines, the models and the site.

use serde_json::json;

use super::keyed;
use crate::support::{Site, program::Program, soon};

#[tokio::test]
async fn the_lines_and_what_of_ones_own_waits_are_shown() {
    let site = Site::start(&[]).await;
    site.model.hold(true);
    let browser = site.browser().await;
    browser.send("The first").await;
    site.until_load(1, 0).await;
    let program = Program::new(site.addr);
    let mut waits = program
        .stream(program.post("/api/v1/chat/stream", &json!({ "message": "The second" })))
        .await;
    let placed = waits.event().await.expect("a place");
    let message = json!({ "message": "The third", "wait": false });
    let sent = program.ask(program.post("/api/v1/conversations", &message)).await;
    assert_eq!(sent.status.as_u16(), 202, "{sent:?}");
    browser.send("The fourth").await;
    site.until_load(1, 3).await;
    let queue = program.ask(program.get("/api/v1/queue")).await.json;
    let line = &queue["lines"][0];
    assert_eq!(
        (&line["model"], &line["running"], &line["waiting"], &line["limit"]),
        (&json!("loopback@openai"), &json!(1), &json!(3), &json!(1)),
        "{queue}"
    );
    let places = queue["places"].as_array().expect("a list");
    assert_eq!(places.len(), 2, "what is another's is not shown: {queue}");
    let id = placed.request().parse::<uuid::Uuid>().expect("an id");
    assert_eq!(
        (&places[0]["kind"], &places[0]["id"], &places[0]["position"]),
        (&json!("request"), &json!(id), &json!(1))
    );
    assert_eq!(
        (&places[1]["kind"], &places[1]["id"]),
        (&json!("turn"), &sent.json["turn"])
    );
}

#[tokio::test]
async fn tasks_that_wait_are_shown_at_their_places_and_those_behind_the_line_are_counted() {
    let site = Site::start(&[("QUEUE_MAX_WAITING_PER_SESSION", "3")]).await;
    site.model.hold(true);
    let browser = site.browser().await;
    browser.send("The first").await;
    site.until_load(1, 0).await;
    let (one, other) = (keyed(&site).await, keyed(&site).await);
    let task = |name: &str, needs: &[&str]| json!({ "name": name, "message": name, "depends_on": needs });
    let mut tasks: Vec<_> = (0..9).map(|number| task(&format!("t{number}"), &[])).collect();
    tasks.push(task("last", &["t0", "t1"]));
    let taken = one.ask(one.post("/api/v1/tasks", &json!({ "tasks": tasks }))).await;
    assert_eq!(taken.status.as_u16(), 202, "{taken:?}");
    let ids: Vec<_> = taken.json["tasks"]
        .as_array()
        .expect("tasks")
        .iter()
        .map(|task| task["id"].clone())
        .collect();
    // One place of three is left to what their owner asks and waits for.
    let queue = soon("tasks in the line", async {
        loop {
            let queue = one.ask(one.get("/api/v1/queue")).await.json;
            let (places, behind) = (queue["places"].as_array().expect("a list"), &queue["tasks_behind"]);
            if places.len() == 2 && behind["ready"] == 7 {
                return queue;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    let places = queue["places"].as_array().expect("a list");
    assert_eq!(queue["tasks_behind"]["blocked"], 1, "{queue}");
    for (number, place) in places.iter().enumerate() {
        assert_eq!(
            (&place["kind"], &place["id"]),
            (&json!("task"), &ids[number]),
            "{queue}"
        );
        let told = one
            .ask(one.get(&format!("/api/v1/tasks/{}", ids[number].as_str().expect("an id"))))
            .await;
        assert_eq!(
            (&told.json["state"], &told.json["position"]),
            (&json!("waiting"), &place["position"]),
            "the same as the task itself says"
        );
        assert_eq!(place["position"], number as u64 + 1);
    }
    let queue = other.ask(other.get("/api/v1/queue")).await.json;
    assert_eq!(
        (&queue["places"], &queue["tasks_behind"]),
        (&json!([]), &json!({ "ready": 0, "blocked": 0 })),
        "what is another's is not shown"
    );
}

#[tokio::test]
async fn the_models_and_the_site_are_shown() {
    let site = Site::start(&[("MODELS", "demo@builtin")]).await;
    let program = Program::new(site.addr);
    let models = program.ask(program.get("/api/v1/models")).await.json;
    let ids: Vec<_> = models["models"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|model| &model["id"])
        .collect();
    assert_eq!(ids, ["loopback@openai", "demo@builtin"]);
    for path in ["/api/v1/info", "/info"] {
        let info = program.ask(program.get(path)).await.json;
        assert_eq!(
            (&info["name"], &info["model"]),
            (&json!("Anteroom"), &json!("loopback@openai"))
        );
        assert_eq!(info["scopes"], json!(["chat", "tasks", "read"]));
    }
}
