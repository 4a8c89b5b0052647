//! What people have given for servers of tools.

use sqlx::PgConnection;

use super::owner;
use crate::{
    queue::Owner,
    store::{
        CredentialRecord,
        job::Operation,
        postgres::{
            rows::{integer, owner_id},
            text,
        },
    },
};

const KEEP: &str = "INSERT INTO credentials (owner, server, sealed, given_at) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (owner, server) DO UPDATE SET sealed = excluded.sealed, given_at = excluded.given_at";

const REMOVE: &str = "DELETE FROM credentials WHERE server = $2 AND owner = (SELECT key FROM owners WHERE id = $1)";

/// See [`crate::store::CredentialStore::keep_credential`].
pub(in crate::store::postgres) struct KeepCredential {
    pub(in crate::store::postgres) owner: Owner,
    pub(in crate::store::postgres) credential: CredentialRecord,
}

impl Operation for KeepCredential {
    type Connection = PgConnection;
    type Output = ();

    async fn run(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        let owner = owner::key(connection, self.owner).await?;
        sqlx::query(KEEP)
            .bind(owner)
            .bind(text::stored(&self.credential.server))
            .bind(text::stored(&self.credential.sealed))
            .bind(integer(self.credential.given_at))
            .execute(connection)
            .await
            .map(drop)
    }
}

/// See [`crate::store::CredentialStore::remove_credential`].
pub(in crate::store::postgres) struct RemoveCredential {
    pub(in crate::store::postgres) owner: Owner,
    pub(in crate::store::postgres) server: String,
}

impl Operation for RemoveCredential {
    type Connection = PgConnection;
    type Output = bool;

    async fn run(&self, connection: &mut PgConnection) -> sqlx::Result<bool> {
        let done = sqlx::query(REMOVE)
            .bind(owner_id(self.owner))
            .bind(text::stored(&self.server))
            .execute(connection)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}
