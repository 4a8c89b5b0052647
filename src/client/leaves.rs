//! What somebody has said of tools for a whole conversation: they see it, and take it back.

use super::{Client, ClientError, unchanged, unreadable};
use crate::{store::Leave, wire::ConversationId};

/// What somebody has said of a tool for a whole conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolLeave {
    /// The tool among those of all servers, for [`Client::forget_leave`].
    pub key: String,
    /// The server whose tool it is.
    pub server: String,
    /// The tool, as its server calls it.
    pub tool: String,
    /// Whether it may be used without asking, or not at all.
    pub allowed: bool,
}

impl From<Leave> for ToolLeave {
    fn from(leave: Leave) -> Self {
        // No server has a `/` in its name.
        let (server, tool) = leave.tool.split_once('/').unwrap_or(("", &leave.tool));
        Self {
            server: server.to_owned(),
            tool: tool.to_owned(),
            allowed: leave.allowed,
            key: leave.tool,
        }
    }
}

impl Client {
    /// What they have said of tools for one of their conversations, by the names of servers and tools.
    ///
    /// # Errors
    /// [`ClientError::NoConversation`], [`ClientError::Unreadable`].
    pub async fn leaves(&self, conversation: ConversationId) -> Result<Vec<ToolLeave>, ClientError> {
        let store = self.engine.store();
        let there = store.conversation(self.owner(), conversation).await;
        if there.map_err(unreadable)?.is_none() {
            return Err(ClientError::NoConversation);
        }
        let leaves = store.leaves(self.owner(), conversation).await.map_err(unreadable)?;
        Ok(leaves.into_iter().map(ToolLeave::from).collect())
    }

    /// Takes back what they have said of a tool ([`ToolLeave::key`]) for a conversation: they are asked when it is called next. `false`: they have
    /// said nothing of it.
    ///
    /// # Errors
    /// [`ClientError::Unchanged`].
    pub async fn forget_leave(&self, conversation: ConversationId, key: &str) -> Result<bool, ClientError> {
        let store = self.engine.store();
        let forgotten = store.forget_leave(self.owner(), conversation, key).await;
        forgotten.map_err(unchanged)
    }
}
