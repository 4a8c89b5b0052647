//! The owners for whom something is kept.

use sqlx::SqliteConnection;

use crate::{queue::Owner, store::sqlite::rows::owner_blob};

const OWNER: &str = "INSERT INTO owners (id) VALUES (?1) ON CONFLICT (id) DO UPDATE SET id = excluded.id RETURNING key";

/// An owner's key, made where there is none.
pub(super) async fn key(connection: &mut SqliteConnection, owner: Owner) -> sqlx::Result<i64> {
    sqlx::query_scalar(OWNER)
        .bind(owner_blob(owner))
        .fetch_one(connection)
        .await
}
