//! What steps need beside their turns.

use async_trait::async_trait;

use super::{SqliteStore, read, told, write};
use crate::{
    queue::Owner,
    store::{Leave, StepStore, StoreError},
    wire::{ConversationId, FileView, TurnId},
};

#[async_trait]
impl StepStore for SqliteStore {
    async fn leaves(&self, owner: Owner, conversation: ConversationId) -> Result<Vec<Leave>, StoreError> {
        let mut reader = self.read().await?;
        told(read::steps::leaves(&mut reader, owner, conversation).await)
    }

    async fn keep_leave(&self, owner: Owner, conversation: ConversationId, leave: Leave) -> Result<bool, StoreError> {
        self.write(write::KeepLeave {
            owner,
            conversation,
            leave,
        })
        .await
    }

    async fn forget_leave(&self, owner: Owner, conversation: ConversationId, tool: &str) -> Result<bool, StoreError> {
        self.write(write::ForgetLeave {
            owner,
            conversation,
            tool: tool.to_owned(),
        })
        .await
    }

    async fn add_step_file(&self, owner: Owner, turn: TurnId, file: FileView, now: u64) -> Result<bool, StoreError> {
        self.write(write::AddStepFile { owner, turn, file, now }).await
    }
}
