//! What programs are refused, in the shape of every door: a reason and a sentence.

use axum::http::StatusCode;

use super::super::openai::{self, ApiError};
use crate::{
    agents::AgentError,
    client::{Asked, ClientError},
    http::Refusal,
    programs::{ProgramFault, RequestFault},
    wire::Reason,
};

/// A request that cannot be taken. The sentence is in English, as all that is said of a program's own JSON.
pub(super) fn invalid(status: StatusCode, sentence: impl Into<String>) -> Refusal {
    let sentence = sentence.into();
    Refusal::new(status, Reason::RequestInvalid { sentence })
}

/// The same, of something that stands in it.
pub(super) fn bad(sentence: impl Into<String>) -> Refusal {
    invalid(StatusCode::BAD_REQUEST, sentence)
}

/// This Idempotency-Key names another request.
pub(super) fn key_reused() -> Refusal {
    RequestFault::other_body().into()
}

/// There is nothing of this id.
pub(super) const fn gone(reason: Reason) -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, reason)
}

impl From<RequestFault> for Refusal {
    fn from(fault: RequestFault) -> Self {
        ClientError::Request(fault).into()
    }
}

/// What has come of a request that somebody follows.
pub(super) fn of_asked(asked: &Asked, fault: &ProgramFault) -> Refusal {
    of(fault, openai::retry_after(asked, fault))
}

/// What has come of a request, with the same status as by the other ways to ask. `retry_after`: when somebody may be let into the line.
pub(in crate::http::programs) fn of(fault: &ProgramFault, retry_after: Option<u64>) -> Refusal {
    let ApiError {
        status,
        message,
        retry_after,
        ..
    } = ApiError::of(fault, retry_after);
    let refusal = Refusal {
        retry_after,
        ..invalid(status, message)
    };
    match fault {
        // These say more than their code does.
        ProgramFault::Unfit(_) | ProgramFault::Agent(AgentError::TooLong | AgentError::Rejected { .. }, _) => refusal,
        _ => Refusal {
            reason: fault.reason(),
            ..refusal
        },
    }
}
