//! What is asked and heard in each format.

use super::*;

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
