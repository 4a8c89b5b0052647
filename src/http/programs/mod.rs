//! The doors of programs: scripts, editors and bots, which come with a key and without a page. Cookies mean nothing here.

mod api;
mod client;
mod identity;
mod local;
mod me;
mod openai;
mod place;
pub(super) mod rates;
mod revoked;
mod scope;
#[cfg(test)]
mod statuses;
mod tasks;
#[cfg(test)]
mod tests;
mod waiting;

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::Method,
    middleware::{self, Next},
    response::Response,
    routing::get,
};

pub(super) use self::api::described;
pub use self::api::document;
pub(super) use identity::guard_metrics;

use super::{Refusal, body, link};
use crate::engine::Engine;

/// Largest body of a program's request, in bytes: conversations, and pictures written as text in them.
pub(super) const MAX_PROGRAM_BODY: usize = 32 * 1024 * 1024;

/// What programs may ask for. A handler behind the doors takes a [`Principal`](crate::accounts::Principal), which is always there; what its key has
/// to let it do is said with [`scope::needs`].
fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/api/v1/key", get(me::look))
        .merge(openai::routes())
        .merge(api::routes())
        .merge(tasks::routes())
        .layer(middleware::map_response(to_program))
}

/// A refusal of these doors is a program's.
async fn to_program(mut response: Response) -> Response {
    if let Some(refusal) = response.extensions_mut().get_mut::<Refusal>() {
        refusal.to_program = true;
    }
    response
}

/// All doors of programs. A refusal is an answer that has a [`Refusal`](super::Refusal) among its extensions, so that a layer around these can
/// give it another form.
pub(super) fn doors(engine: &Arc<Engine>, link: Option<&Arc<link::Link>>) -> Router {
    guarded(engine, link, routes()).layer(middleware::from_fn(openai::shape))
}

/// `routes` behind what finds out who asks. Beside other nodes a request is answered by the home of its key.
fn guarded(engine: &Arc<Engine>, link: Option<&Arc<link::Link>>, routes: Router<Arc<Engine>>) -> Router {
    let mut doors = routes
        .with_state(Arc::clone(engine))
        .layer(DefaultBodyLimit::max(MAX_PROGRAM_BODY))
        .layer(middleware::from_fn(bound))
        .layer(middleware::from_fn_with_state(Arc::clone(engine), revoked::end))
        .layer(middleware::from_fn_with_state(Arc::clone(engine), rates::by_key))
        .layer(middleware::from_fn_with_state(
            Arc::clone(engine),
            rates::by_address_tokens,
        ));
    if let Some(link) = link {
        let state = (Arc::clone(engine), Arc::clone(link));
        doors = doors
            .layer(middleware::from_fn_with_state(state, link::forward))
            .layer(middleware::from_fn(tasks::name));
    }
    doors
        .layer(middleware::from_fn_with_state(Arc::clone(engine), identity::identify))
        .layer(middleware::from_fn_with_state(Arc::clone(engine), rates::by_address))
}

/// Bounds how long a body may take to arrive. A file is larger, and has bounds of its own once the line lets it start.
async fn bound(request: Request, next: Next) -> Response {
    if *request.method() == Method::POST && request.uri().path() == api::UPLOAD {
        return next.run(request).await;
    }
    body::bound(request, next).await
}
