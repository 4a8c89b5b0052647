//! Why somebody does not get what they asked for.

use std::time::Duration;

use thiserror::Error;

use crate::{
    accounts::Scope,
    conversations::{ChoiceError, SendError},
    files::FileError,
    programs::RequestFault,
    queue::LeaveReason,
    store::StoreError,
    tasks::TaskFault,
};

/// Nothing has changed where one of these comes back. `Display` is for the log; a person is told [`ClientError::reason`].
#[derive(Debug, Error)]
pub enum ClientError {
    /// A message was not accepted.
    #[error(transparent)]
    Send(#[from] SendError),
    /// What is stored cannot be read.
    #[error("conversations cannot be read: {0}")]
    Unreadable(StoreError),
    /// A change was not stored.
    #[error("a change was not stored: {0}")]
    Unchanged(StoreError),
    /// It is not there, is somebody else's, or is just being answered.
    #[error("there is no such conversation, or it is being answered")]
    NoConversation,
    /// A use of a tool is not there, is somebody else's, or does not wait for them any more.
    #[error("there is no such use of a tool that waits")]
    NoStep,
    /// What was chosen for a conversation cannot be.
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    /// A file that was to become a conversation is none.
    #[error("{0}")]
    NotAnExport(String),
    /// A title without anything to be seen.
    #[error("the title is blank")]
    NoTitle,
    /// The settings keep this tab from them.
    #[error("the tab is not there for whoever asks")]
    NotShown,
    /// What deletes everything did not come from a page of the session.
    #[error("the page belongs to another session")]
    NotConfirmed,
    /// A file was not taken in.
    #[error(transparent)]
    Upload(#[from] UploadError),
    /// A link to a conversation was not made.
    #[error(transparent)]
    NoPass(#[from] NoPass),
    /// The key of whoever asks does not let them.
    #[error("the key lacks the scope {0}")]
    MayNot(Scope),
    /// A request of a program cannot be taken as it is.
    #[error(transparent)]
    Request(#[from] RequestFault),
    /// Something is wrong with tasks.
    #[error(transparent)]
    Task(#[from] TaskFault),
}

/// Why a link to a conversation was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoPass {
    /// The settings have none, or whoever asks has no session that could move.
    #[error("there are no such links here")]
    Off,
    /// As many are out as there may be.
    #[error("as many links are out as there may be")]
    TooMany,
}

/// Why a file was not taken in. `Display` is for the log.
#[derive(Debug, Error)]
pub enum UploadError {
    /// It is not one that is taken, or cannot be kept.
    #[error(transparent)]
    File(#[from] FileError),
    /// It left the line without starting.
    #[error("it left the line: {0:?}")]
    Left(LeaveReason),
    /// Its sender went away, or broke off.
    #[error("it did not arrive whole")]
    BrokenOff,
    /// It came too slowly.
    #[error("it stopped arriving")]
    Stalled,
    /// It could not be noted.
    #[error("it was not noted: {0}")]
    Store(StoreError),
}

impl ClientError {
    /// Whether it is only for as long as the server restarts: the same may be sent again by itself then.
    #[must_use]
    pub const fn is_restart(&self) -> bool {
        matches!(
            self,
            Self::Send(SendError::Refused(crate::queue::JoinError::Closed))
                | Self::Upload(UploadError::Left(LeaveReason::Closed))
        )
    }

    /// After how long another try makes sense, where waiting helps.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        const SOON: Option<Duration> = Some(Duration::from_secs(5));
        match self {
            Self::Send(refusal) => refusal.retry_after(),
            Self::Unreadable(_) | Self::Unchanged(_) | Self::Upload(UploadError::Store(_)) => SOON,
            Self::Upload(UploadError::Left(LeaveReason::Expired | LeaveReason::Closed)) => SOON,
            Self::Upload(UploadError::File(FileError::NoSpace(_) | FileError::Disk(_) | FileError::NoReader(_))) => {
                SOON
            }
            Self::Task(TaskFault::Store(_) | TaskFault::TooManyOpen(_)) => SOON,
            _ => None,
        }
    }
}
