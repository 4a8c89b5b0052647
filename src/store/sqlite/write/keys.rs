//! The keys of programs.

use sqlx::SqliteConnection;

use crate::{
    accounts::{KeyId, rates::RatesChange},
    store::{
        KeyRecord,
        job::Operation,
        sqlite::rows::{blob, integer},
    },
};

const ADD: &str = "INSERT INTO keys (id, name, scopes, digest, created_at, expires_at, requests_per_minute, tokens_per_minute) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
     ON CONFLICT (name) WHERE revoked_at IS NULL DO NOTHING";

const REVOKE: &str = "UPDATE keys SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL";

const SET_RATES: &str = "UPDATE keys SET changes = changes + 1, \
     requests_per_minute = CASE WHEN ?2 THEN ?3 ELSE requests_per_minute END, \
     tokens_per_minute = CASE WHEN ?4 THEN ?5 ELSE tokens_per_minute END \
     WHERE id = ?1 AND revoked_at IS NULL";

/// What a key was given for servers of tools. A key is an owner, by its id.
const FORGET: &str = "DELETE FROM credentials WHERE owner = (SELECT key FROM owners WHERE id = ?1)";

/// See [`crate::store::Store::add_key`].
pub(in crate::store::sqlite) struct AddKey(pub(in crate::store::sqlite) KeyRecord);

impl Operation for AddKey {
    type Connection = SqliteConnection;
    type Output = bool;

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<bool> {
        let done = sqlx::query(ADD)
            .bind(blob(&self.0.id.0))
            .bind(self.0.name.as_str())
            .bind(self.0.scopes.to_string())
            .bind(self.0.digest.as_str())
            .bind(integer(self.0.created_at))
            .bind(self.0.expires_at.map(integer))
            .bind(self.0.rates.requests.map(|rate| integer(rate.get())))
            .bind(self.0.rates.tokens.map(|rate| integer(rate.get())))
            .execute(connection)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}

/// See [`crate::store::Store::revoke_key`].
pub(in crate::store::sqlite) struct RevokeKey {
    pub(in crate::store::sqlite) id: KeyId,
    pub(in crate::store::sqlite) now: u64,
}

impl Operation for RevokeKey {
    type Connection = SqliteConnection;
    type Output = bool;

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<bool> {
        let done = sqlx::query(REVOKE)
            .bind(blob(&self.id.0))
            .bind(integer(self.now))
            .execute(&mut *connection)
            .await?;
        let revoked = done.rows_affected() > 0;
        if revoked {
            sqlx::query(FORGET).bind(blob(&self.id.0)).execute(connection).await?;
        }
        Ok(revoked)
    }
}

/// See [`crate::store::Store::set_key_rates`].
pub(in crate::store::sqlite) struct SetKeyRates {
    pub(in crate::store::sqlite) id: KeyId,
    pub(in crate::store::sqlite) change: RatesChange,
}

impl Operation for SetKeyRates {
    type Connection = SqliteConnection;
    type Output = bool;

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<bool> {
        let RatesChange { requests, tokens } = self.change;
        let done = sqlx::query(SET_RATES)
            .bind(blob(&self.id.0))
            .bind(requests.is_some())
            .bind(requests.flatten().map(|rate| integer(rate.get())))
            .bind(tokens.is_some())
            .bind(tokens.flatten().map(|rate| integer(rate.get())))
            .execute(connection)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}
