//! The models that are offered.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use serde_json::{Value, json};

use super::ApiError;
use crate::{agents::Offered, engine::Engine};

/// `GET /v1/models`: the default one first.
pub(super) async fn list(State(engine): State<Arc<Engine>>) -> Json<Value> {
    let models: Vec<_> = engine.backends().models().iter().map(model).collect();
    Json(json!({ "object": "list", "data": models }))
}

/// `GET /v1/models/{model}`.
pub(super) async fn one(
    State(engine): State<Arc<Engine>>,
    Path(called): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let backends = engine.backends();
    let found = backends.find(&called);
    let (name, _) = found.ok_or_else(|| ApiError::no_model(&called))?;
    let offered = backends.models().into_iter().find(|offered| offered.name == name);
    let offered = offered.ok_or_else(|| ApiError::no_model(&called))?;
    Ok(Json(model(&offered)))
}

/// As OpenAI lists one. `max_model_len` is vLLM's name for how much it reads, and others read it too.
fn model(offered: &Offered) -> Value {
    let mut model = json!({
        "id": offered.name.to_string(),
        "object": "model",
        "created": 0,
        "owned_by": offered.name.place,
    });
    if let Some(context) = offered.context {
        model["max_model_len"] = context.into();
    }
    model
}
