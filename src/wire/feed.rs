//! The feed: what the server tells one session, over one WebSocket.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Choice, ConversationId, ConversationSummary, FollowUp, Reason, Status, StepView, TurnId, TurnView};

/// A place in a session's feed. `/feed?epoch=…&after=…` replays what came after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedPosition {
    /// The journal that the number belongs to; another one after a restart or an eviction.
    pub epoch: Uuid,
    /// The number of the last event seen; 0 before the first.
    pub number: u64,
}

/// Which tab a refresh is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshKind {
    /// The stats tab, through `stats_refresh`.
    Stats,
    /// The logs tab, through `logs_refresh`.
    Logs,
}

/// One text frame of the feed, as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedMessage {
    /// The first frame. A refresh that was asked for before it, and has not come, may be lost with the feed before: it is asked
    /// for again.
    Hello {
        /// Where the replay starts. If it is not where the browser asked, what it holds is out of date:
        /// it asks for its conversations again and follows from here.
        position: FeedPosition,
        /// Whether the position asked for could be honoured.
        resumed: bool,
        /// The server's version; another one than the page's means that a reload is due.
        version: String,
    },
    /// A numbered event. Each states a new value and may be applied twice without harm.
    Event {
        /// Grows; numbers may be left out where a later event has replaced an earlier one.
        number: u64,
        /// What happened.
        event: FeedEvent,
    },
    /// Where this session stands now. Not numbered, not replayed.
    Status(Status),
    /// What a tab shows, asked for by some page of this session.
    Drawn {
        /// Which.
        refresh: RefreshKind,
        /// Clean HTML in the language of the page; `None`: it is what this feed has brought last.
        html: Option<String>,
    },
    /// A refresh came to nothing, or came when no feed was there: it is asked for again.
    RefreshRefused {
        /// Which.
        refresh: RefreshKind,
        /// Why.
        reason: Reason,
    },
}

/// What can happen to a session's conversations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedEvent {
    /// A conversation is new, or its line in the list has changed.
    Conversation(ConversationSummary),
    /// A conversation has gone.
    ConversationRemoved {
        /// Which.
        id: ConversationId,
    },
    /// Another version of a conversation is shown now: a page that shows the conversation has to load it again.
    Version {
        /// The conversation.
        conversation: ConversationId,
        /// The last turn that is shown now.
        head: TurnId,
    },
    /// Something else is chosen for a conversation now.
    Chosen {
        /// The conversation.
        conversation: ConversationId,
        /// All that is chosen for it.
        choice: Choice,
    },
    /// Something else stands behind the turns of a conversation now.
    Behind {
        /// The conversation.
        conversation: ConversationId,
        /// All that stands there, in order.
        follow_ups: Vec<FollowUp>,
    },
    /// A turn is new, or has changed. Replaces all that was known of it, its blocks and thoughts included.
    Turn(Box<TurnView>),
    /// A block of a streaming answer: new, or in place of the one with this index.
    Block {
        /// The turn.
        turn: TurnId,
        /// The conversation it belongs to.
        conversation: ConversationId,
        /// 0 is the answer's first block. Blocks after it are dropped.
        index: usize,
        /// Clean HTML.
        html: String,
    },
    /// The same of what the model thinks.
    Thought {
        /// The turn.
        turn: TurnId,
        /// The conversation it belongs to.
        conversation: ConversationId,
        /// As [`FeedEvent::Block`] has it, of [`TurnView::thoughts`].
        index: usize,
        /// Clean HTML. Empty at index 0: the model begins anew, and what it thought before is void.
        html: String,
    },
    /// A use of a tool: new, or in place of the one with this index.
    Step {
        /// The turn.
        turn: TurnId,
        /// The conversation it belongs to.
        conversation: ConversationId,
        /// As [`TurnView::steps`] counts them.
        index: usize,
        /// `None`: there is none any more, nor any after it.
        step: Option<Box<StepView>>,
    },
}
