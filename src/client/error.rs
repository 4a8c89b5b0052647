//! Why somebody does not get what they asked for.

use std::time::Duration;

use thiserror::Error;

use crate::{conversations::SendError, files::FileError, queue::LeaveReason, store::StoreError};

/// Nothing has changed where one of these comes back. `Display` is a sentence for the person.
#[derive(Debug, Error)]
pub enum ClientError {
    /// A message was not accepted.
    #[error(transparent)]
    Send(#[from] SendError),
    /// What is stored cannot be read.
    #[error("Your conversations cannot be read at the moment. Try again in a moment.")]
    Unreadable(StoreError),
    /// A change was not stored.
    #[error("Nothing was changed, because {}. Try again in a moment.", .0.sentence())]
    Unchanged(StoreError),
    /// It is not there, is somebody else's, or is just being answered.
    #[error("This conversation is not here any more, or is being answered at the moment.")]
    NoConversation,
    /// A title without anything to be seen.
    #[error("A conversation needs a title.")]
    NoTitle,
    /// What deletes everything did not come from a page of the session.
    #[error("Nothing was deleted: this page belongs to another session. Reload it, and try again.")]
    NotConfirmed,
    /// A file was not taken in.
    #[error(transparent)]
    Upload(#[from] UploadError),
}

/// Why a file was not taken in. `Display` is a sentence for the person.
#[derive(Debug, Error)]
pub enum UploadError {
    /// It is not one that is taken, or cannot be kept.
    #[error(transparent)]
    File(#[from] FileError),
    /// It left the line without starting.
    #[error("{}", match .0 {
        LeaveReason::Expired => "No slot became free for this file in time. Try again when the line is shorter.",
        LeaveReason::Closed => "Anteroom is being restarted. Try again in a moment.",
        LeaveReason::Cancelled | LeaveReason::Abandoned | LeaveReason::Withdrawn => "This file has left the line. Attach it again.",
    })]
    Left(LeaveReason),
    /// Its sender went away, or broke off.
    #[error("The file did not arrive whole. Attach it again.")]
    BrokenOff,
    /// It came too slowly.
    #[error("The file stopped arriving, so its slot went to somebody else. Attach it again.")]
    Stalled,
    /// It could not be noted.
    #[error("This file was not kept, because {}. Try again in a moment.", .0.sentence())]
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
            Self::Unreadable(_) | Self::Unchanged(_) | Self::Upload(UploadError::Left(_) | UploadError::Store(_)) => {
                SOON
            }
            _ => None,
        }
    }
}
