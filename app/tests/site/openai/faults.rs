//! What is refused and what fails, in the shape that OpenAI's clients read.

use serde_json::{Value, json};

use crate::support::{
    Nodes, Site,
    program::{Program, content_of, saying, streaming},
};

/// Without the pauses of a retry.
const AT_ONCE: [(&str, &str); 1] = [("MODEL_RETRIES", "0")];

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_what_to_do() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    let plain = saying("Hello");
    let with = |field: &str, value: Value| {
        let mut body = plain.clone();
        body[field] = value;
        body
    };
    for (body, status, param) in [
        (json!([]), 400, json!(null)),
        (json!({}), 400, json!("model")),
        (with("model", json!("")), 400, json!("model")),
        (with("model", json!("none")), 404, json!("model")),
        (with("messages", json!([])), 400, json!("messages")),
        (with("messages", json!(null)), 400, json!("messages")),
        (with("stream", json!("yes")), 400, json!("stream")),
    ] {
        let refused = program.ask(program.chat(&body)).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.error()["param"]),
            (status, &param),
            "{body}"
        );
    }
    let broken = program.get("/v1/models").build().expect("a request").url().clone();
    let broken = broken.join("/v1/chat/completions").expect("an address");
    let refused = reqwest::Client::new()
        .post(broken)
        .body("{\"model\":")
        .send()
        .await
        .expect("an answer");
    assert_eq!(refused.status().as_u16(), 400);
    let unknown = program.ask(program.post("/v1/audio/speech", &json!({}))).await;
    assert_eq!(unknown.status.as_u16(), 404);
    assert!(
        unknown.error()["message"]
            .as_str()
            .expect("words")
            .contains("/v1/chat/completions")
    );
    let method = program.ask(program.get("/v1/chat/completions")).await;
    assert_eq!(method.status.as_u16(), 405);
    method.error();
    // As it would come through a proxy, from who knows where.
    let foreign = program
        .ask(program.chat(&plain).header("x-forwarded-for", "192.0.2.1"))
        .await;
    assert_eq!(
        (foreign.status.as_u16(), &foreign.error()["code"]),
        (401, &json!("invalid_api_key"))
    );
    assert!(foreign.header("www-authenticate").is_some());
    assert!(site.model.record().requests.is_empty());
}

#[tokio::test]
async fn a_request_that_is_too_large_is_refused() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    let refused = program.ask(program.chat(&saying(&"x".repeat(33 * 1024 * 1024)))).await;
    assert_eq!(refused.status.as_u16(), 413);
    assert!(refused.error()["message"].as_str().expect("words").contains("32 MB"));
}

#[tokio::test]
async fn the_model_servers_faults_have_their_status() {
    let site = Site::start(&AT_ONCE).await;
    let program = Program::new(site.addr);
    for (fault, status, retry) in [
        ("status:400", 400, None),
        ("status:422", 422, None),
        ("status:401", 502, Some("false")),
        ("status:404", 502, Some("false")),
        ("status:500", 502, None),
        ("garbage", 502, None),
        ("close", 502, None),
    ] {
        for body in [
            saying(&format!("[[fault={fault}]]")),
            streaming(&format!("[[fault={fault}]]")),
        ] {
            let failed = program.ask(program.chat(&body)).await;
            assert_eq!(failed.status.as_u16(), status, "{fault}: {failed:?}");
            assert_eq!(failed.header("x-should-retry"), retry, "{fault}");
            failed.error();
            // One that fails time and again would be left alone for a while.
            program.ask(program.chat(&saying("Well"))).await.content();
        }
    }
    let said = program.ask(program.chat(&saying("[[fault=status:400]]"))).await;
    assert!(
        said.error()["message"]
            .as_str()
            .expect("words")
            .contains("Told to refuse."),
        "its own words: {said:?}"
    );
    site.model.set("context", "3").expect("set");
    let long = program.ask(program.chat(&saying("one two three four"))).await;
    assert_eq!(
        (long.status.as_u16(), &long.error()["code"]),
        (400, &json!("context_length_exceeded"))
    );
    assert_eq!(
        site.model.record().requests.last().expect("one").messages,
        1,
        "it was not asked with less"
    );
}

#[tokio::test]
async fn a_fault_within_a_stream_is_an_event_of_it() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    let mut stream = program
        .stream(program.chat(&streaming("Hello [[fault=close:2]]")))
        .await;
    let mut events: Vec<Value> = Vec::new();
    while let Some(data) = stream.data().await {
        events.push(serde_json::from_str(&data).expect("JSON"));
    }
    assert_eq!(content_of(&events), "Answer to: Hello\n\nword1 ");
    let error = &events.last().expect("one")["error"];
    assert_eq!(error["type"], "server_error");
    assert_eq!(
        site.model.record().requests.len(),
        1,
        "nobody asks again for what was begun"
    );
}

#[tokio::test]
async fn what_fails_before_the_first_word_is_asked_again() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    for body in [
        saying("One [[fault=status:500 times=1]]"),
        streaming("Two [[fault=close times=1]]"),
    ] {
        if body["stream"] == true {
            assert!(
                program
                    .stream(program.chat(&body))
                    .await
                    .content()
                    .await
                    .starts_with("Answer to: Two")
            );
        } else {
            assert!(
                program
                    .ask(program.chat(&body))
                    .await
                    .content()
                    .starts_with("Answer to: One")
            );
        }
    }
    assert_eq!(site.model.record().requests.len(), 4);
}

#[tokio::test]
async fn a_fallback_answers_under_its_own_name() {
    let site = Site::start(&[
        ("FALLBACK_MODEL", "demo@builtin"),
        ("DEMO_FIRST_TOKEN", "0"),
        ("DEMO_SPEED", "10000"),
        ("MODEL_RETRIES", "0"),
    ])
    .await;
    let program = Program::new(site.addr);
    site.model.kill().await.expect("killed");
    let whole = program.ask(program.chat(&saying("Hello"))).await;
    assert!(!whole.content().is_empty());
    assert_eq!(whole.json["model"], "demo@builtin");
    // What the fallback cannot honour it is not asked for.
    let mut body = saying("Hello");
    body["tools"] = json!([{ "type": "function", "function": { "name": "f" } }]);
    let mut stream = body.clone();
    stream["stream"] = json!(true);
    let waits = program.stream(program.chat(&stream)).await;
    site.until_load(0, 1).await;
    drop(waits);
    site.until_load(0, 0).await;
}

#[tokio::test]
async fn any_node_takes_a_programs_request() {
    let nodes = Nodes::start(2, &[]).await;
    let program = Program::new(nodes.site(1).addr);
    let mut stream = program.stream(program.chat(&streaming("Hello [[tokens=2]]"))).await;
    assert_eq!(stream.header("x-anteroom-position"), Some("0"));
    assert_eq!(stream.content().await, "Answer to: Hello\n\nword1 ");
    assert!(
        program
            .ask(program.chat(&saying("Again")))
            .await
            .content()
            .starts_with("Answer to: Again")
    );
    assert_eq!(nodes.site(0).model.record().requests.len(), 2, "its home has asked");
    assert!(nodes.site(1).model.record().requests.is_empty());
}
