//! Tools, in the words of each format: what is offered, what is called, and what is given back.

use anteroom_loopback::{Config, Loopback};
use axum::{body::Body, response::Response};
use serde_json::{Value, json};

use super::{
    providers::{Stub, events},
    *,
};
use crate::agents::{Notice, ToolCall, ToolResult, ToolSpec};

/// A question that offers a tool.
fn offering(messages: Vec<Message>) -> Question {
    let tool = ToolSpec {
        name: "add".to_owned(),
        description: "Adds two numbers.".to_owned(),
        schema: json!({ "type": "object", "properties": { "x": { "type": "number" } }, "required": ["x"] }),
    };
    Question {
        tools: [tool].into(),
        ..question_of(messages, Parameters::default())
    }
}

fn called(id: &str, arguments: &str) -> ToolCall {
    ToolCall {
        id: id.to_owned(),
        name: "add".to_owned(),
        arguments: arguments.to_owned(),
        opaque: None,
        thoughts: None,
    }
}

fn returned(id: &str, content: &str) -> ToolResult {
    ToolResult {
        id: id.to_owned(),
        name: "add".to_owned(),
        content: content.to_owned(),
        images: Vec::new(),
        failed: false,
    }
}

/// A conversation in which two calls were made: one that brought a picture, and one that failed and was no JSON.
fn used() -> Vec<Message> {
    let mut sum = returned("a", "3");
    sum.images.push(picture("sum.png"));
    let failed = ToolResult {
        failed: true,
        ..returned("b", "no JSON")
    };
    let opaque = Some("{\"google\":{\"thought_signature\":\"s\"}}".to_owned());
    vec![
        said(Role::User, "add"),
        Message {
            calls: vec![
                ToolCall {
                    opaque,
                    ..called("a", "{\"x\": 1}")
                },
                called("b", "{\"x\""),
            ],
            ..said(Role::Agent, "")
        },
        Message {
            results: vec![sum, failed],
            ..said(Role::User, "")
        },
    ]
}

/// The variable that says where a provider's servers are, and its key's.
fn variables(model: &str) -> (&'static str, &'static str) {
    match model.rsplit('@').next() {
        Some("openai") => ("OPENAI_BASE_URL", "OPENAI_API_KEY"),
        Some("anthropic") => ("ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"),
        Some("gemini") => ("GEMINI_BASE_URL", "GEMINI_API_KEY"),
        _ => ("OLLAMA_URL", "OPENAI_API_KEY"),
    }
}

fn agent_at(model: &str, url: &str) -> Talker {
    let (address, key) = variables(model);
    agent(&[("MODEL", model), (address, url), (key, "k")])
}

/// All parts of an answer, and how it ended.
async fn parts(talker: &Talker, question: Question) -> (Vec<Part>, Result<Answered, AgentError>) {
    let mut asked = ask(talker, question);
    let mut parts = Vec::new();
    while let Some(part) = asked.parts.recv().await {
        parts.push(part);
    }
    (parts, asked.outcome.await.unwrap())
}

/// What a server of `model` is asked, and what is heard of its answer.
async fn exchange(model: &str, question: Question, answer: String) -> (Value, Vec<Part>) {
    let mime = "text/event-stream";
    let stub = Stub::streaming(mime, answer).await;
    let (parts, outcome) = parts(&agent_at(model, &stub.url), question).await;
    outcome.unwrap();
    let body = stub.got.lock().unwrap().remove(0).body;
    (body, parts)
}

fn openai_answer(calls: &Value, finish: &str) -> String {
    events(&[
        json!({ "choices": [{ "index": 0, "delta": { "role": "assistant", "content": null, "tool_calls": calls } }] }),
        json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": finish }] }),
    ])
}

#[tokio::test]
async fn openai() {
    let calls = json!([{ "index": 0, "id": "call_1", "type": "function", "function": { "name": "add", "arguments": "{\"x\":2}" } }]);
    let mut messages = used();
    messages.push(said(Role::User, "go on"));
    let (body, parts) = exchange("m@openai", offering(messages), openai_answer(&calls, "tool_calls")).await;
    assert_eq!(parts, [Part::ToolCall(called("call_1", "{\"x\":2}"))]);
    let schema = json!({ "type": "object", "properties": { "x": { "type": "number" } }, "required": ["x"] });
    let function = json!({ "name": "add", "description": "Adds two numbers.", "parameters": schema });
    assert_eq!(body["tools"], json!([{ "type": "function", "function": function }]));
    assert_eq!(
        body.get("tool_choice").or_else(|| body.get("parallel_tool_calls")),
        None
    );
    let a = json!({ "id": "a", "type": "function", "function": { "name": "add", "arguments": "{\"x\": 1}" }, "extra_content": { "google": { "thought_signature": "s" } } });
    let b = json!({ "id": "b", "type": "function", "function": { "name": "add", "arguments": "{\"arguments\":\"{\\\"x\\\"\"}" } });
    let picture = json!({ "type": "image_url", "image_url": { "url": "data:image/png;base64,iVBORw==" } });
    let text = |text: &str| json!({ "type": "text", "text": text });
    assert_eq!(
        body["messages"],
        json!([
            { "role": "user", "content": "add" },
            { "role": "assistant", "content": null, "tool_calls": [a, b] },
            { "role": "tool", "tool_call_id": "a", "content": "3" },
            { "role": "tool", "tool_call_id": "b", "content": "no JSON" },
            { "role": "user", "content": [text("Picture sum.png, which the tool add returned:"), picture, text("go on")] },
        ])
    );
}

#[tokio::test]
async fn deepseek_has_its_thoughts_back_with_the_calls() {
    let call = json!({ "index": 0, "id": "call_1", "type": "function", "function": { "name": "add", "arguments": "{\"x\":2}" } });
    let choice =
        |delta: Value, finish: Value| json!({ "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }] });
    // As api-docs.deepseek.com/guides/thinking_mode has it.
    let answer = events(&[
        choice(
            json!({ "role": "assistant", "content": null, "reasoning_content": "" }),
            Value::Null,
        ),
        choice(
            json!({ "content": null, "reasoning_content": "First the " }),
            Value::Null,
        ),
        choice(json!({ "content": null, "reasoning_content": "sum." }), Value::Null),
        choice(
            json!({ "content": "Let me add.", "reasoning_content": null }),
            Value::Null,
        ),
        choice(json!({ "tool_calls": [call] }), Value::Null),
        choice(json!({ "content": "", "reasoning_content": null }), json!("tool_calls")),
    ]);
    let (_, heard) = exchange("m@openai", offering(vec![said(Role::User, "add")]), answer.clone()).await;
    let expected = ToolCall {
        thoughts: Some("First the sum.".to_owned()),
        ..called("call_1", "{\"x\":2}")
    };
    let thought: String = heard
        .iter()
        .filter_map(|part| match part {
            Part::Reasoning(piece) => Some(piece.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(thought, "First the sum.");
    let [.., Part::Text(text), Part::ToolCall(call)] = &heard[..] else {
        panic!("{heard:?}");
    };
    assert_eq!((text.as_str(), call), ("Let me add.", &expected));
    let messages = vec![
        said(Role::User, "add"),
        Message {
            calls: vec![expected],
            ..said(Role::Agent, "Let me add.")
        },
        Message {
            results: vec![returned("call_1", "2")],
            ..said(Role::User, "")
        },
    ];
    let (body, _) = exchange("m@openai", offering(messages.clone()), answer).await;
    let function = json!({ "name": "add", "arguments": "{\"x\":2}" });
    assert_eq!(
        body["messages"],
        json!([
            { "role": "user", "content": "add" },
            {
                "role": "assistant", "content": "Let me add.", "reasoning_content": "First the sum.",
                "tool_calls": [{ "id": "call_1", "type": "function", "function": function }],
            },
            { "role": "tool", "tool_call_id": "call_1", "content": "2" },
        ])
    );
    // Other formats have no such thing.
    let end = json!({ "message": { "content": "Hi" }, "done": true }).to_string() + "\n";
    let (body, _) = exchange("m@ollama", offering(messages), end).await;
    assert!(!body.to_string().contains("First the sum"), "{body}");
}

fn schema() -> Value {
    json!({ "type": "object", "properties": { "x": { "type": "number" } }, "required": ["x"] })
}

#[tokio::test]
async fn anthropic() {
    let block = json!({ "type": "tool_use", "id": "toolu_1", "name": "add", "input": {} });
    let answer = events(&[
        json!({ "type": "content_block_start", "index": 0, "content_block": block }),
        json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "input_json_delta", "partial_json": "{\"x\":2}" } }),
        json!({ "type": "message_delta", "delta": { "stop_reason": "tool_use" } }),
        json!({ "type": "message_stop" }),
    ]);
    let mut messages = used();
    // As another server may call it.
    messages[1].calls[1].id = "functions.add:1".to_owned();
    messages[2].results[1].id = "functions.add:1".to_owned();
    messages.push(said(Role::User, "go on"));
    let mut question = offering(messages);
    let (body, parts) = exchange("m@anthropic", question.clone(), answer.clone()).await;
    assert_eq!(parts, [Part::ToolCall(called("toolu_1", "{\"x\":2}"))]);
    let tool = json!({ "name": "add", "description": "Adds two numbers.", "input_schema": schema() });
    assert_eq!((&body["tools"], body.get("tool_choice")), (&json!([tool]), None));
    let text = |text: &str| json!({ "type": "text", "text": text });
    let image =
        json!({ "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": "iVBORw==" } });
    let found = text("Picture sum.png, which the tool add returned:");
    assert_eq!(
        body["messages"],
        json!([
            { "role": "user", "content": [text("add")] },
            { "role": "assistant", "content": [
                { "type": "tool_use", "id": "a", "name": "add", "input": { "x": 1 } },
                { "type": "tool_use", "id": "functions_add_1", "name": "add", "input": { "arguments": "{\"x\"" } },
            ] },
            { "role": "user", "content": [
                { "type": "tool_result", "tool_use_id": "a", "content": [text("3"), found, image] },
                { "type": "tool_result", "tool_use_id": "functions_add_1", "content": [text("no JSON")], "is_error": true },
                text("go on"),
            ] },
        ])
    );
    // The API wants to know the tools that were used, also where none is to be any more.
    question.tools = [].into();
    let (body, _) = exchange("m@anthropic", question, answer).await;
    assert_eq!(
        (&body["tools"], &body["tool_choice"]),
        (
            &json!([{ "name": "add", "input_schema": { "type": "object" } }]),
            &json!({ "type": "none" })
        )
    );
}

#[tokio::test]
async fn gemini() {
    let part = json!({ "functionCall": { "name": "add", "args": { "x": 2 } }, "thoughtSignature": "Cg==" });
    let answer = events(&[
        json!({ "candidates": [{ "content": { "role": "model", "parts": [part] }, "finishReason": "STOP" }] }),
    ]);
    let mut messages = used();
    let more = [
        Message {
            calls: vec![ToolCall {
                opaque: Some("Cg==".to_owned()),
                ..called("made00001", "{}")
            }],
            ..said(Role::Agent, "Once more.")
        },
        Message {
            results: vec![returned("made00001", "4")],
            ..said(Role::User, "")
        },
        said(Role::User, "go on"),
    ];
    messages.extend(more);
    for (model, thoughts) in [
        ("gemini-2.5-flash", None),
        ("gemini-3-pro", Some("skip_thought_signature_validator")),
    ] {
        let (body, parts) = exchange(&format!("{model}@gemini"), offering(messages.clone()), answer.clone()).await;
        let call = ToolCall {
            opaque: Some("Cg==".to_owned()),
            ..called("made00001", "{\"x\":2}")
        };
        assert_eq!(parts, [Part::ToolCall(call)]);
        let declared = json!({ "name": "add", "description": "Adds two numbers.", "parametersJsonSchema": schema() });
        assert_eq!(body["tools"], json!([{ "functionDeclarations": [declared] }]));
        let mut first = json!({ "functionCall": { "id": "a", "name": "add", "args": { "x": 1 } } });
        if let Some(thoughts) = thoughts {
            first["thoughtSignature"] = thoughts.into();
        }
        let text = |text: &str| json!({ "text": text });
        let image = json!({ "inlineData": { "mimeType": "image/png", "data": "iVBORw==" } });
        let found = text("Picture sum.png, which the tool add returned:");
        assert_eq!(
            body["contents"],
            json!([
                { "role": "user", "parts": [text("add")] },
                { "role": "model", "parts": [first, { "functionCall": { "id": "b", "name": "add", "args": { "arguments": "{\"x\"" } } }] },
                { "role": "user", "parts": [
                    { "functionResponse": { "id": "a", "name": "add", "response": { "output": "3" } } },
                    { "functionResponse": { "id": "b", "name": "add", "response": { "error": "no JSON" } } },
                    found, image,
                ] },
                { "role": "model", "parts": [
                    text("Once more."),
                    { "functionCall": { "name": "add", "args": {} }, "thoughtSignature": "Cg==" },
                ] },
                { "role": "user", "parts": [
                    { "functionResponse": { "name": "add", "response": { "output": "4" } } },
                    text("go on"),
                ] },
            ]),
            "{model}"
        );
    }
}

#[tokio::test]
async fn ollama() {
    let lines = [
        json!({ "message": { "role": "assistant", "content": "", "tool_calls": [{ "function": { "name": "add", "arguments": { "x": 2 } } }] }, "done": false }),
        json!({ "message": { "role": "assistant", "content": "" }, "done": true, "done_reason": "stop" }),
    ];
    let answer: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let mut messages = used();
    messages[1].calls[1].id = "made00007".to_owned();
    messages[2].results[1].id = "made00007".to_owned();
    let (body, parts) = exchange("m@ollama", offering(messages), answer).await;
    assert_eq!(parts, [Part::ToolCall(called("made00001", "{\"x\":2}"))]);
    let function = json!({ "name": "add", "description": "Adds two numbers.", "parameters": schema() });
    assert_eq!(body["tools"], json!([{ "type": "function", "function": function }]));
    assert_eq!(
        body["messages"],
        json!([
            { "role": "user", "content": "add" },
            { "role": "assistant", "content": "", "tool_calls": [
                { "id": "a", "function": { "name": "add", "arguments": { "x": 1 } } },
                { "function": { "name": "add", "arguments": { "arguments": "{\"x\"" } } },
            ] },
            { "role": "tool", "tool_name": "add", "tool_call_id": "a", "content": "3" },
            { "role": "tool", "tool_name": "add", "content": "no JSON" },
            { "role": "user", "content": "Picture sum.png, which the tool add returned:", "images": ["iVBORw=="] },
        ])
    );
}

#[tokio::test]
async fn a_model_that_takes_no_tools_is_asked_again_without_them_and_that_is_told() {
    for (model, status, said, answer) in [
        (
            "m@ollama",
            400,
            "registry.ollama.ai/library/m does not support tools",
            json!({ "message": { "content": "Hi" }, "done": true }).to_string() + "\n",
        ),
        (
            "m@openai",
            404,
            "No endpoints found that support tool use.",
            events(&[json!({ "choices": [{ "delta": { "content": "Hi" }, "finish_reason": "stop" }] })]),
        ),
    ] {
        let stub = Stub::start(move |got| {
            let has_tools = got.body.get("tools").is_some();
            let (status, body) = if has_tools {
                (status, json!({ "error": said }).to_string())
            } else {
                (200, answer.clone())
            };
            Response::builder().status(status).body(Body::from(body)).unwrap()
        })
        .await;
        let talker = agent_at(model, &stub.url);
        let (heard, outcome) = parts(&talker, offering(used())).await;
        outcome.unwrap();
        assert_eq!(
            heard,
            [Part::Notice(Notice::ToolsLeftOut), Part::Text("Hi".into())],
            "{model}"
        );
        let got = std::mem::take(&mut *stub.got.lock().unwrap());
        assert_eq!(got.len(), 2);
        let asked = got[1].body["messages"].to_string();
        assert!(
            !asked.contains("tool_calls") && asked.contains("I used the tool `add`"),
            "{asked}"
        );
        // Nothing of tools in it: the refusal is of something else.
        let (_, outcome) = parts(&talker, question("q")).await;
        assert!(outcome.is_ok());
    }
}

#[tokio::test]
async fn that_a_model_takes_no_tools_is_remembered_until_the_settings_are_edited() {
    let stub = Stub::start(|got| {
        let refuses = got.body["model"] == "m" && got.body.get("tools").is_some();
        let (status, body) = match refuses {
            true => (400, json!({ "error": "m does not support tools" }).to_string()),
            false => {
                let answer = json!({ "choices": [{ "delta": { "content": "Hi" }, "finish_reason": "stop" }] });
                (200, events(&[answer]))
            }
        };
        Response::builder().status(status).body(Body::from(body)).unwrap()
    })
    .await;
    let loaded = || {
        load(&[
            ("MODEL", "m@openai"),
            ("MODELS", "m@openai,n@openai"),
            ("OPENAI_BASE_URL", &stub.url),
            ("OPENAI_API_KEY", "k"),
        ])
    };
    let talker = talker(loaded()).unwrap();
    let left_out = [Part::Notice(Notice::ToolsLeftOut), Part::Text("Hi".into())];
    let with_tools = || {
        let got = std::mem::take(&mut *stub.got.lock().unwrap());
        let asked = got.iter().filter(|got| got.path.contains("chat"));
        asked.map(|got| got.body.get("tools").is_some()).collect::<Vec<_>>()
    };
    for asked in [&[true, false][..], &[false], &[false]] {
        let (heard, outcome) = parts(&talker, offering(used())).await;
        assert_eq!((&heard[..], outcome.is_ok()), (&left_out[..], true));
        assert_eq!(with_tools(), asked);
    }
    // Another model of the same server is told of them.
    let other = Question {
        model: ModelName::of_id("n@openai").unwrap(),
        ..offering(used())
    };
    let (heard, _) = parts(&talker, other).await;
    assert_eq!((&heard[..], with_tools()), (&left_out[1..], vec![true]));
    talker.backends.retune(&loaded().settings).unwrap();
    parts(&talker, offering(used())).await.1.unwrap();
    assert_eq!(with_tools(), [true, false]);
}

#[tokio::test]
async fn a_refusal_of_tools_is_not_remembered_of_a_model_that_does_not_answer_without_them_either() {
    let stub = Stub::start(|_| {
        let body = json!({ "error": "m does not support tools, or anything else" }).to_string();
        Response::builder().status(400).body(Body::from(body)).unwrap()
    })
    .await;
    let talker = agent_at("m@openai", &stub.url);
    for _ in 0..2 {
        let (heard, outcome) = parts(&talker, offering(used())).await;
        assert_eq!(
            (heard, outcome.is_err()),
            (vec![Part::Notice(Notice::ToolsLeftOut)], true)
        );
        assert_eq!(std::mem::take(&mut *stub.got.lock().unwrap()).len(), 2);
    }
}

#[tokio::test]
async fn a_picture_that_a_tool_returned_is_left_out_for_a_model_that_does_not_see() {
    let stub = Stub::start(|got| {
        let (status, body) = if got.body.to_string().contains("image_url") {
            (400, json!({ "error": "m is not a multimodal model" }).to_string())
        } else {
            let answer = json!({ "choices": [{ "delta": { "content": "Hi" }, "finish_reason": "stop" }] });
            (200, events(&[answer]))
        };
        Response::builder().status(status).body(Body::from(body)).unwrap()
    })
    .await;
    let talker = agent_at("m@openai", &stub.url);
    let (heard, outcome) = parts(&talker, offering(used())).await;
    let expected = vec![Part::Notice(Notice::PicturesLeftOut), Part::Text("Hi".into())];
    assert_eq!((heard, outcome.is_ok()), (expected, true));
    let asked = stub.got.lock().unwrap()[1].body["messages"].to_string();
    assert!(asked.contains("sum.png, which you cannot see"), "{asked}");
    // One that stands in a document is left out as well, one of the person's is not.
    let mut documents = used();
    documents[0].images.push(Image {
        found: true,
        ..picture("scan.pdf, page 1")
    });
    let (_, outcome) = parts(&talker, offering(documents)).await;
    assert!(outcome.is_ok());
    let asked = stub.got.lock().unwrap()[3].body["messages"].to_string();
    assert!(
        asked.contains("not shown to you after all, as you see none: 1"),
        "{asked}"
    );
    let mut own = used();
    own[0].images.push(picture("own.png"));
    assert_eq!(
        parts(&talker, offering(own)).await.1,
        Err(AgentError::VisionUnsupported)
    );
}

/// Asks until nothing is called any more, as a turn does; what each round said and called.
async fn rounds(talker: &Talker, mut question: Question) -> Vec<(String, Vec<ToolCall>)> {
    let mut rounds = Vec::new();
    loop {
        let (heard, outcome) = parts(talker, question.clone()).await;
        outcome.unwrap();
        let (mut text, mut calls) = (String::new(), Vec::new());
        for part in heard {
            match part {
                Part::Text(piece) => text.push_str(&piece),
                Part::ToolCall(call) => calls.push(call),
                part => panic!("{part:?}"),
            }
        }
        rounds.push((text.clone(), calls.clone()));
        if calls.is_empty() {
            return rounds;
        }
        let results = calls.iter().map(|call| ToolResult {
            name: call.name.clone(),
            ..returned(&call.id, &format!("{} of {}", call.name, call.arguments))
        });
        let results = Message {
            results: results.collect(),
            ..said(Role::User, "")
        };
        question.messages.extend([
            Message {
                calls,
                ..said(Role::Agent, &text)
            },
            results,
        ]);
    }
}

#[tokio::test]
async fn a_turn_goes_through_its_rounds() {
    let loopback = Loopback::start(Config::default()).await.unwrap();
    let talker = agent_at("m@openai", &loopback.base_url());
    let asked =
        "[[before=2]] use tool add with {\"x\": \"\u{1f600}\"} and use tool nope; then use tool add with {broken";
    let rounds = rounds(&talker, offering(vec![said(Role::User, asked)])).await;
    let called: Vec<Vec<_>> = rounds
        .iter()
        .map(|(_, calls)| calls.iter().map(|call| (&*call.name, &*call.arguments)).collect())
        .collect();
    assert_eq!(
        called,
        [
            vec![("add", "{\"x\": \"\u{1f600}\"}"), ("nope", "{}")],
            vec![("add", "{broken")],
            vec![],
        ]
    );
    assert_eq!(rounds[0].0, "before1 before2 ");
    let last = &rounds[2].0;
    assert!(
        last.contains("nope returned: nope of {}") && last.ends_with("add returned: add of {broken\n\n"),
        "{last}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_demo_model_uses_a_tool_and_says_what_it_returned() {
    let talker = agent(&[("DEMO_SPEED", "100000")]);
    let rounds = rounds(
        &talker,
        offering(vec![said(Role::User, "use the tool add with {\"x\": 2}")]),
    )
    .await;
    assert_eq!(rounds.len(), 2);
    let (before, calls) = &rounds[0];
    assert_eq!(*calls, [called("call_1", "{\"x\": 2}")]);
    assert!(before.contains("`add`"), "{before}");
    assert!(rounds[1].0.contains("add of {\"x\": 2}"), "{}", rounds[1].0);
    let (heard, _) = parts(&talker, question("use the tool add with {\"x\": 2}")).await;
    assert!(
        heard.iter().all(|part| matches!(part, Part::Text(_))),
        "none is on offer: {heard:?}"
    );
}

#[tokio::test]
async fn calls_beyond_all_bounds_are_a_fault_by_name() {
    let long = json!([{ "index": 0, "id": "a", "function": { "name": "add", "arguments": "x".repeat(300 * 1024) } }]);
    let many: Vec<_> = (0..65)
        .map(|at| json!({ "index": at, "id": at.to_string(), "function": { "name": "add", "arguments": "{}" } }))
        .collect();
    for calls in [long, json!(many)] {
        let stub = Stub::streaming("text/event-stream", openai_answer(&calls, "tool_calls")).await;
        let (heard, outcome) = parts(&agent_at("m@openai", &stub.url), offering(vec![said(Role::User, "q")])).await;
        assert_eq!((heard, outcome), (vec![], Err(AgentError::CallsTooLarge)));
    }
}
