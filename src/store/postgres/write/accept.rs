//! Storing a turn as accepted.

use std::sync::LazyLock;

use sqlx::{PgConnection, Row as _, SqlStr};

use super::{change, choice, file, owner};
use crate::{
    queue::OrderKey,
    store::{
        ConversationRecord, TurnRecord,
        job::Operation,
        postgres::{
            rows::{integer, owner_id, state_columns, written_notices, written_steps},
            text,
            whole::{Bound, Found, Rest, Whole},
        },
    },
    wire::Choice,
};

/// The owner, the conversation and the turn in one statement, which is one way to the server and back. A message into a conversation that was just
/// deleted brings it back, or the message would be lost with it. A turn that is there already stays where it is: those that follow it
/// are stored after it. What stood behind another message under its id does so no more. Where the turn that it follows is not there, `done` is empty, and so it is where somebody else is making the owner at this moment.
///
/// A part of a statement: see [`Whole`]. An owner who is there is locked as the turn's row will have him anyway: what it has to wait for is waited for here.
macro_rules! accept {
    () => {
        "made AS ( \
           INSERT INTO owners (id) SELECT $1 FROM held WHERE NOT EXISTS (SELECT 1 FROM owners WHERE id = $1) ON CONFLICT DO NOTHING RETURNING key \
         ), known AS ( \
           SELECT o.key FROM owners o, held WHERE o.id = $1 FOR KEY SHARE OF o \
         ), owner AS ( \
           SELECT key FROM made UNION ALL SELECT key FROM known \
         ), conversation AS ( \
           INSERT INTO conversations (owner, id, head, updated_at, title) SELECT o.key, $2, $3, $4, $5 FROM owner o \
           ON CONFLICT (owner, id) DO UPDATE \
           SET head = excluded.head, updated_at = excluded.updated_at, deleted_at = NULL, shelf = conversations.shelf | 2 RETURNING key, owner \
         ), followed AS ( \
           SELECT CASE WHEN $6::uuid IS NULL THEN 0 ELSE \
             (SELECT t.key FROM turns t JOIN conversation c ON c.key = t.conversation AND c.owner = t.owner WHERE t.id = $6) END AS key \
         ), begun AS ( \
            DELETE FROM follow_ups f USING owner o WHERE f.owner = o.key AND f.id = $7 \
          ), done AS ( \
           INSERT INTO turns (owner, id, conversation, parent, state, reason, tag, arrival, attempts, accepted_at, \
             started_at, ended_at, counted, input_tokens, output_tokens, model, message, answer, backend, notices, reasoning, \
             thought_ms, steps) \
           SELECT c.owner, $7, c.key, f.key, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26 \
           FROM conversation c, followed f WHERE f.key IS NOT NULL \
           ON CONFLICT (owner, id) DO UPDATE SET state = excluded.state, reason = excluded.reason, tag = excluded.tag, \
             arrival = excluded.arrival, attempts = excluded.attempts, accepted_at = excluded.accepted_at, \
             started_at = excluded.started_at, ended_at = excluded.ended_at, counted = excluded.counted, \
             input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens, model = excluded.model, \
             message = excluded.message, answer = excluded.answer, backend = excluded.backend, notices = excluded.notices, \
             reasoning = excluded.reasoning, thought_ms = excluded.thought_ms, steps = excluded.steps \
           RETURNING key, owner, conversation, xmax <> 0 AS again \
         )"
    };
}

const ACCEPT: &str = concat!(
    "WITH held AS (SELECT 1), ",
    accept!(),
    " SELECT key, owner, conversation, again FROM done"
);

/// With no files: one that was there before has none any more either.
static WHOLE_ACCEPT: LazyLock<Whole> = LazyLock::new(|| {
    let parts = concat!(
        accept!(),
        ", bare AS (DELETE FROM turn_files f USING done d WHERE d.again AND f.turn = d.key)"
    );
    Whole::new(parts, 26, Found::Always)
});

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

    fn whole(&self) -> Option<()> {
        (self.choice.is_none() && self.turn.files.is_empty()).then_some(())
    }

    async fn run_whole(&self, connection: &mut PgConnection, rest: &mut Rest) -> Option<sqlx::Result<()>> {
        let bytes = change::bytes(&self.turn) + self.conversation.title.len();
        rest.say(connection, &WHOLE_ACCEPT, bytes, |statement| self.bound(statement))
            .await
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
        let accept = self.bound(SqlStr::from_static(ACCEPT));
        let Some(row) = accept.fetch_optional(connection).await? else {
            return Ok(None);
        };
        Ok(Some(Stored {
            key: row.try_get("key")?,
            owner: row.try_get("owner")?,
            conversation: row.try_get("conversation")?,
            again: row.try_get("again")?,
        }))
    }

    fn bound(&self, statement: SqlStr) -> Bound {
        let Self {
            conversation,
            turn,
            key,
            ..
        } = self;
        let (state, reason) = state_columns(&turn.state);
        let usage = turn.usage.unwrap_or_default();
        sqlx::query(statement)
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
            .bind(turn.thought_ms.map(integer))
            .bind(written_steps(&turn.steps))
    }
}
