//! Models whose servers speak another format than programs do: the demo model is one.

use serde_json::json;

use crate::support::{
    Site,
    program::{Program, content_of},
};

async fn demo() -> (Site, Program) {
    let fast = [
        ("MODEL", "demo@builtin"),
        ("DEMO_FIRST_TOKEN", "0"),
        ("DEMO_SPEED", "10000"),
    ];
    let site = Site::start(&fast).await;
    let program = Program::new(site.addr);
    (site, program)
}

#[tokio::test]
async fn the_demo_model_answers_programs_too() {
    let (_site, program) = demo().await;
    let mut body = json!({ "model": "demo", "messages": [
        { "role": "system", "content": "Be kind." },
        { "role": "user", "content": [{ "type": "text", "text": "Hello!" }] },
    ] });
    let whole = program.ask(program.chat(&body)).await;
    assert!(!whole.content().is_empty());
    assert_eq!(
        (&whole.json["object"], &whole.json["model"]),
        (&json!("chat.completion"), &json!("demo"))
    );
    assert!(
        whole.json["usage"]["completion_tokens"]
            .as_u64()
            .is_some_and(|tokens| tokens > 0)
    );
    body["stream"] = json!(true);
    body["stream_options"] = json!({ "include_usage": true });
    let events = program.stream(program.chat(&body)).await.rest().await;
    assert_eq!(events[0]["choices"][0]["delta"]["role"], "assistant");
    assert!(!content_of(&events).is_empty());
    let [.., end, usage] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(end["choices"][0]["finish_reason"], "stop");
    assert!(usage["usage"]["total_tokens"].as_u64().is_some_and(|tokens| tokens > 0));
}

#[tokio::test]
async fn what_cannot_be_honoured_is_refused_by_its_name() {
    let (site, program) = demo().await;
    for (field, value) in [
        ("tools", json!([{ "type": "function", "function": { "name": "f" } }])),
        ("logprobs", json!(true)),
        ("n", json!(2)),
        ("response_format", json!({ "type": "json_object" })),
        ("something_new", json!(1)),
    ] {
        let mut body = json!({ "model": "demo", "messages": [{ "role": "user", "content": "Hello!" }] });
        body[field] = value;
        let refused = program.ask(program.chat(&body)).await;
        assert_eq!(refused.status.as_u16(), 400, "{refused:?}");
        assert_eq!(
            (&refused.error()["param"], &refused.error()["code"]),
            (&json!(field), &json!("unsupported_parameter"))
        );
    }
    for (field, value) in [
        ("n", json!(1)),
        ("tools", json!([])),
        ("user", json!("me")),
        ("stop", json!(null)),
    ] {
        let mut body = json!({ "model": "demo", "messages": [{ "role": "user", "content": "Hello!" }] });
        body[field] = value;
        assert!(!program.ask(program.chat(&body)).await.content().is_empty());
    }
    let vectors = json!({ "model": "demo", "input": "Hello!" });
    let refused = program.ask(program.post("/v1/embeddings", &vectors)).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.error()["param"]),
        (404, &json!("model"))
    );
    assert_eq!(site.load(), (0, 0));
}
