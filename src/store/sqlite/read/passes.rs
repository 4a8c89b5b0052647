//! Passes.

use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::{
    queue::Owner,
    store::{
        PassRecord,
        passes::pass,
        sqlite::rows::{blob, owner_blob},
    },
    wire::ConversationId,
};

/// Those of conversations that are there.
macro_rules! passes {
    ($which:literal) => {
        concat!(
            "SELECT p.id, o.id AS owner, c.id AS conversation, p.digest, p.kind, p.created_at, p.expires_at, p.used_at, p.revoked_at, p.guest \
             FROM passes p JOIN conversations c ON c.key = p.conversation JOIN owners o ON o.key = c.owner WHERE c.deleted_at IS NULL AND ",
            $which
        )
    };
}

const OF: &str = passes!("o.id = ?1 AND c.id = ?2 ORDER BY p.key DESC");
const ONE: &str = passes!("p.id = ?1");
const OF_DIGEST: &str = passes!("p.digest = ?1");

pub(in crate::store::sqlite) async fn of(
    connection: &mut SqliteConnection,
    owner: Owner,
    conversation: ConversationId,
) -> sqlx::Result<Vec<PassRecord>> {
    let found = sqlx::query(OF)
        .bind(owner_blob(owner))
        .bind(blob(&conversation.0))
        .fetch_all(connection)
        .await?;
    found.iter().map(pass).collect()
}

pub(in crate::store::sqlite) async fn one(
    connection: &mut SqliteConnection,
    id: Uuid,
) -> sqlx::Result<Option<PassRecord>> {
    let found = sqlx::query(ONE).bind(blob(&id)).fetch_optional(connection).await?;
    found.as_ref().map(pass).transpose()
}

pub(in crate::store::sqlite) async fn of_digest(
    connection: &mut SqliteConnection,
    digest: &str,
) -> sqlx::Result<Option<PassRecord>> {
    let found = sqlx::query(OF_DIGEST).bind(digest).fetch_optional(connection).await?;
    found.as_ref().map(pass).transpose()
}
