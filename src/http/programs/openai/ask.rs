//! A request goes into the line.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, header};

use super::{ApiError, error::LONGEST_RETRY};
use crate::{
    accounts::Principal,
    engine::Engine,
    programs::{Again, Follower, ProgramFault, Request, RequestFault},
    queue::{EventIndex, PoolIndex, Work},
    wire::Event,
};

/// By which a program names a request that it may repeat.
const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The longest such name, in bytes.
const LONGEST_KEY: usize = 255;
/// How many tries there were before this one, as OpenAI's own clients say with each.
const TRIES: HeaderName = HeaderName::from_static("x-stainless-retry-count");
/// When somebody may be let into a full line, in seconds, where there is no estimate yet.
const UNKNOWN: u64 = 5;

/// A request on its way.
pub(super) struct Asked {
    pub(super) engine: Arc<Engine>,
    pub(super) follower: Follower,
    pub(super) streams: bool,
    pool: PoolIndex,
}

/// Takes a request into the line of its model, or finds the one that it repeats.
pub(super) fn ask(
    engine: &Arc<Engine>,
    who: Principal,
    headers: &HeaderMap,
    mut request: Request,
) -> Result<Asked, ApiError> {
    let found = engine.backends().find(&request.called);
    let (model, pool) = found.ok_or_else(|| ApiError::no_model(&request.called))?;
    if !engine.backends().all_relay(pool, request.door) {
        // What its servers cannot honour is better said now than after a wait.
        request.question()?;
    }
    let again = again(headers, &request)?;
    heed(headers, &mut request);
    let streams = request.streams;
    let follower = engine.programs().ask(who, request, (model, pool), again)?;
    Ok(Asked {
        engine: Arc::clone(engine),
        follower,
        streams,
        pool,
    })
}

impl Asked {
    /// What has come of it, in OpenAI's shape.
    pub(super) fn error(&self, fault: &ProgramFault) -> ApiError {
        let line = matches!(fault, ProgramFault::Line(_) | ProgramFault::Left(..));
        ApiError::of(fault, line.then(|| self.retry_after()))
    }

    fn retry_after(&self) -> u64 {
        retry_after(&self.engine, self.pool)
    }
}

/// When somebody may be let into the line, in seconds.
pub(in crate::http::programs) fn retry_after(engine: &Engine, pool: PoolIndex) -> u64 {
    let work = Work {
        pool: Some(pool),
        ..EventIndex(Event::Chat.index()).into()
    };
    let estimate = engine.queue().line_of(work).estimate;
    estimate.map_or(UNKNOWN, |range| range.low.as_secs().clamp(1, LONGEST_RETRY))
}

/// What a request says of being repeated. Whoever says nothing does not come back.
fn again(headers: &HeaderMap, request: &Request) -> Result<Option<Again>, RequestFault> {
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
