//! What people have given for servers of tools.

use async_trait::async_trait;

use super::{SqliteStore, read, told, write};
use crate::{
    queue::Owner,
    store::{CredentialRecord, CredentialStore, StoreError},
};

#[async_trait]
impl CredentialStore for SqliteStore {
    async fn credentials(&self, owner: Owner) -> Result<Vec<CredentialRecord>, StoreError> {
        let mut reader = self.read().await?;
        told(read::credentials::of(&mut reader, owner).await)
    }

    async fn keep_credential(&self, owner: Owner, credential: CredentialRecord) -> Result<(), StoreError> {
        self.write(write::KeepCredential { owner, credential }).await
    }

    async fn remove_credential(&self, owner: Owner, server: &str) -> Result<bool, StoreError> {
        let server = server.to_owned();
        self.write(write::RemoveCredential { owner, server }).await
    }
}
