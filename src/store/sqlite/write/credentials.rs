//! What people have given for servers of tools.

use sqlx::SqliteConnection;

use super::owner;
use crate::{
    queue::Owner,
    store::{
        CredentialRecord,
        job::Operation,
        sqlite::rows::{integer, owner_blob},
    },
};

const KEEP: &str = "INSERT INTO credentials (owner, server, sealed, given_at) VALUES (?1, ?2, ?3, ?4) \
     ON CONFLICT (owner, server) DO UPDATE SET sealed = excluded.sealed, given_at = excluded.given_at";

const REMOVE: &str = "DELETE FROM credentials WHERE server = ?2 AND owner = (SELECT key FROM owners WHERE id = ?1)";

/// See [`crate::store::CredentialStore::keep_credential`].
pub(in crate::store::sqlite) struct KeepCredential {
    pub(in crate::store::sqlite) owner: Owner,
    pub(in crate::store::sqlite) credential: CredentialRecord,
}

impl Operation for KeepCredential {
    type Connection = SqliteConnection;
    type Output = ();

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        let owner = owner::key(connection, self.owner).await?;
        sqlx::query(KEEP)
            .bind(owner)
            .bind(self.credential.server.as_str())
            .bind(self.credential.sealed.as_str())
            .bind(integer(self.credential.given_at))
            .execute(connection)
            .await
            .map(drop)
    }
}

/// See [`crate::store::CredentialStore::remove_credential`].
pub(in crate::store::sqlite) struct RemoveCredential {
    pub(in crate::store::sqlite) owner: Owner,
    pub(in crate::store::sqlite) server: String,
}

impl Operation for RemoveCredential {
    type Connection = SqliteConnection;
    type Output = bool;

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<bool> {
        let done = sqlx::query(REMOVE)
            .bind(owner_blob(self.owner))
            .bind(self.server.as_str())
            .execute(connection)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}
