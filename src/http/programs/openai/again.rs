//! What the head of a request says of being repeated, and of answers that are kept.

use axum::http::{HeaderMap, HeaderName, header};

use crate::programs::{Again, Request, RequestFault};

/// By which a program names a request that it may repeat.
const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The longest such name, in bytes.
const LONGEST_KEY: usize = 255;
/// How many tries there were before this one, as OpenAI's own clients say with each.
const TRIES: HeaderName = HeaderName::from_static("x-stainless-retry-count");

/// What a request says of being repeated. Whoever says nothing does not come back.
pub(super) fn again(headers: &HeaderMap, request: &Request) -> Result<Option<Again>, RequestFault> {
    let key = key(headers)?;
    let tries = headers.get(TRIES).and_then(|tries| tries.to_str().ok());
    if key.is_none() && tries.is_none() {
        return Ok(None);
    }
    Ok(Some(Again {
        // Whoever has named it gets it again from its beginning; a client that only counts its tries has shown what it was given.
        resumes: key.is_some(),
        key,
        repeats: tries
            .and_then(|tries| tries.parse().ok())
            .is_some_and(|tries: u32| tries > 0),
        hash: request.hash(),
    }))
}

/// What a request says of answers that are kept: `no-cache` wants one of its own, which is kept, and `no-store` one that is not.
pub(in crate::http::programs) fn heed(headers: &HeaderMap, request: &mut Request) {
    let said = headers.get_all(header::CACHE_CONTROL).into_iter();
    let said = said.flat_map(|value| value.to_str().unwrap_or_default().split(','));
    for word in said {
        let word = word.trim();
        request.unkept |= word.eq_ignore_ascii_case("no-store");
        request.fresh |= request.unkept || word.eq_ignore_ascii_case("no-cache");
    }
}

/// By which name a request may be repeated.
pub(in crate::http::programs) fn key(headers: &HeaderMap) -> Result<Option<String>, RequestFault> {
    match headers.get(KEY).map(|key| key.to_str()) {
        None => Ok(None),
        Some(Ok(key)) if !key.is_empty() && key.len() <= LONGEST_KEY => Ok(Some(key.to_owned())),
        Some(_) => {
            let fault = format!("An Idempotency-Key has to be of 1 to {LONGEST_KEY} ASCII characters.");
            Err(RequestFault::of("Idempotency-Key", fault))
        }
    }
}
