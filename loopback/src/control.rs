//! `/control`: the record and the knobs over HTTP.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use serde_json::{Map, Value, json};

use crate::{record::Record, shared::Shared};

/// What a fault of whoever asks is answered.
pub(crate) type Refusal = (StatusCode, Json<Value>);

/// The control of one server.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", post(set))
        .route("/record", get(record))
        .route("/reset", post(reset))
        .route("/open/{name}", post(open))
        .route("/release", post(release))
        .with_state(shared)
}

async fn record(State(shared): State<Arc<Shared>>) -> Json<Record> {
    Json(shared.recorder.record())
}

/// All knobs are turned or none. Answers once the door is as it was told to be.
async fn set(State(shared): State<Arc<Shared>>, Json(knobs): Json<Map<String, Value>>) -> Result<Json<Value>, Refusal> {
    let texts: Vec<_> = knobs
        .into_iter()
        .map(|(name, value)| match value {
            Value::String(text) => (name, text),
            Value::Null => (name, "none".to_owned()),
            other => (name, other.to_string()),
        })
        .collect();
    let turned = shared
        .turn(texts.iter().map(|(name, value)| (name.as_str(), value.as_str())))
        .map_err(|error| refusal(StatusCode::BAD_REQUEST, &error))?;
    settled(&shared).await?;
    Ok(Json(turned.to_json()))
}

async fn reset(State(shared): State<Arc<Shared>>) -> Result<StatusCode, Refusal> {
    reset_one(&shared).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Everything as after the start. Returns once the door is, too.
pub(crate) async fn reset_one(shared: &Shared) -> Result<(), Refusal> {
    shared.reset();
    settled(shared).await
}

async fn open(State(shared): State<Arc<Shared>>, Path(name): Path<String>) -> StatusCode {
    shared.gates.open(&name);
    StatusCode::NO_CONTENT
}

async fn release(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.gates.release_one();
    StatusCode::NO_CONTENT
}

async fn settled(shared: &Shared) -> Result<(), Refusal> {
    let settled = shared.settled().await;
    settled.map_err(|error| refusal(StatusCode::SERVICE_UNAVAILABLE, &error))
}

fn refusal(status: StatusCode, error: &impl std::error::Error) -> Refusal {
    (status, Json(json!({ "error": { "message": error.to_string() } })))
}
