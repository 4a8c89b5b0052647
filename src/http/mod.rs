//! The doors that are not the UI: feed, files, health and metrics; and the checks that every door passes through.

mod body;
mod disposition;
mod error;
mod export;
mod feed;
mod files;
mod headers;
mod health;
mod identity;
mod language;
mod origin;
mod pace;
mod serve;
pub mod status;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};
use tower_http::catch_panic::CatchPanicLayer;

pub use error::Refusal;
pub use identity::{NoCookie, cookies, set_session};
pub use origin::CrossSite;
pub use serve::serve;

use crate::{
    engine::Engine,
    wire::{MAX_INSTRUCTIONS_BYTES, MAX_MESSAGE_BYTES},
};

/// Largest body of a server function, in bytes: a message and instructions in which every byte takes six (`\u0000`), and the rest.
pub const MAX_BODY: usize = (MAX_MESSAGE_BYTES + MAX_INSTRUCTIONS_BYTES) * 6 + 16 * 1024;

/// The engine's own doors.
pub fn doors() -> Router<Arc<Engine>> {
    // A file's size is checked while it streams, against a setting.
    let files = Router::new()
        .route("/files", post(files::upload))
        .route("/files/{id}", get(files::download))
        .layer(DefaultBodyLimit::disable());
    Router::new()
        .route("/feed", get(feed::open))
        .route("/export/{file}", get(export::download))
        .route("/language", post(language::choose))
        .merge(files)
}

/// Puts every door of the site, the engine's and `pages`, behind the checks. How much a page reads of a request is for itself to
/// bound ([`MAX_BODY`]): it refuses in words.
pub fn site(engine: &Arc<Engine>, pages: Router) -> Router {
    let pages = pages
        .layer(middleware::from_fn_with_state(Arc::clone(engine), identity::welcome))
        .layer(middleware::from_fn(body::bound));
    let checked = doors()
        .with_state(Arc::clone(engine))
        .merge(pages)
        .layer(middleware::from_fn_with_state(Arc::clone(engine), identity::identify))
        .layer(middleware::from_fn(origin::check));
    // Monitoring has no cookie, and must get an answer whatever the rest is doing.
    let watched = Router::new()
        .route("/health", get(health::health))
        .route("/metrics", get(health::metrics))
        .with_state(Arc::clone(engine));
    checked
        .merge(watched)
        .layer(middleware::from_fn(headers::harden))
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(middleware::from_fn_with_state(Arc::clone(engine), language::speak))
}
