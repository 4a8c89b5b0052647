//! Anteroom's own API, for programs that want to see the line: `/api/v1`.
//!
//! - `chat`: one request of a program, whole or as a stream that says where it stands.
//! - `line`: the lines, the models and the site.
//! - `conversations`: what pages have, for programs; `files`: what comes with their messages.
//! - `forget`: everything of a program, deleted.
//! - `read`: bodies and queries; `fault`: what is refused; `patient`: answers that take long.
//! - `document`: all of it, in the words of OpenAPI.

mod chat;
mod conversations;
mod document;
pub(super) mod fault;
mod files;
mod forget;
mod line;
mod patient;
mod read;

use std::sync::Arc;

use axum::{
    Router,
    extract::Request,
    http::StatusCode,
    routing::{any, delete, get, post},
};

pub(in crate::http) use document::described;
pub use document::document;
pub(super) use files::UPLOAD;

use super::scope;
use crate::{accounts::Scope, engine::Engine, http::Refusal};

/// Its doors, and the names that some of them had before there was a version in them.
pub(super) fn routes() -> Router<Arc<Engine>> {
    let chat = Router::new()
        .route("/api/v1/chat", post(chat::whole))
        .route("/chat", post(chat::whole))
        .route("/api/v1/chat/stream", post(chat::stream))
        .route("/chat/stream", post(chat::stream))
        .route("/api/v1/chat/{id}", delete(chat::cancel));
    let read = Router::new()
        .route("/api/v1/queue", get(line::queue))
        .route("/api/v1/models", get(line::models))
        .route("/api/v1/info", get(line::info))
        .route("/info", get(line::info));
    scope::needs(Scope::Chat, chat)
        .merge(scope::needs(Scope::Read, read))
        .merge(conversations::routes())
        .merge(files::routes())
        .merge(forget::routes())
        .route("/api/v1/{*other}", any(unknown))
        .method_not_allowed_fallback(other_method)
}

async fn unknown(request: Request) -> Refusal {
    let (method, path) = (request.method(), request.uri().path());
    let sentence = format!("Anteroom has no {method} {path}. GET /api/v1/openapi.json describes all that it has.");
    fault::invalid(StatusCode::NOT_FOUND, sentence)
}

async fn other_method(request: Request) -> Refusal {
    let sentence = format!("{} takes no {}.", request.uri().path(), request.method());
    fault::invalid(StatusCode::METHOD_NOT_ALLOWED, sentence)
}
