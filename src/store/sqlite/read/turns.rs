//! Turns, and the ways through them.

use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::{
    queue::Owner,
    store::{
        Step, TurnRecord,
        sqlite::rows::{self, blob, owner_blob, turn_columns, version_columns},
    },
    wire::{ConversationId, TurnId},
};

pub(in crate::store::sqlite) const ONE: &str = concat!(
    "SELECT ",
    turn_columns!(),
    ", ",
    version_columns!(),
    " FROM owners o JOIN turns t ON t.owner = o.key JOIN conversations c ON c.key = t.conversation \
     WHERE o.id = ?1 AND t.id = ?2 AND c.deleted_at IS NULL"
);

/// Up from a turn to the one that it follows, and so on.
pub(in crate::store::sqlite) const PATH: &str = concat!(
    "WITH RECURSIVE up (turn, parent, step) AS ( \
       SELECT t.key, t.parent, 1 FROM owners o JOIN turns t ON t.owner = o.key \
       WHERE o.id = ?1 AND t.id = ?2 AND ?3 > 0 \
       UNION ALL \
       SELECT t.key, t.parent, up.step + 1 FROM up JOIN turns t ON t.key = up.parent WHERE up.step < ?3 \
     ) SELECT ",
    turn_columns!(),
    ", ",
    version_columns!(),
    " FROM up JOIN turns t ON t.key = up.turn JOIN conversations c ON c.key = t.conversation JOIN owners o ON o.key = t.owner \
     WHERE c.deleted_at IS NULL ORDER BY up.step DESC"
);

/// A turn is stored before those that follow it, so that the last one on the way down has the greatest key.
pub(in crate::store::sqlite) const NEWEST_BELOW: &str = "WITH RECURSIVE down (turn) AS ( \
       SELECT t.key FROM owners o JOIN turns t ON t.owner = o.key WHERE o.id = ?1 AND t.id = ?2 \
       UNION ALL \
       SELECT (SELECT max(v.key) FROM turns v WHERE v.parent = down.turn) FROM down WHERE down.turn IS NOT NULL \
     ) SELECT id FROM turns WHERE key = (SELECT max(turn) FROM down)";

pub(in crate::store::sqlite) const ALL: &str = concat!(
    "SELECT ",
    turn_columns!(),
    " FROM owners o JOIN conversations c ON c.owner = o.key JOIN turns t ON t.conversation = c.key \
     WHERE o.id = ?1 AND c.id = ?2 AND c.deleted_at IS NULL ORDER BY t.key"
);

pub(in crate::store::sqlite) async fn one(
    connection: &mut SqliteConnection,
    owner: Owner,
    id: TurnId,
) -> sqlx::Result<Option<Step>> {
    let found = sqlx::query(ONE)
        .bind(owner_blob(owner))
        .bind(blob(&id.0))
        .fetch_optional(connection)
        .await?;
    found.as_ref().map(rows::step).transpose()
}

pub(in crate::store::sqlite) async fn path(
    connection: &mut SqliteConnection,
    owner: Owner,
    last: TurnId,
    most: usize,
) -> sqlx::Result<Vec<Step>> {
    let found = sqlx::query(PATH)
        .bind(owner_blob(owner))
        .bind(blob(&last.0))
        .bind(rows::limit(most))
        .fetch_all(connection)
        .await?;
    found.iter().map(rows::step).collect()
}

pub(in crate::store::sqlite) async fn newest_below(
    connection: &mut SqliteConnection,
    owner: Owner,
    turn: TurnId,
) -> sqlx::Result<TurnId> {
    let found: Option<Vec<u8>> = sqlx::query_scalar(NEWEST_BELOW)
        .bind(owner_blob(owner))
        .bind(blob(&turn.0))
        .fetch_optional(connection)
        .await?;
    let id = found.map(|bytes| Uuid::from_slice(&bytes)).transpose();
    let id = id.map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    Ok(id.map_or(turn, TurnId))
}

pub(in crate::store::sqlite) async fn all(
    connection: &mut SqliteConnection,
    owner: Owner,
    conversation: ConversationId,
) -> sqlx::Result<Vec<TurnRecord>> {
    let found = sqlx::query(ALL)
        .bind(owner_blob(owner))
        .bind(blob(&conversation.0))
        .fetch_all(connection)
        .await?;
    found.iter().map(rows::turn).collect()
}
