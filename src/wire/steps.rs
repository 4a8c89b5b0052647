//! What a model has had tools do while it answered, as its owner's browser shows it.

use serde::{Deserialize, Serialize};

#[cfg(feature = "server")]
use super::FileId;

/// Where a use of a tool is in its life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Its owner is asked for leave.
    Asks,
    /// In the line of tools.
    Waits,
    /// The server of a tool is connected to: no use of a tool yet, and never stored.
    Connects,
    /// The tool works.
    Runs,
    /// It has a result.
    Done,
    /// It has none, or one that says that it failed.
    Failed {
        /// Why.
        fault: ToolFault,
    },
    /// Its owner, or the site, did not allow it.
    Denied,
    /// Its owner has stopped it.
    Stopped,
}

/// Why a use of a tool has come to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub enum ToolFault {
    /// There is no such tool (any more).
    Gone,
    /// It is another one than the one that was called.
    Changed,
    /// What it was told is no JSON, or does not fit it.
    Arguments,
    /// Its server cannot be reached.
    Unreachable,
    /// Its server does not take the key that it was called with.
    Unauthorized,
    /// Its server has ended, or the connection to it.
    Ended,
    /// It took too long.
    TimedOut,
    /// What it returned is too large.
    TooLarge,
    /// Its server has sent something that makes no sense, or has refused the call.
    Invalid,
    /// It says that it has failed.
    Itself,
    /// The line of tools did not let it in.
    Busy,
    /// This server ended meanwhile, and it is not known whether it was done.
    Unknown,
    /// What was to be kept of it could not be kept.
    NotKept,
}

impl StepState {
    /// Whether it is over.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self, Self::Done | Self::Failed { .. } | Self::Denied | Self::Stopped)
    }
}

/// One use of a tool, as its owner's browser shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepView {
    /// The server whose tool it is; empty: there is no such tool.
    pub server: String,
    /// The tool, as people should see it.
    pub tool: String,
    /// What it was told: JSON as plain text, the beginning of it where that is long.
    pub arguments: String,
    /// Where it is.
    pub state: StepState,
    /// What it has returned, as clean HTML, the beginning of it where that is long.
    pub result: String,
    /// When it began to work, in milliseconds since the Unix epoch.
    pub began_at: Option<u64>,
    /// How long it has worked, in milliseconds, once it is over.
    pub ms: Option<u64>,
    /// In which round of the answer it was called; 0 is the first.
    pub round: u32,
    /// How many blocks of the answer stand before it.
    pub after: usize,
    /// What it has returned, for programs. Browsers have `result`.
    #[cfg(feature = "server")]
    #[serde(skip)]
    pub content: Vec<StepContent>,
}

/// A part of what a tool has returned.
#[cfg(feature = "server")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepContent {
    /// Plain text.
    Text(String),
    /// A picture, which is kept as a file of its owner.
    Picture {
        /// The file.
        file: FileId,
        /// Its MIME type.
        mime: String,
    },
    /// Something elsewhere.
    Link {
        /// Where.
        uri: String,
        /// What it is called.
        name: String,
    },
}

/// What its owner says of a use of a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub enum StepAnswer {
    /// It may do this.
    Once,
    /// It may do this, and the tool whatever it is asked for in this conversation.
    Conversation,
    /// It may not do this.
    No,
    /// It may not do this, nor the tool anything in this conversation.
    Never,
    /// It is to end now.
    Stop,
}

#[cfg(feature = "server")]
impl StepAnswer {
    /// By its name in addresses, which is that in JSON.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        serde_json::from_value(name.into()).ok()
    }
}
