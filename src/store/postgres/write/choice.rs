//! Keeping what is chosen for a conversation.

use sqlx::PgConnection;

use crate::{
    queue::Owner,
    store::{
        job::Operation,
        postgres::{rows::owner_id, text},
    },
    wire::{Choice, ConversationId},
};

const FIND: &str = "SELECT c.key FROM owners o JOIN conversations c ON c.owner = o.key \
     WHERE o.id = $1 AND c.id = $2 AND c.deleted_at IS NULL";

const KEEP: &str = "INSERT INTO choices (conversation, model, temperature, max_tokens, instructions, without_tools) \
     VALUES ($1, $2, $3, $4, $5, $6) \
     ON CONFLICT (conversation) DO UPDATE SET model = excluded.model, temperature = excluded.temperature, \
       max_tokens = excluded.max_tokens, instructions = excluded.instructions, without_tools = excluded.without_tools";

/// The first condition is the index's.
const WAITING: &str = "UPDATE turns SET model = $2 \
     WHERE conversation = $1 AND state IN ('waiting', 'running') AND state = 'waiting'";

/// See [`crate::store::Store::choose`].
pub(in crate::store::postgres) struct Choose {
    pub(in crate::store::postgres) owner: Owner,
    pub(in crate::store::postgres) id: ConversationId,
    pub(in crate::store::postgres) choice: Choice,
    pub(in crate::store::postgres) model: String,
}

impl Operation for Choose {
    type Connection = PgConnection;
    type Output = bool;

    async fn run(&self, connection: &mut PgConnection) -> sqlx::Result<bool> {
        let found = sqlx::query_scalar(FIND).bind(owner_id(self.owner)).bind(self.id.0);
        let Some(conversation) = found.fetch_optional(&mut *connection).await? else {
            return Ok(false);
        };
        keep(connection, conversation, &self.choice).await?;
        sqlx::query(WAITING)
            .bind(conversation)
            .bind(text::stored(&self.model))
            .execute(connection)
            .await?;
        Ok(true)
    }
}

/// Keeps a choice for the conversation of this key, in place of any before.
pub(super) async fn keep(connection: &mut PgConnection, conversation: i64, choice: &Choice) -> sqlx::Result<()> {
    sqlx::query(KEEP)
        .bind(conversation)
        .bind(choice.model.as_deref().map(text::stored))
        .bind(choice.temperature.map(f64::from))
        .bind(choice.max_tokens.map(i64::from))
        .bind(text::stored(&choice.instructions))
        .bind(choice.without_tools)
        .execute(connection)
        .await
        .map(drop)
}
