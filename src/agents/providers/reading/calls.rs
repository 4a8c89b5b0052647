//! Calls of tools as each server tells of them, cut at every byte.

use serde_json::{Value, json};

use super::{tests::said, *};

fn call(id: &str, name: &str, arguments: &str) -> ToolCall {
    ToolCall {
        id: id.to_owned(),
        name: name.to_owned(),
        arguments: arguments.to_owned(),
        opaque: None,
        thoughts: None,
    }
}

fn events(events: &[Value]) -> String {
    events.iter().map(|event| format!("data: {event}\n\n")).collect()
}

/// An answer of these, which each are the `delta` of an event, and its end.
fn openai(deltas: &[Value], finish: &str) -> String {
    let chunk = |choice: Value| json!({ "id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [choice] });
    let deltas = deltas
        .iter()
        .map(|delta| chunk(json!({ "index": 0, "delta": delta, "finish_reason": null })));
    let end = chunk(json!({ "index": 0, "delta": {}, "finish_reason": finish }));
    events(&deltas.chain([end]).collect::<Vec<_>>()) + "data: [DONE]\n\n"
}

#[test]
fn openai_calls_come_in_pieces() {
    let begun = |index: u64, id: &str, name: &str| json!({ "tool_calls": [{ "index": index, "id": id, "type": "function", "function": { "name": name, "arguments": "" } }] });
    let more =
        |index: u64, piece: &str| json!({ "tool_calls": [{ "index": index, "function": { "arguments": piece } }] });
    let deltas = [
        json!({ "role": "assistant", "content": null }),
        json!({ "content": "Let me see." }),
        begun(0, "call_a", "weather"),
        begun(1, "call_b", "time"),
        more(0, "{\"city\":"),
        more(1, "{\"zone\":\"\u{1f600}"),
        more(0, "\"Z\u{fc}rich\"}"),
        more(1, "\"}"),
    ];
    for finish in ["tool_calls", "stop"] {
        let heard = said(Provider::OpenAi, &openai(&deltas, finish));
        assert_eq!((&*heard.text, heard.fault), ("Let me see.", None), "{finish}");
        assert_eq!(
            heard.calls,
            [
                call("call_a", "weather", "{\"city\":\"Z\u{fc}rich\"}"),
                call("call_b", "time", "{\"zone\":\"\u{1f600}\"}"),
            ]
        );
    }
}

#[test]
fn openai_calls_of_other_servers_come_whole() {
    let function = |arguments: Value| json!({ "name": "add", "arguments": arguments });
    for (calls, expected) in [
        // Without an index, without an id, with an object.
        (
            json!([{ "id": "a", "type": "function", "function": function(json!("{\"x\":1}")) }]),
            vec![call("a", "add", "{\"x\":1}")],
        ),
        (
            json!([{ "function": function(json!({ "x": 1 })) }, { "function": function(json!({ "x": 1 })) }]),
            vec![
                call("made00001", "add", "{\"x\":1}"),
                call("made00002", "add", "{\"x\":1}"),
            ],
        ),
        (
            json!([{ "index": 0, "id": null, "function": function(json!(null)) }]),
            vec![call("made00001", "add", "{}")],
        ),
        (
            json!([{ "index": 0, "id": "", "function": function(json!("")) }]),
            vec![call("made00001", "add", "{}")],
        ),
        // All of them are the first.
        (
            json!([
                { "index": 0, "id": "a", "function": function(json!("{}")) },
                { "index": 0, "id": "b", "function": function(json!("{\"y\":2}")) },
            ]),
            vec![call("a", "add", "{}"), call("b", "add", "{\"y\":2}")],
        ),
        (json!(null), vec![]),
        (json!([]), vec![]),
    ] {
        let deltas = [json!({ "role": "assistant", "content": "Hi", "tool_calls": calls })];
        let heard = said(Provider::OpenAi, &openai(&deltas, "stop"));
        assert_eq!((heard.calls, heard.fault), (expected, None), "{calls}");
    }
}

#[test]
fn what_googles_servers_want_to_have_back_is_kept() {
    let extra = json!({ "google": { "thought_signature": "Cg==" } });
    let delta = json!({ "tool_calls": [{ "index": 0, "id": "a", "extra_content": extra, "function": { "name": "add", "arguments": "{}" } }] });
    let heard = said(Provider::OpenAi, &openai(&[delta], "tool_calls"));
    assert_eq!(heard.calls[0].opaque.as_deref(), Some(&*extra.to_string()));
}

#[test]
fn thoughts_that_a_server_wants_back_come_with_the_first_call() {
    let thinks = |piece: &str| json!({ "content": null, "reasoning_content": piece });
    let calls = |id: &str| json!({ "content": null, "reasoning_content": null, "tool_calls": [{ "index": 0, "id": id, "type": "function", "function": { "name": "add", "arguments": "{}" } }] });
    let second = json!({ "tool_calls": [{ "index": 1, "id": "b", "type": "function", "function": { "name": "add", "arguments": "{}" } }] });
    for (before, kept) in [
        (
            vec![thinks("The person wants "), thinks("a sum. \u{1f600}")],
            Some("The person wants a sum. \u{1f600}"),
        ),
        // One that has thought nothing says so, and wants that back.
        (vec![thinks("")], Some("")),
        (vec![json!({ "content": "", "reasoning": "hm" })], None),
        (vec![json!({ "content": "<think>hm</think>" })], None),
        (vec![], None),
    ] {
        let deltas = [before.clone(), vec![calls("a"), second.clone()]].concat();
        let heard = said(Provider::OpenAi, &openai(&deltas, "tool_calls"));
        let told: Vec<_> = heard
            .calls
            .iter()
            .map(|call| (&*call.id, call.thoughts.as_deref()))
            .collect();
        assert_eq!(told, [("a", kept), ("b", None)], "{before:?}");
    }
    // Half of them would be others.
    let long = "x".repeat(600 * 1024);
    let deltas = [thinks("a"), thinks(&long), thinks("b"), calls("a")];
    let heard = transcript(Provider::OpenAi, [openai(&deltas, "tool_calls").as_bytes()]).expect("a server");
    assert_eq!(heard.calls[0].thoughts, None);
    assert_eq!(heard.reasoning.len(), long.len() + 2);
}

#[test]
fn arguments_that_are_cut_within_a_character_are_put_together() {
    let piece = |piece: &[u8]| {
        let before =
            br#"data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"add","arguments":""#;
        [&before[..], piece, b"\"}}]}}]}\n\n"].concat()
    };
    for (pieces, expected) in [
        ([&br"\ud83d"[..], br"\ude00"], "\u{1f600}"),
        ([b"\xc3", b"\xa9"], "\u{e9}"),
        ([b"a\xff", b"b"], "a\u{fffd}b"),
        ([br"\ud83d", b"x"], "\u{fffd}x"),
    ] {
        let body = [piece(pieces[0]), piece(pieces[1]), openai(&[], "stop").into_bytes()].concat();
        let heard = transcript(Provider::OpenAi, body.chunks(3)).expect("a server");
        assert_eq!(heard.calls, [call("a", "add", expected)], "{pieces:x?}");
    }
}

/// Anthropic's answer with these blocks, whose calls come in such pieces, and its end.
fn anthropic(blocks: &[(Value, &[&str])], stop: &str) -> String {
    let mut all =
        vec![json!({ "type": "message_start", "message": { "usage": { "input_tokens": 3, "output_tokens": 1 } } })];
    for (index, (block, pieces)) in blocks.iter().enumerate() {
        all.push(json!({ "type": "content_block_start", "index": index, "content_block": block }));
        for piece in *pieces {
            let delta = match block["type"].as_str() {
                Some("text") => json!({ "type": "text_delta", "text": piece }),
                _ => json!({ "type": "input_json_delta", "partial_json": piece }),
            };
            all.push(json!({ "type": "content_block_delta", "index": index, "delta": delta }));
        }
        all.push(json!({ "type": "content_block_stop", "index": index }));
    }
    all.push(json!({ "type": "message_delta", "delta": { "stop_reason": stop }, "usage": { "output_tokens": 9 } }));
    all.push(json!({ "type": "message_stop" }));
    events(&all)
}

#[test]
fn anthropic_calls_are_blocks() {
    let tool = |id: &str, input: Value| json!({ "type": "tool_use", "id": id, "name": "weather", "input": input });
    let blocks = [
        (json!({ "type": "text", "text": "" }), &["Let me ", "see."][..]),
        (tool("toolu_a", json!({})), &["", "{\"city\": \"Z\u{fc}", "rich\"}"]),
        (tool("toolu_b", json!({})), &[]),
        // As some other servers have it.
        (tool("toolu_c", json!({ "city": "Bern" })), &[]),
        (
            json!({ "type": "server_tool_use", "id": "srvtoolu_d", "name": "web_search", "input": {} }),
            &[],
        ),
    ];
    for stop in ["tool_use", "end_turn"] {
        let heard = said(Provider::Anthropic, &anthropic(&blocks, stop));
        assert_eq!(
            (&*heard.text, heard.fault, heard.usage.output),
            ("Let me see.", None, Some(9))
        );
        assert_eq!(
            heard.calls,
            [
                call("toolu_a", "weather", "{\"city\": \"Z\u{fc}rich\"}"),
                call("toolu_b", "weather", "{}"),
                call("toolu_c", "weather", "{\"city\":\"Bern\"}"),
            ],
            "{stop}"
        );
    }
    let heard = said(Provider::Anthropic, &anthropic(&blocks[1..2], "max_tokens"));
    assert_eq!((heard.calls, heard.fault), (vec![], Some(AgentError::Spent)));
}

/// Gemini's answer of these parts, each in a chunk of its own, and its end.
fn gemini(chunks: &[Value], finish: &str) -> String {
    let chunk =
        |parts: &Value| json!({ "candidates": [{ "content": { "role": "model", "parts": parts }, "index": 0 }] });
    let mut all: Vec<Value> = chunks.iter().map(chunk).collect();
    all.push(json!({
        "candidates": [{ "content": { "role": "model", "parts": [{ "text": "" }] }, "finishReason": finish }],
        "usageMetadata": { "promptTokenCount": 3, "candidatesTokenCount": 4 },
    }));
    events(&all)
}

#[test]
fn gemini_calls_are_parts_with_their_thoughts() {
    let chunks = [
        json!([{ "text": "hm", "thought": true }]),
        json!([
            { "text": "Let me see." },
            { "functionCall": { "name": "weather", "args": { "city": "Z\u{fc}rich" }, "id": "fc1" }, "thoughtSignature": "Cg==" },
            { "functionCall": { "name": "weather", "args": { "city": "Z\u{fc}rich" }, "id": "fc2" } },
        ]),
        json!([{ "functionCall": { "name": "now" } }]),
        json!([{ "functionCall": { "name": "now", "args": {} } }]),
    ];
    let heard = said(Provider::Gemini, &gemini(&chunks, "STOP"));
    assert_eq!(
        (&*heard.text, &*heard.reasoning, heard.fault),
        ("Let me see.", "hm", None)
    );
    let first = ToolCall {
        opaque: Some("Cg==".to_owned()),
        ..call("fc1", "weather", "{\"city\":\"Z\u{fc}rich\"}")
    };
    assert_eq!(
        heard.calls,
        [
            first,
            call("fc2", "weather", "{\"city\":\"Z\u{fc}rich\"}"),
            call("made00001", "now", "{}"),
            call("made00002", "now", "{}"),
        ]
    );
    let heard = said(Provider::Gemini, &gemini(&chunks[2..3], "MALFORMED_FUNCTION_CALL"));
    assert_eq!((heard.calls, heard.fault), (vec![], Some(AgentError::Empty)));
}

#[test]
fn ollama_calls_come_whole() {
    let line = |calls: Value| json!({ "model": "m", "message": { "role": "assistant", "content": "", "tool_calls": calls }, "done": false });
    let lines = [
        json!({ "model": "m", "message": { "role": "assistant", "content": "", "thinking": "hm" }, "done": false }),
        line(
            json!([{ "function": { "name": "weather", "arguments": { "city": "Z\u{fc}rich" } } }, { "id": "call_x", "function": { "index": 1, "name": "now", "arguments": {} } }]),
        ),
        line(
            json!([{ "function": { "name": "now", "arguments": "{\"zone\":1}" } }, { "function": { "name": "now" } }]),
        ),
        line(json!(null)),
        json!({ "model": "m", "message": { "role": "assistant", "content": "" }, "done": true, "done_reason": "stop", "eval_count": 4 }),
    ];
    let body: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let heard = said(Provider::Ollama, &body);
    assert_eq!(
        (&*heard.reasoning, heard.fault, heard.usage.output),
        ("hm", None, Some(4))
    );
    assert_eq!(
        heard.calls,
        [
            call("made00001", "weather", "{\"city\":\"Z\u{fc}rich\"}"),
            call("call_x", "now", "{}"),
            call("made00002", "now", "{\"zone\":1}"),
            call("made00003", "now", "{}"),
        ]
    );
}

/// A call in each format, without the end of its answer.
fn half(provider: Provider) -> String {
    match provider {
        Provider::OpenAi => {
            let delta =
                json!({ "tool_calls": [{ "index": 0, "id": "a", "function": { "name": "add", "arguments": "{}" } }] });
            events(&[json!({ "choices": [{ "delta": delta }] })])
        }
        Provider::Anthropic => {
            let whole = anthropic(
                &[(
                    json!({ "type": "tool_use", "id": "a", "name": "add", "input": {} }),
                    &["{}"],
                )],
                "tool_use",
            );
            whole
                .split("data: {\"delta\":{\"stop_reason\"")
                .next()
                .unwrap_or_default()
                .to_owned()
        }
        Provider::Gemini => {
            let whole = gemini(&[json!([{ "functionCall": { "name": "add", "args": {} } }])], "STOP");
            whole.split_inclusive("\n\n").next().unwrap_or_default().to_owned()
        }
        Provider::Ollama => {
            json!({ "message": { "tool_calls": [{ "function": { "name": "add", "arguments": {} } }] } }).to_string()
                + "\n"
        }
        Provider::Builtin => String::new(),
    }
}

#[test]
fn a_call_of_an_answer_without_an_end_is_none() {
    for provider in Provider::ALL {
        let body = half(provider);
        if provider == Provider::Builtin {
            continue;
        }
        assert!(body.contains("add"), "{body}");
        let heard = said(provider, &body);
        assert_eq!((heard.calls, heard.fault), (vec![], Some(AgentError::CutOff)), "{body}");
    }
}

#[test]
fn an_answer_that_ended_before_its_time_calls_nothing() {
    let delta =
        json!({ "tool_calls": [{ "index": 0, "id": "a", "function": { "name": "add", "arguments": "{\"x\"" } }] });
    let heard = said(Provider::OpenAi, &openai(&[delta], "length"));
    assert_eq!((heard.calls, heard.fault), (vec![], Some(AgentError::Spent)));
}

#[test]
fn calls_that_make_no_sense_are_a_fault() {
    for calls in [
        json!(7),
        json!("add"),
        json!([7]),
        json!([{ "function": { "name": 7 } }]),
    ] {
        let heard = said(Provider::OpenAi, &openai(&[json!({ "tool_calls": calls })], "stop"));
        assert_eq!(heard.fault, Some(AgentError::InvalidResponse), "{calls}");
    }
}
