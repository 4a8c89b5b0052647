//! Messages that stand behind another one.

use async_trait::async_trait;

use futures_util::FutureExt as _;

use super::{PostgresStore, read, write};
use crate::{
    queue::Owner,
    store::{Added, FollowUpStore, StoreError},
    wire::{ConversationId, FollowUp, Reason, TurnId},
};

#[async_trait]
impl FollowUpStore for PostgresStore {
    async fn follow_ups(&self, owner: Owner, conversation: ConversationId) -> Result<Vec<FollowUp>, StoreError> {
        self.read(move |connection| read::follow_ups::of(connection, owner, conversation).boxed())
            .await
    }

    async fn add_follow_up(
        &self,
        owner: Owner,
        conversation: ConversationId,
        follow_up: FollowUp,
        most: usize,
    ) -> Result<Added, StoreError> {
        self.write(write::AddFollowUp {
            owner,
            conversation,
            follow_up,
            most,
        })
        .await
    }

    async fn reword_follow_up(
        &self,
        owner: Owner,
        id: TurnId,
        message: &str,
    ) -> Result<Option<ConversationId>, StoreError> {
        let message = Some(message.to_owned());
        self.write(write::ChangeFollowUp { owner, id, message }).await
    }

    async fn withdraw_follow_up(&self, owner: Owner, id: TurnId) -> Result<Option<ConversationId>, StoreError> {
        let message = None;
        self.write(write::ChangeFollowUp { owner, id, message }).await
    }

    async fn hold_follow_ups(
        &self,
        owner: Owner,
        conversation: ConversationId,
        held: Option<Reason>,
    ) -> Result<(), StoreError> {
        self.write(write::HoldFollowUps {
            owner,
            conversation,
            held,
        })
        .await
    }

    async fn followed(&self) -> Result<Vec<(Owner, ConversationId)>, StoreError> {
        self.read(|connection| read::follow_ups::followed(connection).boxed())
            .await
    }

    async fn reword(&self, owner: Owner, turn: TurnId, message: &str) -> Result<bool, StoreError> {
        let message = message.to_owned();
        self.write(write::Reword { owner, turn, message }).await
    }
}
