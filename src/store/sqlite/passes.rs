//! Passes.

use async_trait::async_trait;

use uuid::Uuid;

use super::{SqliteStore, read, told, write};
use crate::{
    queue::Owner,
    store::{PassRecord, PassStore, StoreError},
    wire::ConversationId,
};

#[async_trait]
impl PassStore for SqliteStore {
    async fn add_pass(&self, pass: PassRecord, most: usize) -> Result<bool, StoreError> {
        self.write(write::AddPass { pass, most }).await
    }

    async fn passes(&self, owner: Owner, conversation: ConversationId) -> Result<Vec<PassRecord>, StoreError> {
        let mut reader = self.read().await?;
        told(read::passes::of(&mut reader, owner, conversation).await)
    }

    async fn pass(&self, id: Uuid) -> Result<Option<PassRecord>, StoreError> {
        let mut reader = self.read().await?;
        told(read::passes::one(&mut reader, id).await)
    }

    async fn pass_of(&self, digest: &str) -> Result<Option<PassRecord>, StoreError> {
        let mut reader = self.read().await?;
        told(read::passes::of_digest(&mut reader, digest).await)
    }

    async fn use_pass(&self, digest: &str, guest: &str, now: u64) -> Result<Option<PassRecord>, StoreError> {
        let (digest, guest) = (digest.to_owned(), guest.to_owned());
        self.write(write::UsePass { digest, guest, now }).await
    }

    async fn revoke_pass(&self, owner: Owner, id: Uuid, now: u64) -> Result<bool, StoreError> {
        self.write(write::RevokePass { owner, id, now }).await
    }
}
