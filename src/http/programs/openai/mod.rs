//! OpenAI's API, as far as programs use it for text: whoever points a client of that API at Anteroom stands in the line.
//!
//! - `again`: what the headers of a request say of being repeated.
//! - `stream` and `whole`: the answer, and what is sent while there is none.
//! - `responses`: the newer of OpenAI's two ways to ask, as a chat.
//! - `error`: everything that is refused or fails, in OpenAI's shape.

mod again;
mod error;
pub(super) mod models;
pub(super) mod responses;
mod stream;
#[cfg(test)]
mod tests;
mod whole;

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{Request, State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
    routing::{any, get, post},
};

pub(super) use self::{
    again::{heed, key},
    error::{ApiError, ErrorBody, retry_after},
};
use super::{MAX_PROGRAM_BODY, place, scope, waiting};
use crate::{
    accounts::{Principal, Scope},
    agents::Door,
    client::{Asked, Client},
    engine::Engine,
    http::Refusal,
    programs,
};

/// Where all of this API is.
const PATH: &str = "/v1/";

/// Its doors.
pub(super) fn routes() -> Router<Arc<Engine>> {
    let chat = Router::new()
        .route("/v1/chat/completions", post(completions))
        .route("/v1/responses", post(responses::create))
        .route("/v1/embeddings", post(embeddings))
        .route("/v1/models", get(models::list))
        // Names of models may have slashes in them.
        .route("/v1/models/{*model}", get(models::one));
    scope::needs(Scope::Chat, chat)
        .route("/v1/{*other}", any(unknown))
        .method_not_allowed_fallback(other_method)
}

/// Gives refusals of this API the shape that its clients read, whoever has refused.
pub(in crate::http) async fn shape<N: Future<Output = Response>>(
    request: Request,
    next: impl FnOnce(Request) -> N,
) -> Response {
    let is_ours = request.uri().path().starts_with(PATH);
    let mut response = next(request).await;
    if !is_ours {
        return response;
    }
    let refusal: Option<Refusal> = response.extensions_mut().remove();
    let Some(refusal) = refusal else {
        return response;
    };
    let (mut parts, _) = response.into_parts();
    let shaped = ApiError::from(refusal).into_response();
    parts.headers.extend(shaped.headers().clone());
    Response::from_parts(parts, shaped.into_body())
}

/// The next message of a chat, as OpenAI's API has it.
///
/// Servers that speak that API get the request as it is, with every field; others get the messages, and what they cannot honour is refused.
#[utoipa::path(
    post, path = "/v1/chat/completions", tag = "openai",
    request_body(content = Object, description = "As OpenAI's API has it: `model`, `messages`, `stream` and whatever else",
        example = json!({ "model": "demo@builtin", "messages": [{ "role": "user", "content": "Say hello." }] })),
    params(("Idempotency-Key" = Option<String>, Header, max_length = 255, description = "Names the request, which then keeps its place while nobody is connected")),
    responses((status = 200, description = "As OpenAI's API has it; a stream of events where `stream` is true",
        content((Object = "application/json"), (String = "text/event-stream")))),
)]
pub(super) async fn completions(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let request = programs::Request::read(Door::Chat, read(body)?)?;
    ask(&Client::new(engine, who), &headers, request, |_| stream::Chat).await
}

/// Texts as vectors, as OpenAI's API has it.
#[utoipa::path(
    post, path = "/v1/embeddings", tag = "openai",
    request_body(content = Object, description = "As OpenAI's API has it: `model` and `input`",
        example = json!({ "model": "text-embedding-3-small", "input": "Hello" })),
    params(("Idempotency-Key" = Option<String>, Header, max_length = 255, description = "Names the request, which then keeps its place while nobody is connected")),
    responses((status = 200, description = "As OpenAI's API has it", body = Object)),
)]
pub(super) async fn embeddings(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let request = programs::Request::read(Door::Embeddings, read(body)?)?;
    ask(&Client::new(engine, who), &headers, request, |_| stream::Chat).await
}

/// Asks, and answers in the form that is made for the request on its way.
async fn ask<F: stream::Form>(
    client: &Client,
    headers: &HeaderMap,
    mut request: programs::Request,
    form: impl FnOnce(&Asked) -> F,
) -> Result<Response, ApiError> {
    let again = again::again(headers, &request)?;
    heed(headers, &mut request);
    let streams = request.streams;
    let asked = client.ask(request, again)?;
    let form = form(&asked);
    if streams {
        stream::answer(asked, form).await
    } else {
        whole::answer(asked, form).await
    }
}

fn read(body: Result<Bytes, BytesRejection>) -> Result<Bytes, ApiError> {
    body.map_err(|rejection| {
        let status = rejection.status();
        let message = if status == StatusCode::PAYLOAD_TOO_LARGE {
            format!(
                "This request is larger than {} MB, the most that Anteroom takes. Send less of the conversation, or smaller pictures.",
                MAX_PROGRAM_BODY / (1024 * 1024)
            )
        } else {
            "This request did not arrive whole. Send it again.".to_owned()
        };
        ApiError {
            message,
            ..ApiError::of_status(status)
        }
    })
}

async fn unknown(request: Request) -> ApiError {
    ApiError {
        message: format!(
            "Anteroom has no {} {}. It has /v1/chat/completions, /v1/responses, /v1/embeddings and /v1/models.",
            request.method(),
            request.uri().path()
        ),
        ..ApiError::of_status(StatusCode::NOT_FOUND)
    }
}

async fn other_method(request: Request) -> ApiError {
    ApiError {
        message: format!("{} takes no {}.", request.uri().path(), request.method()),
        ..ApiError::of_status(StatusCode::METHOD_NOT_ALLOWED)
    }
}
