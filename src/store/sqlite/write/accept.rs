//! Storing a turn as accepted.

use sqlx::{Row as _, SqliteConnection};

use super::{choice, file};
use crate::{
    queue::OrderKey,
    store::{
        ConversationRecord, TurnRecord,
        job::Operation,
        sqlite::rows::{blob, integer, owner_blob, state_columns, written_notices, written_steps},
    },
    wire::Choice,
};

/// Several statements in one text: each that is asked for by itself is a way to SQLite's thread and back, and all that somebody sends waits
/// for them. sqlx counts the numbers that a statement leaves out as values of its own, so each leaves out few.
///
/// A message into a conversation that was just deleted brings it back, or the message would be lost with it. A turn that is there already stays
/// where it is: those that follow it are stored after it. One that follows a turn which is not there is not stored: it would begin the conversation. What
/// stood behind another message is a turn from now on.
const ACCEPT: &str = "INSERT INTO owners (id) VALUES (?1) ON CONFLICT (id) DO NOTHING; \
     INSERT INTO conversations (owner, id, head, updated_at, title) SELECT key, ?3, ?4, ?5, ?6 FROM owners WHERE id = ?1 \
     ON CONFLICT (owner, id) DO UPDATE \
     SET head = excluded.head, updated_at = excluded.updated_at, deleted_at = NULL, shelf = conversations.shelf | 2; \
     INSERT INTO turns (owner, id, conversation, parent, state, reason, tag, arrival, attempts, accepted_at, \
       started_at, ended_at, counted, input_tokens, output_tokens, model, message, answer, backend, notices, reasoning, \
       thought_ms, steps) \
     SELECT o.key, ?2, c.key, p.key, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26 \
     FROM owners o JOIN conversations c ON c.owner = o.key AND c.id = ?3 \
       LEFT JOIN turns p ON p.owner = o.key AND p.id = ?7 AND p.conversation = c.key \
     WHERE o.id = ?1 AND (?7 IS NULL OR p.key IS NOT NULL) \
     ON CONFLICT (owner, id) DO UPDATE SET state = excluded.state, reason = excluded.reason, tag = excluded.tag, \
       arrival = excluded.arrival, attempts = excluded.attempts, accepted_at = excluded.accepted_at, \
       started_at = excluded.started_at, ended_at = excluded.ended_at, counted = excluded.counted, \
       input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens, model = excluded.model, \
       message = excluded.message, answer = excluded.answer, backend = excluded.backend, notices = excluded.notices, \
       reasoning = excluded.reasoning, thought_ms = excluded.thought_ms, steps = excluded.steps \
     RETURNING owner, conversation, key; \
     DELETE FROM turn_files WHERE turn = (SELECT t.key FROM owners o JOIN turns t ON t.owner = o.key WHERE o.id = ?1 AND t.id = ?2); \
     DELETE FROM follow_ups WHERE owner = (SELECT key FROM owners WHERE id = ?1) AND id = ?2";

const CARRY: &str = "INSERT INTO turn_files (turn, position, file) VALUES (?1, ?2, ?3)";

/// See [`crate::store::Store::accept`].
pub(in crate::store::sqlite) struct Accept {
    pub(in crate::store::sqlite) conversation: ConversationRecord,
    pub(in crate::store::sqlite) turn: TurnRecord,
    pub(in crate::store::sqlite) key: Option<OrderKey>,
    pub(in crate::store::sqlite) choice: Option<Choice>,
}

impl Operation for Accept {
    type Connection = SqliteConnection;
    type Output = ();

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        let Self {
            conversation,
            turn,
            key,
            choice,
        } = self;
        let (state, reason) = state_columns(&turn.state);
        let usage = turn.usage.unwrap_or_default();
        // All of them: to stop at the first row would be to leave out the statements behind it.
        let stored = sqlx::query(ACCEPT)
            .bind(owner_blob(turn.owner))
            .bind(blob(&turn.id.0))
            .bind(blob(&conversation.id.0))
            .bind(blob(&conversation.head.0))
            .bind(integer(conversation.updated_at))
            .bind(conversation.title.as_str())
            .bind(turn.parent.as_ref().map(|parent| blob(&parent.0)))
            .bind(state)
            .bind(reason)
            .bind(key.map(|key| integer(key.tag)))
            .bind(key.map(|key| integer(key.arrival)))
            .bind(turn.attempts)
            .bind(integer(turn.accepted_at))
            .bind(turn.started_at.map(integer))
            .bind(turn.ended_at.map(integer))
            .bind(turn.usage.is_some())
            .bind(usage.input.map(integer))
            .bind(usage.output.map(integer))
            .bind(turn.model.as_str())
            .bind(turn.message.as_str())
            .bind(turn.answer.as_str())
            .bind(turn.backend.as_deref())
            .bind(written_notices(&turn.notices))
            .bind(turn.reasoning.as_str())
            .bind(turn.thought_ms.map(integer))
            .bind(written_steps(&turn.steps))
            .fetch_all(&mut *connection)
            .await?;
        let [stored] = &stored[..] else {
            return Err(sqlx::Error::RowNotFound);
        };
        let (owner, conversation, stored): (i64, i64, i64) =
            (stored.try_get(0)?, stored.try_get(1)?, stored.try_get(2)?);
        if let Some(choice) = choice {
            choice::keep(connection, conversation, choice).await?;
        }
        for (position, view) in (0_i64..).zip(&turn.files) {
            let file = file::add(connection, owner, view, turn.accepted_at).await?;
            sqlx::query(CARRY)
                .bind(stored)
                .bind(position)
                .bind(file)
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    }
}
