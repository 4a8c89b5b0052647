//! Passes.

use async_trait::async_trait;
use futures_util::FutureExt as _;
use uuid::Uuid;

use super::{PostgresStore, read, write};
use crate::{
    queue::Owner,
    store::{PassRecord, PassStore, StoreError},
    wire::ConversationId,
};

#[async_trait]
impl PassStore for PostgresStore {
    async fn add_pass(&self, pass: PassRecord, most: usize) -> Result<bool, StoreError> {
        self.write(write::AddPass { pass, most }).await
    }

    async fn passes(&self, owner: Owner, conversation: ConversationId) -> Result<Vec<PassRecord>, StoreError> {
        self.read(move |connection| read::passes::of(connection, owner, conversation).boxed())
            .await
    }

    async fn pass(&self, id: Uuid) -> Result<Option<PassRecord>, StoreError> {
        self.read(move |connection| read::passes::one(connection, id).boxed())
            .await
    }

    async fn pass_of(&self, digest: &str) -> Result<Option<PassRecord>, StoreError> {
        let digest = digest.to_owned();
        self.read(move |connection| {
            let digest = digest.clone();
            async move { read::passes::of_digest(connection, &digest).await }.boxed()
        })
        .await
    }

    async fn use_pass(&self, digest: &str, guest: &str, now: u64) -> Result<Option<PassRecord>, StoreError> {
        let (digest, guest) = (digest.to_owned(), guest.to_owned());
        self.write(write::UsePass { digest, guest, now }).await
    }

    async fn revoke_pass(&self, owner: Owner, id: Uuid, now: u64) -> Result<bool, StoreError> {
        self.write(write::RevokePass { owner, id, now }).await
    }
}
