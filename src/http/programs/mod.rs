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
    extract::{DefaultBodyLimit, Request, State},
    http::Method,
    middleware::{self, Next},
    response::Response,
    routing::get,
};

pub(super) use self::api::described;
pub use self::api::document;
pub(super) use self::openai::shape;
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
}

/// All doors of programs. A refusal is an answer that has a [`Refusal`](super::Refusal) among its extensions, so that a layer around these can
/// give it another form.
pub(super) fn doors(engine: &Arc<Engine>, link: Option<&Arc<link::Link>>) -> Router {
    guarded(engine, link, routes())
}

/// `routes` behind what finds out who asks. Beside other nodes a request is answered by the home of its key.
///
/// The steps of each side are one layer: every layer of a router takes some microseconds of each request.
fn guarded(engine: &Arc<Engine>, link: Option<&Arc<link::Link>>, routes: Router<Arc<Engine>>) -> Router {
    let mut doors = routes.with_state(Arc::clone(engine)).layer((
        middleware::from_fn_with_state(Arc::clone(engine), at_home),
        DefaultBodyLimit::max(MAX_PROGRAM_BODY),
    ));
    if let Some(link) = link {
        let state = (Arc::clone(engine), Arc::clone(link));
        doors = doors.layer((
            middleware::from_fn(tasks::name),
            middleware::from_fn_with_state(state, link::forward),
        ));
    }
    doors.layer(middleware::from_fn_with_state(Arc::clone(engine), at_the_door))
}

/// What is done wherever a request comes in: its address is counted, and who asks is found out.
async fn at_the_door(State(engine): State<Arc<Engine>>, request: Request, next: Next) -> Response {
    let engine = &*engine;
    rates::by_address(engine, request, |request| {
        identity::identify(engine, request, |request| next.run(request))
    })
    .await
}

/// What is done at the home of a key alone.
async fn at_home(State(engine): State<Arc<Engine>>, request: Request, next: Next) -> Response {
    let engine = &*engine;
    rates::by_address_tokens(engine, request, |request| {
        rates::by_key(engine, request, |request| {
            revoked::end(engine, request, |request| async {
                to_program(next.run(bounded(request)).await)
            })
        })
    })
    .await
}

/// A refusal of these doors is a program's.
fn to_program(mut response: Response) -> Response {
    if let Some(refusal) = response.extensions_mut().get_mut::<Refusal>() {
        refusal.to_program = true;
    }
    response
}

/// Bounds how long a body may take to arrive. A file is larger, and has bounds of its own once the line lets it start.
fn bounded(request: Request) -> Request {
    if *request.method() == Method::POST && request.uri().path() == api::UPLOAD {
        return request;
    }
    body::bounded(request)
}
