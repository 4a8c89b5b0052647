//! Refusals at a door: a status and a reason.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use tracing::error;

use super::status;
use crate::{client::ClientError, language::Words, panics, wire::Reason};

/// A request that was refused. As an answer it is a [`Refused`](crate::wire::Refused), in the language that was asked for: the doors do not
/// know that, so the answer carries its refusal as an extension until it is put into words. Whoever has another form for it takes it out before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What kind of a refusal it is, for whatever stands in between.
    pub status: StatusCode,
    /// Why.
    pub reason: Reason,
    /// After how many seconds another try makes sense.
    pub retry_after: Option<u64>,
    /// It is a program that is refused, which is told what it can ask for where a person would choose on a page.
    pub to_program: bool,
}

impl Refusal {
    /// A refusal with this status.
    #[must_use]
    pub const fn new(status: StatusCode, reason: Reason) -> Self {
        Self {
            status,
            reason,
            retry_after: None,
            to_program: false,
        }
    }

    /// The sentence for it.
    pub(super) fn in_words(&self, words: &Words) -> String {
        if self.to_program {
            words.reason_for_program(&self.reason)
        } else {
            words.reason(&self.reason)
        }
    }

    /// `response`, as one that refuses.
    #[must_use]
    pub fn mark(&self, mut response: Response) -> Response {
        *response.status_mut() = self.status;
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<ClientError> for Refusal {
    fn from(fault: ClientError) -> Self {
        Self {
            status: status::of(&fault),
            reason: fault.reason(),
            retry_after: fault.retry_after().map(|pause| pause.as_secs()),
            to_program: false,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.mark(Response::default());
        response.extensions_mut().insert(self);
        response
    }
}

/// The answer to a request whose handler panicked: logged, and everybody else undisturbed.
#[expect(clippy::needless_pass_by_value, reason = "tower-http hands the panic over")]
pub(super) fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    error!(panic = panics::words(&*panic), "a request's handler panicked");
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, Reason::Mistake).into_response()
}
