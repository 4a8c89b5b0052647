//! `/v1`: the model server.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{State, rejection::JsonRejection},
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    fault::Fault,
    knobs::{Directed, Knobs, direct},
    record::{Ending, RequestRecord, Visit},
    reply,
    request::ChatRequest,
    script::{self, Format, error_body, sse},
    server::Shared,
};

/// `GET /v1/models`. Requests may name any model; this is the one it calls its own.
pub(crate) async fn models() -> Json<Value> {
    Json(json!({
        "object": "list",
        "data": [{ "id": "loopback", "object": "model", "created": 0, "owned_by": "anteroom" }],
    }))
}

/// `POST /v1/chat/completions`.
pub(crate) async fn completions(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Result<Json<ChatRequest>, JsonRejection>,
) -> Response<Body> {
    let request = match body {
        Ok(Json(request)) => request,
        Err(rejection) => return refusal(400, &rejection.body_text()),
    };
    let Some(message) = request.last_user_message() else {
        return refusal(400, "There is no user message.");
    };
    let directed = match direct(&message, &shared.knobs()) {
        Ok(directed) => directed,
        Err(error) => return refusal(400, &error.to_string()),
    };
    let visit = shared.recorder.begin(RequestRecord {
        id: 0,
        question: directed.rest.trim().to_owned(),
        system: request.system(),
        model: request.model.clone(),
        messages: request.messages.len(),
        images: request.images(),
        key: headers.get(header::AUTHORIZATION).is_some_and(|value| {
            value
                .as_bytes()
                .strip_prefix(b"Bearer ")
                .is_some_and(|key| !key.is_empty())
        }),
        began: 0.0,
        first_piece: None,
        ended: None,
        ending: None,
        pieces: 0,
    });
    let fault = directed
        .knobs
        .fault
        .filter(|_| shared.fault_is_due(&message, directed.knobs.times));
    answer(&shared, &request, &directed, fault, visit).await
}

async fn answer(
    shared: &Arc<Shared>,
    request: &ChatRequest,
    directed: &Directed,
    fault: Option<Fault>,
    mut visit: Visit,
) -> Response<Body> {
    match fault {
        Some(Fault::Status(status)) => {
            visit.end(Ending::Fault);
            return told_to_refuse(status, &directed.knobs);
        }
        Some(Fault::Hang) => {
            shared.stop.cancelled().await;
            return refusal(503, "The server is stopping.");
        }
        _ => {}
    }
    let pieces = reply::pieces(directed);
    let wire = Wire {
        id: visit.id(),
        model: request.model.clone(),
        prompt_tokens: request.tokens(),
        usage: request.stream_options.include_usage,
        finish: directed.knobs.finish.clone().unwrap_or_else(|| "stop".to_owned()),
    };
    let (steps, mime) = if request.stream {
        (
            script::streamed(&pieces, &directed.knobs, fault, &wire),
            "text/event-stream",
        )
    } else {
        let pieces: &[String] = if fault == Some(Fault::Empty) { &[] } else { &pieces };
        (
            script::whole(pieces, &directed.knobs, fault, wire.whole(pieces)),
            "application/json",
        )
    };
    let mime = if fault == Some(Fault::Page) { "text/html" } else { mime };
    let mut response = Response::new(Body::from_stream(script::play(steps, visit, Arc::clone(shared))));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(mime));
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn told_to_refuse(status: u16, knobs: &Knobs) -> Response<Body> {
    let mut response = refusal(status, "Told to refuse.");
    if (300..400).contains(&status) {
        response.headers_mut().insert(
            header::LOCATION,
            HeaderValue::from_static("https://me:secret@elsewhere.invalid:8443/v1?token=secret"),
        );
    }
    let default = (status == 429).then_some(std::time::Duration::from_secs(1));
    if let Some(time) = knobs.retry_after.or(default) {
        let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        // OpenAI's own header, for what seconds are too coarse for.
        response.headers_mut().insert(
            "retry-after-ms",
            HeaderValue::from(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
        );
    }
    response
}

fn refusal(status: u16, message: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(error_body(status, message).to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// OpenAI's format, for one answer.
struct Wire {
    id: u64,
    model: String,
    prompt_tokens: usize,
    usage: bool,
    finish: String,
}

impl Wire {
    fn chunk(&self, choices: &Value) -> Value {
        json!({
            "id": format!("chatcmpl-{}", self.id),
            "object": "chat.completion.chunk",
            "created": 0,
            "model": self.model,
            "choices": choices,
        })
    }

    fn usage(&self, pieces: usize) -> Value {
        json!({
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": pieces,
            "total_tokens": self.prompt_tokens + pieces,
        })
    }

    fn whole(&self, pieces: &[String]) -> Bytes {
        let answer = json!({
            "id": format!("chatcmpl-{}", self.id),
            "object": "chat.completion",
            "created": 0,
            "model": self.model,
            "choices": [{
                "index": 0,
                "message": { "role": "assistant", "content": pieces.concat() },
                "finish_reason": self.finish,
            }],
            "usage": self.usage(pieces.len()),
        });
        Bytes::from(answer.to_string())
    }
}

impl Format for Wire {
    fn piece(&self, text: &str) -> Bytes {
        sse(&self
            .chunk(&json!([{ "index": 0, "delta": { "role": "assistant", "content": text }, "finish_reason": null }])))
    }

    fn finish(&self, pieces: usize) -> Bytes {
        let mut end = sse(&self.chunk(&json!([{ "index": 0, "delta": {}, "finish_reason": self.finish }]))).to_vec();
        if self.usage {
            let mut chunk = self.chunk(&json!([]));
            chunk["usage"] = self.usage(pieces);
            end.extend_from_slice(&sse(&chunk));
        }
        end.extend_from_slice(b"data: [DONE]\n\n");
        Bytes::from(end)
    }
}
