//! What somebody is told of a fault: its code, with what there is to say of it.

use super::{ClientError, NoPass, UploadError, passes::MOST_PASSES};
use crate::{
    conversations::{ChoiceError, SendError},
    files::FileError,
    papers::PaperFault,
    queue::{JoinError, LeaveReason},
    store::StoreError,
    wire::{
        MAX_ANSWER_TOKENS, MAX_FILES_PER_MESSAGE, MAX_FOLLOW_UPS, MAX_INSTRUCTIONS_BYTES, MAX_MESSAGE_BYTES, Reason,
        StoreFault,
    },
};

impl ClientError {
    /// Why, for the person who asked.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Send(refusal) => refusal.reason(),
            Self::Unreadable(_) => Reason::Unreadable,
            Self::Unchanged(fault) => Reason::NotChanged { fault: fault.into() },
            Self::NoConversation => Reason::ConversationUnavailable,
            Self::NoStep => Reason::StepOver,
            Self::Choice(fault) => fault.reason(),
            Self::NotAnExport(_) => Reason::NotAnExport,
            Self::NoTitle => Reason::NoTitle,
            Self::NotConfirmed => Reason::NotConfirmed,
            Self::NotShown => Reason::NotShown,
            Self::Upload(fault) => fault.reason(),
            Self::NoPass(NoPass::Off) => Reason::PassesOff,
            Self::NoPass(NoPass::TooMany) => Reason::TooManyPasses {
                most: MOST_PASSES as u64,
            },
            Self::MayNot(scope) => Reason::KeyMayNot {
                name: scope.name().to_owned(),
            },
            Self::Request(fault) => Reason::RequestInvalid {
                sentence: fault.message.clone(),
            },
            Self::Task(fault) => fault.reason(),
        }
    }
}

impl SendError {
    /// Why, for the person who has sent it.
    pub(crate) fn reason(&self) -> Reason {
        match self {
            Self::Empty => Reason::EmptyMessage,
            Self::TooLong(bytes) => Reason::MessageTooLong {
                bytes: *bytes as u64,
                most: MAX_MESSAGE_BYTES as u64,
            },
            Self::TooManyFiles(files) => Reason::TooManyFiles {
                files: *files as u64,
                most: MAX_FILES_PER_MESSAGE as u64,
            },
            Self::Choice(fault) => fault.reason(),
            Self::UnknownFile => Reason::AttachmentGone,
            Self::UnknownConversation => Reason::ConversationGone,
            Self::UnknownTurn => Reason::MessageGone,
            Self::ConversationBusy => Reason::ConversationBusy,
            Self::TooManyBehind => Reason::TooManyBehind {
                most: MAX_FOLLOW_UPS as u64,
            },
            Self::Begun => Reason::MessageBegun,
            Self::Refused(why) => (*why).into(),
            Self::Store(fault) => Reason::MessageNotKept { fault: fault.into() },
        }
    }
}

impl ChoiceError {
    fn reason(&self) -> Reason {
        match self {
            Self::NotOffered(model) => Reason::ModelNotOffered { model: model.clone() },
            Self::InstructionsTooLong(bytes) => Reason::InstructionsTooLong {
                bytes: *bytes as u64,
                most: MAX_INSTRUCTIONS_BYTES as u64,
            },
            Self::Temperature => Reason::NoTemperature,
            Self::AnswerLength => Reason::NoAnswerLength {
                most: u64::from(MAX_ANSWER_TOKENS),
            },
        }
    }
}

impl UploadError {
    fn reason(&self) -> Reason {
        match self {
            Self::File(fault) => fault.reason(),
            Self::Left(LeaveReason::Expired) => Reason::UploadExpired,
            Self::Left(LeaveReason::Closed) => Reason::Restarting,
            Self::Left(_) => Reason::UploadLeft,
            Self::BrokenOff => Reason::UploadBrokenOff,
            Self::Stalled => Reason::UploadStalled,
            Self::Store(fault) => Reason::FileNotKept { fault: fault.into() },
        }
    }
}

impl FileError {
    fn reason(&self) -> Reason {
        match self {
            Self::Empty { name } => Reason::FileEmpty { name: name.clone() },
            Self::TooLarge { name, limit } => Reason::FileTooLarge {
                name: name.clone(),
                most: *limit,
            },
            Self::Unsupported { name } => Reason::FileUnsupported { name: name.clone() },
            Self::NotAnImage { name } => Reason::FileNotAnImage { name: name.clone() },
            Self::NotADocument { name } => Reason::FileNotADocument { name: name.clone() },
            Self::Unread { name, fault } => {
                let name = name.clone();
                match fault {
                    PaperFault::Unsupported => Reason::FileUnsupported { name },
                    PaperFault::Locked => Reason::FileLocked { name },
                    PaperFault::NoText => Reason::FileNoText { name },
                    PaperFault::Damaged => Reason::FileDamaged { name },
                    PaperFault::TooHeavy => Reason::FileTooHeavy { name },
                }
            }
            Self::NoReader(_) => Reason::FileNoReader,
            Self::NotUtf8 { name } => Reason::FileNotUtf8 { name: name.clone() },
            Self::Gone => Reason::FileGone,
            Self::NoSpace(_) => Reason::FileNoRoom,
            Self::Disk(_) => Reason::FileDisk,
        }
    }
}

impl From<JoinError> for Reason {
    fn from(why: JoinError) -> Self {
        match why {
            JoinError::Busy => Self::Busy,
            JoinError::Full => Self::LineFull,
            JoinError::TooManyOfYours => Self::TooManyOfYours,
            JoinError::Closed => Self::Restarting,
            JoinError::Away => Self::MessageNotKept {
                fault: StoreFault::Away,
            },
        }
    }
}

impl From<&StoreError> for StoreFault {
    fn from(fault: &StoreError) -> Self {
        match fault {
            StoreError::Full => Self::Full,
            StoreError::ReadOnly(_) => Self::ReadOnly,
            StoreError::Locked => Self::Locked,
            StoreError::Damaged(_) => Self::Damaged,
            StoreError::Away(_) => Self::Away,
            StoreError::Closed => Self::Closed,
            StoreError::Other(_) => Self::Other,
        }
    }
}
