//! What goes to the model's server, and what comes back.

use std::sync::Arc;

use anteroom::{accounts::Principal, client::Client, sessions::SessionId};
use serde_json::{Value, json};

use crate::support::{
    Site,
    program::{Program, content_of, saying, streaming},
};

#[tokio::test]
async fn a_stream_is_the_servers_own_but_for_the_models_name() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    let mut stream = program.stream(program.chat(&streaming("Hello [[tokens=3]]"))).await;
    assert_eq!(stream.header("content-type"), Some("text/event-stream; charset=utf-8"));
    assert_eq!(stream.header("x-anteroom-position"), Some("0"));
    assert!(stream.header("x-request-id").is_some_and(|id| id.starts_with("req_")));
    let events = stream.rest().await;
    assert_eq!(content_of(&events), "Answer to: Hello\n\nword1 word2 ");
    for event in &events {
        assert_eq!(event["model"], "loopback@openai", "{event}");
        assert_eq!(event["system_fingerprint"], "fp_loopback", "what is not known stays");
        assert!(event.get("usage").is_none(), "nobody asked for it: {event}");
    }
    assert_eq!(events.last().expect("one")["choices"][0]["finish_reason"], "stop");
    let record = site.model.record();
    assert_eq!(
        (record.requests.len(), record.requests[0].model.as_str()),
        (1, "loopback")
    );
}

#[tokio::test]
async fn the_server_gets_the_request_as_it_is() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    let mut body = saying("[[reply=request]]");
    body["seed"] = json!(12_345_678_901_234_567_u64);
    body["something_new"] = json!({ "deep": [1, null, "é"] });
    body["temperature"] = json!(0.1);
    for streams in [false, true] {
        body["stream"] = json!(streams);
        body["stream_options"] = json!({ "other": 1 });
        let got = if streams {
            program.stream(program.chat(&body)).await.content().await
        } else {
            program.ask(program.chat(&body)).await.content().to_owned()
        };
        let got: Value = serde_json::from_str(&got).expect("what the server got");
        let mut expected = body.clone();
        expected["model"] = json!("loopback");
        if streams {
            expected["stream_options"]["include_usage"] = json!(true);
        }
        assert_eq!(got, expected);
    }
}

#[tokio::test]
async fn usage_is_told_to_those_who_ask_and_counted_for_all() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    let whole = program.ask(program.chat(&saying("one two three [[tokens=4]]"))).await;
    assert_eq!(whole.json["usage"]["total_tokens"], 8, "{whole:?}");
    let mut body = streaming("one two three [[tokens=4]]");
    program.stream(program.chat(&body)).await.rest().await;
    body["stream_options"] = json!({ "include_usage": true });
    let events = program.stream(program.chat(&body)).await.rest().await;
    let last = events.last().expect("one");
    assert_eq!(
        (&last["choices"], &last["usage"]["completion_tokens"]),
        (&json!([]), &json!(4))
    );
    let figures = site.engine.backends().figures();
    let consumption = figures.models[0].consumption;
    assert_eq!((consumption.answers, consumption.output), (3, 12));
}

fn with_tool(mut body: Value) -> Value {
    body["tools"] =
        json!([{ "type": "function", "function": { "name": "look_up", "parameters": { "type": "object" } } }]);
    body
}

#[tokio::test]
async fn tools_are_called() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    let whole = program
        .ask(program.chat(&with_tool(saying("[[reply=tool]] the \"weather\""))))
        .await;
    let message = &whole.json["choices"][0]["message"];
    assert_eq!(message["tool_calls"][0]["function"]["name"], "look_up", "{whole:?}");
    assert_eq!(whole.json["choices"][0]["finish_reason"], "tool_calls");
    let stream = program
        .stream(program.chat(&with_tool(streaming("[[reply=tool]] the \"weather\""))))
        .await
        .rest()
        .await;
    let calls = |event: &Value| event["choices"][0]["delta"]["tool_calls"][0]["function"].clone();
    assert_eq!(calls(&stream[0])["name"], "look_up");
    let arguments: String = stream
        .iter()
        .filter_map(|event| calls(event)["arguments"].as_str().map(str::to_owned))
        .collect();
    let arguments: Value = serde_json::from_str(&arguments).expect("JSON");
    assert_eq!(arguments["question"], "the \"weather\"");
    // What came of it goes to the server as it is.
    let mut body = with_tool(saying("[[reply=request]]"));
    body["messages"] = json!([
        { "role": "user", "content": "[[reply=request]]" },
        { "role": "assistant", "content": null, "tool_calls": [{ "id": "call_1", "type": "function", "function": { "name": "look_up", "arguments": "{}" } }] },
        { "role": "tool", "tool_call_id": "call_1", "content": "rain" },
    ]);
    let got: Value = serde_json::from_str(program.ask(program.chat(&body)).await.content()).expect("JSON");
    assert_eq!(got["messages"], body["messages"]);
}

#[tokio::test]
async fn thoughts_and_probabilities_stay_where_they_are() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    let mut body = streaming("Why? [[reasoning=2 tokens=1]]");
    body["logprobs"] = json!(true);
    let events = program.stream(program.chat(&body)).await.rest().await;
    assert_eq!(
        events[0]["choices"][0]["delta"]["reasoning_content"],
        "Thinking about: Why?\n\n"
    );
    assert_eq!(events[0]["choices"][0]["logprobs"]["content"][0]["logprob"], -0.5);
}

#[tokio::test]
async fn texts_become_vectors_at_the_models_server() {
    let site = Site::start(&[("MODELS", "text-embedding-x@openai")]).await;
    let program = Program::new(site.addr);
    let body = json!({ "model": "text-embedding-x", "input": ["one", "three"] });
    let whole = program.ask(program.post("/v1/embeddings", &body)).await;
    assert_eq!(whole.json["data"][1]["embedding"], json!([5.0, 1.0]), "{whole:?}");
    assert_eq!(whole.json["model"], "text-embedding-x");
    let body = json!({ "model": "text-embedding-x", "input": "one", "encoding_format": "base64" });
    let whole = program.ask(program.post("/v1/embeddings", &body)).await;
    assert_eq!(whole.json["data"][0]["embedding"], "AABAQAAAAAA=", "{whole:?}");
    assert_eq!(site.load(), (0, 0));
    // Nobody at a page is offered it.
    let visitor = Principal::visitor(SessionId::random());
    let offered = Client::new(Arc::clone(&site.engine), visitor).models();
    let offered: Vec<_> = offered.into_iter().map(|model| model.id).collect();
    assert_eq!(offered, ["loopback@openai"]);
}

#[tokio::test]
async fn models_are_listed_and_found() {
    let site = Site::start(&[("MODELS", "a/b@openai,demo@builtin")]).await;
    let program = Program::new(site.addr);
    let list = program.ask(program.get("/v1/models")).await;
    let ids: Vec<_> = list.json["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|model| &model["id"])
        .collect();
    assert_eq!(ids, ["loopback@openai", "a/b@openai", "demo@builtin"]);
    for (path, id) in [
        ("loopback@openai", "loopback@openai"),
        ("a/b", "a/b@openai"),
        ("a/b@openai", "a/b@openai"),
    ] {
        let one = program.ask(program.get(&format!("/v1/models/{path}"))).await;
        assert_eq!(one.json["id"], id, "{one:?}");
    }
    let none = program.ask(program.get("/v1/models/none")).await;
    assert_eq!(
        (none.status.as_u16(), &none.error()["code"]),
        (404, &json!("model_not_found"))
    );
}

#[tokio::test]
async fn responses_are_chats() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    let mut body = json!({ "model": "loopback", "instructions": "Be kind.", "input": "Hello [[tokens=2]]" });
    let whole = program.ask(program.post("/v1/responses", &body)).await;
    assert_eq!(
        whole.json["output"][0]["content"][0]["text"], "Answer to: Hello\n\nword1 ",
        "{whole:?}"
    );
    assert_eq!(
        (&whole.json["status"], &whole.json["usage"]["output_tokens"]),
        (&json!("completed"), &json!(2))
    );
    assert_eq!(site.model.record().requests[0].system.as_deref(), Some("Be kind."));
    body["stream"] = json!(true);
    let mut stream = program.stream(program.post("/v1/responses", &body)).await;
    let mut events = Vec::new();
    while let Some(data) = stream.data().await {
        events.push(serde_json::from_str::<Value>(&data).expect("JSON"));
    }
    assert_eq!(events.first().expect("one")["type"], "response.created");
    let deltas = events
        .iter()
        .filter(|event| event["type"] == "response.output_text.delta");
    let text: String = deltas.filter_map(|event| event["delta"].as_str()).collect();
    assert_eq!(text, "Answer to: Hello\n\nword1 ");
    assert_eq!(events.last().expect("one")["type"], "response.completed");
}

#[tokio::test]
async fn responses_call_functions() {
    let site = Site::start(&[("MODELS", "demo@builtin")]).await;
    let program = Program::new(site.addr);
    let tools = json!([{ "type": "function", "name": "look_up", "parameters": { "type": "object" } }]);
    let mut body = json!({ "model": "loopback", "input": "[[reply=tool]] the \"weather\"", "tools": tools });
    let whole = program.ask(program.post("/v1/responses", &body)).await;
    let call = &whole.json["output"][0];
    assert_eq!(
        (&call["type"], &call["name"]),
        (&json!("function_call"), &json!("look_up")),
        "{whole:?}"
    );
    assert_eq!(
        (&whole.json["status"], &whole.json["tools"]),
        (&json!("completed"), &tools)
    );
    let arguments: Value = serde_json::from_str(call["arguments"].as_str().expect("a text")).expect("JSON");
    assert_eq!(arguments["question"], "the \"weather\"");
    body["stream"] = json!(true);
    let mut stream = program.stream(program.post("/v1/responses", &body)).await;
    let (mut pieces, mut last) = (String::new(), Value::Null);
    while let Some(data) = stream.data().await {
        last = serde_json::from_str(&data).expect("JSON");
        if last["type"] == "response.function_call_arguments.delta" {
            assert_eq!(last["output_index"], 0, "{last}");
            pieces.push_str(last["delta"].as_str().expect("a text"));
        }
    }
    assert_eq!(last["type"], "response.completed");
    assert_eq!(last["response"]["output"][0]["arguments"], json!(pieces));
    // What came of it goes to the server as a chat has it.
    let body = json!({ "model": "loopback", "tools": tools, "input": [
        { "role": "user", "content": "Rain?" },
        { "type": "function_call", "call_id": "c", "name": "look_up", "arguments": "{}" },
        { "type": "function_call_output", "call_id": "c", "output": "rain" },
        { "role": "user", "content": "[[reply=request]]" },
    ] });
    let whole = program.ask(program.post("/v1/responses", &body)).await;
    let got = whole.json["output"][0]["content"][0]["text"].as_str().expect("a text");
    let got: Value = serde_json::from_str(got).expect("what the server got");
    assert_eq!(got["messages"][1]["tool_calls"][0]["function"]["name"], "look_up");
    assert_eq!(
        got["messages"][2],
        json!({ "role": "tool", "tool_call_id": "c", "content": "rain" })
    );
    // A model whose server has no functions refuses them by their name.
    let body = json!({ "model": "demo@builtin", "input": "x", "tools": tools });
    let refused = program.ask(program.post("/v1/responses", &body)).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.error()["param"]),
        (400, &json!("tools"))
    );
}
