//! Why tasks are not taken in, or cannot be read.

use thiserror::Error;

use crate::{
    store::StoreError,
    wire::{Reason, StoreFault},
};

/// Nothing has changed where one of these comes back. `Display` is for the log; whoever has asked is told [`TaskFault::reason`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TaskFault {
    /// The body as a whole is none.
    #[error("the body is no batch: {0}")]
    Unreadable(String),
    /// A task cannot be taken as it is.
    #[error("task {task}: {message}")]
    Unfit {
        /// Its name, or its number.
        task: String,
        /// What is wrong, and what to do.
        message: String,
    },
    /// A task is longer than it may be.
    #[error("task {task} has more than {most} bytes")]
    TooLong {
        /// Its name, or its number.
        task: String,
        /// The most there may be, in bytes.
        most: u64,
    },
    /// There are more tasks than there may be, or none.
    #[error("a batch has 1 to {0} tasks")]
    TooMany(u64),
    /// Their owner would have more open tasks than it may.
    #[error("an owner may have {0} open tasks")]
    TooManyOpen(u64),
    /// Names that several of the tasks have.
    #[error("named twice: {0}")]
    Twice(String),
    /// Tasks that need each other in a circle.
    #[error("in a circle: {0}")]
    Circle(String),
    /// Names of what is needed and not there.
    #[error("unknown: {0}")]
    Unknown(String),
    /// Names of what is needed and has come to nothing.
    #[error("come to nothing: {0}")]
    NeedsFailed(String),
    /// The key was used for something else.
    #[error("the key is another batch's")]
    OtherBatch,
    /// Nobody can be told there.
    #[error("no webhook: {0}")]
    Webhook(String),
    /// It is not there, or somebody else's.
    #[error("there is no such task")]
    Gone,
    /// It cannot be stored or read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl TaskFault {
    /// Why, as programs and people are told.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self.clone() {
            Self::Unreadable(sentence) => Reason::Told { sentence },
            Self::Unfit { task, message } => Reason::TaskUnfit {
                name: task,
                sentence: message,
            },
            Self::TooLong { task, most } => Reason::TaskTooLong { name: task, most },
            Self::TooMany(most) => Reason::TooManyTasks { most },
            Self::TooManyOpen(most) => Reason::TooManyOpenTasks { most },
            Self::Twice(name) => Reason::TasksNamedTwice { name },
            Self::Circle(name) => Reason::TasksInCircle { name },
            Self::Unknown(name) => Reason::TasksUnknown { name },
            Self::NeedsFailed(name) => Reason::TaskNeedsFailed { name },
            Self::OtherBatch => Reason::KeyOfAnother,
            Self::Webhook(sentence) => Reason::WebhookUnfit { sentence },
            Self::Gone => Reason::TaskGone,
            Self::Store(fault) => Reason::NotChanged {
                fault: StoreFault::from(&fault),
            },
        }
    }
}
