//! A request goes into the line of its model.

use std::sync::Arc;

use axum::http::HeaderMap;
use bytes::Bytes;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    super::{super::openai, fault},
    ChatMessage, ChatRequest, ChatRole,
};
use crate::{
    accounts::Principal,
    agents::Door,
    engine::Engine,
    http::Refusal,
    programs::{self, Again, Follower, ProgramFault},
    queue::PoolIndex,
    wire::is_blank,
};

/// A request on its way.
pub(super) struct Asked {
    pub(super) follower: Follower,
    engine: Arc<Engine>,
    /// `None`: it was in the line before somebody asked for it again.
    pool: Option<PoolIndex>,
}

impl Asked {
    /// What has come of it.
    pub(super) fn refusal(&self, why: &ProgramFault) -> Refusal {
        let of_line = matches!(why, ProgramFault::Line(_) | ProgramFault::Left(..));
        let pool = self.pool.filter(|_| of_line);
        fault::of(why, pool.map(|pool| openai::retry_after(&self.engine, pool)))
    }
}

/// Takes a request into the line, or finds the one that it repeats.
pub(super) fn ask(
    engine: &Arc<Engine>,
    who: Principal,
    headers: &HeaderMap,
    request: ChatRequest,
    streams: bool,
) -> Result<Asked, Refusal> {
    let backends = engine.backends();
    let model = request.model.clone();
    let called = model.unwrap_or_else(|| backends.default_model().to_string());
    let found = backends.find(&called);
    let (model, pool) = found.ok_or_else(|| Refusal::from(openai::ApiError::no_model(&called)))?;
    let longest = if backends.is_openais_own(pool) {
        "max_completion_tokens"
    } else {
        "max_tokens"
    };
    let body = body(request, &called, longest, streams)?;
    let mut request = programs::Request::read(Door::Chat, body)?;
    openai::heed(headers, &mut request);
    let key = openai::key(headers)?;
    let again = key.map(|key| Again {
        key: Some(key),
        repeats: false,
        resumes: streams,
        hash: request.hash(),
    });
    Ok(Asked {
        follower: engine.programs().ask(who, request, (model, pool), again)?,
        engine: Arc::clone(engine),
        pool: Some(pool),
    })
}

/// One that is on its way, or whose answer is kept.
pub(super) fn found(engine: &Arc<Engine>, who: Principal, id: Uuid) -> Option<Asked> {
    Some(Asked {
        follower: engine.programs().find(who, id)?,
        engine: Arc::clone(engine),
        pool: None,
    })
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
