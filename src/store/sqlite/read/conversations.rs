//! Conversations and files.

use sqlx::SqliteConnection;

use crate::{
    sessions::SessionId,
    store::{
        ConversationRecord,
        sqlite::rows::{self, blob, conversation_columns},
    },
    wire::{ConversationId, FileId, FileView},
};

pub(in crate::store::sqlite) const FIRST_PAGE: &str = concat!(
    "SELECT ",
    conversation_columns!(),
    " FROM sessions s JOIN conversations c ON c.session = s.key AND c.deleted_at IS NULL \
     WHERE s.id = ?1 ORDER BY c.updated_at DESC, c.key DESC LIMIT ?2"
);

/// The conversation to go on after may have been deleted meanwhile, but still has its place.
pub(in crate::store::sqlite) const NEXT_PAGE: &str = concat!(
    "SELECT ",
    conversation_columns!(),
    " FROM sessions s JOIN conversations c ON c.session = s.key AND c.deleted_at IS NULL \
     WHERE s.id = ?1 AND (c.updated_at, c.key) < \
     (SELECT a.updated_at, a.key FROM conversations a WHERE a.session = s.key AND a.id = ?3) \
     ORDER BY c.updated_at DESC, c.key DESC LIMIT ?2"
);

pub(in crate::store::sqlite) const ONE: &str = concat!(
    "SELECT ",
    conversation_columns!(),
    " FROM sessions s JOIN conversations c ON c.session = s.key \
     WHERE s.id = ?1 AND c.id = ?2 AND c.deleted_at IS NULL"
);

pub(in crate::store::sqlite) const FILE: &str = "SELECT f.id, f.name, f.kind, f.mime, f.size \
     FROM sessions s JOIN files f ON f.session = s.key WHERE s.id = ?1 AND f.id = ?2";

pub(in crate::store::sqlite) async fn page(
    connection: &mut SqliteConnection,
    session: SessionId,
    after: Option<ConversationId>,
    most: usize,
) -> sqlx::Result<Vec<ConversationRecord>> {
    let query = match &after {
        None => sqlx::query(FIRST_PAGE).bind(blob(&session.0)).bind(rows::limit(most)),
        Some(after) => sqlx::query(NEXT_PAGE)
            .bind(blob(&session.0))
            .bind(rows::limit(most))
            .bind(blob(&after.0)),
    };
    let found = query.fetch_all(connection).await?;
    found.iter().map(rows::conversation).collect()
}

/// Whether there is no session at all: each is stored with the first that it has.
pub(in crate::store::sqlite) async fn none(connection: &mut SqliteConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT NOT EXISTS (SELECT 1 FROM sessions)")
        .fetch_one(connection)
        .await
}

pub(in crate::store::sqlite) async fn one(
    connection: &mut SqliteConnection,
    session: SessionId,
    id: ConversationId,
) -> sqlx::Result<Option<ConversationRecord>> {
    let found = sqlx::query(ONE)
        .bind(blob(&session.0))
        .bind(blob(&id.0))
        .fetch_optional(connection)
        .await?;
    found.as_ref().map(rows::conversation).transpose()
}

pub(in crate::store::sqlite) async fn file(
    connection: &mut SqliteConnection,
    session: SessionId,
    id: FileId,
) -> sqlx::Result<Option<FileView>> {
    let found = sqlx::query(FILE)
        .bind(blob(&session.0))
        .bind(blob(&id.0))
        .fetch_optional(connection)
        .await?;
    found.as_ref().map(rows::file).transpose()
}
