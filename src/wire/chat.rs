//! Conversations, turns and what a browser sends.

use serde::{Deserialize, Serialize};

use super::{Choice, ConversationId, FeedPosition, FileId, FileView, PaperUnit, Place, Reason, StepView, TurnId};

/// Who said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
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
    /// The answer has ended before its time, though nothing failed. What was written is kept.
    Incomplete {
        /// Why.
        cause: Incomplete,
    },
    /// Ended without an answer, or with part of one.
    Failed {
        /// Why.
        reason: Reason,
    },
    /// Ended by its owner. What was written until then is kept.
    Cancelled,
    /// Waited or ran longer than it may, or its browser stayed away too long.
    Expired {
        /// Why.
        reason: Reason,
    },
}

/// Why an answer has ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub enum Incomplete {
    /// It has become as long as the model may write.
    Length,
    /// A filter of the model server.
    Filter,
    /// The model server did not say.
    Other,
}

impl TurnState {
    /// Whether the turn is over.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }

    /// Its name, for style sheets and scripts.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Incomplete { .. } => "incomplete",
            Self::Failed { .. } => "failed",
            Self::Cancelled => "cancelled",
            Self::Expired { .. } => "expired",
        }
    }
}

/// Tokens that one answer took, as the model server counted them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Usage {
    /// Tokens read.
    pub input: Option<u64>,
    /// Tokens written.
    pub output: Option<u64>,
}

/// A turn among the versions of it: turns that follow the same turn, made by regenerating or by editing the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Versions {
    /// Which one this is: 1 for the oldest.
    pub number: u32,
    /// How many there are.
    pub count: u32,
    /// The one made before it.
    pub earlier: Option<TurnId>,
    /// The one made after it.
    pub later: Option<TurnId>,
}

impl Default for Versions {
    /// The only one.
    fn default() -> Self {
        Self {
            number: 1,
            count: 1,
            earlier: None,
            later: None,
        }
    }
}

/// Something about an answer that its reader should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub enum TurnNotice {
    /// The conversation is longer than what the model can read at once: it was not told of the oldest turns.
    Trimmed {
        /// How many were left out.
        turns: u32,
    },
    /// Another model has answered, because the servers of the chosen one did not.
    Fallback {
        /// The one that has answered.
        model: String,
    },
    /// A document is longer than what the model can read at once: it was told what of it the question is about.
    Excerpt {
        /// Its name.
        name: String,
        /// What its parts are.
        unit: PaperUnit,
        /// How many of them were read, whole or not.
        read: u32,
        /// How many there are.
        of: u32,
    },
    /// The pictures of a document went along with the question, as far as its model sees.
    Pictures {
        /// Its name.
        name: String,
        /// How many went along.
        taken: u32,
        /// How many there are.
        of: u32,
    },
    /// The answer is one that was given before to the same question.
    Cached,
    /// The answer was made for another one who asked the same at that time.
    Shared,
    /// It was waited for.
    Waited(Receipt),
    /// The tools of a server were left out, which wants a key of each person's own.
    KeyWanted {
        /// The server.
        server: String,
        /// Why.
        fault: OwnKeyFault,
    },
}

/// Why somebody is not offered the tools of a server that wants a key of each person's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub enum OwnKeyFault {
    /// They have given none.
    Missing,
    /// It cannot be read any more, and is to be given again.
    Unreadable,
    /// The server does not take it.
    Refused,
    /// As many connections of people's own as there may be are in use.
    Full,
}

/// What a wait was like, by the line's own count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Receipt {
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// The first place.
    pub position: u64,
    /// Messages of others that waited in the line by then.
    pub found: u64,
    /// How many those others were.
    pub people: u64,
    /// Messages of the same sender that waited in the line by then.
    pub own: u64,
    /// How often one that had come earlier was started meanwhile.
    pub earlier: u64,
    /// How often one that had come later was started meanwhile, because it was its sender's turn.
    pub later: u64,
    /// Where it stood when: at most a few dozen points.
    pub path: Vec<PathPoint>,
}

/// A place in a line at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct PathPoint {
    /// When, in milliseconds since it came.
    pub ms: u64,
    /// 1 starts next.
    pub position: u64,
}

/// One turn, as its owner's browser shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TurnView {
    /// This turn.
    pub id: TurnId,
    /// The conversation it belongs to.
    pub conversation: ConversationId,
    /// The turn that it follows; `None` for a conversation's first. A page that shows another turn after that one has to
    /// take that, and all below it, away: this is another version.
    pub parent: Option<TurnId>,
    /// This one among its versions.
    pub versions: Versions,
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
    /// What the model thought before and between, as clean HTML likewise; empty where its server does not tell. No part of the
    /// answer, nor of what the model is told later.
    pub thoughts: Vec<String>,
    /// How long it thought before the first words of its answer, in milliseconds; `None`: it did not, or that is not known.
    pub thought_ms: Option<u64>,
    /// What tools were used meanwhile, in the order in which they were called.
    pub steps: Vec<StepView>,
    /// What its reader should know of the answer.
    pub notices: Vec<TurnNotice>,
    /// What its reader thinks of the answer; `None`: nothing was said.
    pub good: Option<bool>,
    /// The model that answers, as it was chosen when the message was sent; of one that waits, as it is chosen now.
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

/// A message that stands behind another one of its conversation: it becomes a turn, under the same id, once that one is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct FollowUp {
    /// The turn that it is to be.
    pub id: TurnId,
    /// What the person wrote: plain text, to be shown as such.
    pub message: String,
    /// The files that came with it.
    pub files: Vec<FileView>,
    /// When it was accepted, in milliseconds since the Unix epoch.
    pub at: u64,
    /// Why it does not begin by itself any more, until its owner says so; `None`: it does.
    pub held: Option<Reason>,
}

/// One line of the list of conversations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationSummary {
    /// This conversation.
    pub id: ConversationId,
    /// Made from the first message, or given by its owner.
    pub title: String,
    /// When something last happened in it, in milliseconds since the Unix epoch.
    pub updated_at: u64,
    /// Whether a turn of it waits or runs.
    pub busy: bool,
    /// Whether that waits for its owner to allow the use of a tool.
    pub asks: bool,
    /// See [`Shelf::pinned`](super::Shelf::pinned).
    pub pinned: bool,
    /// See [`Shelf::archived`](super::Shelf::archived).
    pub archived: bool,
}

impl ConversationSummary {
    /// Where it belongs in the list: the higher, the further up.
    #[must_use]
    pub const fn rank(&self) -> (bool, bool, u64) {
        (!self.archived, self.pinned, self.updated_at)
    }
}

/// A part of the list of conversations: those that are pinned, the others, those that are archived; of each the last used first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationPage {
    /// The conversations.
    pub conversations: Vec<ConversationSummary>,
    /// Whether there are more after the last of these.
    pub more: bool,
}

/// One conversation with its newest turns, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConversationView {
    /// Its line in the list.
    pub summary: ConversationSummary,
    /// Its last turns, of the versions last shown.
    pub turns: Vec<TurnView>,
    /// Whether there are turns before the first of these.
    pub earlier: bool,
    /// What is chosen for it.
    pub choice: Choice,
    /// What stands behind its last turn, in order.
    pub behind: Vec<FollowUp>,
    /// The feed's number before this view was made: follow the feed after it and nothing is missed.
    pub feed: FeedPosition,
}

/// A part of a conversation that a page loads when it scrolls up to it, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TurnPage {
    /// The turns.
    pub turns: Vec<TurnView>,
    /// Whether there are turns before the first of these.
    pub earlier: bool,
}

/// Something that a search has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The conversation.
    pub conversation: ConversationSummary,
    /// The turn whose text it is in, which may be in a version that is not shown; `None`: it is in the title.
    pub turn: Option<TurnId>,
    /// Who wrote it; `None`: it is in the title.
    pub role: Option<Role>,
    /// The text around the first place, plain: before it, the place itself, after it.
    pub excerpt: (String, String, String),
}

/// What a search has found, the conversation last used first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchResults {
    /// At most one a conversation.
    pub found: Vec<Found>,
    /// Whether there would be more: then the text to look for should be longer.
    pub more: bool,
}

/// A message on its way in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SendRequest {
    /// Chosen by the browser, so that sending again after a lost reply makes no second turn.
    pub turn: TurnId,
    /// `None` starts a conversation.
    pub conversation: Option<ConversationId>,
    /// The turn that this one is another version of (edit and send again); `None`: it follows what is shown last.
    #[serde(default)]
    pub instead_of: Option<TurnId>,
    /// What the person wrote.
    pub text: String,
    /// Uploaded before, by this session.
    pub files: Vec<FileId>,
    /// What is chosen for the conversation from this message on; `None`: it is as it was, of a new one as the site has it.
    #[serde(default)]
    pub choice: Option<Choice>,
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
    /// It is no turn yet: it stands behind another message of its conversation.
    pub behind: bool,
}
