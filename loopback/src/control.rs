//! `/control`: the record and the knobs over HTTP.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde_json::{Map, Value, json};

use crate::{record::Record, server::Shared};

pub(crate) async fn record(State(shared): State<Arc<Shared>>) -> Json<Record> {
    Json(shared.recorder.record())
}

/// All knobs are turned or none.
pub(crate) async fn set(
    State(shared): State<Arc<Shared>>,
    Json(knobs): Json<Map<String, Value>>,
) -> Result<Json<Value>, (StatusCode, Json<Value>)> {
    let texts: Vec<_> = knobs
        .into_iter()
        .map(|(name, value)| match value {
            Value::String(text) => (name, text),
            Value::Null => (name, "none".to_owned()),
            other => (name, other.to_string()),
        })
        .collect();
    shared
        .turn(texts.iter().map(|(name, value)| (name.as_str(), value.as_str())))
        .map(|knobs| Json(knobs.to_json()))
        .map_err(|error| {
            (
                StatusCode::BAD_REQUEST,
                Json(json!({ "error": { "message": error.to_string() } })),
            )
        })
}

pub(crate) async fn reset(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.reset();
    StatusCode::NO_CONTENT
}

pub(crate) async fn open(State(shared): State<Arc<Shared>>, Path(name): Path<String>) -> StatusCode {
    shared.gates.open(&name);
    StatusCode::NO_CONTENT
}

pub(crate) async fn release(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.gates.release_one();
    StatusCode::NO_CONTENT
}
