//! For the monitoring of the site: is it well, and how busy.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use serde::Serialize;

use crate::{
    engine::{Engine, VERSION},
    stats::{CONTENT_TYPE, own_state},
};

#[derive(Serialize)]
pub(super) struct Health {
    status: &'static str,
    version: &'static str,
    model: String,
    /// `ok`, or why nothing can be stored at the moment, or what is damaged; what is there can be read all the same.
    store: &'static str,
    /// What was odd at the start and harmless by itself, a sentence each.
    warnings: Vec<String>,
    /// How it stands among the nodes: `joining`, `gone`, or as [`NodeState`](crate::wire::NodeState) has it. Not there where it is none of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<&'static str>,
}

/// 200 while it takes messages in, 503 once it is shutting down. Waits for nothing.
pub(super) async fn health(State(engine): State<Arc<Engine>>) -> impl IntoResponse {
    let closing = engine.is_closing();
    let (code, status) = if closing {
        (StatusCode::SERVICE_UNAVAILABLE, "closing")
    } else {
        (StatusCode::OK, "ok")
    };
    let store = engine.store();
    let body = Health {
        status,
        version: VERSION,
        model: engine.model().to_owned(),
        store: store
            .fault()
            .or_else(|| store.damage())
            .map_or("ok", |fault| fault.in_public()),
        warnings: store.warnings().to_vec(),
        node: node(&engine),
    };
    (code, [(header::CACHE_CONTROL, "no-store")], Json(body))
}

fn node(engine: &Engine) -> Option<&'static str> {
    engine.settings().node_addr.as_ref()?;
    let own = engine.membership()?.own();
    Some(if own.footing.over {
        "gone"
    } else if own.footing.takes_part {
        own_state(&own).name()
    } else {
        "joining"
    })
}

/// For load balancers: 200 while browsers may be sent here, else 503 and why not. From the first moment of a shutdown they may not,
/// although what runs is finished.
pub(super) async fn ready(State(engine): State<Arc<Engine>>) -> impl IntoResponse {
    let unready = if engine.is_closing() {
        Some("it is shutting down")
    } else {
        engine.homes().unready()
    };
    let (code, said) = unready.map_or((StatusCode::OK, "ready"), |why| (StatusCode::SERVICE_UNAVAILABLE, why));
    (code, [(header::CACHE_CONTROL, "no-store")], said)
}

/// The figures for Prometheus.
pub(super) async fn metrics(State(engine): State<Arc<Engine>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], engine.prometheus())
}
