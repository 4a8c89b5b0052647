//! Permanent removal.

use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use crate::{
    queue::Owner,
    store::{
        job::Operation,
        postgres::rows::{self, integer, owner_id},
        rows::Columns as _,
    },
    wire::{ConversationId, FileId},
};

/// Most conversations that one transaction removes: others wait for it.
pub(in crate::store::postgres) const AT_A_TIME: i64 = 200;

/// Conversations whose time is over. Without a second bound, that part finds nothing. In one order, so that two processes do not wait for each
/// other.
const EXPIRED: &str = "SELECT c.key, c.id, o.id AS owner, c.deleted_at IS NULL AS unused \
     FROM conversations c JOIN owners o ON o.key = c.owner WHERE c.key IN ( \
       SELECT key FROM conversations WHERE deleted_at IS NOT NULL AND deleted_at < $1 \
       UNION \
       SELECT old.key FROM conversations old WHERE old.updated_at < $2 AND NOT EXISTS \
         (SELECT 1 FROM turns t WHERE t.conversation = old.key AND t.state IN ('waiting', 'running')) \
     ) ORDER BY c.key LIMIT $3";

const CARRIED: &str = "SELECT tf.file FROM turns t JOIN turn_files tf ON tf.turn = t.key WHERE t.conversation = $1 \
     UNION SELECT l.file FROM follow_ups f JOIN follow_up_files l ON l.follow_up = f.key WHERE f.conversation = $1 \
     UNION SELECT s.file FROM turns t JOIN step_files s ON s.turn = t.key WHERE t.conversation = $1";

/// Unless another process has just accepted a message into it, or removed it.
const REMOVE: &str = "DELETE FROM conversations WHERE key = $1 AND (deleted_at < $2 OR updated_at < $3)";

/// Another process may be storing a message that carries one of them. It is waited for here; the statement that follows sees it.
const LOCK_FILES: &str = "SELECT key FROM files WHERE key = ANY($1) ORDER BY key FOR UPDATE";

/// A file that another message carries, or an answer has, is still of use.
const REMOVE_FILES: &str = "DELETE FROM files WHERE key = ANY($1) \
     AND NOT EXISTS (SELECT 1 FROM turn_files tf WHERE tf.file = files.key) \
     AND NOT EXISTS (SELECT 1 FROM step_files s WHERE s.file = files.key) \
     AND NOT EXISTS (SELECT 1 FROM follow_up_files l WHERE l.file = files.key) RETURNING id";

const UNUSED_FILES: &str = "SELECT key FROM files WHERE uploaded_at < $1 \
     AND NOT EXISTS (SELECT 1 FROM turn_files tf WHERE tf.file = files.key) \
     AND NOT EXISTS (SELECT 1 FROM step_files s WHERE s.file = files.key) \
     AND NOT EXISTS (SELECT 1 FROM follow_up_files l WHERE l.file = files.key)";

/// What was given by owners that have nothing else any more. Whoever has conversations is not too old.
const UNUSED_CREDENTIALS: &str = "DELETE FROM credentials WHERE given_at < $1 \
     AND NOT EXISTS (SELECT 1 FROM conversations c WHERE c.owner = credentials.owner) \
     AND NOT EXISTS (SELECT 1 FROM owners o JOIN keys k ON k.id = o.id WHERE o.key = credentials.owner AND k.revoked_at IS NULL)";

/// A part of [`crate::store::Store::purge`]: at most so many conversations at a time, so that nobody waits long for it.
pub(in crate::store::postgres) struct Purge {
    pub(in crate::store::postgres) deleted_before: u64,
    pub(in crate::store::postgres) unused_before: Option<u64>,
    /// Whether it is the first part, which names the files that the purge before has named, too.
    pub(in crate::store::postgres) first: bool,
    /// Most conversations of it.
    pub(in crate::store::postgres) most: i64,
}

/// What a part of a purge has removed.
#[derive(Debug, Default)]
pub(in crate::store::postgres) struct Part {
    pub(in crate::store::postgres) files: Vec<FileId>,
    pub(in crate::store::postgres) conversations: Vec<(Owner, ConversationId)>,
    /// Whether there is more to remove.
    pub(in crate::store::postgres) more: bool,
}

impl Operation for Purge {
    type Connection = PgConnection;
    type Output = Part;
    const FREES: bool = true;

    async fn run(&self, connection: &mut PgConnection) -> sqlx::Result<Part> {
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
            let Some(files) = self.remove(connection, row.try_get("key")?).await? else {
                continue;
            };
            orphans.extend(files);
            if row.try_get("unused")? {
                let owner = rows::owner(row)?;
                part.conversations.push((owner, ConversationId(row.id("id")?)));
            }
        }
        if let Some(before) = self.unused_before {
            let unused = sqlx::query_scalar(UNUSED_FILES)
                .bind(integer(before))
                .fetch_all(&mut *connection)
                .await?;
            orphans.extend(remove_files(connection, unused).await?);
            sqlx::query(UNUSED_CREDENTIALS)
                .bind(integer(before))
                .execute(&mut *connection)
                .await?;
        }
        remember(connection, &orphans).await?;
        part.files.extend(orphans);
        Ok(part)
    }
}

impl Purge {
    /// Removes a conversation, and says which files went with it. `None`: it is not to be removed any more, or is not there.
    async fn remove(&self, connection: &mut PgConnection, conversation: i64) -> sqlx::Result<Option<Vec<FileId>>> {
        let carried: Vec<i64> = sqlx::query_scalar(CARRIED)
            .bind(conversation)
            .fetch_all(&mut *connection)
            .await?;
        let removed = sqlx::query(REMOVE)
            .bind(conversation)
            .bind(integer(self.deleted_before))
            .bind(self.unused_before.map(integer))
            .execute(&mut *connection)
            .await?;
        if removed.rows_affected() == 0 {
            return Ok(None);
        }
        remove_files(connection, carried).await.map(Some)
    }
}

/// See [`crate::store::Store::forget`].
pub(in crate::store::postgres) struct Forget(pub(in crate::store::postgres) Owner);

impl Operation for Forget {
    type Connection = PgConnection;
    type Output = Vec<FileId>;
    const FREES: bool = true;

    async fn run(&self, connection: &mut PgConnection) -> sqlx::Result<Vec<FileId>> {
        // Nothing can be added to them from here on.
        sqlx::query("SELECT FROM owners WHERE id = $1 FOR UPDATE")
            .bind(owner_id(self.0))
            .execute(&mut *connection)
            .await?;
        let files = sqlx::query("SELECT id FROM files WHERE owner = (SELECT key FROM owners WHERE id = $1)")
            .bind(owner_id(self.0))
            .fetch_all(&mut *connection)
            .await?;
        let files = ids(files)?;
        sqlx::query("DELETE FROM owners WHERE id = $1")
            .bind(owner_id(self.0))
            .execute(&mut *connection)
            .await?;
        remember(connection, &files).await?;
        Ok(files)
    }
}

/// Removes those of these files that no message carries, and says which.
async fn remove_files(connection: &mut PgConnection, files: Vec<i64>) -> sqlx::Result<Vec<FileId>> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query(LOCK_FILES).bind(&files).execute(&mut *connection).await?;
    ids(sqlx::query(REMOVE_FILES).bind(files).fetch_all(connection).await?)
}

/// Notes files whose contents are to be removed now, for the next purge to name again.
async fn remember(connection: &mut PgConnection, files: &[FileId]) -> sqlx::Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = files.iter().map(|file| file.0).collect();
    sqlx::query("INSERT INTO orphans (id) SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING")
        .bind(ids)
        .execute(connection)
        .await
        .map(drop)
}

fn ids(rows: impl IntoIterator<Item = sqlx::postgres::PgRow>) -> sqlx::Result<Vec<FileId>> {
    let ids = rows.into_iter().map(|row| row.id("id"));
    ids.map(|id: sqlx::Result<Uuid>| id.map(FileId)).collect()
}
