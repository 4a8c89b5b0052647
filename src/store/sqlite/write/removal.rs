//! Permanent removal.

use sqlx::{Row as _, SqliteConnection};
use uuid::Uuid;

use crate::{
    queue::Owner,
    store::{
        job::Operation,
        rows::Columns as _,
        sqlite::rows::{self, blob, integer, owner_blob},
    },
    wire::{ConversationId, FileId},
};

/// Most conversations that one transaction removes: others wait for it.
pub(in crate::store::sqlite) const AT_A_TIME: i64 = 200;

/// Conversations whose time is over. Without a second bound, that part finds nothing.
pub(in crate::store::sqlite) const EXPIRED: &str = "SELECT c.key, c.id, o.id AS owner, c.deleted_at IS NULL AS unused \
     FROM conversations c JOIN owners o ON o.key = c.owner WHERE c.key IN ( \
       SELECT key FROM conversations WHERE deleted_at IS NOT NULL AND deleted_at < ?1 \
       UNION \
       SELECT old.key FROM conversations old WHERE old.updated_at < ?2 AND NOT EXISTS \
         (SELECT 1 FROM turns t WHERE t.conversation = old.key AND t.state IN ('waiting', 'running')) \
     ) LIMIT ?3";

const CARRIED: &str = "SELECT tf.file FROM turns t JOIN turn_files tf ON tf.turn = t.key WHERE t.conversation = ?1 \
     UNION SELECT l.file FROM follow_ups f JOIN follow_up_files l ON l.follow_up = f.key WHERE f.conversation = ?1 \
     UNION SELECT s.file FROM turns t JOIN step_files s ON s.turn = t.key WHERE t.conversation = ?1";

pub(in crate::store::sqlite) const REMOVE: &str = "DELETE FROM conversations WHERE key = ?1";

/// A file that another message carries, or an answer has, is still of use.
const REMOVE_FILE: &str = "DELETE FROM files WHERE key = ?1 \
     AND NOT EXISTS (SELECT 1 FROM turn_files tf WHERE tf.file = files.key) \
     AND NOT EXISTS (SELECT 1 FROM step_files s WHERE s.file = files.key) \
     AND NOT EXISTS (SELECT 1 FROM follow_up_files l WHERE l.file = files.key) RETURNING id";

pub(in crate::store::sqlite) const UNUSED_FILES: &str = "DELETE FROM files WHERE uploaded_at < ?1 \
     AND NOT EXISTS (SELECT 1 FROM turn_files tf WHERE tf.file = files.key) \
     AND NOT EXISTS (SELECT 1 FROM step_files s WHERE s.file = files.key) \
     AND NOT EXISTS (SELECT 1 FROM follow_up_files l WHERE l.file = files.key) RETURNING id";

/// What was given by owners that have nothing else any more. Whoever has conversations is not too old.
pub(in crate::store::sqlite) const UNUSED_CREDENTIALS: &str = "DELETE FROM credentials WHERE given_at < ?1 \
     AND NOT EXISTS (SELECT 1 FROM conversations c WHERE c.owner = credentials.owner) \
     AND NOT EXISTS (SELECT 1 FROM owners o JOIN keys k ON k.id = o.id WHERE o.key = credentials.owner AND k.revoked_at IS NULL)";

/// A part of [`crate::store::Store::purge`]: at most so many conversations at a time, so that nobody waits long for it.
pub(in crate::store::sqlite) struct Purge {
    pub(in crate::store::sqlite) deleted_before: u64,
    pub(in crate::store::sqlite) unused_before: Option<u64>,
    /// Whether it is the first part, which names the files that the purge before has named, too.
    pub(in crate::store::sqlite) first: bool,
    /// Most conversations of it.
    pub(in crate::store::sqlite) most: i64,
}

/// What a part of a purge has removed.
#[derive(Debug, Default)]
pub(in crate::store::sqlite) struct Part {
    pub(in crate::store::sqlite) files: Vec<FileId>,
    pub(in crate::store::sqlite) conversations: Vec<(Owner, ConversationId)>,
    /// Whether that was anything.
    pub(in crate::store::sqlite) removed: bool,
    /// Whether there is more to remove.
    pub(in crate::store::sqlite) more: bool,
}

impl Operation for Purge {
    type Connection = SqliteConnection;
    type Output = Part;
    const FREES: bool = true;

    fn removed(part: &Part) -> bool {
        part.removed
    }

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<Part> {
        let mut part = Part::default();
        if self.first {
            part.files = ids(sqlx::query("DELETE FROM orphans RETURNING id")
                .fetch_all(&mut *connection)
                .await?)?;
        }
        let expired = sqlx::query(EXPIRED)
            .bind(integer(self.deleted_before))
            .bind(self.unused_before.map(integer))
            .bind(self.most)
            .fetch_all(&mut *connection)
            .await?;
        part.more = expired.len() as i64 == self.most;
        let mut orphans = Vec::new();
        for row in &expired {
            orphans.extend(remove(connection, row.try_get("key")?).await?);
            if row.try_get("unused")? {
                let owner = rows::owner(row)?;
                part.conversations.push((owner, ConversationId(row.id("id")?)));
            }
        }
        if let Some(before) = self.unused_before {
            let unused = sqlx::query(UNUSED_FILES)
                .bind(integer(before))
                .fetch_all(&mut *connection)
                .await?;
            orphans.extend(ids(unused)?);
            let credentials = sqlx::query(UNUSED_CREDENTIALS)
                .bind(integer(before))
                .execute(&mut *connection)
                .await?;
            part.removed |= credentials.rows_affected() > 0;
        }
        part.removed |= !expired.is_empty() || !orphans.is_empty();
        remember(connection, &orphans).await?;
        part.files.extend(orphans);
        Ok(part)
    }
}

/// See [`crate::store::Store::forget`].
pub(in crate::store::sqlite) struct Forget(pub(in crate::store::sqlite) Owner);

impl Operation for Forget {
    type Connection = SqliteConnection;
    type Output = Vec<FileId>;
    const FREES: bool = true;

    fn removed(_files: &Self::Output) -> bool {
        true
    }

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<Vec<FileId>> {
        let files = sqlx::query("SELECT id FROM files WHERE owner = (SELECT key FROM owners WHERE id = ?1)")
            .bind(owner_blob(self.0))
            .fetch_all(&mut *connection)
            .await?;
        let files = ids(files)?;
        sqlx::query("DELETE FROM owners WHERE id = ?1")
            .bind(owner_blob(self.0))
            .execute(&mut *connection)
            .await?;
        remember(connection, &files).await?;
        Ok(files)
    }
}

/// Removes a conversation, and says which files went with it.
async fn remove(connection: &mut SqliteConnection, conversation: i64) -> sqlx::Result<Vec<FileId>> {
    let carried: Vec<i64> = sqlx::query_scalar(CARRIED)
        .bind(conversation)
        .fetch_all(&mut *connection)
        .await?;
    sqlx::query(REMOVE).bind(conversation).execute(&mut *connection).await?;
    let mut removed = Vec::new();
    for file in carried {
        let row = sqlx::query(REMOVE_FILE)
            .bind(file)
            .fetch_optional(&mut *connection)
            .await?;
        removed.extend(ids(row)?);
    }
    Ok(removed)
}

/// Notes files whose contents are to be removed now, for the next purge to name again.
async fn remember(connection: &mut SqliteConnection, files: &[FileId]) -> sqlx::Result<()> {
    for file in files {
        sqlx::query("INSERT INTO orphans (id) VALUES (?1) ON CONFLICT DO NOTHING")
            .bind(blob(&file.0))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

fn ids(rows: impl IntoIterator<Item = sqlx::sqlite::SqliteRow>) -> sqlx::Result<Vec<FileId>> {
    let ids = rows.into_iter().map(|row| row.id("id"));
    ids.map(|id: sqlx::Result<Uuid>| id.map(FileId)).collect()
}
