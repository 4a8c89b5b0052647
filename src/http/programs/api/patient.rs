//! Answers that take as long as the line and the model do. Until one is there nothing is sent, so that a refusal has its status. Where it takes
//! long, the head is sent and now and then an empty line, which JSON may begin with: whatever stands in between closes what is silent. What is
//! refused after that is a body that says so.

use std::{convert::Infallible, pin::Pin};

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures_util::stream;
use serde::Serialize;
use tokio::time::timeout;

use super::super::waiting::OPEN;
use crate::{
    http::Refusal,
    language::{Language, Words},
    wire::Refused,
};

const EMPTY_LINE: Bytes = Bytes::from_static(b"\n");

/// What is to become of a request.
pub(super) type Work<T> = Pin<Box<dyn Future<Output = Result<T, Refusal>> + Send>>;

/// Answers with what the work comes to, in JSON.
pub(super) async fn answer<T: Serialize + 'static>(mut work: Work<T>, language: Language) -> Response {
    let body = match timeout(OPEN, &mut work).await {
        Ok(Err(refusal)) => return refusal.into_response(),
        Ok(Ok(value)) => Body::from(json(&value)),
        Err(_) => Body::from_stream(stream::unfold(Some(work), move |work| async move {
            let mut work = work?;
            Some(match timeout(OPEN, &mut work).await {
                Err(_) => (Ok::<_, Infallible>(EMPTY_LINE), Some(work)),
                Ok(Ok(value)) => (Ok(json(&value)), None),
                Ok(Err(refusal)) => (Ok(json(&in_words(refusal, language))), None),
            })
        })),
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A refusal, as the body of an answer has it.
pub(super) fn in_words(refusal: Refusal, language: Language) -> Refused {
    Refused {
        message: Words::of(language).reason_for_program(&refusal.reason),
        reason: refusal.reason,
    }
}

pub(super) fn json(value: &impl Serialize) -> Bytes {
    // What is written here has no maps with keys that are no text, the only thing that JSON cannot have.
    serde_json::to_vec(value).unwrap_or_default().into()
}
