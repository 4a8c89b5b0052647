//! Why a program gets no (whole) answer.

use std::{sync::Arc, time::Duration};

use crate::{
    agents::AgentError,
    queue::{JoinError, LeaveReason},
    wire::Reason,
};

/// A request that cannot be taken as it is. The sentence is in English, as all that programs are told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RequestFault {
    /// What is wrong, and what to do.
    pub message: String,
    /// The field that it is about.
    pub param: Option<String>,
    /// A code for programs.
    pub code: Option<&'static str>,
    /// Whether the request by itself is sound, and only does not go with another one.
    pub conflicts: bool,
}

impl RequestFault {
    /// About this field.
    #[must_use]
    pub fn of(param: &str, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            param: Some(param.to_owned()),
            code: None,
            conflicts: false,
        }
    }

    /// It cannot be read at all.
    #[must_use]
    pub fn unreadable(detail: &str) -> Self {
        Self {
            message: format!("The body of this request is no JSON object that can be read: {detail}"),
            param: None,
            code: None,
            conflicts: false,
        }
    }

    /// A field that the model's server has nothing for, and that would change the answer.
    #[must_use]
    pub fn unsupported(param: &str) -> Self {
        Self {
            code: Some("unsupported_parameter"),
            ..Self::of(
                param,
                format!("The server of this model cannot honour `{param}`. Leave it out, or choose another model."),
            )
        }
    }

    /// It has the Idempotency-Key of another one.
    #[must_use]
    pub fn other_body() -> Self {
        Self {
            message: "This Idempotency-Key was used with another request. Choose a new key for each request, and repeat it only with the same body."
                .to_owned(),
            param: None,
            code: Some("idempotency_key_reused"),
            conflicts: true,
        }
    }
}

/// Why a request has come to nothing, or its answer has broken off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProgramFault {
    /// The line did not let it in.
    Line(JoinError),
    /// It has left the line, within which it may wait for so long.
    Left(LeaveReason, Option<Duration>),
    /// No back end of its model has been in service for too long.
    Outage(Reason),
    /// The model server's; and what that has said of it.
    Agent(AgentError, Option<Arc<str>>),
    /// The server that was to answer cannot honour it.
    Unfit(RequestFault),
    /// The answer took longer than it may.
    TooSlow(Option<Duration>),
    /// The answer grew without end.
    Endless,
    /// Something of ours failed, and has been logged.
    Mistake,
    /// It was ended by its owner.
    Cancelled,
    /// The server ends.
    Stopped,
    /// This node may have lost its part in the line in the middle of the answer.
    Moved,
}

impl ProgramFault {
    /// Why, as people and programs are told.
    #[must_use]
    pub fn reason(&self) -> Reason {
        let seconds = |limit: &Option<Duration>| limit.map_or(0, |limit| limit.as_secs());
        match self {
            Self::Line(why) => (*why).into(),
            Self::Left(LeaveReason::Expired, limit) => Reason::NoSlot {
                seconds: seconds(limit),
            },
            Self::Left(LeaveReason::Closed, _) | Self::Stopped => Reason::Restarting,
            Self::Left(..) | Self::Cancelled => Reason::CancelledUnsent,
            Self::Outage(reason) => reason.clone(),
            Self::Agent(error, _) => error.reason(),
            Self::Unfit(_) => Reason::RequestUnreadable,
            Self::TooSlow(limit) => Reason::TooSlow {
                seconds: seconds(limit),
            },
            Self::Endless => Reason::AnswerTooLong,
            Self::Mistake => Reason::Mistake,
            Self::Moved => Reason::NodeAway,
        }
    }
}
