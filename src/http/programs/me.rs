//! `GET /api/v1/key`: what a program's key is, and what it lets it do.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    accounts::{Principal, Scope, Scopes},
    engine::Engine,
};

/// A program's key.
#[derive(Serialize, ToSchema)]
pub(super) struct Me {
    /// Its name in the store.
    id: Uuid,
    /// Its name for people; none where no key is needed.
    name: Option<String>,
    scopes: Vec<&'static str>,
    /// Milliseconds since the Unix epoch; none: never.
    expires_at: Option<u64>,
    /// Most requests in a minute that are in force for it; null: as many as it likes.
    requests_per_minute: Option<u64>,
    /// Likewise tokens, read and written.
    tokens_per_minute: Option<u64>,
}

/// What the caller's key is, and what it lets it do.
#[utoipa::path(
    get, path = "/api/v1/key", tag = "line",
    responses((status = 200, description = "The key", body = Me)),
)]
pub(super) async fn look(State(engine): State<Arc<Engine>>, who: Principal) -> Json<Me> {
    let key = who.program.and_then(|program| engine.keys().find(program.key));
    let scopes = who.program.map_or(Scopes::NONE, |program| program.scopes);
    let scopes = Scope::ALL.into_iter().filter(|&scope| scopes.has(scope));
    let limits = engine.rates().limits(who.owner(), &engine.settings());
    Json(Me {
        id: who.session.0,
        expires_at: key.as_ref().and_then(|key| key.expires_at),
        name: key.map(|key| key.name),
        scopes: scopes.map(Scope::name).collect(),
        requests_per_minute: limits.requests,
        tokens_per_minute: limits.tokens,
    })
}
