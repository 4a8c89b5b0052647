//! Changing what has been stored.

use std::sync::LazyLock;

use sqlx::{PgConnection, SqlStr};
use uuid::Uuid;

use crate::{
    queue::{OrderKey, Owner},
    store::{
        ConversationRecord, ToolStep, TurnRecord,
        job::Operation,
        postgres::{
            rows::{self, conversation_columns, integer, owner_id, state_columns, written_notices, written_steps},
            text,
            whole::{Bound, Found, Rest, Whole},
        },
    },
    wire::{ConversationId, TurnId, TurnNotice},
};

/// Also of a turn whose conversation has been deleted: it may be brought back. A part of a statement: see [`Whole`].
macro_rules! update {
    () => {
        "done AS (UPDATE turns SET state = $3, reason = $4, attempts = $5, started_at = $6, \
           ended_at = $7, counted = $8, input_tokens = $9, output_tokens = $10, model = $11, message = $12, answer = $13, \
           tag = CASE WHEN $14 THEN NULL ELSE tag END, arrival = CASE WHEN $14 THEN NULL ELSE arrival END, \
           backend = $15, notices = $16, reasoning = $17, thought_ms = $18, steps = $19 \
         WHERE EXISTS (SELECT FROM held) AND owner = (SELECT key FROM owners WHERE id = $1) AND id = $2 RETURNING key)"
    };
}

const UPDATE: &str = concat!("WITH held AS (SELECT 1), ", update!(), " SELECT FROM done");

/// One that is not there is changed as little as it is by itself.
static WHOLE_UPDATE: LazyLock<Whole> = LazyLock::new(|| Whole::new(update!(), 19, Found::OrNot));

/// All places in one statement: after a restart there may be thousands.
const REORDER: &str = "UPDATE turns SET tag = m.tag, arrival = m.arrival \
     FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[]) AS m (owner, turn, tag, arrival) \
     JOIN owners o ON o.id = m.owner \
     WHERE turns.owner = o.key AND turns.id = m.turn AND turns.state IN ('waiting', 'running')";

const SHOW: &str = "UPDATE conversations SET head = $3 \
     WHERE owner = (SELECT key FROM owners WHERE id = $1) AND id = $2 AND deleted_at IS NULL \
     AND EXISTS (SELECT 1 FROM turns t WHERE t.owner = conversations.owner AND t.id = $3 \
       AND t.conversation = conversations.key)";

const RENAME: &str = "UPDATE conversations SET title = $3 \
     WHERE owner = (SELECT key FROM owners WHERE id = $1) AND id = $2 AND deleted_at IS NULL";

const DELETE: &str = "UPDATE conversations SET deleted_at = $3 \
     WHERE owner = (SELECT key FROM owners WHERE id = $1) AND id = $2 AND deleted_at IS NULL";

const UNDELETE: &str = "UPDATE conversations SET deleted_at = NULL \
     WHERE owner = (SELECT key FROM owners WHERE id = $1) AND id = $2 AND deleted_at IS NOT NULL";

const UNDELETED: &str = concat!(
    "SELECT ",
    conversation_columns!(),
    " FROM owners o JOIN conversations c ON c.owner = o.key WHERE o.id = $1 AND c.id = $2"
);

/// See [`crate::store::Store::update`].
pub(in crate::store::postgres) struct Update(pub(in crate::store::postgres) TurnRecord);

impl Operation for Update {
    type Connection = PgConnection;
    type Output = ();

    async fn run(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        let statement = SqlStr::from_static(UPDATE);
        self.bound(statement).execute(connection).await.map(drop)
    }

    fn whole(&self) -> Option<()> {
        Some(())
    }

    async fn run_whole(&self, connection: &mut PgConnection, rest: &mut Rest) -> Option<sqlx::Result<()>> {
        let bytes = bytes(&self.0);
        rest.say(connection, &WHOLE_UPDATE, bytes, |statement| self.bound(statement))
            .await
    }
}

/// How long the texts of a turn are.
pub(super) fn bytes(turn: &TurnRecord) -> usize {
    let notices: usize = turn.notices.len() * size_of::<TurnNotice>();
    let steps: usize = turn.steps.iter().map(|step| size_of::<ToolStep>() + step.bytes()).sum();
    let short = turn.model.len() + turn.backend.as_ref().map_or(0, String::len) + notices;
    turn.message.len() + turn.answer.len() + turn.reasoning.len() + steps + short
}

impl Update {
    fn bound(&self, statement: SqlStr) -> Bound {
        let Self(turn) = self;
        let (state, reason) = state_columns(&turn.state);
        let usage = turn.usage.unwrap_or_default();
        sqlx::query(statement)
            .bind(owner_id(turn.owner))
            .bind(turn.id.0)
            .bind(state)
            .bind(reason.as_deref().map(text::stored))
            .bind(i64::from(turn.attempts))
            .bind(turn.started_at.map(integer))
            .bind(turn.ended_at.map(integer))
            .bind(turn.usage.is_some())
            .bind(usage.input.map(integer))
            .bind(usage.output.map(integer))
            .bind(text::stored(&turn.model))
            .bind(text::stored(&turn.message))
            .bind(text::stored(&turn.answer))
            .bind(turn.state.is_over())
            .bind(turn.backend.as_deref().map(text::stored))
            .bind(written_notices(&turn.notices))
            .bind(text::stored(&turn.reasoning))
            .bind(turn.thought_ms.map(integer))
            .bind(written_steps(&turn.steps))
    }
}

/// See [`crate::store::Store::reorder`]. A column each.
#[derive(Default)]
pub(in crate::store::postgres) struct Reorder {
    owners: Vec<Uuid>,
    turns: Vec<Uuid>,
    tags: Vec<i64>,
    arrivals: Vec<i64>,
}

impl Reorder {
    pub(in crate::store::postgres) fn new(places: &[(Owner, TurnId, OrderKey)]) -> Self {
        let mut columns = Self::default();
        for &(owner, turn, key) in places {
            columns.owners.push(owner_id(owner));
            columns.turns.push(turn.0);
            columns.tags.push(integer(key.tag));
            columns.arrivals.push(integer(key.arrival));
        }
        columns
    }
}

impl Operation for Reorder {
    type Connection = PgConnection;
    type Output = ();

    async fn run(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        sqlx::query(REORDER)
            .bind(&self.owners)
            .bind(&self.turns)
            .bind(&self.tags)
            .bind(&self.arrivals)
            .execute(connection)
            .await
            .map(drop)
    }
}

/// See [`crate::store::Store::show`].
pub(in crate::store::postgres) struct Show {
    pub(in crate::store::postgres) owner: Owner,
    pub(in crate::store::postgres) conversation: ConversationId,
    pub(in crate::store::postgres) head: TurnId,
}

impl Operation for Show {
    type Connection = PgConnection;
    type Output = bool;

    async fn run(&self, connection: &mut PgConnection) -> sqlx::Result<bool> {
        let done = sqlx::query(SHOW)
            .bind(owner_id(self.owner))
            .bind(self.conversation.0)
            .bind(self.head.0)
            .execute(connection)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}

/// See [`crate::store::Store::rename`].
pub(in crate::store::postgres) struct Rename {
    pub(in crate::store::postgres) owner: Owner,
    pub(in crate::store::postgres) id: ConversationId,
    pub(in crate::store::postgres) title: String,
}

impl Operation for Rename {
    type Connection = PgConnection;
    type Output = bool;

    async fn run(&self, connection: &mut PgConnection) -> sqlx::Result<bool> {
        let done = sqlx::query(RENAME)
            .bind(owner_id(self.owner))
            .bind(self.id.0)
            .bind(text::stored(&self.title))
            .execute(connection)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}

/// See [`crate::store::Store::delete`].
pub(in crate::store::postgres) struct Delete {
    pub(in crate::store::postgres) owner: Owner,
    pub(in crate::store::postgres) id: ConversationId,
    pub(in crate::store::postgres) now: u64,
}

impl Operation for Delete {
    type Connection = PgConnection;
    type Output = bool;
    const FREES: bool = true;

    async fn run(&self, connection: &mut PgConnection) -> sqlx::Result<bool> {
        let done = sqlx::query(DELETE)
            .bind(owner_id(self.owner))
            .bind(self.id.0)
            .bind(integer(self.now))
            .execute(connection)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}

/// See [`crate::store::Store::undelete`].
pub(in crate::store::postgres) struct Undelete {
    pub(in crate::store::postgres) owner: Owner,
    pub(in crate::store::postgres) id: ConversationId,
}

impl Operation for Undelete {
    type Connection = PgConnection;
    type Output = Option<ConversationRecord>;

    async fn run(&self, connection: &mut PgConnection) -> sqlx::Result<Option<ConversationRecord>> {
        sqlx::query(UNDELETE)
            .bind(owner_id(self.owner))
            .bind(self.id.0)
            .execute(&mut *connection)
            .await?;
        let found = sqlx::query(UNDELETED)
            .bind(owner_id(self.owner))
            .bind(self.id.0)
            .fetch_optional(connection)
            .await?;
        found.as_ref().map(rows::conversation).transpose()
    }
}
