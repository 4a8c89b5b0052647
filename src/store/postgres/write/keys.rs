//! The keys of programs.

use sqlx::PgConnection;

use crate::{
    accounts::{KeyId, rates::RatesChange},
    store::{
        KeyRecord,
        job::Operation,
        postgres::{rows::integer, text},
    },
};

const ADD: &str = "INSERT INTO keys (id, name, scopes, digest, created_at, expires_at, requests_per_minute, tokens_per_minute) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
     ON CONFLICT (name) WHERE revoked_at IS NULL DO NOTHING";

/// With it goes what the key was given for servers of tools. A key is an owner, by its id.
const REVOKE: &str = "WITH revoked AS (UPDATE keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING id), \
     forgotten AS (DELETE FROM credentials WHERE owner = (SELECT o.key FROM owners o JOIN revoked r ON r.id = o.id)) \
     SELECT count(*) > 0 FROM revoked";

const SET_RATES: &str = "UPDATE keys SET changes = changes + 1, \
     requests_per_minute = CASE WHEN $2 THEN $3 ELSE requests_per_minute END, \
     tokens_per_minute = CASE WHEN $4 THEN $5 ELSE tokens_per_minute END \
     WHERE id = $1 AND revoked_at IS NULL";

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
            .bind(self.0.rates.requests.map(|rate| integer(rate.get())))
            .bind(self.0.rates.tokens.map(|rate| integer(rate.get())))
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

/// See [`crate::store::Store::set_key_rates`].
pub(in crate::store::postgres) struct SetKeyRates {
    pub(in crate::store::postgres) id: KeyId,
    pub(in crate::store::postgres) change: RatesChange,
}

impl Operation for SetKeyRates {
    type Connection = PgConnection;
    type Output = bool;

    async fn run(&self, connection: &mut PgConnection) -> sqlx::Result<bool> {
        let RatesChange { requests, tokens } = self.change;
        let done = sqlx::query(SET_RATES)
            .bind(self.id.0)
            .bind(requests.is_some())
            .bind(requests.flatten().map(|rate| integer(rate.get())))
            .bind(tokens.is_some())
            .bind(tokens.flatten().map(|rate| integer(rate.get())))
            .execute(connection)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}
