//! The keys of programs.

use sqlx::PgConnection;

use crate::{
    accounts::KeyId,
    store::{
        KeyRecord,
        job::Operation,
        postgres::{rows::integer, text},
    },
};

const ADD: &str = "INSERT INTO keys (id, name, scopes, digest, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6) \
     ON CONFLICT (name) WHERE revoked_at IS NULL DO NOTHING";

/// With it goes what the key was given for servers of tools. A key is an owner, by its id.
const REVOKE: &str = "WITH revoked AS (UPDATE keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING id), \
     forgotten AS (DELETE FROM credentials WHERE owner = (SELECT o.key FROM owners o JOIN revoked r ON r.id = o.id)) \
     SELECT count(*) > 0 FROM revoked";

/// See [`crate::store::Store::add_key`].
pub(in crate::store::postgres) struct AddKey(pub(in crate::store::postgres) KeyRecord);

impl Operation for AddKey {
    type Connection = PgConnection;
    type Output = bool;

    async fn run(&self, connection: &mut PgConnection) -> sqlx::Result<bool> {
        let done = sqlx::query(ADD)
            .bind(self.0.id.0)
            .bind(text::stored(&self.0.name))
            .bind(self.0.scopes.to_string())
            .bind(self.0.digest.as_str())
            .bind(integer(self.0.created_at))
            .bind(self.0.expires_at.map(integer))
            .execute(connection)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}

/// See [`crate::store::Store::revoke_key`].
pub(in crate::store::postgres) struct RevokeKey {
    pub(in crate::store::postgres) id: KeyId,
    pub(in crate::store::postgres) now: u64,
}

impl Operation for RevokeKey {
    type Connection = PgConnection;
    type Output = bool;

    async fn run(&self, connection: &mut PgConnection) -> sqlx::Result<bool> {
        sqlx::query_scalar(REVOKE)
            .bind(self.id.0)
            .bind(integer(self.now))
            .fetch_one(connection)
            .await
    }
}
