//! Uses of tools, as every store keeps them: in their turns, and beside those what was allowed, and whose pictures are whose.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::{
    queue::Owner,
    wire::{ConversationId, FileId, FileView, StepContent, StepState, TurnId},
};

/// One use of a tool in an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolStep {
    /// The model's name for the call.
    pub call: String,
    /// The model's name for the tool.
    pub name: String,
    /// What the model's server wants to have back with the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opaque: Option<String>,
    /// What the model has thought before, where its server wants that back with the calls of the round: with the first of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thoughts: Option<String>,
    /// The server whose tool it is; empty: there is no such tool.
    #[serde(default)]
    pub server: String,
    /// The tool, as its server calls it, and as people should see it.
    #[serde(default)]
    pub tool: String,
    /// Likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Which version of the tool it is; empty: there is no such tool.
    #[serde(default)]
    pub fingerprint: String,
    /// Whether doing it twice is as good as once.
    #[serde(default)]
    pub repeatable: bool,
    /// JSON, as the model wrote it: it may be none.
    pub arguments: String,
    /// Where it is.
    pub state: StepState,
    /// What it has returned, or why it has returned nothing, as the model is told it.
    #[serde(default)]
    pub content: Vec<StepContent>,
    /// In which round of the answer it was called; 0 is the first.
    pub round: u32,
    /// Bytes of the answer that were said before it.
    pub said: usize,
    /// When it was called, in milliseconds since the Unix epoch.
    pub called_at: u64,
    /// When it began to work, and when it was over; likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began_at: Option<u64>,
    /// See `began_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<u64>,
}

impl ToolStep {
    /// The tool among all servers'.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}/{}", self.server, self.tool)
    }

    /// The files that it has returned.
    pub fn pictures(&self) -> impl Iterator<Item = FileId> + '_ {
        self.content.iter().filter_map(|content| match content {
            StepContent::Picture { file, .. } => Some(*file),
            StepContent::Text(_) | StepContent::Link { .. } => None,
        })
    }

    /// Bytes that it takes, roughly, without what its model has thought.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let content = self.content.iter().map(|content| match content {
            StepContent::Text(text) => text.len(),
            StepContent::Picture { mime, .. } => mime.len(),
            StepContent::Link { uri, name } => uri.len() + name.len(),
        });
        self.arguments.len() + self.opaque.as_ref().map_or(0, String::len) + content.sum::<usize>()
    }
}

/// What an owner has said of a tool for a whole conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leave {
    /// The tool: [`ToolStep::key`].
    pub tool: String,
    /// The version of it that this was said of. One that has changed is asked for again.
    pub fingerprint: String,
    /// Whether it may be used.
    pub allowed: bool,
}

/// Where is kept what steps need beside their turns.
///
/// Cancel-safe throughout, as [`super::Store`].
#[async_trait]
pub trait StepStore: Send + Sync {
    /// What was said of tools for a conversation.
    async fn leaves(&self, owner: Owner, conversation: ConversationId) -> Result<Vec<Leave>, StoreError>;
    /// Keeps what was said of a tool, in place of what was said before. `false`: there is no such conversation.
    async fn keep_leave(&self, owner: Owner, conversation: ConversationId, leave: Leave) -> Result<bool, StoreError>;
    /// Forgets what was said of a tool for a conversation: it is asked for again. `false`: nothing was said of it.
    async fn forget_leave(&self, owner: Owner, conversation: ConversationId, tool: &str) -> Result<bool, StoreError>;
    /// Keeps what is known of a file that a tool has returned, for as long as the turn is there. `false`: there is no such turn.
    async fn add_step_file(&self, owner: Owner, turn: TurnId, file: FileView, now: u64) -> Result<bool, StoreError>;
}

/// Steps as their column; `None`: there are none.
pub(super) fn written_steps(steps: &[ToolStep]) -> Option<String> {
    (!steps.is_empty()).then(|| serde_json::to_string(steps).unwrap_or_default())
}

/// What [`written_steps`] has written. One that this server cannot read is left out: better than no turn at all.
pub(super) fn read_steps(column: Option<&str>) -> Vec<ToolStep> {
    let all: Vec<serde_json::Value> = column
        .and_then(|column| serde_json::from_str(column).ok())
        .unwrap_or_default();
    let known = all.into_iter().filter_map(|one| serde_json::from_value(one).ok());
    known.collect()
}
