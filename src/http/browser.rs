//! Which browser asks: the cookie's session, and a cookie for a browser that has none.

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::Refusal;
use crate::{engine::Engine, sessions::SessionId};

/// The browser that asks. A handler that takes it is only reached with a cookie of ours.
#[derive(Clone, Copy, Debug)]
pub struct Browser(pub SessionId);

/// The request came without a cookie that is ours.
#[derive(Debug)]
pub struct NoCookie;

impl NoCookie {
    /// The sentence for the person.
    pub const MESSAGE: &str = "This page does not know you any more. Allow cookies for this site and reload the page.";
}

impl IntoResponse for NoCookie {
    fn into_response(self) -> Response {
        Refusal::new(StatusCode::UNAUTHORIZED, Self::MESSAGE).into_response()
    }
}

impl<S: Sync> FromRequestParts<S> for Browser {
    type Rejection = NoCookie;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        parts.extensions.get().copied().ok_or(NoCookie)
    }
}

impl<S: Sync> axum::extract::OptionalFromRequestParts<S> for Browser {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        Ok(parts.extensions.get().copied())
    }
}

/// Reads the cookie into a [`Browser`]. A page that is asked for without one gets one; nothing else does, so that a
/// forged or lost cookie cannot quietly begin a new session in the middle of a page.
pub(super) async fn identify(State(engine): State<Arc<Engine>>, mut request: Request, next: Next) -> Response {
    let known = known(&engine, request.headers());
    let fresh = if known.is_none() && asks_for_a_page(&request) {
        Some(SessionId::random())
    } else {
        None
    };
    if let Some(session) = known.or(fresh) {
        request.extensions_mut().insert(Browser(session));
    }
    let mut response = next.run(request).await;
    let is_page = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if let Some(session) = known.or(fresh).filter(|_| is_page)
        && let Ok(cookie) = HeaderValue::from_str(&engine.jar().set_cookie(session))
    {
        // Set anew with each page, so that it ends a year after the last visit, not the first.
        response.headers_mut().append(header::SET_COOKIE, cookie);
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

fn known(engine: &Engine, headers: &HeaderMap) -> Option<SessionId> {
    let cookies = headers.get_all(header::COOKIE);
    // Ports share cookies: another program's may hold bytes that are no ASCII, which must not hide ours.
    cookies
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .find_map(|header| engine.jar().session(&header))
}

fn asks_for_a_page(request: &Request) -> bool {
    let accepts = request.headers().get(header::ACCEPT);
    request.method() == Method::GET
        && accepts
            .and_then(|accept| accept.to_str().ok())
            .is_some_and(|accept| accept.contains("text/html"))
}
