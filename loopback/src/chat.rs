//! `/v1` and `/health`: the model server.

use std::{future::pending, sync::Arc};

use axum::{
    Json,
    body::{Body, Bytes},
    extract::{ConnectInfo, State, rejection::JsonRejection},
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
};
use serde_json::{Value, json};

use crate::{
    door::Connection,
    fault::Fault,
    knobs::{Directed, Knobs, RetryAfter, direct},
    record::{Ending, RequestRecord, Visit},
    reply::{self, Of},
    request::{ChatRequest, EmbeddingsRequest},
    script,
    shared::Shared,
    traits::{Over, Traits},
    wire::{Wire, error_body},
};

/// What a server without names of its own calls its model.
const UNNAMED: &str = "loopback";
/// Times that other tasks are let go first, so that a client's going is noticed before its next request is judged.
const LOOKS: usize = 16;

/// `GET /health`.
pub(crate) async fn health(State(shared): State<Arc<Shared>>) -> Response<Body> {
    match shared.fault() {
        Some(Fault::Loading) => loading(&shared.turned().knobs),
        Some(Fault::Hang) => pending().await,
        _ if shared.turned().traits.unwell => refusal(503, "Unwell."),
        _ => Response::new(Body::empty()),
    }
}

/// `GET /v1/models`. A server that is told of none answers for any, and calls its own `loopback`.
pub(crate) async fn models(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
) -> Response<Body> {
    let turned = shared.turned();
    match shared.fault() {
        Some(Fault::Status(status)) => return told_to_refuse(status, &turned.knobs),
        Some(Fault::Loading) => return loading(&turned.knobs),
        Some(Fault::Hang) => return pending().await,
        Some(Fault::Reset) => return reset(&connection).await,
        _ => {}
    }
    let names = turned.traits.models.unwrap_or_else(|| vec![UNNAMED.to_owned()]);
    let list = names.iter().map(|name| {
        let mut model = json!({ "id": name, "object": "model", "created": 0, "owned_by": "anteroom" });
        if let Some(context) = turned.traits.context {
            // vLLM's name for it.
            model["max_model_len"] = context.into();
        }
        model
    });
    json_of(200, &json!({ "object": "list", "data": list.collect::<Vec<_>>() }))
}

/// `POST /v1/chat/completions`.
pub(crate) async fn completions(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let request: ChatRequest = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => return refusal(400, &error.to_string()),
    };
    let Some(message) = request.last_user_message() else {
        return refusal(400, "There is no user message.");
    };
    let turned = shared.turned();
    let directed = match direct(&message, &turned.knobs) {
        Ok(directed) => directed,
        Err(error) => return refusal(400, &error.to_string()),
    };
    let asked = Asked {
        shared,
        connection,
        request,
        body,
        vectors: None,
        directed,
        traits: turned.traits,
    };
    let visit = asked.begin(&headers).await;
    let fault = asked.shared.fault_of(&message, &asked.directed);
    asked.answer(fault, visit).await
}

/// `POST /v1/embeddings`. A directive may stand in the first text.
pub(crate) async fn embeddings(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    headers: HeaderMap,
    body: Result<Json<EmbeddingsRequest>, JsonRejection>,
) -> Response<Body> {
    let request = match body {
        Ok(Json(request)) => request,
        Err(rejection) => return refusal(400, &rejection.body_text()),
    };
    let texts = request.texts();
    let Some(first) = texts.first() else {
        return refusal(400, "There is no text.");
    };
    let turned = shared.turned();
    let directed = match direct(first, &turned.knobs) {
        Ok(directed) => directed,
        Err(error) => return refusal(400, &error.to_string()),
    };
    let asked = Asked {
        shared,
        connection,
        vectors: Some(crate::wire::embeddings(&request.model, &texts, request.is_base64())),
        request: ChatRequest::saying(&request.model, first),
        body: Bytes::new(),
        directed,
        traits: turned.traits,
    };
    let visit = asked.begin(&headers).await;
    let fault = asked.shared.fault_of(first, &asked.directed);
    asked.answer(fault, visit).await
}

/// A request, and what it has met.
struct Asked {
    shared: Arc<Shared>,
    connection: Connection,
    request: ChatRequest,
    body: Bytes,
    /// The answer, of one that asks for vectors.
    vectors: Option<Bytes>,
    directed: Directed,
    traits: Traits,
}

impl Asked {
    /// Takes it into the record.
    async fn begin(&self, headers: &HeaderMap) -> Visit {
        let recorder = &self.shared.recorder;
        for _ in 0..LOOKS {
            if self.traits.limit.is_none_or(|limit| recorder.running() < limit) {
                break;
            }
            tokio::task::yield_now().await;
        }
        let record = RequestRecord {
            question: self.directed.rest.trim().to_owned(),
            system: self.request.system(),
            model: self.request.model.clone(),
            messages: self.request.messages.len(),
            tools: self.request.tools().map(str::to_owned).collect(),
            results: self
                .request
                .messages
                .iter()
                .filter(|message| message.is_result())
                .count(),
            images: self.request.images(),
            key: headers.get(header::AUTHORIZATION).is_some_and(|value| {
                value
                    .as_bytes()
                    .strip_prefix(b"Bearer ")
                    .is_some_and(|key| !key.is_empty())
            }),
            limit: self.traits.limit,
            ..RequestRecord::default()
        };
        let is_patient = self.traits.over == Over::Slower;
        recorder.begin(record, is_patient, self.connection.life().clone())
    }

    async fn answer(self, fault: Option<Fault>, mut visit: Visit) -> Response<Body> {
        let knobs = &self.directed.knobs;
        match fault {
            Some(Fault::Status(status)) => {
                visit.end(Ending::Fault);
                return told_to_refuse(status, knobs);
            }
            Some(Fault::Loading) => {
                visit.end(Ending::Fault);
                return loading(knobs);
            }
            Some(Fault::Reset) => {
                visit.end(Ending::Fault);
                return reset(&self.connection).await;
            }
            Some(Fault::Hang) => {
                self.connection.life().cancelled().await;
                return refusal(503, "The server is stopping.");
            }
            _ => {}
        }
        if let Some(refused) = self.unfit() {
            visit.end(Ending::Refused);
            return refused;
        }
        if let (Over::Refuse(status), false) = (self.traits.over, visit.has_room()) {
            visit.end(Ending::Refused);
            return with_retry_after(refusal(status, "There is no room."), knobs);
        }
        self.play(fault, visit)
    }

    /// The refusal of what this server cannot answer, whenever it comes.
    fn unfit(&self) -> Option<Response<Body>> {
        let (request, traits) = (&self.request, &self.traits);
        if traits
            .models
            .as_ref()
            .is_some_and(|names| !names.contains(&request.model))
        {
            return Some(refusal(404, &format!("The model `{}` does not exist.", request.model)));
        }
        if traits.toolless && request.tools().next().is_some() {
            return Some(refusal(400, &format!("{} does not support tools", request.model)));
        }
        if traits.blind && request.images() > 0 {
            let message =
                "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj";
            return Some(refusal(400, message));
        }
        let context = traits.context.filter(|&context| request.tokens() > context)?;
        let message = format!("This model's maximum context length is {context} tokens.");
        let mut error = error_body(400, &message);
        error["error"]["code"] = "context_length_exceeded".into();
        Some(json_of(400, &error))
    }

    /// The answer itself.
    fn play(self, fault: Option<Fault>, visit: Visit) -> Response<Body> {
        let request = &self.request;
        let pieces = reply::pieces(&self.directed, request, &String::from_utf8_lossy(&self.body));
        let calls = pieces.iter().any(|piece| matches!(piece.of, Of::Call { .. }));
        let logprobs = request.logprobs;
        let mut knobs = self.directed.knobs;
        let prompt_tokens = request.tokens();
        let prefill = u32::try_from(prompt_tokens).unwrap_or(u32::MAX);
        knobs.first_token = knobs.first_token.saturating_add(knobs.prefill.saturating_mul(prefill));
        let wire = Wire {
            id: visit.id(),
            model: knobs.called.clone().unwrap_or_else(|| request.model.clone()),
            prompt_tokens,
            usage: request.stream_options.include_usage,
            finish: knobs.finish.clone().unwrap_or_else(|| {
                let usual = if calls { "tool_calls" } else { "stop" };
                usual.to_owned()
            }),
            first_call: request.calls() + 1,
            logprobs,
        };
        let (mut steps, mime) = if request.stream {
            (script::streamed(&pieces, &knobs, fault, &wire), "text/event-stream")
        } else {
            let pieces = if fault == Some(Fault::Empty) { &[] } else { &*pieces };
            (
                script::whole(
                    pieces,
                    &knobs,
                    fault,
                    self.vectors.unwrap_or_else(|| wire.whole(pieces)),
                ),
                "application/json",
            )
        };
        if let Some(Fault::Drip { every }) = fault {
            steps = script::drip(steps, every);
        }
        let mime = if fault == Some(Fault::Page) { "text/html" } else { mime };
        let body = script::play(steps, visit, self.shared, self.connection.life().clone());
        let mut response = Response::new(Body::from_stream(body));
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(mime));
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    }
}

/// Never an answer: the connection ends.
async fn reset(connection: &Connection) -> Response<Body> {
    connection.reset();
    pending().await
}

fn told_to_refuse(status: u16, knobs: &Knobs) -> Response<Body> {
    let mut response = refusal(status, "Told to refuse.");
    if (300..400).contains(&status) {
        response.headers_mut().insert(
            header::LOCATION,
            HeaderValue::from_static("https://me:secret@elsewhere.invalid:8443/v1?token=secret"),
        );
    }
    with_retry_after(response, knobs)
}

/// As llama.cpp answers while it reads the model.
fn loading(knobs: &Knobs) -> Response<Body> {
    let error = json!({ "error": { "message": "Loading model", "type": "unavailable_error", "code": 503 } });
    with_retry_after(json_of(503, &error), knobs)
}

fn with_retry_after(mut response: Response<Body>, knobs: &Knobs) -> Response<Body> {
    let time = match knobs.retry_after {
        RetryAfter::In(time) => time,
        RetryAfter::Usual if response.status() == StatusCode::TOO_MANY_REQUESTS => std::time::Duration::from_secs(1),
        RetryAfter::Usual | RetryAfter::Never => return response,
    };
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    // OpenAI's own header, for what seconds are too coarse for.
    response.headers_mut().insert(
        "retry-after-ms",
        HeaderValue::from(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
    );
    response
}

fn refusal(status: u16, message: &str) -> Response<Body> {
    json_of(status, &error_body(status, message))
}

fn json_of(status: u16, value: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
