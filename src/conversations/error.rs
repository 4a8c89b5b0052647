//! Why a message was not accepted.

use std::time::Duration;

use thiserror::Error;

use crate::{
    queue::JoinError,
    store::StoreError,
    wire::{MAX_FILES_PER_MESSAGE, MAX_MESSAGE_BYTES},
};

/// A message was not accepted, and nothing has changed. `Display` is a sentence for the person.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SendError {
    /// Nothing was written and no file came along.
    #[error("Write something first: this message is empty.")]
    Empty,
    /// It is longer than a message may be.
    #[error("This message has {0} bytes; {MAX_MESSAGE_BYTES} are allowed. Shorten it, or send it as a file.")]
    TooLong(usize),
    /// It has more files than a message may.
    #[error("This message has {0} files; {MAX_FILES_PER_MESSAGE} are allowed.")]
    TooManyFiles(usize),
    /// A file is not this session's, or is not there any more.
    #[error("A file of this message is not here any more. Remove it and attach it again.")]
    UnknownFile,
    /// The conversation is not this session's, or is not there any more.
    #[error("This conversation is not here any more. Start a new one.")]
    UnknownConversation,
    /// The turn is not this session's, or is not there any more.
    #[error("This message is not here any more.")]
    UnknownTurn,
    /// A turn of the conversation is not over.
    #[error("The last message of this conversation is not answered yet. Wait for its answer, or cancel it.")]
    ConversationBusy,
    /// The queue did not let it in.
    #[error("{}", refusal(*.0))]
    Refused(JoinError),
    /// The store failed.
    #[error("This message was not accepted: it could not be kept, because {}. Try again in a moment.", .0.sentence())]
    Store(#[from] StoreError),
}

/// Why the queue let nobody in, as a sentence.
#[must_use]
pub(crate) const fn refusal(why: JoinError) -> &'static str {
    match why {
        JoinError::Busy => "Every slot is busy, and nobody waits here: try again in a moment.",
        JoinError::Full => "The line is full. Try again in a few minutes.",
        JoinError::TooManyOfYours => {
            "You have as much waiting as one browser may. Wait for an answer, or cancel something."
        }
        JoinError::Closed => "Anteroom is being restarted. Try again in a moment.",
    }
}

impl SendError {
    /// After how long another try makes sense, where waiting helps.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(JoinError::Full) => Some(Duration::from_secs(60)),
            Self::Refused(_) | Self::Store(_) => Some(Duration::from_secs(5)),
            _ => None,
        }
    }
}
