//! rmcp's errors, in our words.

use std::error::Error;

use rmcp::{
    model::{ErrorCode, ErrorData},
    service::{ClientInitializeError, ServiceError},
    transport::streamable_http_client::StreamableHttpError,
};

use super::{
    error::{ToolError, Trouble, said},
    lines::{self, LONGEST},
};

/// What the transport over HTTP says.
type OverHttp = StreamableHttpError<reqwest::Error>;

/// Why a call has no result.
pub(super) fn of_call(error: &ServiceError) -> ToolError {
    match error {
        ServiceError::McpError(error) => of_answer(error),
        ServiceError::TransportSend(error) => match cause(&*error.error) {
            Some(StreamableHttpError::ResponseBodyTooLarge { max_size }) => ToolError::TooLarge { bytes: *max_size },
            Some(
                error @ (StreamableHttpError::HttpStatus(_)
                | StreamableHttpError::UnexpectedServerResponse(_)
                | StreamableHttpError::AuthRequired(_)
                | StreamableHttpError::InsufficientScope(_)),
            ) => match of_http(error) {
                Trouble::Unauthorized => ToolError::Unauthorized,
                trouble => ToolError::Refused(trouble.to_string()),
            },
            _ => ToolError::Died,
        },
        ServiceError::InputRequiredRoundsExceeded { .. } => ToolError::WantsInput,
        ServiceError::UnexpectedResponse => ToolError::Protocol("its answer is none".to_owned()),
        _ => ToolError::Died,
    }
}

fn of_answer(error: &ErrorData) -> ToolError {
    match error.code {
        lines::TOO_LARGE => ToolError::TooLarge { bytes: LONGEST },
        lines::NO_ANSWER => ToolError::Protocol(error.message.clone().into_owned()),
        ErrorCode::INVALID_PARAMS => ToolError::BadArguments(said(&error.message)),
        _ => ToolError::Refused(said(&error.message)),
    }
}

/// Why its tools are not known.
pub(super) fn of_listing(error: &ServiceError) -> Trouble {
    match error {
        ServiceError::TransportSend(error) => of_transport(&*error.error),
        ServiceError::McpError(error) if error.code == lines::TOO_LARGE => {
            Trouble::Protocol(format!("its list of tools is larger than {LONGEST} bytes"))
        }
        ServiceError::McpError(error) => Trouble::Refused(said(&error.message)),
        ServiceError::UnexpectedResponse => Trouble::Protocol("its answer is none".to_owned()),
        _ => Trouble::Ended { code: None },
    }
}

/// Why it is not connected.
pub(super) fn of_beginning(error: &ClientInitializeError) -> Trouble {
    match error {
        ClientInitializeError::ConnectionClosed(_) => Trouble::Ended { code: None },
        ClientInitializeError::TransportError { error, .. } => of_transport(&*error.error),
        ClientInitializeError::LegacyFallbackFailed { fallback, .. } => of_beginning(fallback),
        ClientInitializeError::JsonRpcError(error) => Trouble::Refused(said(&error.message)),
        ClientInitializeError::NoCompatibleProtocolVersion { .. } => {
            Trouble::Protocol("it speaks none of the versions that are spoken here".to_owned())
        }
        ClientInitializeError::Cancelled => Trouble::Closing,
        _ => Trouble::Protocol("it does not answer as the protocol says".to_owned()),
    }
}

fn of_transport(error: &(dyn Error + 'static)) -> Trouble {
    cause(error).map_or(Trouble::Ended { code: None }, of_http)
}

fn of_http(error: &OverHttp) -> Trouble {
    match error {
        StreamableHttpError::AuthRequired(_) | StreamableHttpError::InsufficientScope(_) => Trouble::Unauthorized,
        StreamableHttpError::HttpStatus(error) => of_status(error.status),
        StreamableHttpError::Client(error) if error.is_redirect() => Trouble::Redirected,
        StreamableHttpError::Client(error) => match error.status() {
            Some(status) => of_status(status.as_u16()),
            None => Trouble::NoAnswer,
        },
        // What follows the number is whatever the server has sent.
        StreamableHttpError::UnexpectedServerResponse(said) => {
            let status = said.strip_prefix("HTTP ").and_then(|said| said.get(..3)?.parse().ok());
            status.map_or_else(
                || Trouble::Protocol("it answers with something else".to_owned()),
                of_status,
            )
        }
        StreamableHttpError::UnexpectedContentType(_) => {
            Trouble::Protocol("it answers with neither JSON nor a stream of events".to_owned())
        }
        StreamableHttpError::ResponseBodyTooLarge { max_size } => {
            Trouble::Protocol(format!("its answer is larger than {max_size} bytes"))
        }
        _ => Trouble::Ended { code: None },
    }
}

fn of_status(status: u16) -> Trouble {
    match status {
        401 | 403 => Trouble::Unauthorized,
        300..=399 => Trouble::Redirected,
        status => Trouble::Refused(format!("HTTP {status}")),
    }
}

/// What the transport over HTTP has said, somewhere among the causes of this.
fn cause<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e OverHttp> {
    let mut error = Some(error);
    while let Some(one) = error {
        if let Some(found) = one.downcast_ref() {
            return Some(found);
        }
        error = one.source();
    }
    None
}
