//! The HTTP status of every fault: here and nowhere else, so that the same fault has the same one at every door.

use axum::http::StatusCode;

use crate::{
    client::{ClientError, UploadError},
    conversations::{ChoiceError, SendError},
    files::FileError,
    queue::JoinError,
    store::StoreError,
    tasks::TaskFault,
};

/// The status that says what this fault says.
#[must_use]
pub const fn of(fault: &ClientError) -> StatusCode {
    match fault {
        ClientError::Send(refusal) => of_refusal(refusal),
        ClientError::Unreadable(fault) | ClientError::Unchanged(fault) => of_store(fault),
        ClientError::NoConversation => StatusCode::NOT_FOUND,
        ClientError::NoStep => StatusCode::CONFLICT,
        ClientError::Choice(fault) => of_choice(fault),
        ClientError::NotAnExport(_) | ClientError::NoTitle => StatusCode::BAD_REQUEST,
        ClientError::NotConfirmed | ClientError::NotShown => StatusCode::FORBIDDEN,
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
        SendError::TooManyBehind | SendError::Refused(JoinError::TooManyOfYours) => StatusCode::TOO_MANY_REQUESTS,
        SendError::Refused(_) => StatusCode::SERVICE_UNAVAILABLE,
        SendError::Store(fault) => of_store(fault),
    }
}

const fn of_choice(fault: &ChoiceError) -> StatusCode {
    match fault {
        ChoiceError::InstructionsTooLong(_) => StatusCode::PAYLOAD_TOO_LARGE,
        ChoiceError::NotOffered(_) | ChoiceError::Temperature | ChoiceError::AnswerLength => StatusCode::BAD_REQUEST,
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
        UploadError::Left(_) => StatusCode::SERVICE_UNAVAILABLE,
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
        | FileError::NotAnImage { .. }
        | FileError::NotADocument { .. }
        | FileError::NotUtf8 { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        FileError::Unread { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        FileError::NoSpace(_) => StatusCode::INSUFFICIENT_STORAGE,
        FileError::Disk(_) | FileError::NoReader(_) => StatusCode::SERVICE_UNAVAILABLE,
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
