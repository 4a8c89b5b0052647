//! What a start has to bring back into the line.

use sqlx::SqliteConnection;

use crate::store::{
    Unfinished,
    sqlite::rows::{self, choice_columns, conversation_columns, turn_columns, version_columns},
};

/// By their places, which say it all: what ran has a lower one than what waited. A turn without a place is one that ran when a server
/// of before did not keep it.
pub(in crate::store::sqlite) const ALL: &str = concat!(
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

pub(in crate::store::sqlite) async fn all(connection: &mut SqliteConnection) -> sqlx::Result<Vec<Unfinished>> {
    let found = sqlx::query(ALL).fetch_all(connection).await?;
    found.iter().map(rows::unfinished).collect()
}
