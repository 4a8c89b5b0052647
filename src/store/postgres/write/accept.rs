//! Storing a turn as accepted.

use sqlx::{PgConnection, Row as _};

use super::{choice, file, owner};
use crate::{
    queue::OrderKey,
    store::{
        ConversationRecord, TurnRecord,
        job::Operation,
        postgres::{
            rows::{integer, owner_id, state_columns, written_notices},
            text,
        },
    },
    wire::Choice,
};

/// The owner, the conversation and the turn in one statement, which is one way to the server and back. A message into a conversation that was just
/// deleted brings it back, or the message would be lost with it. A turn that is there already stays where it is: those that follow it
/// are stored after it. What stood behind another message under its id does so no more. Where the turn that it follows is not there, no row comes back, nor where somebody else is making the owner at this moment.
const ACCEPT: &str = "WITH made AS ( \
       INSERT INTO owners (id) SELECT $1 WHERE NOT EXISTS (SELECT 1 FROM owners WHERE id = $1) ON CONFLICT DO NOTHING RETURNING key \
     ), owner AS ( \
       SELECT key FROM made UNION ALL SELECT key FROM owners WHERE id = $1 \
     ), conversation AS ( \
       INSERT INTO conversations (owner, id, head, updated_at, title) SELECT o.key, $2, $3, $4, $5 FROM owner o \
       ON CONFLICT (owner, id) DO UPDATE \
       SET head = excluded.head, updated_at = excluded.updated_at, deleted_at = NULL RETURNING key, owner \
     ), followed AS ( \
       SELECT CASE WHEN $6::uuid IS NULL THEN 0 ELSE \
         (SELECT t.key FROM turns t JOIN conversation c ON c.key = t.conversation AND c.owner = t.owner WHERE t.id = $6) END AS key \
     ), begun AS ( \
       DELETE FROM follow_ups f USING owner o WHERE f.owner = o.key AND f.id = $7 \
     ) INSERT INTO turns (owner, id, conversation, parent, state, reason, tag, arrival, attempts, accepted_at, \
       started_at, ended_at, counted, input_tokens, output_tokens, model, message, answer, backend, notices, reasoning, \
       thought_ms) \
     SELECT c.owner, $7, c.key, f.key, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25 \
     FROM conversation c, followed f WHERE f.key IS NOT NULL \
     ON CONFLICT (owner, id) DO UPDATE SET state = excluded.state, reason = excluded.reason, tag = excluded.tag, \
       arrival = excluded.arrival, attempts = excluded.attempts, accepted_at = excluded.accepted_at, \
       started_at = excluded.started_at, ended_at = excluded.ended_at, counted = excluded.counted, \
       input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens, model = excluded.model, \
       message = excluded.message, answer = excluded.answer, backend = excluded.backend, notices = excluded.notices, \
       reasoning = excluded.reasoning, thought_ms = excluded.thought_ms \
     RETURNING key, owner, (SELECT key FROM conversation) AS conversation, xmax <> 0 AS again";

/// One that is noted, as it mostly is since its upload.
const CARRY_NOTED: &str =
    "INSERT INTO turn_files (turn, position, file) SELECT $1, $2, key FROM files WHERE owner = $3 AND id = $4";

const CARRY: &str = "INSERT INTO turn_files (turn, position, file) VALUES ($1, $2, $3)";

/// See [`crate::store::Store::accept`].
pub(in crate::store::postgres) struct Accept {
    pub(in crate::store::postgres) conversation: ConversationRecord,
    pub(in crate::store::postgres) turn: TurnRecord,
    pub(in crate::store::postgres) key: Option<OrderKey>,
    pub(in crate::store::postgres) choice: Option<Choice>,
}

impl Operation for Accept {
    type Connection = PgConnection;
    type Output = ();

    async fn run(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        let Self { turn, choice, .. } = self;
        let stored = match self.insert(connection).await? {
            Some(stored) => stored,
            None => {
                owner::key(connection, turn.owner).await?;
                // Not there still: an error, since stored without the one that it follows the turn would begin the conversation.
                self.insert(connection).await?.ok_or(sqlx::Error::RowNotFound)?
            }
        };
        let Stored {
            key,
            owner,
            conversation,
            again,
        } = stored;
        if let Some(choice) = choice {
            choice::keep(connection, conversation, choice).await?;
        }
        if again {
            sqlx::query("DELETE FROM turn_files WHERE turn = $1")
                .bind(key)
                .execute(&mut *connection)
                .await?;
        }
        for (position, view) in (0_i64..).zip(&turn.files) {
            let carried = sqlx::query(CARRY_NOTED)
                .bind(key)
                .bind(position)
                .bind(owner)
                .bind(view.id.0)
                .execute(&mut *connection)
                .await?;
            if carried.rows_affected() > 0 {
                continue;
            }
            let file = file::add(connection, owner, view, turn.accepted_at).await?;
            sqlx::query(CARRY)
                .bind(key)
                .bind(position)
                .bind(file)
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    }
}

struct Stored {
    key: i64,
    owner: i64,
    conversation: i64,
    /// Whether it was there before.
    again: bool,
}

impl Accept {
    async fn insert(&self, connection: &mut PgConnection) -> sqlx::Result<Option<Stored>> {
        let Self {
            conversation,
            turn,
            key,
            ..
        } = self;
        let (state, reason) = state_columns(&turn.state);
        let usage = turn.usage.unwrap_or_default();
        let query = sqlx::query(ACCEPT)
            .bind(owner_id(turn.owner))
            .bind(conversation.id.0)
            .bind(conversation.head.0)
            .bind(integer(conversation.updated_at))
            .bind(text::stored(&conversation.title))
            .bind(turn.parent.map(|parent| parent.0))
            .bind(turn.id.0)
            .bind(state)
            .bind(reason.as_deref().map(text::stored))
            .bind(key.map(|key| integer(key.tag)))
            .bind(key.map(|key| integer(key.arrival)))
            .bind(i64::from(turn.attempts))
            .bind(integer(turn.accepted_at))
            .bind(turn.started_at.map(integer))
            .bind(turn.ended_at.map(integer))
            .bind(turn.usage.is_some())
            .bind(usage.input.map(integer))
            .bind(usage.output.map(integer))
            .bind(text::stored(&turn.model))
            .bind(text::stored(&turn.message))
            .bind(text::stored(&turn.answer))
            .bind(turn.backend.as_deref().map(text::stored))
            .bind(written_notices(&turn.notices))
            .bind(text::stored(&turn.reasoning))
            .bind(turn.thought_ms.map(integer));
        let Some(row) = query.fetch_optional(connection).await? else {
            return Ok(None);
        };
        Ok(Some(Stored {
            key: row.try_get("key")?,
            owner: row.try_get("owner")?,
            conversation: row.try_get("conversation")?,
            again: row.try_get("again")?,
        }))
    }
}
