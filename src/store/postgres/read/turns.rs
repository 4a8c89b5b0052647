//! Turns, and the ways through them.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    queue::Owner,
    store::{
        Step, TurnRecord, Unfinished,
        postgres::rows::{self, choice_columns, conversation_columns, owner_id, turn_columns, version_columns},
    },
    wire::{ConversationId, TurnId},
};

const ONE: &str = concat!(
    "SELECT ",
    turn_columns!(),
    ", ",
    version_columns!(),
    " FROM owners o JOIN turns t ON t.owner = o.key JOIN conversations c ON c.key = t.conversation \
     WHERE o.id = $1 AND t.id = $2 AND c.deleted_at IS NULL"
);

/// Up from a turn to the one that it follows, and so on.
const PATH: &str = concat!(
    "WITH RECURSIVE up (turn, parent, step) AS ( \
       SELECT t.key, t.parent, 1::bigint FROM owners o JOIN turns t ON t.owner = o.key \
       WHERE o.id = $1 AND t.id = $2 AND $3 > 0 \
       UNION ALL \
       SELECT t.key, t.parent, up.step + 1 FROM up JOIN turns t ON t.key = up.parent WHERE up.step < $3 \
     ) SELECT ",
    turn_columns!(),
    ", ",
    version_columns!(),
    " FROM up JOIN turns t ON t.key = up.turn JOIN conversations c ON c.key = t.conversation JOIN owners o ON o.key = t.owner \
     WHERE c.deleted_at IS NULL ORDER BY up.step DESC"
);

/// A turn is stored before those that follow it, so that the last one on the way down has the greatest key.
const NEWEST_BELOW: &str = "WITH RECURSIVE down (turn, conversation) AS ( \
       SELECT t.key, t.conversation FROM owners o JOIN turns t ON t.owner = o.key WHERE o.id = $1 AND t.id = $2 \
       UNION ALL \
       SELECT (SELECT max(v.key) FROM turns v WHERE v.conversation = down.conversation AND v.parent = down.turn), down.conversation \
       FROM down WHERE down.turn IS NOT NULL \
     ) SELECT id FROM turns WHERE key = (SELECT max(turn) FROM down)";

const ALL: &str = concat!(
    "SELECT ",
    turn_columns!(),
    " FROM owners o JOIN conversations c ON c.owner = o.key JOIN turns t ON t.conversation = c.key \
     WHERE o.id = $1 AND c.id = $2 AND c.deleted_at IS NULL ORDER BY t.key"
);

/// By their places, which say it all: what ran has a lower one than what waited.
const UNFINISHED: &str = concat!(
    "SELECT t.tag, t.arrival, ",
    conversation_columns!(),
    ", ",
    choice_columns!(),
    ", ",
    turn_columns!(),
    ", ",
    version_columns!(),
    " FROM turns t JOIN conversations c ON c.key = t.conversation JOIN owners o ON o.key = t.owner \
     LEFT JOIN choices h ON h.conversation = c.key \
     WHERE t.state IN ('waiting', 'running') AND c.deleted_at IS NULL \
     ORDER BY t.tag NULLS FIRST, t.arrival, coalesce(t.started_at, t.accepted_at), t.key"
);

pub(in crate::store::postgres) async fn one(
    connection: &mut PgConnection,
    owner: Owner,
    id: TurnId,
) -> sqlx::Result<Option<Step>> {
    let query = sqlx::query(ONE).bind(owner_id(owner)).bind(id.0);
    let found = query.fetch_optional(connection).await?;
    found.as_ref().map(rows::step).transpose()
}

pub(in crate::store::postgres) async fn path(
    connection: &mut PgConnection,
    owner: Owner,
    last: TurnId,
    most: usize,
) -> sqlx::Result<Vec<Step>> {
    let query = sqlx::query(PATH)
        .bind(owner_id(owner))
        .bind(last.0)
        .bind(rows::limit(most));
    let found = query.fetch_all(connection).await?;
    found.iter().map(rows::step).collect()
}

pub(in crate::store::postgres) async fn newest_below(
    connection: &mut PgConnection,
    owner: Owner,
    turn: TurnId,
) -> sqlx::Result<TurnId> {
    let query = sqlx::query_scalar(NEWEST_BELOW).bind(owner_id(owner)).bind(turn.0);
    let found: Option<Uuid> = query.fetch_optional(connection).await?;
    Ok(found.map_or(turn, TurnId))
}

pub(in crate::store::postgres) async fn all(
    connection: &mut PgConnection,
    owner: Owner,
    conversation: ConversationId,
) -> sqlx::Result<Vec<TurnRecord>> {
    let query = sqlx::query(ALL).bind(owner_id(owner)).bind(conversation.0);
    let found = query.fetch_all(connection).await?;
    found.iter().map(rows::turn).collect()
}

pub(in crate::store::postgres) async fn unfinished(connection: &mut PgConnection) -> sqlx::Result<Vec<Unfinished>> {
    let found = sqlx::query(UNFINISHED).fetch_all(connection).await?;
    found.iter().map(rows::unfinished).collect()
}
