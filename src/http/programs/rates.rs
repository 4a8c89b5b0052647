//! How much programs may ask for in a minute: for each address at the door that they come through, and for each key at its home, so that
//! it is the same however many nodes there are.
//!
//! What is said of it in answers is as the draft "RateLimit header fields for HTTP" of the IETF has it (draft-ietf-httpapi-ratelimit-headers-10).

use std::{net::IpAddr, time::Duration};

use axum::{
    extract::Request,
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse as _, Response},
};

use super::client::client;
use crate::{
    accounts::{
        Principal,
        rates::{Limits, Standing},
    },
    engine::Engine,
    http::{
        Refusal,
        link::Vouched,
        serve::{Peer, network},
    },
    wire::Reason,
};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The longest pause that is asked for, in seconds.
const LONGEST_PAUSE: u64 = 120;

/// For each address. What another node sends has been counted there.
pub(super) async fn by_address<N: Future<Output = Response>>(
    engine: &Engine,
    request: Request,
    next: impl FnOnce(Request) -> N,
) -> Response {
    let settings = engine.settings();
    let peer = request.extensions().get::<Peer>().copied();
    let counted = request.extensions().get::<Vouched>().is_some();
    let (Some(limit), Some(Peer(peer)), false) = (settings.address_requests_per_minute, peer, counted) else {
        return next(request).await;
    };
    let limit = u64::from(limit);
    let trusted = settings.trusted_proxies.as_deref().unwrap_or_default();
    let address = network(client(peer, request.headers(), trusted));
    let (mut response, standing) = match engine.rates().take_from_address(address, limit) {
        Ok(taken) => {
            let response = next(request).await;
            let given_back = is_refused(&response).then(|| engine.rates().give_back_to_address(address, limit));
            (response, given_back.unwrap_or(taken))
        }
        Err(standing) => {
            let refused = refused(standing, |most, seconds| Reason::AddressTooManyRequests {
                most,
                seconds,
            });
            (refused.into_response(), standing)
        }
    };
    tell(response.headers_mut(), "address-requests", standing);
    response
}

/// The address that a request counts for; `None`: it has been counted elsewhere.
pub(in crate::http) fn address(engine: &Engine, request: &Extensions, headers: &HeaderMap) -> Option<IpAddr> {
    let Peer(peer) = request.get::<Peer>().copied()?;
    let settings = engine.settings();
    let trusted = settings.trusted_proxies.as_deref().unwrap_or_default();
    Some(network(client(peer, headers, trusted)))
}

/// For each address, of the tokens that answers have taken: at the home of the key, where they are known.
pub(super) async fn by_address_tokens<N: Future<Output = Response>>(
    engine: &Engine,
    request: Request,
    next: impl FnOnce(Request) -> N,
) -> Response {
    let who: Option<&Principal> = request.extensions().get();
    let address = who.and_then(|who| who.address);
    let Some((address, limit)) = address.zip(engine.settings().address_tokens_per_minute) else {
        return next(request).await;
    };
    let mut response = match engine.rates().look_for_tokens_at(address, limit) {
        Ok(_) => next(request).await,
        Err(standing) => {
            let refused = refused(standing, |most, seconds| Reason::AddressTooManyTokens { most, seconds });
            refused.into_response()
        }
    };
    let standing = engine.rates().token_standing_at(address, limit);
    tell(response.headers_mut(), "address-tokens", standing);
    response
}

/// For each key.
pub(super) async fn by_key<N: Future<Output = Response>>(
    engine: &Engine,
    request: Request,
    next: impl FnOnce(Request) -> N,
) -> Response {
    let who: Option<Principal> = request.extensions().get().copied();
    let Some(owner) = who.map(|who| who.owner()) else {
        return next(request).await;
    };
    let rates = engine.rates();
    let Limits { requests, tokens } = rates.limits(owner, &engine.settings());
    if requests.is_none() && tokens.is_none() {
        return next(request).await;
    }
    let in_tokens = tokens.map_or(Ok(()), |limit| rates.look_for_tokens(owner, limit).map(drop));
    let taken = in_tokens
        .map_err(|standing| refused(standing, |most, seconds| Reason::KeyTooManyTokens { most, seconds }))
        .and_then(|()| {
            let taken = requests.map_or(Ok(()), |limit| rates.take_request(owner, limit).map(drop));
            taken.map_err(|standing| refused(standing, |most, seconds| Reason::KeyTooManyRequests { most, seconds }))
        });
    let mut response = match taken {
        Err(refusal) => refusal.into_response(),
        Ok(()) => {
            let response = next(request).await;
            if let Some(limit) = requests.filter(|_| is_refused(&response)) {
                rates.give_request_back(owner, limit);
            }
            response
        }
    };
    if let Some(limit) = requests {
        tell(
            response.headers_mut(),
            "key-requests",
            rates.request_standing(owner, limit),
        );
    }
    if let Some(limit) = tokens {
        tell(response.headers_mut(), "key-tokens", rates.token_standing(owner, limit));
    }
    response
}

/// Nothing came of it, so it costs nothing.
fn is_refused(response: &Response) -> bool {
    response.status().is_client_error() || response.status().is_server_error()
}

pub(in crate::http) fn refused(standing: Standing, reason: impl FnOnce(u64, u64) -> Reason) -> Refusal {
    let seconds = whole(standing.wait).clamp(1, LONGEST_PAUSE);
    Refusal {
        retry_after: Some(seconds),
        ..Refusal::new(StatusCode::TOO_MANY_REQUESTS, reason(standing.limit, seconds))
    }
}

/// Says where somebody stands. Another limit's may be there already: these are lists.
fn tell(headers: &mut HeaderMap, name: &str, standing: Standing) {
    let Standing { limit, left, .. } = standing;
    let full_in = whole(standing.full_in);
    for (header, value) in [
        (RATE_LIMIT_POLICY, format!("\"{name}\";q={limit};w=60")),
        (RATE_LIMIT, format!("\"{name}\";r={left};t={full_in}")),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.append(header, value);
        }
    }
}

/// In whole seconds, none too few.
fn whole(time: Duration) -> u64 {
    time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0))
}
