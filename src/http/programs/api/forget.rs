//! Everything of a program, deleted at once and for good. A request that only goes astray deletes nothing: it has to bring what was asked for before.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{super::scope, read::Body};
use crate::{
    accounts::{Principal, Scope},
    client::{Client, ClientError},
    engine::Engine,
    http::Refusal,
    wire::{Reason, Refused},
};

/// Its doors. What is deleted is of conversations and of tasks.
pub(super) fn routes() -> Router<Arc<Engine>> {
    let look = Router::new().route("/api/v1/forget", get(ask));
    let forget = Router::new().route("/api/v1/forget", post(forget));
    scope::needs(Scope::Read, look).merge(scope::needs(Scope::Chat, scope::needs(Scope::Tasks, forget)))
}

/// What has to be brought along to delete everything.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Confirmation {
    /// It is the caller's own, and stays the same.
    confirmation: String,
}

/// What has to be brought along to delete everything of the caller. Nothing is deleted by this.
#[utoipa::path(
    get, path = "/api/v1/forget", tag = "conversations",
    responses((status = 200, description = "It goes into the request that deletes", body = Confirmation)),
)]
pub(super) async fn ask(State(engine): State<Arc<Engine>>, who: Principal) -> Json<Confirmation> {
    let confirmation = Client::new(engine, who).confirmation();
    Json(Confirmation { confirmation })
}

/// Deletes everything of the caller for good: conversations with their links, files, tasks, kept answers, and what it was given for servers of tools. What waits or
/// runs is ended. The key stays.
#[utoipa::path(
    post, path = "/api/v1/forget", tag = "conversations", request_body = Confirmation,
    responses(
        (status = 204, description = "Nothing is left"),
        (status = 403, description = "The confirmation is not the caller's, or its key may not do this: nothing has changed", body = Refused),
    ),
)]
pub(super) async fn forget(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Body(Confirmation { confirmation }): Body<Confirmation>,
) -> Result<StatusCode, Refusal> {
    match Client::new(engine, who).forget(&confirmation).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(ClientError::NotConfirmed) => Err(Refusal::new(StatusCode::FORBIDDEN, Reason::ForgetUnconfirmed)),
        Err(fault) => Err(fault.into()),
    }
}
