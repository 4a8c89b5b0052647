//! Calls of tools as each server tells of them, cut at every byte.

use serde_json::{Value, json};

use super::{tests::said, *};

fn call(id: &str, name: &str, arguments: &str) -> ToolCall {
    ToolCall {
        id: id.to_owned(),
        name: name.to_owned(),
        arguments: arguments.to_owned(),
        opaque: None,
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
            vec![call("made00001", "add", "{\"x\":1}"), call("made00002", "add", "{\"x\":1}")],
        ),
        (
            json!([{ "index": 0, "id": null, "function": function(json!(null)) }]),
            vec![call("made00001", "add", "{}")],
        ),
        (json!([{ "index": 0, "id": "", "function": function(json!("")) }]), vec![call("made00001", "add", "{}")]),
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
fn arguments_that_are_cut_within_a_character_are_put_together() {
    let piece = |piece: &[u8]| {
        let before = br#"data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"add","arguments":""#;
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

/// A call in each format, without the end of its answer.
fn half(provider: Provider) -> String {
    match provider {
        Provider::OpenAi => {
            let delta = json!({ "tool_calls": [{ "index": 0, "id": "a", "function": { "name": "add", "arguments": "{}" } }] });
            events(&[json!({ "choices": [{ "delta": delta }] })])
        }
        _ => String::new(),
    }
}

#[test]
fn a_call_of_an_answer_without_an_end_is_none() {
    for provider in Provider::ALL {
        let body = half(provider);
        if !body.is_empty() {
            let heard = said(provider, &body);
            assert_eq!((heard.calls, heard.fault), (vec![], Some(AgentError::CutOff)), "{provider:?}");
        }
    }
}

#[test]
fn an_answer_that_ended_before_its_time_calls_nothing() {
    let delta = json!({ "tool_calls": [{ "index": 0, "id": "a", "function": { "name": "add", "arguments": "{\"x\"" } }] });
    let heard = said(Provider::OpenAi, &openai(&[delta], "length"));
    assert_eq!((heard.calls, heard.fault), (vec![], Some(AgentError::Spent)));
}

#[test]
fn calls_that_make_no_sense_are_a_fault() {
    for calls in [json!(7), json!("add"), json!([7]), json!([{ "function": { "name": 7 } }])] {
        let heard = said(Provider::OpenAi, &openai(&[json!({ "tool_calls": calls })], "stop"));
        assert_eq!(heard.fault, Some(AgentError::InvalidResponse), "{calls}");
    }
}
