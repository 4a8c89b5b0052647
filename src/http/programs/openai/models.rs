//! The models that are offered.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use serde_json::{Value, json};

use super::ApiError;
use crate::{accounts::Principal, agents::Offered, client::Client, engine::Engine};

/// The models that are offered, the default one first, as OpenAI's API lists them.
#[utoipa::path(
    get, path = "/v1/models", tag = "openai",
    responses((status = 200, description = "As OpenAI's API has it", body = Object)),
)]
pub(in crate::http::programs) async fn list(State(engine): State<Arc<Engine>>, who: Principal) -> Json<Value> {
    let models: Vec<_> = Client::new(engine, who).offered().iter().map(model).collect();
    Json(json!({ "object": "list", "data": models }))
}

/// One model that is offered, as OpenAI's API shows it.
#[utoipa::path(
    get, path = "/v1/models/{model}", tag = "openai",
    params(("model" = String, Path, description = "Its id, or its name alone where only one place has it. It may have slashes")),
    responses((status = 200, description = "As OpenAI's API has it", body = Object)),
)]
pub(in crate::http::programs) async fn one(
    State(engine): State<Arc<Engine>>,
    who: Principal,
    Path(called): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let offered = Client::new(engine, who).offer(Some(&called))?;
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
