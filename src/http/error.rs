//! Refusals at a door: a status and a reason.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use tracing::error;

use super::status;
use crate::{client::ClientError, wire::Reason};

/// A request that was refused.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    reason: Reason,
    retry_after: Option<u64>,
}

/// What an answer still has to be told of: the language is not known at the doors.
#[derive(Clone, Debug)]
pub(super) struct Untold(pub(super) Reason);

impl Refusal {
    /// A refusal with this status.
    #[must_use]
    pub const fn new(status: StatusCode, reason: Reason) -> Self {
        Self {
            status,
            reason,
            retry_after: None,
        }
    }

    /// Says after how many seconds another try makes sense.
    #[must_use]
    pub const fn retry_after(mut self, seconds: Option<u64>) -> Self {
        self.retry_after = seconds;
        self
    }
}

impl From<ClientError> for Refusal {
    fn from(fault: ClientError) -> Self {
        let seconds = fault.retry_after().map(|pause| pause.as_secs());
        Self::new(status::of(&fault), fault.reason()).retry_after(seconds)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(Untold(self.reason));
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The answer to a request whose handler panicked: logged, and everybody else undisturbed.
#[expect(clippy::needless_pass_by_value, reason = "tower-http hands the panic over")]
pub(super) fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let words = panic.downcast_ref::<String>().map(String::as_str);
    let words = words
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("(no words)");
    error!(panic = words, "a request's handler panicked");
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, Reason::Mistake).into_response()
}
