//! What is refused or fails, in the shape that OpenAI's clients read. All sentences are in English, as that API's are.

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{
    agents::AgentError,
    client::{Asked, ClientError},
    conversations::ChoiceError,
    http::{Refusal, status},
    language::{Language, Words},
    programs::{ProgramFault, RequestFault},
    queue::{JoinError, LeaveReason},
    wire::Reason,
};

/// Says to OpenAI's clients whether to try again, which they otherwise go by the status for.
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
/// The longest that OpenAI's clients are ever told to wait, in seconds: they obey no more than that.
const LONGEST_RETRY: u64 = 120;
/// When another try makes sense of what may pass at any moment, in seconds.
const SOON: u64 = 2;

/// An error of this API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http::programs) struct ApiError {
    pub(in crate::http::programs) status: StatusCode,
    pub(in crate::http::programs) message: String,
    pub(super) kind: &'static str,
    pub(super) param: Option<String>,
    pub(super) code: Option<String>,
    /// In seconds.
    pub(in crate::http::programs) retry_after: Option<u64>,
    /// `None`: as the status says.
    pub(super) should_retry: Option<bool>,
}

/// An error, as OpenAI's API has it.
#[derive(Serialize, ToSchema)]
#[schema(as = OpenAiError)]
pub(in crate::http::programs) struct ErrorBody<'a> {
    error: Said<'a>,
}

/// What an error says.
#[derive(Serialize, ToSchema)]
#[schema(as = OpenAiErrorDetail)]
struct Said<'a> {
    /// What is wrong, and what to do.
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    /// The field that it is about.
    param: Option<&'a str>,
    /// For programs.
    code: Option<&'a str>,
}

impl ApiError {
    /// As this status is usually called; the message is still to be said.
    pub(super) fn of_status(status: StatusCode) -> Self {
        let (kind, code) = match status.as_u16() {
            401 => ("invalid_request_error", Some("invalid_api_key")),
            403 => ("permission_error", None),
            429 => ("requests", Some("rate_limit_exceeded")),
            500.. => ("server_error", None),
            _ => ("invalid_request_error", None),
        };
        Self {
            status,
            message: String::new(),
            kind,
            param: None,
            code: code.map(str::to_owned),
            retry_after: None,
            should_retry: None,
        }
    }

    /// For this reason.
    fn because(status: StatusCode, reason: &Reason) -> Self {
        Self {
            message: Words::of(Language::English).reason(reason),
            ..Self::of_status(status)
        }
    }

    /// What has come of a request that somebody follows.
    pub(super) fn of_asked(asked: &Asked, fault: &ProgramFault) -> Self {
        Self::of(fault, retry_after(asked, fault))
    }

    /// What has come of a request. `retry_after`: when somebody may be let into the line, as far as that is known.
    pub(in crate::http::programs) fn of(fault: &ProgramFault, retry_after: Option<u64>) -> Self {
        let told = Self::because(status::of_program(fault), &fault.reason());
        let later = Some(retry_after.unwrap_or(SOON));
        match fault {
            ProgramFault::Line(why) => told.of_line(*why, later),
            ProgramFault::Left(LeaveReason::Closed, _) | ProgramFault::Stopped | ProgramFault::Moved => Self {
                retry_after: Some(SOON),
                should_retry: Some(true),
                ..told
            },
            ProgramFault::Left(LeaveReason::Expired, _) => Self {
                retry_after: later,
                code: Some("queue_wait_exceeded".to_owned()),
                ..told
            },
            ProgramFault::Left(..) | ProgramFault::Cancelled => Self {
                message: "This request was ended by its owner.".to_owned(),
                code: Some("cancelled".to_owned()),
                should_retry: Some(false),
                ..told
            },
            ProgramFault::Outage(_) => Self {
                retry_after: Some(SOON),
                ..told
            },
            ProgramFault::Agent(error, said) => told.of_agent(error, said.as_deref()),
            ProgramFault::Unfit(fault) => fault.clone().into(),
            // The same would take as long again.
            ProgramFault::TooSlow(_) => Self {
                code: Some("timeout".to_owned()),
                should_retry: Some(false),
                ..told
            },
            ProgramFault::Endless => Self {
                should_retry: Some(false),
                ..told
            },
            ProgramFault::Mistake => told,
        }
    }

    fn of_line(self, why: JoinError, later: Option<u64>) -> Self {
        let told = Self {
            retry_after: later,
            should_retry: Some(true),
            ..self
        };
        match why {
            JoinError::Full => told,
            JoinError::TooManyOfYours => Self {
                message: "As many requests of this key wait as may wait at once. Send this one again when one of them is answered."
                    .to_owned(),
                ..told
            },
            JoinError::Busy => Self {
                code: Some("busy".to_owned()),
                ..told
            },
            JoinError::Closed | JoinError::Away => Self {
                retry_after: Some(SOON),
                ..told
            },
        }
    }

    fn of_agent(self, error: &AgentError, said: Option<&str>) -> Self {
        match error {
            AgentError::TooLong => Self {
                message: "This request is longer than the model can read. Send less of the conversation, or ask for a shorter answer."
                    .to_owned(),
                param: Some("messages".to_owned()),
                code: Some("context_length_exceeded".to_owned()),
                ..self
            },
            AgentError::VisionUnsupported => Self {
                param: Some("messages".to_owned()),
                ..self
            },
            // It is the request that the model server speaks of, and the program's own.
            AgentError::Rejected { .. } => {
                let own = said.and_then(|said| Self::said_by_server(self.status, said));
                own.unwrap_or(self)
            }
            AgentError::ToolsUnsupported => Self {
                param: Some("tools".to_owned()),
                ..self
            },
            AgentError::Unauthorized | AgentError::UnknownModel { .. } | AgentError::Redirected { .. } => Self {
                should_retry: Some(false),
                ..self
            },
            AgentError::RateLimited { retry_after } | AgentError::Overloaded { retry_after, .. } => Self {
                retry_after: Some(retry_after.map_or(SOON, |time| time.as_secs().clamp(1, LONGEST_RETRY))),
                ..self
            },
            AgentError::Unreachable | AgentError::OutOfService => Self {
                retry_after: Some(SOON),
                ..self
            },
            AgentError::HungUp
            | AgentError::ServerFault { .. }
            | AgentError::Stalled
            | AgentError::CutOff
            | AgentError::InvalidResponse
            | AgentError::Empty
            | AgentError::Spent
            | AgentError::Filtered
            | AgentError::CallsTooLarge => self,
        }
    }

    /// What the model server has said of a request, if that is of OpenAI's shape.
    fn said_by_server(status: StatusCode, said: &str) -> Option<Self> {
        let said: Value = serde_json::from_str(said).ok()?;
        let error = &said["error"];
        let message = error["message"].as_str().or_else(|| error.as_str())?;
        let text = |field: &str| error[field].as_str().map(str::to_owned);
        Some(Self {
            message: format!("The model server did not accept this request: {message}"),
            param: text("param"),
            code: text("code"),
            ..Self::of_status(status)
        })
    }

    pub(super) fn body(&self) -> Value {
        json!(ErrorBody {
            error: Said {
                message: &self.message,
                kind: self.kind,
                param: self.param.as_deref(),
                code: self.code.as_deref(),
            },
        })
    }

    /// As the body of an answer.
    pub(super) fn to_json(&self) -> Bytes {
        Bytes::from(self.body().to_string())
    }

    /// As an event of a stream that has begun.
    pub(super) fn to_event(&self) -> Bytes {
        Bytes::from(format!("data: {}\n\n", self.body()))
    }
}

/// When somebody may be let into the line of a request that has come to this there, in seconds that clients obey.
pub(in crate::http::programs) fn retry_after(asked: &Asked, fault: &ProgramFault) -> Option<u64> {
    let pause = asked.retry_after(fault)?;
    Some(pause.as_secs().clamp(1, LONGEST_RETRY))
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        Self {
            retry_after: refusal.retry_after.map(|seconds| seconds.min(LONGEST_RETRY)),
            ..Self::because(refusal.status, &refusal.reason)
        }
    }
}

impl From<ClientError> for ApiError {
    fn from(fault: ClientError) -> Self {
        let status = status::of(&fault);
        match fault {
            ClientError::Request(fault) => Self {
                message: fault.message,
                param: fault.param,
                code: fault.code.map(str::to_owned),
                ..Self::of_status(status)
            },
            ClientError::Choice(ChoiceError::NotOffered(called)) => Self {
                message: format!(
                    "The model `{called}` is not offered here. GET /v1/models lists those that are; a name alone is enough where only one place has it."
                ),
                param: Some("model".to_owned()),
                code: Some("model_not_found".to_owned()),
                ..Self::of_status(status)
            },
            other => Refusal::from(other).into(),
        }
    }
}

impl From<RequestFault> for ApiError {
    fn from(fault: RequestFault) -> Self {
        ClientError::Request(fault).into()
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = Response::new(self.to_json().into());
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if let Some(should_retry) = self.should_retry {
            let value = HeaderValue::from_static(if should_retry { "true" } else { "false" });
            headers.insert(SHOULD_RETRY, value);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_has_the_status_that_says_whether_to_try_again() {
        use AgentError::*;
        for (fault, status, code, retry) in [
            (
                ProgramFault::Line(JoinError::Full),
                429,
                Some("rate_limit_exceeded"),
                Some(true),
            ),
            (
                ProgramFault::Line(JoinError::TooManyOfYours),
                429,
                Some("rate_limit_exceeded"),
                Some(true),
            ),
            (ProgramFault::Line(JoinError::Busy), 503, Some("busy"), Some(true)),
            (ProgramFault::Line(JoinError::Closed), 503, None, Some(true)),
            (ProgramFault::Left(LeaveReason::Closed, None), 503, None, Some(true)),
            (
                ProgramFault::Left(LeaveReason::Expired, None),
                503,
                Some("queue_wait_exceeded"),
                None,
            ),
            (ProgramFault::TooSlow(None), 504, Some("timeout"), Some(false)),
            (
                ProgramFault::Agent(TooLong, None),
                400,
                Some("context_length_exceeded"),
                None,
            ),
            (ProgramFault::Agent(Unauthorized, None), 502, None, Some(false)),
            (ProgramFault::Agent(Rejected { status: 413 }, None), 413, None, None),
            (ProgramFault::Agent(ServerFault { status: 500 }, None), 502, None, None),
            (ProgramFault::Agent(Unreachable, None), 503, None, None),
            (ProgramFault::Cancelled, 409, Some("cancelled"), Some(false)),
        ] {
            let error = ApiError::of(&fault, Some(7));
            assert_eq!(error.status.as_u16(), status, "{fault:?}");
            assert_eq!((error.code.as_deref(), error.should_retry), (code, retry), "{fault:?}");
            assert!(!error.message.is_empty(), "{fault:?}");
        }
        let full = ApiError::of(&ProgramFault::Line(JoinError::Full), Some(7)).into_response();
        assert_eq!(full.headers()[header::RETRY_AFTER], "7");
        assert_eq!(full.headers()[SHOULD_RETRY], "true");
    }

    #[test]
    fn what_the_model_server_says_of_a_request_is_passed_on() {
        let said = r#"{"error":{"message":"top_p must be at most 1","type":"x","param":"top_p","code":"bad"}}"#;
        let fault = ProgramFault::Agent(AgentError::Rejected { status: 422 }, Some(said.into()));
        let error = ApiError::of(&fault, None);
        assert_eq!(error.status.as_u16(), 422);
        assert!(error.message.ends_with("top_p must be at most 1"), "{error:?}");
        assert_eq!(
            (error.param.as_deref(), error.code.as_deref()),
            (Some("top_p"), Some("bad"))
        );
        let page = ProgramFault::Agent(AgentError::Rejected { status: 400 }, Some("<html>".into()));
        assert!(ApiError::of(&page, None).message.contains("status 400"));
    }
}
