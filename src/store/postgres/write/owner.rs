//! The owners for whom something is kept.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::{queue::Owner, store::postgres::rows::owner_id};

/// Mostly the owner is there, and looking costs no row.
const FIND: &str = "SELECT key FROM owners WHERE id = $1";

const MAKE: &str = "INSERT INTO owners (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET id = excluded.id RETURNING key";

/// An owner's key, made where there is none.
pub(in crate::store::postgres) async fn key(connection: &mut PgConnection, owner: Owner) -> sqlx::Result<i64> {
    let id: Uuid = owner_id(owner);
    let found = sqlx::query_scalar(FIND)
        .bind(id)
        .fetch_optional(&mut *connection)
        .await?;
    match found {
        Some(key) => Ok(key),
        None => sqlx::query_scalar(MAKE).bind(id).fetch_one(connection).await,
    }
}
