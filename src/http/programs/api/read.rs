//! What a program sends, read; and refused with what is wrong with it.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Query, Request},
    http::{StatusCode, request::Parts},
};
use serde::de::DeserializeOwned;

use super::fault::invalid;
use crate::{
    http::{Refusal, programs::MAX_PROGRAM_BODY},
    wire::Reason,
};

/// The body of a request, as JSON.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let Content(body) = Content::from_request(request, state).await?;
        // Nothing says nothing: it is for what is asked to tell what is missing.
        let body = if body.is_empty() { b"{}" } else { &body[..] };
        let read = serde_json::from_slice(body);
        read.map(Self).map_err(|fault| {
            invalid(
                StatusCode::BAD_REQUEST,
                format!("The body of this request cannot be taken: {fault}."),
            )
        })
    }
}

/// The body of a request, as it is.
pub(super) struct Content(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for Content {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let body = Bytes::from_request(request, state).await;
        body.map(Self).map_err(|rejection| {
            let status = rejection.status();
            if status == StatusCode::PAYLOAD_TOO_LARGE {
                let most = MAX_PROGRAM_BODY / (1024 * 1024);
                return invalid(
                    status,
                    format!("This request is larger than {most} MB, the most that Anteroom takes."),
                );
            }
            Refusal::new(status, Reason::RequestSlow)
        })
    }
}

/// What stands behind the `?` of an address.
pub(super) struct Asked<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let Query(read) = Query::try_from_uri(&parts.uri).map_err(|fault| {
            invalid(
                StatusCode::BAD_REQUEST,
                format!("The address of this request cannot be taken: {}.", fault.body_text()),
            )
        })?;
        Ok(Self(read))
    }
}
