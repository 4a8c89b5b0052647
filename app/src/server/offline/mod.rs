//! What makes the site an app that can be installed: its manifest, and the service worker that a browser asks where there is no connection.
//!
//! All that is shown then is in the worker's script itself: the page in each language, its script and its style. So nothing of a build is ever kept
//! beside another one's, and no page of the site is kept at all. What is kept is what was read, for the session that has read it.

mod manifest;
mod page;
mod reader;

use std::sync::Arc;

use anteroom::language::Language;
use axum::{
    Router,
    http::{HeaderMap, HeaderValue, header},
    routing::get,
};
use serde_json::json;
use sha2::{Digest as _, Sha256};

pub(super) use reader::mark;
pub(crate) use reader::reader_of;

use super::assets::{self, Made};
use crate::route::Page;

const WORKER: &str = include_str!("worker.js");
/// Its own page has some style of its own.
const STYLE: &str = include_str!("page.css");

/// What the worker may do: ask this site, and nothing else.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; connect-src 'self'");

/// Serves the worker at `/worker.js`, which makes the whole site its own, and the manifest of each language.
pub(super) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let worker = Arc::new(Made::new("worker.js", worker(&[&assets::style(), STYLE].concat())));
    let worked = async move |headers: HeaderMap| {
        let mut response = worker.answer(&headers);
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, POLICY);
        response
    };
    Language::ALL.map(manifest::made).into_iter().fold(
        Router::new().route("/worker.js", get(worked)),
        |router, made| {
            let path = made.path().to_owned();
            let made = Arc::new(made);
            router.route(&path, get(async move |headers: HeaderMap| made.answer(&headers)))
        },
    )
}

/// The worker's script: what it shows, under the name that only this build has, and what it does.
fn worker(style: &str) -> String {
    let shells: serde_json::Map<_, _> = Language::ALL
        .into_iter()
        .map(|language| (language.code().to_owned(), json!(page::shell(language))))
        .collect();
    let pages = Page::TABS.into_iter().chain([Page::Data]).map(Page::path);
    let shown = format!(
        "const SHELLS = {};\nconst STYLE = {};\nconst PAGES = {};\n{WORKER}",
        json!(shells),
        json!(style),
        json!(pages.collect::<Vec<_>>()),
    );
    let build = Sha256::digest([env!("CARGO_PKG_VERSION"), &shown].concat());
    let build: String = build[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("const BUILD = {};\n{shown}", json!(build))
}

#[cfg(test)]
mod tests;
