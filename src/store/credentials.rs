//! What people have given for servers of tools, as every store keeps it: encrypted by whoever gives it to the store.

use std::fmt;

use async_trait::async_trait;

use super::{
    StoreError,
    rows::{Columns, number},
};
use crate::queue::Owner;

/// What one owner has given for one server.
#[derive(Clone, PartialEq, Eq)]
pub struct CredentialRecord {
    /// The server's name.
    pub server: String,
    /// What it is, encrypted.
    pub sealed: String,
    /// Milliseconds since the Unix epoch.
    pub given_at: u64,
}

impl fmt::Debug for CredentialRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialRecord")
            .field("server", &self.server)
            .field("given_at", &self.given_at)
            .finish_non_exhaustive()
    }
}

/// Where it is kept. It goes with its owner, and with [`super::Store::purge`] once it is too old and its owner has no conversation any more.
///
/// Cancel-safe throughout, as [`super::Store`].
#[async_trait]
pub trait CredentialStore: Send + Sync {
    /// All of an owner's, by the names of the servers.
    async fn credentials(&self, owner: Owner) -> Result<Vec<CredentialRecord>, StoreError>;
    /// Keeps one, in place of what was given for the same server before.
    async fn keep_credential(&self, owner: Owner, credential: CredentialRecord) -> Result<(), StoreError>;
    /// Removes one for good. `false`: there was none.
    async fn remove_credential(&self, owner: Owner, server: &str) -> Result<bool, StoreError>;
}

/// A row with the columns of the table.
pub(in crate::store) fn credential(row: &impl Columns) -> sqlx::Result<CredentialRecord> {
    Ok(CredentialRecord {
        server: row.text("server")?.into_owned(),
        sealed: row.text("sealed")?.into_owned(),
        given_at: number(row, "given_at")?,
    })
}
