//! What a start has to bring back into the line.

use sqlx::SqliteConnection;

use crate::store::{
    Unfinished,
    sqlite::rows::{self, conversation_columns, turn_columns, version_columns},
};

/// Those that ran first: a turn without a place was never given one or was just being given it, so it is as good as running.
pub(in crate::store::sqlite) const ALL: &str = concat!(
    "SELECT t.tag, t.arrival, ",
    conversation_columns!(),
    ", ",
    turn_columns!(),
    ", ",
    version_columns!(),
    " FROM turns t JOIN conversations c ON c.key = t.conversation JOIN sessions s ON s.key = t.session \
     WHERE t.state IN ('waiting', 'running') AND c.deleted_at IS NULL \
     ORDER BY CASE WHEN t.state = 'running' OR t.tag IS NULL THEN coalesce(t.started_at, t.accepted_at) END NULLS LAST, \
     t.tag, t.arrival, t.key"
);

pub(in crate::store::sqlite) async fn all(connection: &mut SqliteConnection) -> sqlx::Result<Vec<Unfinished>> {
    let found = sqlx::query(ALL).fetch_all(connection).await?;
    found.iter().map(rows::unfinished).collect()
}
