//! Pages of their own, apart from the app: the server makes all of them, and they work without the browser's half.

use anteroom::{language::Words, say};
use axum::{
    http::{HeaderName, HeaderValue, header},
    response::{Html, IntoResponse as _, Response},
};
use leptos::prelude::*;

use super::refusals::PlainPage;
use crate::{format, shell::document_with};

/// What a page may load and do.
#[derive(Clone, Copy)]
pub(super) enum Allowed {
    /// To send its forms.
    Forms,
    /// To send its forms, and to copy what it shows.
    Copying,
    /// To follow what it shows.
    Watching,
}

impl Allowed {
    const fn policy(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Forms => {
                "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
            }
            Self::Copying => {
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; \
                 frame-ancestors 'none'"
            }
            Self::Watching => {
                "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; \
                 img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
            }
        })
    }
}

const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

/// A page of its own, around what `content` makes. Nobody keeps it, and what it leads to hears nothing of its address.
pub(super) fn page<V: IntoView>(
    page: &PlainPage,
    allowed: Allowed,
    title: &str,
    head: impl IntoView,
    content: impl FnOnce() -> V,
) -> Response {
    let (language, css, title) = (page.words.language(), page.css.clone(), format!("{title} · Anteroom"));
    let html = Owner::new().with(|| document_with(language, title, css, head, content()).to_html());
    let mut response = Html(html).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, allowed.policy());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("strict-origin"));
    headers.insert(ROBOTS, HeaderValue::from_static("noindex, nofollow"));
    response
}

/// A time to come in one unit, rounded: `24 h`, `7 d`.
pub(super) fn rounded(words: &Words, seconds: f64) -> String {
    let (count, unit) = match format::whole(seconds) {
        seconds @ 0..60 => (seconds, "s"),
        seconds @ 60..3600 => (seconds.div_ceil(60), "min"),
        // The first days are counted in hours.
        seconds @ 3600..172_800 => (seconds.div_ceil(3600), "h"),
        seconds => (seconds.div_ceil(86_400), "d"),
    };
    say!(words, "time", count = count, unit = unit)
}
