//! OpenAI's newer way to ask, `POST /v1/responses`, as far as its clients use it for text and for functions that a model may call. It is asked as a chat,
//! whatever the model's server speaks. What would need something that a chat has not (tools of OpenAI's own, responses that are stored) is refused.
//!
//! - `tools`: functions and calls as a chat has them.
//! - `told`: a chat's answer as a response; `output`: what it is made of.

mod output;
mod told;
mod tools;

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::HeaderMap,
    response::Response,
};
use serde_json::{Map, Value, json};

use super::{ApiError, ask, read};
use crate::{
    accounts::Principal,
    agents::Door,
    client::{Asked, Client},
    engine::Engine,
    programs::{Request, RequestFault},
};
use told::Told;

/// Fields that are read, or that change no word of an answer.
const HONOURED: [&str; 18] = [
    "model",
    "input",
    "instructions",
    "stream",
    "stream_options",
    "temperature",
    "top_p",
    "max_output_tokens",
    "metadata",
    "user",
    "store",
    "service_tier",
    "parallel_tool_calls",
    "prompt_cache_key",
    "safety_identifier",
    "reasoning",
    "tools",
    "tool_choice",
];

/// An answer, as OpenAI's newer API has it.
///
/// It is asked as a chat: messages and instructions, without what only OpenAI's own servers have. Nothing is stored.
#[utoipa::path(
    post, path = "/v1/responses", tag = "openai",
    request_body(content = Object, description = "As OpenAI's API has it: `model`, `input`, `instructions`, `stream`",
        example = json!({ "model": "demo@builtin", "input": "Say hello." })),
    params(("Idempotency-Key" = Option<String>, Header, max_length = 255, description = "Names the request, which then keeps its place while nobody is connected")),
    responses((status = 200, description = "As OpenAI's API has it; a stream of events where `stream` is true",
        content((Object = "application/json"), (String = "text/event-stream")))),
)]
pub(in crate::http::programs) async fn create(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let asked: Map<String, Value> =
        serde_json::from_slice(&read(body)?).map_err(|error| RequestFault::unreadable(&error.to_string()))?;
    let chat = chat_of(&asked)?;
    let request = Request::read(Door::Chat, Bytes::from(chat.to_string()))?;
    let told = |one: &Asked| Told::new(one.id(), asked);
    ask(&Client::new(engine, who), &headers, request, told).await
}

/// The same request as a chat's.
fn chat_of(asked: &Map<String, Value>) -> Result<Value, RequestFault> {
    for (name, value) in asked {
        let says_nothing = match (name.as_str(), value) {
            (_, Value::Null) => true,
            ("include", Value::Array(list)) => list.is_empty(),
            ("background", value) => *value == json!(false),
            ("truncation", value) => value == "disabled",
            ("top_logprobs", value) => *value == json!(0),
            ("text", value) => value["format"].is_null() || value["format"]["type"] == "text",
            (name, _) => HONOURED.contains(&name),
        };
        if !says_nothing {
            return Err(unsupported(name));
        }
    }
    let mut messages = Vec::new();
    if let Some(instructions) = asked.get("instructions").filter(|value| !value.is_null()) {
        messages.push(json!({ "role": "system", "content": instructions }));
    }
    match asked.get("input") {
        Some(Value::String(text)) => messages.push(json!({ "role": "user", "content": text })),
        Some(Value::Array(items)) => {
            for (at, item) in items.iter().enumerate() {
                let param = format!("input[{at}]");
                match item["type"].as_str() {
                    Some("function_call") => tools::add_call(&mut messages, item, &param)?,
                    Some("function_call_output") => messages.push(tools::outcome(item, &param)?),
                    _ => messages.push(message(item, &param)?),
                }
            }
        }
        _ => {
            return Err(RequestFault::of(
                "input",
                "`input` has to be a text, or a list of messages.",
            ));
        }
    }
    let mut chat = json!({
        "model": asked.get("model"),
        "messages": messages,
        "stream": asked.get("stream").cloned().unwrap_or(json!(false)),
    });
    for (name, named) in [
        ("temperature", "temperature"),
        ("top_p", "top_p"),
        ("max_output_tokens", "max_completion_tokens"),
        ("user", "user"),
    ] {
        if let Some(value) = asked.get(name).filter(|value| !value.is_null()) {
            chat[named] = value.clone();
        }
    }
    let field = |name: &str| asked.get(name).unwrap_or(&Value::Null);
    let choice = tools::choice(field("tool_choice"))?;
    if let Some(tools) = tools::offered(field("tools"))? {
        chat["tools"] = tools;
        if let Some(choice) = choice {
            chat["tool_choice"] = choice;
        }
        if !field("parallel_tool_calls").is_null() {
            chat["parallel_tool_calls"] = field("parallel_tool_calls").clone();
        }
    }
    let effort = asked.get("reasoning").map(|reasoning| &reasoning["effort"]);
    if let Some(effort) = effort.filter(|effort| !effort.is_null()) {
        chat["reasoning_effort"] = effort.clone();
    }
    Ok(chat)
}

/// A message of the input as a chat's.
fn message(item: &Value, param: &str) -> Result<Value, RequestFault> {
    let kind = item["type"].as_str().unwrap_or("message");
    let (Some(role), "message") = (item["role"].as_str(), kind) else {
        return Err(unsupported(param));
    };
    let content = match &item["content"] {
        text @ Value::String(_) => text.clone(),
        Value::Array(parts) => {
            let parts = parts.iter().map(|part| match part["type"].as_str() {
                Some("input_text" | "output_text" | "text") => Ok(json!({ "type": "text", "text": part["text"] })),
                Some("refusal") => Ok(json!({ "type": "text", "text": part["refusal"] })),
                Some("input_image") if part["image_url"].is_string() => {
                    Ok(json!({ "type": "image_url", "image_url": { "url": part["image_url"] } }))
                }
                _ => Err(unsupported(&format!("{param}.content"))),
            });
            Value::Array(parts.collect::<Result<_, _>>()?)
        }
        _ => {
            let fault = format!("`{param}.content` has to be a text, or a list of parts.");
            return Err(RequestFault::of(param, fault));
        }
    };
    Ok(json!({ "role": role, "content": content }))
}

fn unsupported(param: &str) -> RequestFault {
    RequestFault {
        code: Some("unsupported_parameter"),
        ..RequestFault::of(
            param,
            format!("Anteroom cannot honour `{param}` in /v1/responses. Leave it out, or use /v1/chat/completions."),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat(asked: Value) -> Result<Value, RequestFault> {
        let Value::Object(asked) = asked else {
            panic!("an object")
        };
        chat_of(&asked)
    }

    #[test]
    fn a_response_is_asked_for_as_a_chat() {
        let asked = json!({
            "model": "m", "instructions": "Be kind.", "temperature": 0.5, "max_output_tokens": 9, "stream": true,
            "input": [
                { "role": "user", "content": [
                    { "type": "input_text", "text": "Look:" },
                    { "type": "input_image", "image_url": "data:image/png;base64,AA==" },
                ] },
                { "type": "message", "role": "assistant", "content": [{ "type": "output_text", "text": "Yes." }] },
                { "role": "user", "content": "Sure?" },
            ],
        });
        let expected = json!({
            "model": "m", "stream": true, "temperature": 0.5, "max_completion_tokens": 9,
            "messages": [
                { "role": "system", "content": "Be kind." },
                { "role": "user", "content": [
                    { "type": "text", "text": "Look:" },
                    { "type": "image_url", "image_url": { "url": "data:image/png;base64,AA==" } },
                ] },
                { "role": "assistant", "content": [{ "type": "text", "text": "Yes." }] },
                { "role": "user", "content": "Sure?" },
            ],
        });
        assert_eq!(chat(asked), Ok(expected));
    }

    #[test]
    fn functions_and_calls_go_along() {
        let asked = json!({
            "model": "m", "parallel_tool_calls": false,
            "tools": [{ "type": "function", "name": "f", "parameters": {} }], "tool_choice": "required",
            "input": [
                { "role": "user", "content": "Rain?" },
                { "role": "assistant", "content": [{ "type": "output_text", "text": "I look." }] },
                { "type": "function_call", "call_id": "a", "name": "f", "arguments": "{}" },
                { "type": "function_call_output", "call_id": "a", "output": "rain" },
            ],
        });
        let chat = chat(asked).expect("taken");
        assert_eq!(
            (
                &chat["tool_choice"],
                &chat["parallel_tool_calls"],
                &chat["tools"][0]["function"]["name"]
            ),
            (&json!("required"), &json!(false), &json!("f"))
        );
        let roles: Vec<_> = chat["messages"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| &one["role"])
            .collect();
        assert_eq!(roles, ["user", "assistant", "tool"]);
        assert_eq!(chat["messages"][1]["content"][0]["text"], "I look.");
        assert_eq!(chat["messages"][1]["tool_calls"][0]["id"], "a");
        // Without a tool there is nothing to choose.
        let neutral =
            json!({ "model": "m", "input": "x", "tools": [], "tool_choice": "auto", "parallel_tool_calls": true });
        let neutral = super::chat_of(neutral.as_object().expect("an object")).expect("taken");
        assert!(neutral.get("tool_choice").is_none() && neutral.get("parallel_tool_calls").is_none());
    }

    #[test]
    fn what_a_chat_has_not_is_refused_by_its_name() {
        for (field, value) in [
            ("previous_response_id", json!("resp_1")),
            ("tools", json!([{ "type": "web_search" }])),
            ("background", json!(true)),
            ("truncation", json!("auto")),
            ("text", json!({ "format": { "type": "json_object" } })),
            ("something_new", json!(1)),
        ] {
            let fault = chat(json!({ "model": "m", "input": "Hello", field: value })).expect_err(field);
            assert_eq!(fault.param.as_deref(), Some(field));
        }
        let thought = json!({ "model": "m", "input": [{ "type": "reasoning", "id": "rs_1" }] });
        assert_eq!(chat(thought).expect_err("refused").param.as_deref(), Some("input[0]"));
        let neutral = json!({ "model": "m", "input": "Hello", "tools": [], "background": false, "include": null });
        assert!(chat(neutral).is_ok());
    }
}
