//! Conversations, turns and what a browser sends.

use serde::{Deserialize, Serialize};

use super::{ConversationId, FeedPosition, FileId, FileView, Place, TurnId};

/// Who said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The person at the browser.
    User,
    /// The agent.
    Agent,
}

/// Where a turn is in its life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TurnState {
    /// In the line.
    Waiting,
    /// Being answered.
    Running,
    /// Answered.
    Done,
    /// Ended without an answer, or with part of one.
    Failed {
        /// A sentence for the person: what happened and what to do.
        reason: String,
    },
    /// Ended by its owner. What was written until then is kept.
    Cancelled,
    /// Waited or ran longer than it may, or its browser stayed away too long.
    Expired {
        /// A sentence for the person: what happened and what to do.
        reason: String,
    },
}

impl TurnState {
    /// Whether the turn is over.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }
}

/// Tokens that one answer took, as the model server counted them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens read.
    pub input: Option<u64>,
    /// Tokens written.
    pub output: Option<u64>,
}

/// One turn, as its owner's browser shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TurnView {
    /// This turn.
    pub id: TurnId,
    /// The conversation it belongs to.
    pub conversation: ConversationId,
    /// What the person wrote: plain text, to be shown as such.
    pub message: String,
    /// The files that came with it.
    pub files: Vec<FileView>,
    /// Where it is.
    pub state: TurnState,
    /// The answer so far, as the agent wrote it (Markdown). Complete once the turn is over; empty while it streams.
    pub answer: String,
    /// The answer so far as clean HTML, one entry a Markdown block.
    pub blocks: Vec<String>,
    /// The model that answers.
    pub model: String,
    /// Tokens taken, once known.
    pub usage: Option<Usage>,
    /// When it was accepted, in milliseconds since the Unix epoch.
    pub accepted_at: u64,
    /// When its answer began and ended, likewise.
    pub started_at: Option<u64>,
    /// See `started_at`.
    pub ended_at: Option<u64>,
}

/// One line of the list of conversations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationSummary {
    /// This conversation.
    pub id: ConversationId,
    /// Made from the first message.
    pub title: String,
    /// When something last happened in it, in milliseconds since the Unix epoch.
    pub updated_at: u64,
    /// Whether a turn of it waits or runs.
    pub busy: bool,
}

/// One conversation with all its turns, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConversationView {
    /// Its line in the list.
    pub summary: ConversationSummary,
    /// Its turns.
    pub turns: Vec<TurnView>,
    /// The feed's number before this view was made: follow the feed after it and nothing is missed.
    pub feed: FeedPosition,
}

/// A message on its way in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendRequest {
    /// Chosen by the browser, so that sending again after a lost reply makes no second turn.
    pub turn: TurnId,
    /// `None` starts a conversation.
    pub conversation: Option<ConversationId>,
    /// What the person wrote.
    pub text: String,
    /// Uploaded before, by this session.
    pub files: Vec<FileId>,
}

/// The answer to a message that was accepted: from here on it is the server's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sent {
    /// The turn.
    pub turn: TurnId,
    /// Its conversation, new or old.
    pub conversation: ConversationId,
    /// Its place, if it has to wait.
    pub place: Option<Place>,
}
