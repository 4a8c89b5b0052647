//! A request goes into the line of its model.

use axum::http::HeaderMap;
use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    super::{super::openai, fault},
    ChatMessage, ChatRequest, ChatRole,
};
use crate::{
    agents::Door,
    client::{Asked, Client},
    http::Refusal,
    programs::{self, Again},
    wire::is_blank,
};

/// Takes a request into the line, or finds the one that it repeats.
pub(super) fn ask(client: &Client, headers: &HeaderMap, request: ChatRequest, streams: bool) -> Result<Asked, Refusal> {
    let model = client.offer(request.model.as_deref())?.name;
    let called = request.model.clone().unwrap_or_else(|| model.to_string());
    let body = body(request, &called, client.longest_answer(&model), streams)?;
    let mut request = programs::Request::read(Door::Chat, body)?;
    openai::heed(headers, &mut request);
    let key = openai::key(headers)?;
    let again = key.map(|key| Again {
        key: Some(key),
        repeats: false,
        resumes: streams,
        hash: request.hash(),
    });
    Ok(client.ask(request, again)?)
}

/// The request in the format that programs speak. `longest`: what its server calls the longest answer.
fn body(request: ChatRequest, called: &str, longest: &str, streams: bool) -> Result<Bytes, Refusal> {
    let ChatRequest {
        message,
        messages,
        system,
        temperature,
        max_tokens,
        ..
    } = request;
    let mut messages = match (message, messages) {
        (Some(content), None) => vec![ChatMessage {
            role: ChatRole::User,
            content,
        }],
        (None, Some(messages)) => messages,
        (Some(_), Some(_)) => return Err(fault::bad("Send `message` or `messages`, not both.")),
        (None, None) => {
            return Err(fault::bad(
                "Say something in `message`, or send a conversation in `messages`.",
            ));
        }
    };
    match messages.last() {
        Some(last) if last.role == ChatRole::User && !is_blank(&last.content) => {}
        _ => {
            return Err(fault::bad(
                "The last message has to be the user's, and has to say something.",
            ));
        }
    }
    if temperature.is_some_and(|temperature| !(0.0..=2.0).contains(&temperature)) {
        return Err(fault::bad("`temperature` is from 0 to 2."));
    }
    if max_tokens == Some(0) {
        return Err(fault::bad("`max_tokens` is at least 1."));
    }
    if let Some(content) = system.filter(|system| !is_blank(system)) {
        let role = ChatRole::System;
        messages.insert(0, ChatMessage { role, content });
    }
    let mut body = json!({ "model": called, "messages": messages, "stream": streams });
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            body[name] = value;
        }
    };
    put("temperature", temperature.map(Value::from));
    put(longest, max_tokens.map(Value::from));
    Ok(body.to_string().into())
}
