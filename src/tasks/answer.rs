//! A streamed answer as a whole one: what is kept of it.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::programs::Source;

/// Where a kept answer says where it comes from. Programs are told so beside it.
const SOURCE: &str = "x-anteroom-cache";

/// Events of a stream, each as its JSON. What is none is passed over.
pub(super) fn events(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = stream.split(|byte| *byte == b'\n');
    let data = lines.filter_map(|line| line.strip_prefix(b"data:"));
    let data = data.map(<[u8]>::trim_ascii);
    data.filter(|data| !data.is_empty() && *data != b"[DONE]")
}

/// The answer that these pieces of a stream make together, in the form that it has where it does not stream.
pub(super) fn whole<'a>(pieces: impl Iterator<Item = &'a Bytes>) -> Value {
    let mut whole = Map::new();
    let mut choices: Vec<Value> = Vec::new();
    for chunk in pieces.flat_map(|piece| events(piece)) {
        let Ok(Value::Object(chunk)) = serde_json::from_slice(chunk) else {
            continue;
        };
        for (name, value) in chunk {
            match (name.as_str(), value) {
                ("choices", Value::Array(pieces)) => {
                    pieces.into_iter().for_each(|piece| add_choice(&mut choices, piece));
                }
                // What is told once more is as it was, or null.
                (_, value) if whole.get(&name).is_none_or(|known| known.is_null() || !value.is_null()) => {
                    whole.insert(name, value);
                }
                _ => {}
            }
        }
    }
    whole.insert("object".into(), "chat.completion".into());
    for choice in &mut choices {
        let message = choice.get_mut("message").and_then(Value::as_object_mut);
        if let Some(message) = message {
            message.entry("role").or_insert_with(|| "assistant".into());
            message.entry("content").or_insert(Value::Null);
            let calls = message.get_mut("tool_calls").and_then(Value::as_array_mut);
            for call in calls.into_iter().flatten().filter_map(Value::as_object_mut) {
                call.remove("index");
            }
        }
    }
    choices.sort_by_key(|choice| choice["index"].as_u64());
    whole.insert("choices".into(), choices.into());
    whole.into()
}

/// The same with where it comes from, if it was not made for the task itself. Whatever a server says there is no word of its.
pub(super) fn marked(mut answer: Value, source: Option<Source>) -> Value {
    if let Some(answer) = answer.as_object_mut() {
        answer.remove(SOURCE);
        if let Some(source) = source {
            answer.insert(SOURCE.to_owned(), source.as_str().into());
        }
    }
    answer
}

/// An answer as it was before it was [`marked`], and with what.
pub(super) fn unmarked(mut answer: Value) -> (Value, Option<Source>) {
    let mark = answer.as_object_mut().and_then(|answer| answer.remove(SOURCE));
    let source = mark.and_then(|mark| Source::named(mark.as_str()?));
    (answer, source)
}

/// What an answer says, as text.
pub(super) fn text(answer: &str) -> String {
    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
    let said = answer["choices"][0]["message"]["content"].as_str();
    said.unwrap_or_default().to_owned()
}

fn add_choice(choices: &mut Vec<Value>, piece: Value) {
    let Value::Object(piece) = piece else { return };
    let index = piece.get("index").and_then(Value::as_u64).unwrap_or(0);
    let known = choices.iter().position(|choice| choice["index"] == index);
    let at = known.unwrap_or_else(|| {
        choices.push(json!({ "index": index, "message": {}, "finish_reason": null }));
        choices.len() - 1
    });
    let Some(choice) = choices[at].as_object_mut() else {
        return;
    };
    for (name, value) in piece {
        match name.as_str() {
            "index" => {}
            "delta" => add(choice.entry("message").or_insert_with(|| json!({})), value),
            "logprobs" => add(choice.entry(name).or_insert(Value::Null), value),
            _ if value.is_null() => {
                choice.entry(name).or_insert(value);
            }
            _ => {
                choice.insert(name, value);
            }
        }
    }
}

/// Adds what is new to what is known, as clients of this format do: texts and lists grow, what has an index is found by it, and names stay.
fn add(known: &mut Value, new: Value) {
    match (known, new) {
        (_, Value::Null) => {}
        (Value::Object(known), Value::Object(new)) => {
            for (name, value) in new {
                match known.get_mut(&name) {
                    Some(old) if !matches!(name.as_str(), "role" | "type" | "id" | "index") => add(old, value),
                    Some(old) if !old.is_null() && value.is_null() => {}
                    _ => {
                        known.insert(name, value);
                    }
                }
            }
        }
        (Value::String(known), Value::String(new)) => known.push_str(&new),
        (Value::Array(known), Value::Array(new)) => {
            for one in new {
                let index = one.get("index").cloned();
                let same = index.and_then(|index| known.iter_mut().find(|known| known.get("index") == Some(&index)));
                match same {
                    Some(known) => add(known, one),
                    None => known.push(one),
                }
            }
        }
        (known, new) => *known = new,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(chunks: &[Value]) -> Value {
        let stream: String = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
        let pieces = [Bytes::from(stream), Bytes::from_static(b"data: [DONE]\n\n")];
        whole(pieces.iter())
    }

    #[test]
    fn an_answer_is_marked_with_where_it_comes_from_and_by_nobody_else() {
        let answer = json!({ "choices": [], SOURCE: "kept" });
        let plain = json!({ "choices": [] });
        assert_eq!(unmarked(marked(answer.clone(), None)), (plain.clone(), None));
        for source in [Source::Kept, Source::Shared] {
            let marked = marked(answer.clone(), Some(source));
            assert_eq!(unmarked(marked), (plain.clone(), Some(source)));
        }
    }

    #[test]
    fn texts_grow_and_the_end_is_told() {
        let head = json!({ "id": "x", "model": "m", "object": "chat.completion.chunk" });
        let chunk = |choices: Value, usage: Value| {
            let mut chunk = head.clone();
            chunk["choices"] = choices;
            chunk["usage"] = usage;
            chunk
        };
        let said = |text: &str| json!([{ "index": 0, "delta": { "content": text }, "finish_reason": null }]);
        let whole = of(&[
            chunk(said("Hel"), Value::Null),
            chunk(said("lo"), Value::Null),
            chunk(
                json!([{ "index": 0, "delta": {}, "finish_reason": "stop" }]),
                Value::Null,
            ),
            chunk(json!([]), json!({ "total_tokens": 3 })),
        ]);
        assert_eq!(
            whole,
            json!({
                "id": "x", "model": "m", "object": "chat.completion", "usage": { "total_tokens": 3 },
                "choices": [{ "index": 0, "finish_reason": "stop", "message": { "role": "assistant", "content": "Hello" } }],
            })
        );
        assert_eq!(text(&whole.to_string()), "Hello");
        assert_eq!(text("nothing"), "");
    }

    #[test]
    fn calls_of_tools_are_put_together_by_their_index() {
        let call = |call: Value| json!({ "choices": [{ "index": 0, "delta": { "tool_calls": [call] } }] });
        let whole = of(&[
            call(json!({ "index": 0, "id": "a", "type": "function", "function": { "name": "f", "arguments": "" } })),
            call(json!({ "index": 1, "id": "b", "type": "function", "function": { "name": "g", "arguments": "{" } })),
            call(json!({ "index": 0, "function": { "arguments": "{\"x\"" } })),
            call(json!({ "index": 1, "type": "function", "function": { "arguments": "}" } })),
            call(json!({ "index": 0, "function": { "arguments": ":1}" } })),
        ]);
        assert_eq!(
            whole["choices"][0]["message"]["tool_calls"],
            json!([
                { "id": "a", "type": "function", "function": { "name": "f", "arguments": "{\"x\":1}" } },
                { "id": "b", "type": "function", "function": { "name": "g", "arguments": "{}" } },
            ])
        );
        assert_eq!(whole["choices"][0]["message"]["content"], Value::Null);
    }

    #[test]
    fn several_choices_and_lists_stay_apart() {
        let piece = |index: u64, text: &str| json!({ "choices": [{ "index": index, "delta": { "content": text }, "logprobs": { "content": [text] } }] });
        let whole = of(&[piece(1, "b"), piece(0, "a"), piece(1, "c")]);
        assert_eq!(whole["choices"][0]["message"]["content"], "a");
        assert_eq!(whole["choices"][1]["message"]["content"], "bc");
        assert_eq!(whole["choices"][1]["logprobs"]["content"], json!(["b", "c"]));
    }

    #[test]
    fn what_is_no_event_is_passed_over() {
        let pieces = [Bytes::from_static(
            b": comment\n\ndata: nonsense\n\ndata:{\"id\":1}\r\n\r\ndata: [1]\n\n",
        )];
        assert_eq!(whole(pieces.iter())["id"], 1);
    }
}
