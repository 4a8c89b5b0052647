//! The HTTP status of every fault: here and nowhere else, so that the same fault has the same one at every door, in whichever shape it is told.

use axum::http::StatusCode;

use crate::{
    agents::AgentError,
    client::{ClientError, NoPass, UploadError},
    conversations::{ChoiceError, SendError},
    files::FileError,
    papers::PaperFault,
    programs::{ProgramFault, RequestFault},
    queue::{JoinError, LeaveReason},
    store::StoreError,
    tasks::TaskFault,
    tools::ToolError,
};

/// The status that says what this fault says.
#[must_use]
pub fn of(fault: &ClientError) -> StatusCode {
    match fault {
        ClientError::Send(refusal) => of_refusal(refusal),
        ClientError::Unreadable(fault) | ClientError::Unchanged(fault) => of_store(fault),
        ClientError::NoConversation | ClientError::NoPass(NoPass::Off) => StatusCode::NOT_FOUND,
        ClientError::NoStep | ClientError::NoPass(NoPass::TooMany) => StatusCode::CONFLICT,
        ClientError::Choice(fault) => of_choice(fault),
        ClientError::NotAnExport(_) | ClientError::NoTitle => StatusCode::BAD_REQUEST,
        ClientError::NotConfirmed | ClientError::NotShown | ClientError::MayNot(_) => StatusCode::FORBIDDEN,
        ClientError::Request(fault) => of_request(fault),
        ClientError::Upload(fault) => of_upload(fault),
        ClientError::Task(fault) => of_task(fault),
    }
}

const fn of_refusal(refusal: &SendError) -> StatusCode {
    match refusal {
        SendError::Empty | SendError::TooManyFiles(_) | SendError::UnknownFile => StatusCode::BAD_REQUEST,
        SendError::Choice(fault) => of_choice(fault),
        SendError::TooLong(_) => StatusCode::PAYLOAD_TOO_LARGE,
        SendError::UnknownConversation | SendError::UnknownTurn => StatusCode::NOT_FOUND,
        SendError::ConversationBusy | SendError::Begun => StatusCode::CONFLICT,
        SendError::TooManyBehind => StatusCode::TOO_MANY_REQUESTS,
        SendError::Refused(why) => of_join(*why),
        SendError::Store(fault) => of_store(fault),
    }
}

const fn of_choice(fault: &ChoiceError) -> StatusCode {
    match fault {
        ChoiceError::InstructionsTooLong(_) => StatusCode::PAYLOAD_TOO_LARGE,
        ChoiceError::NotOffered(_) => StatusCode::NOT_FOUND,
        ChoiceError::Temperature | ChoiceError::AnswerLength => StatusCode::BAD_REQUEST,
    }
}

/// A line that has no room asks for patience; one in which nobody may wait, or that is not there, is no service.
const fn of_join(why: JoinError) -> StatusCode {
    match why {
        JoinError::Full | JoinError::TooManyOfYours => StatusCode::TOO_MANY_REQUESTS,
        JoinError::Busy | JoinError::Closed | JoinError::Away => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// What has left the line by the server's doing may come again; the rest its owner has ended.
const fn of_leaving(left: LeaveReason) -> StatusCode {
    match left {
        LeaveReason::Expired | LeaveReason::Closed => StatusCode::SERVICE_UNAVAILABLE,
        LeaveReason::Cancelled | LeaveReason::Abandoned | LeaveReason::Withdrawn | LeaveReason::Done => {
            StatusCode::CONFLICT
        }
    }
}

/// A store that fails is out of order, whatever was asked of it.
const fn of_store(fault: &StoreError) -> StatusCode {
    match fault {
        StoreError::Full => StatusCode::INSUFFICIENT_STORAGE,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}

const fn of_upload(fault: &UploadError) -> StatusCode {
    match fault {
        UploadError::File(fault) => of_file(fault),
        UploadError::Left(left) => of_leaving(*left),
        UploadError::BrokenOff => StatusCode::BAD_REQUEST,
        UploadError::Stalled => StatusCode::REQUEST_TIMEOUT,
        UploadError::Store(fault) => of_store(fault),
    }
}

const fn of_task(fault: &TaskFault) -> StatusCode {
    match fault {
        TaskFault::Unreadable(_)
        | TaskFault::Unfit { .. }
        | TaskFault::TooMany(_)
        | TaskFault::Twice(_)
        | TaskFault::Circle(_)
        | TaskFault::Unknown(_)
        | TaskFault::Webhook(_) => StatusCode::BAD_REQUEST,
        TaskFault::TooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        TaskFault::TooManyOpen(_) => StatusCode::TOO_MANY_REQUESTS,
        TaskFault::NeedsFailed(_) => StatusCode::CONFLICT,
        TaskFault::OtherBatch => StatusCode::UNPROCESSABLE_ENTITY,
        TaskFault::Gone => StatusCode::NOT_FOUND,
        TaskFault::Store(fault) => of_store(fault),
    }
}

const fn of_file(fault: &FileError) -> StatusCode {
    match fault {
        FileError::Empty { .. } => StatusCode::BAD_REQUEST,
        FileError::Gone => StatusCode::NOT_FOUND,
        FileError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        FileError::Unsupported { .. }
        | FileError::Unread {
            fault: PaperFault::Unsupported,
            ..
        }
        | FileError::NotAnImage { .. }
        | FileError::NotADocument { .. }
        | FileError::NotUtf8 { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        FileError::Unread { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        FileError::NoSpace(_) => StatusCode::INSUFFICIENT_STORAGE,
        FileError::Disk(_) | FileError::NoReader(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The status that says what has come of a program's request.
#[must_use]
pub fn of_program(fault: &ProgramFault) -> StatusCode {
    match fault {
        ProgramFault::Line(why) => of_join(*why),
        ProgramFault::Left(left, _) => of_leaving(*left),
        ProgramFault::Outage(_) | ProgramFault::Stopped | ProgramFault::Moved => StatusCode::SERVICE_UNAVAILABLE,
        ProgramFault::Agent(fault, _) => of_agent(fault),
        ProgramFault::Unfit(fault) => of_request(fault),
        ProgramFault::TooSlow(_) => StatusCode::GATEWAY_TIMEOUT,
        ProgramFault::Endless => StatusCode::BAD_GATEWAY,
        ProgramFault::Mistake => StatusCode::INTERNAL_SERVER_ERROR,
        ProgramFault::Cancelled => StatusCode::CONFLICT,
    }
}

/// A program's request that cannot be taken as it is.
fn of_request(fault: &RequestFault) -> StatusCode {
    match fault {
        RequestFault { conflicts: true, .. } => StatusCode::UNPROCESSABLE_ENTITY,
        RequestFault {
            code: Some("model_not_found"),
            ..
        } => StatusCode::NOT_FOUND,
        _ => StatusCode::BAD_REQUEST,
    }
}

/// The status that says why a server of tools has not given what somebody asked for.
#[must_use]
pub const fn of_tool(fault: &ToolError) -> StatusCode {
    match fault {
        ToolError::NotThere => StatusCode::NOT_FOUND,
        ToolError::BadArguments(_) => StatusCode::UNPROCESSABLE_ENTITY,
        ToolError::Changed
        | ToolError::Unreachable(_)
        | ToolError::Died
        | ToolError::TimedOut { .. }
        | ToolError::TooLarge { .. }
        | ToolError::Refused(_)
        | ToolError::Unauthorized
        | ToolError::WantsInput
        | ToolError::Protocol(_) => StatusCode::BAD_GATEWAY,
    }
}

/// What is wrong with the request is the program's to mend; what is wrong with the site's back ends is a gateway's fault, or passes.
fn of_agent(fault: &AgentError) -> StatusCode {
    match fault {
        AgentError::TooLong | AgentError::VisionUnsupported | AgentError::ToolsUnsupported => StatusCode::BAD_REQUEST,
        // It is the request that the model server speaks of.
        AgentError::Rejected { status } => StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_REQUEST),
        AgentError::RateLimited { .. }
        | AgentError::Overloaded { .. }
        | AgentError::Unreachable
        | AgentError::OutOfService => StatusCode::SERVICE_UNAVAILABLE,
        AgentError::Unauthorized
        | AgentError::UnknownModel { .. }
        | AgentError::Redirected { .. }
        | AgentError::HungUp
        | AgentError::ServerFault { .. }
        | AgentError::Stalled
        | AgentError::CutOff
        | AgentError::InvalidResponse
        | AgentError::Empty
        | AgentError::Spent
        | AgentError::Filtered
        | AgentError::CallsTooLarge => StatusCode::BAD_GATEWAY,
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn the_same_fault_has_the_same_status_whatever_was_asked() {
        for (fault, status) in [
            (StoreError::Full, StatusCode::INSUFFICIENT_STORAGE),
            (StoreError::ReadOnly(String::new()), StatusCode::SERVICE_UNAVAILABLE),
            (StoreError::Locked, StatusCode::SERVICE_UNAVAILABLE),
            (StoreError::Damaged(String::new()), StatusCode::SERVICE_UNAVAILABLE),
            (StoreError::Away(String::new()), StatusCode::SERVICE_UNAVAILABLE),
            (StoreError::Closed, StatusCode::SERVICE_UNAVAILABLE),
            (StoreError::Other(String::new()), StatusCode::SERVICE_UNAVAILABLE),
        ] {
            for told in [
                ClientError::Send(SendError::Store(fault.clone())),
                ClientError::Unreadable(fault.clone()),
                ClientError::Unchanged(fault.clone()),
                ClientError::Upload(UploadError::Store(fault.clone())),
            ] {
                assert_eq!(of(&told), status, "{told:?}");
                let again = told.retry_after().map(|pause| pause.as_secs());
                assert_eq!(again, Some(5), "{told:?}");
            }
        }
        let disk = |kind| ClientError::Upload(UploadError::File(io::Error::from(kind).into()));
        assert_eq!(of(&disk(io::ErrorKind::StorageFull)), StatusCode::INSUFFICIENT_STORAGE);
        assert_eq!(of(&disk(io::ErrorKind::Other)), StatusCode::SERVICE_UNAVAILABLE);
        let name = String::new;
        for (fault, status) in [
            (FileError::Empty { name: name() }, 400),
            (FileError::Gone, 404),
            (FileError::TooLarge { name: name(), limit: 1 }, 413),
            (FileError::Unsupported { name: name() }, 415),
            (FileError::NotAnImage { name: name() }, 415),
            (FileError::NotUtf8 { name: name() }, 415),
        ] {
            assert_eq!(of(&ClientError::Upload(fault.into())).as_u16(), status);
        }
    }
}
