//! The keys of programs.

use sqlx::{PgConnection, Row as _};

use crate::store::{KeyRecord, KeysVersion, postgres::rows};

const ALL: &str = "SELECT id, name, scopes, digest, created_at, expires_at, revoked_at, requests_per_minute, tokens_per_minute \
     FROM keys ORDER BY key";

const VERSION: &str = "SELECT count(*), count(revoked_at), coalesce(sum(changes), 0)::bigint FROM keys";

pub(in crate::store::postgres) async fn all(connection: &mut PgConnection) -> sqlx::Result<Vec<KeyRecord>> {
    let found = sqlx::query(ALL).fetch_all(connection).await?;
    found.iter().map(rows::key).collect()
}

pub(in crate::store::postgres) async fn version(connection: &mut PgConnection) -> sqlx::Result<KeysVersion> {
    let row = sqlx::query(VERSION).fetch_one(connection).await?;
    Ok(KeysVersion {
        made: row.try_get::<i64, _>(0)?.unsigned_abs(),
        revoked: row.try_get::<i64, _>(1)?.unsigned_abs(),
        changes: row.try_get::<i64, _>(2)?.unsigned_abs(),
    })
}
