//! Why a message was not accepted.

use std::time::Duration;

use thiserror::Error;

use super::ChoiceError;
use crate::{queue::JoinError, store::StoreError};

/// A message was not accepted, and nothing has changed. `Display` is for the log.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SendError {
    /// Nothing was written and no file came along.
    #[error("the message is empty")]
    Empty,
    /// It is longer than a message may be.
    #[error("the message has {0} bytes")]
    TooLong(usize),
    /// It has more files than a message may.
    #[error("the message has {0} files")]
    TooManyFiles(usize),
    /// What is chosen for the conversation cannot be.
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    /// A file is not this session's, or is not there any more.
    #[error("a file of the message is not there")]
    UnknownFile,
    /// The conversation is not this session's, or is not there any more.
    #[error("there is no such conversation")]
    UnknownConversation,
    /// The turn is not this session's, or is not there any more.
    #[error("there is no such turn")]
    UnknownTurn,
    /// A turn of the conversation is not over.
    #[error("a turn of the conversation is not over")]
    ConversationBusy,
    /// As many of its conversation stand behind others as may.
    #[error("too many messages stand behind others of the conversation")]
    TooManyBehind,
    /// It was to be changed, and does not wait any more.
    #[error("it does not wait any more")]
    Begun,
    /// The queue did not let it in.
    #[error("the queue did not let it in: {0:?}")]
    Refused(JoinError),
    /// The store failed.
    #[error("it was not stored: {0}")]
    Store(#[from] StoreError),
}

impl SendError {
    /// After how long another try makes sense, where waiting helps.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(JoinError::Full) => Some(Duration::from_secs(60)),
            Self::TooManyBehind | Self::Refused(_) | Self::Store(_) => Some(Duration::from_secs(5)),
            _ => None,
        }
    }
}
