//! Why there is no (whole) answer.

use std::time::Duration;

use thiserror::Error;

use crate::wire::{Incomplete, Reason};

/// Why there is no (whole) answer. `Display` is for the log, and names no key and nothing of a message; a person is told
/// [`AgentError::reason`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AgentError {
    /// No connection.
    #[error("the model server cannot be reached")]
    Unreachable,
    /// The connection ended before there was any response.
    #[error("the model server closed the connection without a response")]
    HungUp,
    /// It went out of service when the ticket had got its slot already, and was not asked.
    #[error("the back end is out of service")]
    OutOfService,
    /// 429.
    #[error("the model server gets too many requests")]
    RateLimited {
        /// What it asked for.
        retry_after: Option<Duration>,
    },
    /// 401, 403.
    #[error("the model server refused the key")]
    Unauthorized,
    /// 404 for the model.
    #[error("the model server does not know the model {model}")]
    UnknownModel {
        /// As configured.
        model: String,
    },
    /// 3xx.
    #[error("the address in {origin} leads elsewhere")]
    Redirected {
        /// Where the address is set.
        origin: String,
    },
    /// Any other 4xx.
    #[error("the model server did not accept the message (status {status})")]
    Rejected {
        /// The HTTP status.
        status: u16,
    },
    /// The conversation is longer than the model can read, also where all but the new message is left out.
    #[error("the question is longer than the model can read")]
    TooLong,
    /// 503, 529: it is loading its model, or has too much to do.
    #[error("the model server takes nothing now (status {status})")]
    Overloaded {
        /// The HTTP status.
        status: u16,
        /// What it asked for.
        retry_after: Option<Duration>,
    },
    /// Any other 5xx.
    #[error("the model server failed (status {status})")]
    ServerFault {
        /// The HTTP status.
        status: u16,
    },
    /// It stopped sending.
    #[error("the model server went silent")]
    Stalled,
    /// The connection closed before the end.
    #[error("the connection to the model server broke off")]
    CutOff,
    /// What it sent makes no sense.
    #[error("the model server sent something that is no answer")]
    InvalidResponse,
    /// The model said that it was done, and had said nothing.
    #[error("the model said nothing")]
    Empty,
    /// The model has used up the longest answer it may write before its first word.
    #[error("the model used up the longest answer before its first word")]
    Spent,
    /// A filter let nothing through.
    #[error("a filter of the model server let nothing through")]
    Filtered,
    /// Pictures for a model that does not see.
    #[error("the model cannot look at pictures")]
    VisionUnsupported,
    /// Tools for a model that takes none.
    #[error("the model takes no tools")]
    ToolsUnsupported,
    /// More calls of tools than are taken, or with longer arguments.
    #[error("the model's calls of tools are too many or too long")]
    CallsTooLarge,
}

impl AgentError {
    /// Why there is nothing to read, of a model that ended without saying anything.
    #[must_use]
    pub const fn of_silence(incomplete: Option<Incomplete>) -> Self {
        match incomplete {
            Some(Incomplete::Length) => Self::Spent,
            Some(Incomplete::Filter) => Self::Filtered,
            Some(Incomplete::Other) | None => Self::Empty,
        }
    }

    /// Why, for the person.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Unreachable | Self::OutOfService => Reason::ModelUnreachable,
            Self::RateLimited { .. } => Reason::ModelRateLimited,
            Self::Unauthorized => Reason::ModelUnauthorized,
            Self::UnknownModel { model } => Reason::ModelUnknown { model: model.clone() },
            Self::Redirected { origin } => Reason::ModelRedirected {
                variable: origin.clone(),
            },
            Self::Rejected { status } => Reason::ModelRejected { status: *status },
            Self::TooLong => Reason::ModelTooLong,
            Self::Overloaded { .. } => Reason::ModelOverloaded,
            Self::ServerFault { status } => Reason::ModelFault { status: *status },
            Self::Stalled => Reason::ModelStalled,
            Self::CutOff | Self::HungUp => Reason::ModelCutOff,
            Self::InvalidResponse => Reason::ModelInvalid,
            Self::Empty => Reason::ModelSilent,
            Self::Spent => Reason::ModelSpent,
            Self::Filtered => Reason::ModelFiltered,
            Self::VisionUnsupported => Reason::ModelBlind,
            // A question with tools is asked again without them, so nobody hears of it.
            Self::ToolsUnsupported => Reason::ModelRejected { status: 400 },
            Self::CallsTooLarge => Reason::AnswerTooLong,
        }
    }

    /// Its name in the log and the figures.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::OutOfService => "out_of_service",
            Self::HungUp => "hung_up",
            Self::RateLimited { .. } => "rate_limited",
            Self::Unauthorized => "unauthorized",
            Self::UnknownModel { .. } => "unknown_model",
            Self::Redirected { .. } => "redirected",
            Self::Rejected { .. } => "rejected",
            Self::TooLong => "too_long",
            Self::Overloaded { .. } => "overloaded",
            Self::ServerFault { .. } => "server_fault",
            Self::Stalled => "stalled",
            Self::CutOff => "cut_off",
            Self::InvalidResponse => "invalid_response",
            Self::Empty => "empty",
            Self::Spent => "spent",
            Self::Filtered => "filtered",
            Self::VisionUnsupported => "vision_unsupported",
            Self::ToolsUnsupported => "tools_unsupported",
            Self::CallsTooLarge => "calls_too_large",
        }
    }
}
