//! The keys of a store for whoever manages them from outside of a server.

use std::sync::Arc;

use async_trait::async_trait;

use super::{CredentialRecord, KeyRecord, OpenError, Store, StoreError, postgres, sqlite};
use crate::{
    accounts::{KeyId, rates::RatesChange},
    queue::Owner,
    settings::Settings,
};

/// Where keys are made and revoked. Servers that run hear of it by themselves.
#[async_trait]
pub(crate) trait KeyDesk: Send {
    /// See [`Store::keys`].
    async fn keys(&mut self) -> Result<Vec<KeyRecord>, StoreError>;
    /// See [`Store::add_key`].
    async fn add(&mut self, key: KeyRecord) -> Result<bool, StoreError>;
    /// See [`Store::revoke_key`].
    async fn revoke(&mut self, id: KeyId, now: u64) -> Result<bool, StoreError>;
    /// See [`Store::set_key_rates`].
    async fn set_rates(&mut self, id: KeyId, change: RatesChange) -> Result<bool, StoreError>;
    /// See [`CredentialStore::keep_credential`](super::CredentialStore::keep_credential).
    async fn keep_credential(&mut self, owner: Owner, credential: CredentialRecord) -> Result<(), StoreError>;
    /// See [`CredentialStore::remove_credential`](super::CredentialStore::remove_credential).
    async fn remove_credential(&mut self, owner: Owner, server: &str) -> Result<bool, StoreError>;
    /// Ends well.
    async fn close(self: Box<Self>);
}

/// Opens the store that the settings name, whether servers use it or not.
///
/// # Errors
/// [`OpenError`], with words for the operator.
pub(crate) async fn desk(settings: &Settings) -> Result<Box<dyn KeyDesk>, OpenError> {
    if let Some(address) = &settings.database_url {
        return Ok(Box::new(postgres::desk(address).await?));
    }
    match sqlite::SqliteStore::open(&settings.data_dir).await {
        Ok(store) => Ok(Box::new(Own(Arc::new(store)))),
        Err(sqlite::OpenError::InUse { .. }) => Ok(Box::new(sqlite::desk(&settings.data_dir).await?)),
        Err(error) => Err(error.into()),
    }
}

/// A store that nobody else has.
struct Own(Arc<dyn Store>);

#[async_trait]
impl KeyDesk for Own {
    async fn keys(&mut self) -> Result<Vec<KeyRecord>, StoreError> {
        self.0.keys().await
    }

    async fn add(&mut self, key: KeyRecord) -> Result<bool, StoreError> {
        self.0.add_key(key).await
    }

    async fn revoke(&mut self, id: KeyId, now: u64) -> Result<bool, StoreError> {
        self.0.revoke_key(id, now).await
    }

    async fn set_rates(&mut self, id: KeyId, change: RatesChange) -> Result<bool, StoreError> {
        self.0.set_key_rates(id, change).await
    }

    async fn keep_credential(&mut self, owner: Owner, credential: CredentialRecord) -> Result<(), StoreError> {
        self.0.keep_credential(owner, credential).await
    }

    async fn remove_credential(&mut self, owner: Owner, server: &str) -> Result<bool, StoreError> {
        self.0.remove_credential(owner, server).await
    }

    async fn close(self: Box<Self>) {
        self.0.close().await;
    }
}
