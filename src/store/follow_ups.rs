//! Messages that stand behind another one of their conversation, as every store keeps them.

use async_trait::async_trait;

use super::StoreError;
use crate::{
    queue::Owner,
    wire::{ConversationId, FollowUp, Reason, TurnId},
};

/// What became of a message that was to stand behind others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is kept; also where it was kept already.
    Kept,
    /// As many stand there as may.
    TooMany,
    /// There is no such conversation.
    NoConversation,
}

/// Where messages are kept that stand behind another one of their conversation. One becomes a turn with [`super::Store::accept`], under the
/// same id: from the same change on it is kept here no more.
///
/// Cancel-safe throughout, as [`super::Store`].
#[async_trait]
pub trait FollowUpStore: Send + Sync {
    /// Those of a conversation, in their order.
    async fn follow_ups(&self, owner: Owner, conversation: ConversationId) -> Result<Vec<FollowUp>, StoreError>;
    /// Keeps one behind those that are there, unless there are `most`. Where those are held, it is, too.
    async fn add_follow_up(
        &self,
        owner: Owner,
        conversation: ConversationId,
        follow_up: FollowUp,
        most: usize,
    ) -> Result<Added, StoreError>;
    /// Puts one in other words. Says whose it is; `None`: there is none of this id.
    async fn reword_follow_up(
        &self,
        owner: Owner,
        id: TurnId,
        message: &str,
    ) -> Result<Option<ConversationId>, StoreError>;
    /// Removes one. Says whose it was; `None`: there is none of this id.
    async fn withdraw_follow_up(&self, owner: Owner, id: TurnId) -> Result<Option<ConversationId>, StoreError>;
    /// Has all of a conversation held for a reason, or none of them.
    async fn hold_follow_ups(
        &self,
        owner: Owner,
        conversation: ConversationId,
        held: Option<Reason>,
    ) -> Result<(), StoreError>;
    /// The conversations with some that are not held, of all owners.
    async fn followed(&self) -> Result<Vec<(Owner, ConversationId)>, StoreError>;
    /// Puts the message of a turn that is not over in other words. `false`: there is no such turn.
    async fn reword(&self, owner: Owner, turn: TurnId, message: &str) -> Result<bool, StoreError>;
}
