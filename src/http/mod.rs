//! The doors that are not the UI: feed, files, health and metrics; the checks that every door passes through; and the link to other nodes.

mod actions;
mod body;
mod disposition;
mod drawing;
mod error;
mod export;
mod feed;
mod files;
mod guest;
mod headers;
mod health;
mod identity;
mod language;
mod link;
mod origin;
mod pace;
mod programs;
mod serve;
pub mod status;

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::{DefaultBodyLimit, Request, State},
    middleware::{self, Next},
    response::Response,
    routing::{get, post},
};
use tower_http::catch_panic::CatchPanicLayer;

pub use drawing::Draws;
pub use error::Refusal;
pub use files::given;
pub use guest::{Admitted, guessed_wrong, may_guess, set_guest};
pub use identity::{NoCookie, cookies, set_session};
pub use link::{Unreached, serve_nodes, watch};
pub use origin::CrossSite;
pub use programs::document;
pub use serve::serve;

use crate::{
    conversations::MAX_IMPORT_BYTES,
    engine::Engine,
    wire::{MAX_INSTRUCTIONS_BYTES, MAX_MESSAGE_BYTES},
};

/// Largest body of a server function, in bytes: a message and instructions in which every byte takes six (`\u0000`), and the rest.
pub const MAX_BODY: usize = (MAX_MESSAGE_BYTES + MAX_INSTRUCTIONS_BYTES) * 6 + 16 * 1024;

/// The engine's own doors that lead to something of a session.
fn doors(draws: Arc<dyn Draws>) -> Router<Arc<Engine>> {
    // A file's size is checked while it streams, against a setting.
    let files = Router::new()
        .route("/files", post(files::upload))
        .route("/files/{id}", get(files::download))
        .route("/files/{id}/text", get(files::read))
        .layer(DefaultBodyLimit::disable());
    Router::new()
        .route("/feed", get(feed::open).layer(Extension(draws)))
        .route("/export/{file}", get(export::download))
        .route("/branch/{turn}", post(actions::branch))
        .route("/rate/{turn}/{rating}", post(actions::rate))
        .route("/shelf/{conversation}/{what}/{to}", post(actions::shelve))
        .route("/step/{turn}/{step}/{answer}", post(actions::step))
        .route(
            "/import",
            post(actions::import)
                .layer(DefaultBodyLimit::max(MAX_IMPORT_BYTES))
                .layer(middleware::from_fn(body::bound)),
        )
        .merge(files)
}

/// The doors of passes. None of them gives anybody a session's cookie by itself.
pub struct PassDoors {
    /// Where links lead.
    pub links: Router,
    /// What guests see, behind [`Admitted`].
    pub guests: Router,
}

/// Puts every door of the site, the engine's and `pages`, behind the checks; `plain` are those of a page's surroundings that have nothing of a
/// session, such as its files. What tabs show is drawn by `draws`. How much a page reads of a request is for itself to bound ([`MAX_BODY`]): it refuses in words.
///
/// Beside other nodes, whatever has something of a session is answered by its home, wherever it came in.
pub fn site(engine: &Arc<Engine>, pages: Router, plain: Router, draws: Arc<dyn Draws>, passes: PassDoors) -> Router {
    let mut doors = doors(draws).with_state(Arc::clone(engine));
    let welcoming = |pages: Router| {
        pages
            .layer(middleware::from_fn_with_state(Arc::clone(engine), identity::welcome))
            .layer(middleware::from_fn(body::bound))
    };
    let mut pages = welcoming(pages);
    let PassDoors { links, mut guests } = passes;
    let link = link::Link::of(engine);
    let programs = programs::doors(engine, link.as_ref());
    if let Some(link) = link {
        let state = (Arc::clone(engine), link);
        doors = doors.layer(middleware::from_fn_with_state(state.clone(), link::forward));
        guests = guests.layer(middleware::from_fn_with_state(state.clone(), link::forward_guest));
        pages = pages.layer(middleware::from_fn_with_state(state, link::forward_page));
    }
    let language = Router::new()
        .route("/language", post(language::choose))
        .with_state(Arc::clone(engine));
    let guests = guests.layer(middleware::from_fn_with_state(Arc::clone(engine), guest::admit));
    let checked = doors
        .merge(language)
        .merge(guests)
        .merge(links.layer(middleware::from_fn(body::bound)))
        .merge(pages)
        .merge(welcoming(plain))
        .layer(middleware::from_fn_with_state(Arc::clone(engine), identity::identify))
        .layer(middleware::from_fn(origin::check));
    // Monitoring has no cookie, and must get an answer whatever the rest is doing.
    let metrics = Router::new()
        .route("/metrics", get(health::metrics))
        .layer(middleware::from_fn_with_state(
            Arc::clone(engine),
            programs::guard_metrics,
        ));
    let watched = Router::new()
        .route("/health", get(health::health))
        .route("/ready", get(health::ready))
        .merge(metrics)
        .with_state(Arc::clone(engine))
        .merge(programs::described());
    checked.merge(programs).merge(watched).layer((
        middleware::from_fn_with_state(Arc::clone(engine), around),
        CatchPanicLayer::custom(error::panicked),
    ))
}

/// What is done around every door.
async fn around(State(engine): State<Arc<Engine>>, request: Request, next: Next) -> Response {
    let shaped = |request| programs::shape(request, |request| next.run(request));
    headers::harden(language::speak(&engine, request, shaped).await)
}
