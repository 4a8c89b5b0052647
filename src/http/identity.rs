//! Who asks: the principal of the cookies, and a cookie for a browser that has none.

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::Refusal;
use crate::{accounts::Principal, engine::Engine, sessions::SessionId, wire::Reason};

/// The request came without a cookie that is ours.
#[derive(Debug)]
pub struct NoCookie;

impl NoCookie {
    /// As every door refuses it.
    #[must_use]
    pub const fn refusal(self) -> Refusal {
        Refusal::new(StatusCode::UNAUTHORIZED, Reason::NoCookie)
    }
}

impl IntoResponse for NoCookie {
    fn into_response(self) -> Response {
        self.refusal().into_response()
    }
}

/// A handler that takes it is only reached with a cookie of ours.
impl<S: Sync> FromRequestParts<S> for Principal {
    type Rejection = NoCookie;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        parts.extensions.get().copied().ok_or(NoCookie)
    }
}

impl<S: Sync> axum::extract::OptionalFromRequestParts<S> for Principal {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        Ok(parts.extensions.get().copied())
    }
}

/// Reads the cookies into a [`Principal`].
pub(super) async fn identify(State(engine): State<Arc<Engine>>, mut request: Request, next: Next) -> Response {
    let sent = cookies(request.headers());
    if let Some(session) = engine.jar().session(&sent) {
        let principal = engine.principal(session, &sent);
        request.extensions_mut().insert(principal);
    }
    next.run(request).await
}

/// Gives a browser that looks at a page without a cookie of ours one, and one that has it a year more. Nothing but a page does, so that a
/// forged or lost cookie cannot quietly begin a new session in the middle of one. What the request accepts says nothing:
/// programs that look whether a site is there accept anything.
pub(super) async fn welcome(State(engine): State<Arc<Engine>>, mut request: Request, next: Next) -> Response {
    let known: Option<Principal> = request.extensions().get().copied();
    let fresh = (known.is_none() && matches!(*request.method(), Method::GET | Method::HEAD))
        .then(|| Principal::visitor(SessionId::random()));
    if let Some(fresh) = fresh {
        request.extensions_mut().insert(fresh);
    }
    let sent = cookies(request.headers());
    let mut response = next.run(request).await;
    let is_page = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    // An address that leads nowhere is asked for beside pages (for an icon, say), and must not take their cookie away again.
    let fresh = fresh.filter(|_| response.status().is_success());
    if let Some(who) = known.or(fresh).filter(|_| is_page) {
        set_session(&engine, who.session, &sent, response.headers_mut());
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// All cookies of a request. HTTP/2 may send each in a header of its own.
#[must_use]
pub fn cookies(headers: &HeaderMap) -> String {
    let all = headers.get_all(header::COOKIE).iter();
    // Ports share cookies: another program's may hold bytes that are no ASCII, which must not hide ours.
    let all: Vec<_> = all.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    all.join("; ")
}

/// Makes the browser that has `sent` these [`cookies`] that session, or lets it be so for longer.
pub fn set_session(engine: &Engine, session: SessionId, sent: &str, response: &mut HeaderMap) {
    for cookie in engine.jar().set_cookies(session, sent) {
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.append(header::SET_COOKIE, cookie);
        }
    }
}
