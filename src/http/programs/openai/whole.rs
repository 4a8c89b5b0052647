//! An answer in one body. Until it is there nothing is sent, not even its status, so that a fault has its own. Where it takes long, the head is sent,
//! and now and then an empty line before the JSON, which JSON may have: proxies close what is silent. A fault after that is a body that says so.

use std::convert::Infallible;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use bytes::Bytes;
use futures_util::stream;
use tokio::time::timeout;

use super::{
    ApiError, Asked, place,
    stream::Form,
    waiting::{self, Begun, OPEN},
};
use crate::programs::{ProgramFault, Step};

const EMPTY_LINE: Bytes = Bytes::from_static(b"\n");

/// Answers with the whole, or after a while with what goes before it.
pub(super) async fn answer(mut asked: Asked, mut form: impl Form) -> Result<Response, ApiError> {
    let Begun { place, step } = waiting::begun(&mut asked, true).await;
    let mut head = HeaderMap::new();
    place::name(&asked, &mut head);
    let body = match step {
        Some(step) => Body::from(told(&asked, &mut form, step)?),
        None => Body::from_stream(stream::unfold(
            (asked, form, false),
            |(mut asked, mut form, over)| async move {
                if over {
                    return None;
                }
                let next = timeout(OPEN, over_at_last(&mut asked)).await;
                let (bytes, over) = match next {
                    Err(_) => (EMPTY_LINE, false),
                    Ok(step) => {
                        let told = told(&asked, &mut form, step);
                        (told.unwrap_or_else(|error| error.to_json()), true)
                    }
                };
                Some((Ok::<_, Infallible>(bytes), (asked, form, over)))
            },
        )),
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    place.put(headers);
    headers.extend(head);
    Ok(response)
}

/// What else happens says nothing. Cancel-safe.
async fn over_at_last(asked: &mut Asked) -> Step {
    loop {
        match asked.next().await {
            Step::Waiting | Step::Started => {}
            step @ (Step::Events(_) | Step::Over(_)) => return step,
        }
    }
}

fn told(asked: &Asked, form: &mut impl Form, step: Step) -> Result<Bytes, ApiError> {
    match step {
        Step::Over(Ok(done)) => form.whole(done),
        Step::Over(Err(fault)) => Err(ApiError::of_asked(asked, &fault)),
        // Only a stream has events.
        Step::Waiting | Step::Started | Step::Events(_) => Err(ApiError::of_asked(asked, &ProgramFault::Mistake)),
    }
}
