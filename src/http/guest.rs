//! Who watches a conversation by a pass: the guest of a cookie, and what wrong ones cost.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{Extensions, HeaderMap, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use uuid::Uuid;

use super::{
    Refusal, cookies,
    programs::rates::{address, refused},
};
use crate::{
    accounts::passes::{Guest, PassEnd, PassRecord, PassSecret},
    client::guest_of,
    clock::now_ms,
    engine::Engine,
    wire::Reason,
};

/// Where the addresses of guests begin.
const PREFIX: &str = "/along/";

/// Wrong secrets that one address may send a minute. Nobody guesses one of 192 bits; this bounds what trying costs.
const GUESSES: u64 = 30;

/// Whom a request's cookie makes a guest of the pass that its address names; or why nobody.
#[derive(Clone, Copy, Debug)]
pub struct Admitted(pub Result<Guest, PassEnd>);

/// Lets an address try a secret, unless it has sent too many wrong ones.
///
/// # Errors
/// How long to wait.
pub fn may_guess(engine: &Engine, request: &Extensions, headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(address) = address(engine, request, headers) else {
        return Ok(());
    };
    let looked = engine.rates().look_for_guesses(address, GUESSES);
    looked.map(drop).map_err(|standing| {
        refused(standing, |most, seconds| Reason::AddressTooManyRequests {
            most,
            seconds,
        })
    })
}

/// Counts a secret that was none.
pub fn guessed_wrong(engine: &Engine, request: &Extensions, headers: &HeaderMap) {
    if let Some(address) = address(engine, request, headers) {
        engine.rates().take_guess(address, GUESSES);
    }
}

/// Makes a browser the guest of a pass.
pub fn set_guest(engine: &Engine, pass: &PassRecord, secret: &PassSecret, response: &mut HeaderMap) {
    let seconds = pass.expires_at.saturating_sub(now_ms()).div_ceil(1000);
    let cookie = engine.jar().guest_cookie(pass.id, secret, seconds);
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.append(header::SET_COOKIE, cookie);
    }
}

/// Finds out who watches: [`Admitted`], for the doors behind it.
pub(super) async fn admit(State(engine): State<Arc<Engine>>, mut request: Request, next: Next) -> Response {
    let (extensions, headers) = (request.extensions(), request.headers());
    if let Err(refusal) = may_guess(&engine, extensions, headers) {
        return refusal.into_response();
    }
    let pass = request.uri().path().strip_prefix(PREFIX);
    let pass = pass.and_then(|rest| Uuid::try_parse(rest.split('/').next()?).ok());
    let secrets = engine.jar().guests(&cookies(headers));
    let mut admitted = Err(PassEnd::Gone);
    for secret in &secrets {
        let Some(pass) = pass else { break };
        match guest_of(&engine, pass, secret).await {
            Ok(found) => admitted = found,
            Err(fault) => return Refusal::from(fault).into_response(),
        }
        if admitted != Err(PassEnd::Gone) {
            break;
        }
    }
    if admitted == Err(PassEnd::Gone) && !secrets.is_empty() {
        guessed_wrong(&engine, extensions, headers);
    }
    request.extensions_mut().insert(Admitted(admitted));
    next.run(request).await
}
