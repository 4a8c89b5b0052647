//! Storing a turn as accepted.

use sqlx::SqliteConnection;

use super::{choice, file, follow_ups, owner};
use crate::{
    queue::OrderKey,
    store::{
        ConversationRecord, TurnRecord,
        job::Operation,
        sqlite::rows::{blob, integer, state_columns, written_notices, written_steps},
    },
    wire::Choice,
};

/// A message into a conversation that was just deleted brings it back, or the message would be lost with it.
const CONVERSATION: &str = "INSERT INTO conversations (owner, id, head, updated_at, title) VALUES (?1, ?2, ?3, ?4, ?5) \
     ON CONFLICT (owner, id) DO UPDATE \
     SET head = excluded.head, updated_at = excluded.updated_at, deleted_at = NULL, shelf = conversations.shelf | 2 RETURNING key";

const PARENT: &str = "SELECT key FROM turns WHERE owner = ?1 AND id = ?2 AND conversation = ?3";

/// A turn that is there already stays where it is: those that follow it are stored after it.
const TURN: &str = "INSERT INTO turns (owner, id, conversation, parent, state, reason, tag, arrival, attempts, accepted_at, \
       started_at, ended_at, counted, input_tokens, output_tokens, model, message, answer, backend, notices, reasoning, \
       thought_ms, steps) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23) \
     ON CONFLICT (owner, id) DO UPDATE SET state = excluded.state, reason = excluded.reason, tag = excluded.tag, \
       arrival = excluded.arrival, attempts = excluded.attempts, accepted_at = excluded.accepted_at, \
       started_at = excluded.started_at, ended_at = excluded.ended_at, counted = excluded.counted, \
       input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens, model = excluded.model, \
       message = excluded.message, answer = excluded.answer, backend = excluded.backend, notices = excluded.notices, \
       reasoning = excluded.reasoning, thought_ms = excluded.thought_ms, steps = excluded.steps \
     RETURNING key";

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
        let owner = owner::key(connection, turn.owner).await?;
        let conversation: i64 = sqlx::query_scalar(CONVERSATION)
            .bind(owner)
            .bind(blob(&conversation.id.0))
            .bind(blob(&conversation.head.0))
            .bind(integer(conversation.updated_at))
            .bind(conversation.title.as_str())
            .fetch_one(&mut *connection)
            .await?;
        if let Some(choice) = choice {
            choice::keep(connection, conversation, choice).await?;
        }
        let parent: Option<i64> = match &turn.parent {
            None => None,
            // Not there: an error, since stored without it the turn would begin the conversation.
            Some(parent) => sqlx::query_scalar(PARENT)
                .bind(owner)
                .bind(blob(&parent.0))
                .bind(conversation)
                .fetch_one(&mut *connection)
                .await
                .map(Some)?,
        };
        let stored = insert(connection, owner, conversation, parent, turn, *key).await?;
        sqlx::query("DELETE FROM turn_files WHERE turn = ?1")
            .bind(stored)
            .execute(&mut *connection)
            .await?;
        for (position, view) in (0_i64..).zip(&turn.files) {
            let file = file::add(connection, owner, view, turn.accepted_at).await?;
            sqlx::query(CARRY)
                .bind(stored)
                .bind(position)
                .bind(file)
                .execute(&mut *connection)
                .await?;
        }
        follow_ups::begun(connection, owner, turn.id).await
    }
}

async fn insert(
    connection: &mut SqliteConnection,
    owner: i64,
    conversation: i64,
    parent: Option<i64>,
    turn: &TurnRecord,
    key: Option<OrderKey>,
) -> sqlx::Result<i64> {
    let (state, reason) = state_columns(&turn.state);
    let usage = turn.usage.unwrap_or_default();
    sqlx::query_scalar(TURN)
        .bind(owner)
        .bind(blob(&turn.id.0))
        .bind(conversation)
        .bind(parent)
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
        .fetch_one(connection)
        .await
}
