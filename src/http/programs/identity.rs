//! Who asks, at the doors of programs.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::local::{self, Foreign};
use crate::{
    accounts::{Principal, Program},
    engine::Engine,
    http::{CrossSite, Refusal, link::Vouched},
    wire::Reason,
};

/// Finds out who asks, and refuses who may not. Behind it every request has a [`Principal`], and no cookies.
pub(super) async fn identify(State(engine): State<Arc<Engine>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let program = match vouched(&parts.extensions).unwrap_or_else(|| local_program(&engine, &parts)) {
        Ok(program) => program,
        Err(refusal) => return refused(refusal),
    };
    parts.headers.remove(header::COOKIE);
    parts.extensions.insert(Principal::program(program));
    next.run(Request::from_parts(parts, body)).await
}

/// Whom another node has let in. It has seen where the request came from, and has counted it; this one has not.
fn vouched(extensions: &axum::http::Extensions) -> Option<Result<Program, Refusal>> {
    let Vouched(program) = extensions.get()?;
    Some(program.ok_or(NO_KEY))
}

/// Without any key, programs of this machine are let in: not where the site is set up for a proxy with HTTPS, which is one more that may
/// pass on what comes from elsewhere.
fn local_program(engine: &Engine, parts: &axum::http::request::Parts) -> Result<Program, Refusal> {
    match local::check(parts) {
        Ok(()) if !engine.settings().secure_cookies => Ok(Program::LOCAL),
        Err(Foreign::CrossSite) => Err(CrossSite.refusal()),
        Ok(()) | Err(Foreign::Elsewhere) => Err(NO_KEY),
    }
}

const NO_KEY: Refusal = Refusal::new(StatusCode::UNAUTHORIZED, Reason::NoKey);

/// The answer, with what RFC 9110 (11.6.1) wants to stand in it.
fn refused(refusal: Refusal) -> Response {
    let asks_for_key = refusal.status == StatusCode::UNAUTHORIZED;
    let mut response = refusal.into_response();
    if asks_for_key {
        let scheme = HeaderValue::from_static("Bearer");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
    }
    response
}
