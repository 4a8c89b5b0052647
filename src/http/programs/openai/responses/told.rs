//! A chat's answer, as that of the newer API.

use axum::http::StatusCode;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    super::{ApiError, stream::Form},
    output::{News, Output},
};
use crate::{clock::now_ms, programs::Done, wire::Usage};

/// Makes of a chat's events those of the newer API, and of its answer a response.
pub(super) struct Told {
    id: Uuid,
    /// What was asked for, which each response repeats.
    asked: Map<String, Value>,
    created: u64,
    /// Events so far.
    number: u64,
    output: Output,
}

impl Told {
    pub(super) fn new(id: Uuid, asked: Map<String, Value>) -> Self {
        Self {
            id,
            asked,
            created: now_ms() / 1000,
            number: 0,
            output: Output::new(id),
        }
    }

    fn event(&mut self, kind: &str, mut event: Value, out: &mut Vec<u8>) {
        event["type"] = kind.into();
        event["sequence_number"] = self.number.into();
        self.number += 1;
        out.extend_from_slice(format!("event: {kind}\ndata: {event}\n\n").as_bytes());
    }

    fn news(&mut self, news: Vec<News>, out: &mut Vec<u8>) {
        for News { kind, event } in news {
            self.event(kind, event, out);
        }
    }

    fn deltas(&mut self, events: &[u8], out: &mut Vec<u8>) {
        for line in events.split(|byte| *byte == b'\n') {
            let json = line
                .strip_prefix(b"data: ")
                .and_then(|json| std::str::from_utf8(json).ok());
            if let Some(json) = json {
                let news = self.output.take(json);
                self.news(news, out);
            }
        }
    }

    fn response(&self, status: &str, details: &Value, output: &[Value], usage: Option<Usage>) -> Value {
        let asked = |name: &str, else_: Value| self.asked.get(name).cloned().filter(|v| !v.is_null()).unwrap_or(else_);
        let usage = usage.map(|usage| {
            let (input, output) = (usage.input.unwrap_or(0), usage.output.unwrap_or(0));
            json!({
                "input_tokens": input,
                "input_tokens_details": { "cached_tokens": 0 },
                "output_tokens": output,
                "output_tokens_details": { "reasoning_tokens": 0 },
                "total_tokens": input + output,
            })
        });
        json!({
            "id": format!("resp_{}", self.id.simple()),
            "object": "response",
            "created_at": self.created,
            "status": status,
            "error": null,
            "incomplete_details": details,
            "instructions": asked("instructions", Value::Null),
            "max_output_tokens": asked("max_output_tokens", Value::Null),
            "metadata": asked("metadata", json!({})),
            "model": asked("model", Value::Null),
            "output": output,
            "parallel_tool_calls": asked("parallel_tool_calls", json!(true)),
            "previous_response_id": null,
            "reasoning": asked("reasoning", json!({ "effort": null, "summary": null })),
            "store": false,
            "temperature": asked("temperature", json!(1.0)),
            "text": { "format": { "type": "text" } },
            "tool_choice": asked("tool_choice", json!("auto")),
            "tools": asked("tools", json!([])),
            "top_p": asked("top_p", json!(1.0)),
            "truncation": "disabled",
            "usage": usage,
            "user": asked("user", Value::Null),
        })
    }
}

impl Form for Told {
    fn begin(&mut self) -> Bytes {
        let mut out = Vec::new();
        let response = self.response("in_progress", &Value::Null, &[], None);
        self.event("response.created", json!({ "response": response }), &mut out);
        self.event("response.in_progress", json!({ "response": response }), &mut out);
        Bytes::from(out)
    }

    fn events(&mut self, events: Bytes) -> Bytes {
        let mut out = Vec::new();
        self.deltas(&events, &mut out);
        Bytes::from(out)
    }

    fn end(&mut self, done: Done) -> Bytes {
        let mut out = Vec::new();
        self.deltas(&done.last, &mut out);
        let (status, details) = self.output.ending();
        let news = self.output.end();
        self.news(news, &mut out);
        let response = self.response(status, &details, &self.output.items(), Some(done.usage));
        let kind = format!("response.{status}");
        self.event(&kind, json!({ "response": response }), &mut out);
        Bytes::from(out)
    }

    fn whole(&mut self, done: Done) -> Result<Bytes, ApiError> {
        let json = std::str::from_utf8(&done.last).map_err(|_| ApiError {
            message: "The model server sent something that is not an answer. Try again.".to_owned(),
            ..ApiError::of_status(StatusCode::BAD_GATEWAY)
        })?;
        self.output.take(json);
        self.output.end();
        let (status, details) = self.output.ending();
        let response = self.response(status, &details, &self.output.items(), Some(done.usage));
        Ok(Bytes::from(response.to_string()))
    }

    /// Clients look for an `error` in it, as in a chat's; the type is what the newer API's events have.
    fn fail(&mut self, error: &ApiError) -> Bytes {
        let mut event = error.body();
        event["code"] = error.code.clone().into();
        event["message"] = error.message.clone().into();
        event["param"] = error.param.clone().into();
        let mut out = Vec::new();
        self.event("error", event, &mut out);
        Bytes::from(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told() -> Told {
        let Value::Object(asked) = json!({ "model": "m", "input": "Hello", "temperature": 0.5 }) else {
            panic!("an object")
        };
        Told::new(Uuid::nil(), asked)
    }

    fn events(bytes: &[u8]) -> Vec<Value> {
        let text = std::str::from_utf8(bytes).expect("text");
        let blocks = text.split_terminator("\n\n");
        blocks
            .map(|block| {
                let (name, data) = block.split_once('\n').expect("two lines");
                let event: Value = serde_json::from_str(data.strip_prefix("data: ").expect("data")).expect("JSON");
                assert_eq!(name.strip_prefix("event: "), event["type"].as_str());
                event
            })
            .collect()
    }

    #[test]
    fn a_chats_events_become_a_responses() {
        let mut told = told();
        let mut all = events(&told.begin());
        let pieces = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"One \"}}]}\n\n\
            data: {\"choices\":[{\"delta\":{\"content\":\"\\\"two\\\"\"},\"finish_reason\":\"length\"}]}\n\n";
        all.extend(events(&told.events(Bytes::from_static(pieces.as_bytes()))));
        let usage = Usage {
            input: Some(3),
            output: Some(2),
        };
        let last = Bytes::from_static(b"data: [DONE]\n\n");
        all.extend(events(&told.end(Done { last, usage })));
        let kinds: Vec<_> = all
            .iter()
            .map(|event| event["type"].as_str().expect("a type"))
            .collect();
        assert_eq!(
            kinds,
            [
                "response.created",
                "response.in_progress",
                "response.output_item.added",
                "response.content_part.added",
                "response.output_text.delta",
                "response.output_text.delta",
                "response.output_text.done",
                "response.content_part.done",
                "response.output_item.done",
                "response.incomplete",
            ]
        );
        let numbers: Vec<_> = all.iter().map(|event| event["sequence_number"].as_u64()).collect();
        assert_eq!(numbers, (0..10).map(Some).collect::<Vec<_>>());
        let response = &all[9]["response"];
        assert_eq!(response["output"][0]["content"][0]["text"], "One \"two\"");
        assert_eq!(response["incomplete_details"]["reason"], "max_output_tokens");
        assert_eq!(response["usage"]["total_tokens"], 5);
        assert_eq!(response["temperature"], 0.5);
    }

    #[test]
    fn calls_are_told_beside_what_is_said() {
        let mut told = told();
        let mut all = events(&told.begin());
        let pieces = "data: {\"choices\":[{\"delta\":{\"content\":\"I look.\"}}]}\n\n\
            data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]}}]}\n\n\
            data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{}\"}}]},\"finish_reason\":\"tool_calls\"}]}\n\n";
        all.extend(events(&told.events(Bytes::from_static(pieces.as_bytes()))));
        let last = Bytes::from_static(b"data: [DONE]\n\n");
        let usage = Usage::default();
        all.extend(events(&told.end(Done { last, usage })));
        let kinds: Vec<_> = all[2..]
            .iter()
            .map(|event| event["type"].as_str().expect("a type").trim_start_matches("response."))
            .collect();
        assert_eq!(
            kinds,
            [
                "output_item.added",
                "content_part.added",
                "output_text.delta",
                "output_item.added",
                "function_call_arguments.delta",
                "output_text.done",
                "content_part.done",
                "output_item.done",
                "function_call_arguments.done",
                "output_item.done",
                "completed",
            ]
        );
        assert_eq!(
            (&all[5]["output_index"], &all[5]["item"]["name"]),
            (&json!(1), &json!("f"))
        );
        assert_eq!(
            (&all[6]["delta"], &all[6]["item_id"]),
            (&json!("{}"), &all[5]["item"]["id"])
        );
        let output = &all.last().expect("one")["response"]["output"];
        assert_eq!(output[0]["content"][0]["text"], "I look.");
        assert_eq!(
            (&output[1]["call_id"], &output[1]["arguments"]),
            (&json!("a"), &json!("{}"))
        );
    }

    #[test]
    fn a_whole_answer_becomes_a_response() {
        let last = br#"{"choices":[{"message":{"role":"assistant","content":"Hi."},"finish_reason":"stop"}]}"#;
        let done = Done {
            last: Bytes::from_static(last),
            usage: Usage::default(),
        };
        let whole: Value = serde_json::from_slice(&told().whole(done).expect("an answer")).expect("JSON");
        assert_eq!(whole["status"], "completed");
        assert_eq!(whole["output"][0]["content"][0]["text"], "Hi.");
    }
}
