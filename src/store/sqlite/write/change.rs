//! Changing what has been stored.

use sqlx::SqliteConnection;

use crate::{
    queue::{OrderKey, Owner},
    store::{
        ConversationRecord, TurnRecord,
        job::Operation,
        sqlite::rows::{
            self, blob, conversation_columns, integer, owner_blob, state_columns, written_notices, written_steps,
        },
    },
    wire::{ConversationId, TurnId},
};

/// Also of a turn whose conversation has been deleted: it may be brought back.
pub(in crate::store::sqlite) const UPDATE: &str = "UPDATE turns SET state = ?3, reason = ?4, attempts = ?5, started_at = ?6, \
       ended_at = ?7, counted = ?8, input_tokens = ?9, output_tokens = ?10, model = ?11, message = ?12, answer = ?13, \
       tag = iif(?14, NULL, tag), arrival = iif(?14, NULL, arrival), backend = ?15, notices = ?16, reasoning = ?17, \
       thought_ms = ?18, steps = ?19 \
     WHERE owner = (SELECT key FROM owners WHERE id = ?1) AND id = ?2";

/// All places in one statement: after a restart there may be thousands. Materialised, or the planner looks through all of
/// them for each turn.
pub(in crate::store::sqlite) const REORDER: &str = "WITH moved AS MATERIALIZED ( \
       SELECT t.key AS turn, m.value ->> 2 AS tag, m.value ->> 3 AS arrival FROM json_each(?1) m \
       CROSS JOIN owners o ON o.id = unhex(m.value ->> 0) \
       CROSS JOIN turns t ON t.owner = o.key AND t.id = unhex(m.value ->> 1) \
       WHERE t.state IN ('waiting', 'running') \
     ) UPDATE turns SET tag = moved.tag, arrival = moved.arrival FROM moved WHERE turns.key = moved.turn";

pub(in crate::store::sqlite) const SHOW: &str = "UPDATE conversations SET head = ?3 \
     WHERE owner = (SELECT key FROM owners WHERE id = ?1) AND id = ?2 AND deleted_at IS NULL \
     AND EXISTS (SELECT 1 FROM turns t WHERE t.owner = conversations.owner AND t.id = ?3 \
       AND t.conversation = conversations.key)";

pub(in crate::store::sqlite) const RENAME: &str = "UPDATE conversations SET title = ?3 \
     WHERE owner = (SELECT key FROM owners WHERE id = ?1) AND id = ?2 AND deleted_at IS NULL";

const DELETE: &str = "UPDATE conversations SET deleted_at = ?3 \
     WHERE owner = (SELECT key FROM owners WHERE id = ?1) AND id = ?2 AND deleted_at IS NULL";

pub(in crate::store::sqlite) const UNDELETE: &str = "UPDATE conversations SET deleted_at = NULL \
     WHERE owner = (SELECT key FROM owners WHERE id = ?1) AND id = ?2";

const UNDELETED: &str = concat!(
    "SELECT ",
    conversation_columns!(),
    " FROM owners o JOIN conversations c ON c.owner = o.key WHERE o.id = ?1 AND c.id = ?2"
);

/// See [`crate::store::Store::update`].
pub(in crate::store::sqlite) struct Update(pub(in crate::store::sqlite) TurnRecord);

impl Operation for Update {
    type Connection = SqliteConnection;
    type Output = ();

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        let Self(turn) = self;
        let (state, reason) = state_columns(&turn.state);
        let usage = turn.usage.unwrap_or_default();
        sqlx::query(UPDATE)
            .bind(owner_blob(turn.owner))
            .bind(blob(&turn.id.0))
            .bind(state)
            .bind(reason)
            .bind(turn.attempts)
            .bind(turn.started_at.map(integer))
            .bind(turn.ended_at.map(integer))
            .bind(turn.usage.is_some())
            .bind(usage.input.map(integer))
            .bind(usage.output.map(integer))
            .bind(turn.model.as_str())
            .bind(turn.message.as_str())
            .bind(turn.answer.as_str())
            .bind(turn.state.is_over())
            .bind(turn.backend.as_deref())
            .bind(written_notices(&turn.notices))
            .bind(turn.reasoning.as_str())
            .bind(turn.thought_ms.map(integer))
            .bind(written_steps(&turn.steps))
            .execute(connection)
            .await
            .map(drop)
    }
}

/// See [`crate::store::Store::reorder`].
pub(in crate::store::sqlite) struct Reorder {
    json: String,
}

impl Reorder {
    pub(in crate::store::sqlite) fn new(places: &[(Owner, TurnId, OrderKey)]) -> Self {
        let rows = places.iter().map(|(owner, turn, key)| {
            let (owner, turn) = (owner.0, turn.0.simple());
            let (tag, arrival) = (integer(key.tag), integer(key.arrival));
            format!(r#"["{owner:032x}","{turn}",{tag},{arrival}]"#)
        });
        let rows: Vec<String> = rows.collect();
        Self {
            json: format!("[{}]", rows.join(",")),
        }
    }
}

impl Operation for Reorder {
    type Connection = SqliteConnection;
    type Output = ();

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        sqlx::query(REORDER)
            .bind(self.json.as_str())
            .execute(connection)
            .await
            .map(drop)
    }
}

/// See [`crate::store::Store::show`].
pub(in crate::store::sqlite) struct Show {
    pub(in crate::store::sqlite) owner: Owner,
    pub(in crate::store::sqlite) conversation: ConversationId,
    pub(in crate::store::sqlite) head: TurnId,
}

impl Operation for Show {
    type Connection = SqliteConnection;
    type Output = bool;

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<bool> {
        let done = sqlx::query(SHOW)
            .bind(owner_blob(self.owner))
            .bind(blob(&self.conversation.0))
            .bind(blob(&self.head.0))
            .execute(connection)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}

/// See [`crate::store::Store::rename`].
pub(in crate::store::sqlite) struct Rename {
    pub(in crate::store::sqlite) owner: Owner,
    pub(in crate::store::sqlite) id: ConversationId,
    pub(in crate::store::sqlite) title: String,
}

impl Operation for Rename {
    type Connection = SqliteConnection;
    type Output = bool;

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<bool> {
        let done = sqlx::query(RENAME)
            .bind(owner_blob(self.owner))
            .bind(blob(&self.id.0))
            .bind(self.title.as_str())
            .execute(connection)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}

/// See [`crate::store::Store::delete`].
pub(in crate::store::sqlite) struct Delete {
    pub(in crate::store::sqlite) owner: Owner,
    pub(in crate::store::sqlite) id: ConversationId,
    pub(in crate::store::sqlite) now: u64,
}

impl Operation for Delete {
    type Connection = SqliteConnection;
    type Output = bool;
    const FREES: bool = true;

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<bool> {
        let done = sqlx::query(DELETE)
            .bind(owner_blob(self.owner))
            .bind(blob(&self.id.0))
            .bind(integer(self.now))
            .execute(connection)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}

/// See [`crate::store::Store::undelete`].
pub(in crate::store::sqlite) struct Undelete {
    pub(in crate::store::sqlite) owner: Owner,
    pub(in crate::store::sqlite) id: ConversationId,
}

impl Operation for Undelete {
    type Connection = SqliteConnection;
    type Output = Option<ConversationRecord>;

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<Option<ConversationRecord>> {
        sqlx::query(UNDELETE)
            .bind(owner_blob(self.owner))
            .bind(blob(&self.id.0))
            .execute(&mut *connection)
            .await?;
        let found = sqlx::query(UNDELETED)
            .bind(owner_blob(self.owner))
            .bind(blob(&self.id.0))
            .fetch_optional(connection)
            .await?;
        found.as_ref().map(rows::conversation).transpose()
    }
}
