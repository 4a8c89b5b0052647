//! The lines, the models and the site.

use serde_json::json;

use crate::support::{Site, program::Program};

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
