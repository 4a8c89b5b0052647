//! Conversations and turns as programs are shown them: without what only pages need, such as HTML.

use serde::Serialize;
use utoipa::ToSchema;

use super::steps::Step;
use crate::wire::{
    self, ConversationId, FileView, FollowUp, Incomplete, Reason, Role, TurnId, TurnNotice, TurnState, Usage, Versions,
};

/// A conversation in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct Summary {
    id: ConversationId,
    /// Made from the first message, or given by its owner.
    title: String,
    /// When something last happened in it, in milliseconds since the Unix epoch.
    updated_at: u64,
    /// Whether a turn of it waits or runs.
    busy: bool,
    /// Whether it stands above the others.
    pinned: bool,
    /// Whether it is out of sight at the end of the list, until a message is sent in it.
    archived: bool,
}

/// A part of the list of conversations.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct Conversations {
    /// Those that are pinned, the others, those that are archived; of each the last used first.
    pub(super) conversations: Vec<Summary>,
    /// Whether there are more: ask for those `after` the last of these.
    pub(super) more: bool,
}

/// A conversation with its newest turns.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct Conversation {
    #[serde(flatten)]
    summary: Summary,
    /// The model that is chosen for it; null: the site's default.
    model: Option<String>,
    /// What the model is told before all that is said; empty: what the site tells it.
    system: String,
    temperature: Option<f32>,
    max_tokens: Option<u32>,
    /// Whether answers may use tools, where the site has some.
    tools: bool,
    #[serde(flatten)]
    turns: Turns,
    /// Messages that stand behind the last turn, in order. Each becomes a turn once the one before it is answered.
    behind: Vec<FollowUp>,
}

/// A part of a conversation.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct Turns {
    /// Oldest first, of the versions that are shown.
    pub(super) turns: Vec<Turn>,
    /// Whether there are turns before the first of these.
    pub(super) earlier: bool,
}

/// One message and the answer to it.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct Turn {
    id: TurnId,
    conversation: ConversationId,
    /// The turn that it follows; null: it is the first.
    parent: Option<TurnId>,
    /// This one among those that follow the same turn: answered again, or edited and sent again.
    versions: Versions,
    message: String,
    files: Vec<FileView>,
    state: State,
    /// Why it has failed or expired.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    /// Why its answer has ended before its time.
    #[serde(skip_serializing_if = "Option::is_none")]
    incomplete: Option<Incomplete>,
    /// The answer so far.
    answer: String,
    /// The tools that were used meanwhile, in the order in which they were called.
    steps: Vec<Step>,
    /// What its reader should know of it.
    notices: Vec<TurnNotice>,
    /// What the caller thinks of the answer; null: nothing was said.
    good: Option<bool>,
    /// Who answers.
    model: String,
    /// Tokens taken, once known.
    usage: Option<Usage>,
    /// In milliseconds since the Unix epoch.
    accepted_at: u64,
    started_at: Option<u64>,
    ended_at: Option<u64>,
}

/// Where a turn is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum State {
    Waiting,
    Running,
    /// Answered.
    Done,
    /// The answer has ended before its time, though nothing failed.
    Incomplete,
    Failed,
    /// Ended by its owner.
    Cancelled,
    /// It waited or ran for longer than it may, or nobody asked for it any more.
    Expired,
}

/// What a search has found.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct Results {
    /// At most one place a conversation, the last used first.
    found: Vec<Found>,
    /// Whether there would be more: then look for something longer.
    more: bool,
}

/// A place that a search has found.
#[derive(Debug, Serialize, ToSchema)]
struct Found {
    conversation: Summary,
    /// The turn; null: it is in the title.
    turn: Option<TurnId>,
    /// Who wrote it; null: it is in the title.
    role: Option<Role>,
    /// The text before it.
    before: String,
    /// What was found.
    matched: String,
    /// The text after it.
    after: String,
}

impl From<wire::ConversationSummary> for Summary {
    fn from(summary: wire::ConversationSummary) -> Self {
        Self {
            id: summary.id,
            title: summary.title,
            updated_at: summary.updated_at,
            busy: summary.busy,
            pinned: summary.pinned,
            archived: summary.archived,
        }
    }
}

impl From<wire::ConversationPage> for Conversations {
    fn from(page: wire::ConversationPage) -> Self {
        Self {
            conversations: page.conversations.into_iter().map(Summary::from).collect(),
            more: page.more,
        }
    }
}

impl From<wire::ConversationView> for Conversation {
    fn from(view: wire::ConversationView) -> Self {
        let choice = view.choice;
        Self {
            summary: view.summary.into(),
            model: choice.model,
            system: choice.instructions,
            temperature: choice.temperature,
            max_tokens: choice.max_tokens,
            tools: !choice.without_tools,
            turns: Turns {
                turns: view.turns.into_iter().map(Turn::from).collect(),
                earlier: view.earlier,
            },
            behind: view.behind,
        }
    }
}

impl From<wire::TurnPage> for Turns {
    fn from(page: wire::TurnPage) -> Self {
        Self {
            turns: page.turns.into_iter().map(Turn::from).collect(),
            earlier: page.earlier,
        }
    }
}

impl From<wire::TurnView> for Turn {
    fn from(turn: wire::TurnView) -> Self {
        let (state, reason, incomplete) = match turn.state {
            TurnState::Waiting => (State::Waiting, None, None),
            TurnState::Running => (State::Running, None, None),
            TurnState::Done => (State::Done, None, None),
            TurnState::Incomplete { cause } => (State::Incomplete, None, Some(cause)),
            TurnState::Failed { reason } => (State::Failed, Some(reason), None),
            TurnState::Cancelled => (State::Cancelled, None, None),
            TurnState::Expired { reason } => (State::Expired, Some(reason), None),
        };
        Self {
            id: turn.id,
            conversation: turn.conversation,
            parent: turn.parent,
            versions: turn.versions,
            message: turn.message,
            files: turn.files,
            state,
            reason,
            incomplete,
            answer: turn.answer,
            steps: turn.steps.into_iter().map(Step::from).collect(),
            notices: turn.notices,
            good: turn.good,
            model: turn.model,
            usage: turn.usage,
            accepted_at: turn.accepted_at,
            started_at: turn.started_at,
            ended_at: turn.ended_at,
        }
    }
}

impl From<wire::SearchResults> for Results {
    fn from(results: wire::SearchResults) -> Self {
        let found = results.found.into_iter().map(|found| {
            let (before, matched, after) = found.excerpt;
            Found {
                conversation: found.conversation.into(),
                turn: found.turn,
                role: found.role,
                before,
                matched,
                after,
            }
        });
        Self {
            found: found.collect(),
            more: results.more,
        }
    }
}
