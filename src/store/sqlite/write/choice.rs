//! Keeping what is chosen for a conversation.

use sqlx::SqliteConnection;

use crate::{
    queue::Owner,
    store::{
        job::Operation,
        sqlite::rows::{blob, owner_blob},
    },
    wire::{Choice, ConversationId},
};

pub(in crate::store::sqlite) const FIND: &str = "SELECT c.key FROM owners o JOIN conversations c ON c.owner = o.key \
     WHERE o.id = ?1 AND c.id = ?2 AND c.deleted_at IS NULL";

const KEEP: &str = "INSERT INTO choices (conversation, model, temperature, max_tokens, instructions, without_tools) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
     ON CONFLICT (conversation) DO UPDATE SET model = excluded.model, temperature = excluded.temperature, \
       max_tokens = excluded.max_tokens, instructions = excluded.instructions, without_tools = excluded.without_tools";

/// The first condition is the index's.
pub(in crate::store::sqlite) const WAITING: &str = "UPDATE turns SET model = ?2 \
     WHERE conversation = ?1 AND state IN ('waiting', 'running') AND state = 'waiting'";

/// See [`crate::store::Store::choose`].
pub(in crate::store::sqlite) struct Choose {
    pub(in crate::store::sqlite) owner: Owner,
    pub(in crate::store::sqlite) id: ConversationId,
    pub(in crate::store::sqlite) choice: Choice,
    pub(in crate::store::sqlite) model: String,
}

impl Operation for Choose {
    type Connection = SqliteConnection;
    type Output = bool;

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<bool> {
        let found: Option<i64> = sqlx::query_scalar(FIND)
            .bind(owner_blob(self.owner))
            .bind(blob(&self.id.0))
            .fetch_optional(&mut *connection)
            .await?;
        let Some(conversation) = found else { return Ok(false) };
        keep(connection, conversation, &self.choice).await?;
        sqlx::query(WAITING)
            .bind(conversation)
            .bind(self.model.as_str())
            .execute(connection)
            .await?;
        Ok(true)
    }
}

/// Keeps a choice for the conversation of this key, in place of any before.
pub(super) async fn keep(connection: &mut SqliteConnection, conversation: i64, choice: &Choice) -> sqlx::Result<()> {
    sqlx::query(KEEP)
        .bind(conversation)
        .bind(choice.model.as_deref())
        .bind(choice.temperature.map(f64::from))
        .bind(choice.max_tokens.map(i64::from))
        .bind(choice.instructions.as_str())
        .bind(choice.without_tools)
        .execute(connection)
        .await
        .map(drop)
}
