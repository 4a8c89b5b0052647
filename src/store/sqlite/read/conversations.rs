//! Conversations and files.

use sqlx::SqliteConnection;

use crate::{
    queue::Owner,
    store::{
        ConversationRecord,
        sqlite::rows::{self, blob, choice_columns, conversation_columns, owner_blob},
    },
    wire::{Choice, ConversationId, FileId, FileView},
};

pub(in crate::store::sqlite) const FIRST_PAGE: &str = concat!(
    "SELECT ",
    conversation_columns!(),
    " FROM owners o JOIN conversations c ON c.owner = o.key AND c.deleted_at IS NULL \
     WHERE o.id = ?1 ORDER BY c.shelf DESC, c.updated_at DESC, c.key DESC LIMIT ?2"
);

/// The conversation to go on after may have been deleted meanwhile, but still has its place.
pub(in crate::store::sqlite) const NEXT_PAGE: &str = concat!(
    "SELECT ",
    conversation_columns!(),
    " FROM owners o JOIN conversations c ON c.owner = o.key AND c.deleted_at IS NULL \
     WHERE o.id = ?1 AND (c.shelf, c.updated_at, c.key) < \
     (SELECT a.shelf, a.updated_at, a.key FROM conversations a WHERE a.owner = o.key AND a.id = ?3) \
     ORDER BY c.shelf DESC, c.updated_at DESC, c.key DESC LIMIT ?2"
);

pub(in crate::store::sqlite) const ONE: &str = concat!(
    "SELECT ",
    conversation_columns!(),
    " FROM owners o JOIN conversations c ON c.owner = o.key \
     WHERE o.id = ?1 AND c.id = ?2 AND c.deleted_at IS NULL"
);

pub(in crate::store::sqlite) const CHOSEN: &str = concat!(
    "SELECT ",
    conversation_columns!(),
    ", ",
    choice_columns!(),
    " FROM owners o JOIN conversations c ON c.owner = o.key LEFT JOIN choices h ON h.conversation = c.key \
     WHERE o.id = ?1 AND c.id = ?2 AND c.deleted_at IS NULL"
);

pub(in crate::store::sqlite) const FILE: &str = "SELECT f.id, f.name, f.kind, f.mime, f.size, f.paper \
     FROM owners o JOIN files f ON f.owner = o.key WHERE o.id = ?1 AND f.id = ?2";

pub(in crate::store::sqlite) async fn page(
    connection: &mut SqliteConnection,
    owner: Owner,
    after: Option<ConversationId>,
    most: usize,
) -> sqlx::Result<Vec<ConversationRecord>> {
    let query = match &after {
        None => sqlx::query(FIRST_PAGE).bind(owner_blob(owner)).bind(rows::limit(most)),
        Some(after) => sqlx::query(NEXT_PAGE)
            .bind(owner_blob(owner))
            .bind(rows::limit(most))
            .bind(blob(&after.0)),
    };
    let found = query.fetch_all(connection).await?;
    found.iter().map(rows::conversation).collect()
}

/// Whether there is no owner at all: each is stored with the first that it has.
pub(in crate::store::sqlite) async fn none(connection: &mut SqliteConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT NOT EXISTS (SELECT 1 FROM owners)")
        .fetch_one(connection)
        .await
}

pub(in crate::store::sqlite) async fn one(
    connection: &mut SqliteConnection,
    owner: Owner,
    id: ConversationId,
) -> sqlx::Result<Option<ConversationRecord>> {
    let found = sqlx::query(ONE)
        .bind(owner_blob(owner))
        .bind(blob(&id.0))
        .fetch_optional(connection)
        .await?;
    found.as_ref().map(rows::conversation).transpose()
}

pub(in crate::store::sqlite) async fn chosen(
    connection: &mut SqliteConnection,
    owner: Owner,
    id: ConversationId,
) -> sqlx::Result<Option<(ConversationRecord, Choice)>> {
    let found = sqlx::query(CHOSEN)
        .bind(owner_blob(owner))
        .bind(blob(&id.0))
        .fetch_optional(connection)
        .await?;
    found.as_ref().map(rows::chosen).transpose()
}

pub(in crate::store::sqlite) async fn file(
    connection: &mut SqliteConnection,
    owner: Owner,
    id: FileId,
) -> sqlx::Result<Option<FileView>> {
    let found = sqlx::query(FILE)
        .bind(owner_blob(owner))
        .bind(blob(&id.0))
        .fetch_optional(connection)
        .await?;
    found.as_ref().map(rows::file).transpose()
}
