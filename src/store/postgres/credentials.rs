//! What people have given for servers of tools.

use async_trait::async_trait;
use futures_util::FutureExt as _;

use super::{PostgresStore, read, write};
use crate::{
    queue::Owner,
    store::{CredentialRecord, CredentialStore, StoreError},
};

#[async_trait]
impl CredentialStore for PostgresStore {
    async fn credentials(&self, owner: Owner) -> Result<Vec<CredentialRecord>, StoreError> {
        self.read(move |connection| read::credentials::of(connection, owner).boxed())
            .await
    }

    async fn keep_credential(&self, owner: Owner, credential: CredentialRecord) -> Result<(), StoreError> {
        self.write(write::KeepCredential { owner, credential }).await
    }

    async fn remove_credential(&self, owner: Owner, server: &str) -> Result<bool, StoreError> {
        let server = server.to_owned();
        self.write(write::RemoveCredential { owner, server }).await
    }
}
