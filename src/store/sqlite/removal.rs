//! Removing for good.

use sqlx::{SqliteConnection, sqlite::SqliteArguments};
use uuid::Uuid;

use super::{
    rows::{bytes, whole},
    writer::{Running, Write},
};
use crate::{
    sessions::SessionId,
    store::Purged,
    wire::{ConversationId, FileId},
};

/// See [`Store::purge`](crate::store::Store::purge). The output also says whether anything was removed.
pub(super) struct Purge {
    pub(super) deleted_before: u64,
    pub(super) unused_before: Option<u64>,
}

impl Write for Purge {
    type Output = (Purged, bool);

    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> Running<'c, Self::Output> {
        Box::pin(async move {
            let unused_before = self.unused_before.map(whole);
            let old: Vec<(Vec<u8>, Vec<u8>, bool)> = sqlx::query_as(
                "SELECT id, session, deleted_at IS NULL FROM conversations c WHERE deleted_at < ?1
                 UNION ALL
                 SELECT id, session, deleted_at IS NULL FROM conversations c WHERE updated_at < ?2 AND deleted_at IS NULL
                 AND NOT EXISTS (SELECT 1 FROM turns t WHERE t.conversation = c.id AND t.state IN ('waiting', 'running'))",
            )
            .bind(whole(self.deleted_before))
            .bind(unused_before)
            .fetch_all(&mut *connection)
            .await?;
            let mut purged = Purged::default();
            for (id, session, was_there) in &old {
                purged.files.extend(remove(connection, id).await?);
                if *was_there {
                    purged
                        .conversations
                        .push((SessionId(uuid(session)?), ConversationId(uuid(id)?)));
                }
            }
            let files = sqlx::query_scalar(
                "DELETE FROM files WHERE uploaded_at < ? AND NOT EXISTS (SELECT 1 FROM turn_files c WHERE c.file = files.id)
                 RETURNING id",
            )
            .bind(unused_before);
            purged.files.extend(ids(connection, files).await?);
            let any = !old.is_empty() || !purged.files.is_empty();
            if any {
                sqlx::query(
                    "DELETE FROM sessions WHERE NOT EXISTS (SELECT 1 FROM conversations c WHERE c.session = sessions.id)
                     AND NOT EXISTS (SELECT 1 FROM files f WHERE f.session = sessions.id)",
                )
                .execute(&mut *connection)
                .await?;
            }
            Ok((purged, any))
        })
    }
}

/// Removes a conversation, and returns the files that no other carries.
async fn remove(connection: &mut SqliteConnection, conversation: &[u8]) -> sqlx::Result<Vec<FileId>> {
    let carried: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT DISTINCT c.file FROM turn_files c JOIN turns t ON t.number = c.turn WHERE t.conversation = ?",
    )
    .bind(conversation.to_vec())
    .fetch_all(&mut *connection)
    .await?;
    sqlx::query("DELETE FROM conversations WHERE id = ?")
        .bind(conversation.to_vec())
        .execute(&mut *connection)
        .await?;
    let mut files = Vec::new();
    for file in carried {
        let unused = sqlx::query_scalar(
            "DELETE FROM files WHERE id = ? AND NOT EXISTS (SELECT 1 FROM turn_files c WHERE c.file = files.id) RETURNING id",
        )
        .bind(file);
        files.extend(ids(connection, unused).await?);
    }
    Ok(files)
}

/// See [`Store::forget`](crate::store::Store::forget).
pub(super) struct Forget(pub(super) SessionId);

impl Write for Forget {
    type Output = Vec<FileId>;

    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> Running<'c, Self::Output> {
        Box::pin(async move {
            let session = bytes(self.0.0);
            let files = sqlx::query_scalar("SELECT id FROM files WHERE session = ?").bind(session.clone());
            let files = ids(connection, files).await?;
            // The rest goes with it: every table says so.
            sqlx::query("DELETE FROM sessions WHERE id = ?")
                .bind(session)
                .execute(connection)
                .await?;
            Ok(files)
        })
    }
}

type Ids<'q> = sqlx::query::QueryScalar<'q, sqlx::Sqlite, Vec<u8>, SqliteArguments>;

async fn ids(connection: &mut SqliteConnection, query: Ids<'_>) -> sqlx::Result<Vec<FileId>> {
    let rows = query.fetch_all(connection).await?;
    rows.iter().map(|id| uuid(id).map(FileId)).collect()
}

fn uuid(bytes: &[u8]) -> sqlx::Result<Uuid> {
    Uuid::from_slice(bytes).map_err(|error| sqlx::Error::Decode(error.into()))
}
