//! Taking a conversation along: the pages on which its owner makes links, where those lead, and what their guests see. All of it is made by the
//! server, and works without the browser's half.

mod guest;
mod link;
mod owner;
mod pieces;
mod qr;

use std::sync::Arc;

use anteroom::{accounts::passes::PassEnd, engine::Engine, http::PassDoors, language::Words, say};
use axum::{
    Router,
    http::{Extensions, StatusCode},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use leptos::prelude::*;

use super::{
    apart::{Allowed, page, rounded},
    refusals::PlainPage,
};
use crate::{AssetUrls, components::brand::Wordmark};

/// What the doors work with.
#[derive(Clone)]
struct Rooms {
    engine: Arc<Engine>,
    urls: AssetUrls,
}

impl Rooms {
    fn new(engine: &Arc<Engine>, urls: &AssetUrls) -> Self {
        Self {
            engine: Arc::clone(engine),
            urls: urls.clone(),
        }
    }
}

/// The pages of owners, which belong to their session.
pub(super) fn owner<S: Clone + Send + Sync + 'static>(engine: &Arc<Engine>, urls: &AssetUrls) -> Router<S> {
    Router::new()
        .route("/c/{id}/along", get(owner::look))
        .route("/api/form/along", post(owner::make))
        .route("/api/form/along-revoke", post(owner::revoke))
        .with_state(Rooms::new(engine, urls))
}

/// Whether this is the address of such a page.
pub(super) fn is_owners(path: &str) -> bool {
    path.starts_with("/c/") && path.ends_with("/along")
}

/// Where links lead, and what guests see.
pub(super) fn passes(engine: &Arc<Engine>, urls: &AssetUrls) -> PassDoors {
    let rooms = Rooms::new(engine, urls);
    PassDoors {
        links: Router::new()
            .route("/t/{secret}", get(link::look))
            .route("/t", post(link::exchange))
            .route("/along.js", get(guest::script))
            .with_state(rooms.clone()),
        guests: Router::new()
            .route("/along/{pass}", get(guest::look))
            .route("/along/{pass}/feed", get(guest::feed))
            .route("/along/{pass}/files/{file}", get(guest::file))
            .with_state(rooms),
    }
}

/// The page of the language that a request is spoken to in.
fn plain(rooms: &Rooms, request: &Extensions) -> PlainPage {
    PlainPage::of(&rooms.urls, request)
}

/// Why a pass lets nobody in, in a sentence.
fn why(words: &Words, end: PassEnd) -> String {
    match end {
        PassEnd::Gone => say!(words, "along-gone"),
        PassEnd::Used => say!(words, "along-used"),
        PassEnd::Revoked => say!(words, "along-revoked"),
        PassEnd::Over => say!(words, "along-over"),
        PassEnd::Off => say!(words, "along-off"),
    }
}

/// Says that a link, or what it led to, is of no use any more.
fn ended(plain: &PlainPage, end: PassEnd) -> Response {
    let words = plain.words;
    let heading = say!(words, "along-ended");
    let content = || {
        view! {
            <main class="whole-page" id="content">
                <Wordmark />
                <h1>{heading.clone()}</h1>
                <p>{why(words, end)}</p>
                <a class="button" href="/">{say!(words, "along-own")}</a>
            </main>
        }
    };
    let page = page(plain, Allowed::Forms, &heading, (), content);
    let status = match end {
        PassEnd::Gone | PassEnd::Off => StatusCode::NOT_FOUND,
        PassEnd::Used | PassEnd::Revoked | PassEnd::Over => StatusCode::GONE,
    };
    (status, page).into_response()
}
