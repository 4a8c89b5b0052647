//! Who asks, at the doors of programs.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::{
    local::{self, Foreign},
    rates, scope,
};
use crate::{
    accounts::{Principal, Program, Scope, keys::KeyFault},
    clock::now_ms,
    engine::Engine,
    http::{CrossSite, Refusal, link::Vouched},
    wire::Reason,
};

/// Where some clients send a key, beside `Authorization`.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

const NO_KEY: Refusal = Refusal::new(StatusCode::UNAUTHORIZED, Reason::NoKey);

/// Finds out who asks, and refuses who may not. Behind it every request has a [`Principal`], and neither cookies nor keys.
pub(super) async fn identify<N: Future<Output = Response>>(
    engine: &Engine,
    request: Request,
    next: impl FnOnce(Request) -> N,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let (program, address) = match vouched(&parts.extensions) {
        Some(vouched) => vouched,
        None => (program_of(engine, &parts), counted(engine, &parts)),
    };
    let program = match program {
        Ok(program) => program,
        Err(refusal) => return refused(refusal),
    };
    for name in [header::COOKIE, header::AUTHORIZATION, API_KEY] {
        parts.headers.remove(name);
    }
    note_use(engine, program);
    parts.extensions.insert(Principal {
        address,
        ..Principal::program(program)
    });
    next(Request::from_parts(parts, body)).await
}

/// Before the figures of the site, where they are for keys alone. They are each node's own, so no other one is asked.
pub(in crate::http) async fn guard_metrics(
    State(engine): State<Arc<Engine>>,
    request: Request,
    next: Next,
) -> Response {
    if !engine.settings().metrics_need_key {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    match program_of(&engine, &parts) {
        Ok(program) if program.scopes.has(Scope::Metrics) => {
            note_use(&engine, program);
            next.run(Request::from_parts(parts, body)).await
        }
        Ok(_) => scope::lacks(Scope::Metrics),
        Err(refusal) => refused(refusal),
    }
}

/// The operator sees when a key was last used. Programs that need none have no key.
fn note_use(engine: &Engine, program: Program) {
    if program.key != Program::LOCAL.key {
        engine.keys().note_use(program.key, now_ms());
    }
}

/// Whom another node has let in. It has seen where the request came from; this one has not.
fn vouched(extensions: &Extensions) -> Option<(Result<Program, Refusal>, Option<IpAddr>)> {
    let Vouched(program, address) = extensions.get()?;
    Some((program.ok_or(NO_KEY), *address))
}

/// The address that the tokens of a request count for; `None`: they have no limit there.
fn counted(engine: &Engine, parts: &Parts) -> Option<IpAddr> {
    engine.settings().address_tokens_per_minute?;
    rates::address(engine, &parts.extensions, &parts.headers)
}

/// The program whose key this is. Without any key, programs of this machine are let in: not where the site is set up for a proxy,
/// which may pass on what comes from elsewhere.
fn program_of(engine: &Engine, parts: &Parts) -> Result<Program, Refusal> {
    let (sent, keys) = (key(&parts.headers), engine.keys());
    if keys.any() {
        return match sent {
            Some(sent) => keys.admit(sent, now_ms()).map_err(wrong),
            None => Err(NO_KEY),
        };
    }
    // Many clients cannot do without a key, so as long as there are none any is as good as none.
    let no_key = || sent.map_or(NO_KEY, |_| wrong(KeyFault::Unknown));
    let settings = engine.settings();
    if settings.secure_cookies || settings.trusted_proxies.is_some() {
        return Err(no_key());
    }
    match local::check(parts) {
        Ok(()) => Ok(Program::LOCAL),
        Err(Foreign::CrossSite) => Err(CrossSite.refusal()),
        Err(Foreign::Elsewhere) => Err(no_key()),
    }
}

/// The key that was sent: of several that differ, none that could be.
fn key(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers.get_all(header::AUTHORIZATION).iter().map(|value| {
        let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
    });
    let bare = headers.get_all(API_KEY).iter().map(|value| value.to_str().ok());
    let mut sent = bearer.chain(bare).map(Option::unwrap_or_default);
    let first = sent.next()?;
    Some(if sent.all(|other| other == first) { first } else { "" })
}

const fn wrong(fault: KeyFault) -> Refusal {
    let reason = match fault {
        KeyFault::Unknown => Reason::KeyUnknown,
        KeyFault::Expired => Reason::KeyExpired,
        KeyFault::Revoked => Reason::KeyRevoked,
    };
    Refusal::new(StatusCode::UNAUTHORIZED, reason)
}

/// The answer, with what RFC 9110 (11.6.1) wants to stand in it.
pub(super) fn refused(refusal: Refusal) -> Response {
    let asks_for_key = refusal.status == StatusCode::UNAUTHORIZED;
    let mut response = refusal.into_response();
    if asks_for_key {
        let scheme = HeaderValue::from_static("Bearer");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
    }
    response
}
