//! Conversations, as pages have them: stored, with their turns, under the owner that the program's key is.

pub(super) mod changing;
pub(super) mod leaves;
pub(super) mod list;
pub(super) mod passes;
pub(super) mod sending;
pub(super) mod steps;
pub(super) mod turns;
mod views;

use std::sync::Arc;

use axum::{
    Router,
    routing::{delete, get, patch, post},
};

use super::super::scope;
use crate::{accounts::Scope, engine::Engine, wire::ConversationId};

/// Their doors.
pub(super) fn routes() -> Router<Arc<Engine>> {
    let read = Router::new()
        .route("/api/v1/conversations", get(list::list))
        .route("/api/v1/conversations/search", get(list::search))
        .route("/api/v1/conversations/{id}", get(list::one))
        .route("/api/v1/conversations/{id}/turns", get(list::turns))
        .route("/api/v1/conversations/{id}/turns/{turn}", get(list::turn))
        .route("/api/v1/conversations/{id}/export", get(list::export))
        .route("/api/v1/conversations/{id}/passes", get(passes::list))
        .route("/api/v1/conversations/{id}/leaves", get(leaves::list));
    let chat = Router::new()
        .route("/api/v1/conversations", post(sending::create))
        .route("/api/v1/conversations/import", post(changing::import))
        .route("/api/v1/conversations/{id}", patch(changing::change))
        .route("/api/v1/conversations/{id}", delete(changing::remove))
        .route("/api/v1/conversations/{id}/restore", post(changing::restore))
        .route("/api/v1/conversations/{id}/release", post(changing::release))
        .route("/api/v1/conversations/{id}/turns", post(sending::send))
        .route("/api/v1/conversations/{id}/turns/{turn}", patch(turns::reword))
        .route("/api/v1/conversations/{id}/turns/{turn}", delete(turns::cancel))
        .route("/api/v1/conversations/{id}/turns/{turn}/again", post(turns::again))
        .route("/api/v1/conversations/{id}/turns/{turn}/show", post(turns::show))
        .route("/api/v1/conversations/{id}/turns/{turn}/rating", post(turns::rate))
        .route("/api/v1/conversations/{id}/turns/{turn}/branch", post(turns::branch))
        .route(
            "/api/v1/conversations/{id}/turns/{turn}/steps/{step}",
            post(steps::answer),
        )
        .route("/api/v1/conversations/{id}/passes/{pass}", delete(passes::revoke))
        .route(
            "/api/v1/conversations/{id}/leaves/{server}/{tool}",
            delete(leaves::take_back),
        );
    // Whoever opens it reads what the key may.
    let link = Router::new().route("/api/v1/conversations/{id}/passes", post(passes::make));
    let link = scope::needs(Scope::Chat, scope::needs(Scope::Read, link));
    scope::needs(Scope::Read, read)
        .merge(scope::needs(Scope::Chat, chat))
        .merge(link)
}

/// The conversation that an address names; `None`: it names none.
fn named(id: &str) -> Option<ConversationId> {
    id.parse().ok()
}
