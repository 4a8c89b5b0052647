//! Turns: accepted, changed, read.

use futures_util::TryStreamExt as _;
use sqlx::{SqliteConnection, SqlitePool, sqlite::SqliteRow};

use super::{
    rows::{bytes, conversation, conversation_columns, key, kind_name, state_columns, step, turn, turn_columns, whole},
    writer::{Running, Write},
};
use crate::{
    queue::OrderKey,
    sessions::SessionId,
    store::{ConversationRecord, Step, TurnRecord, Unfinished},
    wire::{ConversationId, FileView, TurnId, TurnState},
};

/// See [`Store::accept`](crate::store::Store::accept).
pub(super) struct Accept {
    pub(super) conversation: ConversationRecord,
    pub(super) turn: TurnRecord,
    pub(super) key: Option<OrderKey>,
}

impl Write for Accept {
    type Output = ();

    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> Running<'c, ()> {
        Box::pin(async move {
            let Self {
                conversation,
                turn,
                key,
            } = self;
            see(connection, turn.session, turn.accepted_at).await?;
            sqlx::query(
                "INSERT INTO conversations (id, session, title, updated_at, head) VALUES (?, ?, ?, ?, ?)
                 ON CONFLICT (id) DO UPDATE SET updated_at = excluded.updated_at, head = excluded.head
                 WHERE session = excluded.session",
            )
            .bind(bytes(conversation.id.0))
            .bind(bytes(conversation.session.0))
            .bind(&conversation.title)
            .bind(whole(conversation.updated_at))
            .bind(bytes(conversation.head.0))
            .execute(&mut *connection)
            .await?;
            let (state, reason) = state_columns(&turn.state);
            let number: i64 = sqlx::query_scalar(
                "INSERT INTO turns (id, session, conversation, parent, message, state, reason, answer, model, accepted_at, attempts, tag, arrival)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                 ON CONFLICT (session, id) DO UPDATE SET state = excluded.state, reason = excluded.reason,
                 answer = excluded.answer, model = excluded.model, input_tokens = NULL, output_tokens = NULL,
                 accepted_at = excluded.accepted_at, started_at = NULL, ended_at = NULL, attempts = excluded.attempts,
                 tag = excluded.tag, arrival = excluded.arrival
                 RETURNING number",
            )
            .bind(bytes(turn.id.0))
            .bind(bytes(turn.session.0))
            .bind(bytes(turn.conversation.0))
            .bind(turn.parent.map(|parent| bytes(parent.0)))
            .bind(&turn.message)
            .bind(state)
            .bind(reason)
            .bind(&turn.answer)
            .bind(&turn.model)
            .bind(whole(turn.accepted_at))
            .bind(turn.attempts)
            .bind(key.map(|key| whole(key.tag)))
            .bind(key.map(|key| whole(key.arrival)))
            .fetch_one(&mut *connection)
            .await?;
            for (position, file) in (0_i64..).zip(&turn.files) {
                sqlx::query("INSERT OR IGNORE INTO turn_files (turn, position, file) VALUES (?, ?, ?)")
                    .bind(number)
                    .bind(position)
                    .bind(bytes(file.id.0))
                    .execute(&mut *connection)
                    .await?;
            }
            Ok(())
        })
    }
}

/// Notes that a session is there.
async fn see(connection: &mut SqliteConnection, session: SessionId, now: u64) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO sessions (id, created_at, seen_at) VALUES (?1, ?2, ?2)
         ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at",
    )
    .bind(bytes(session.0))
    .bind(whole(now))
    .execute(connection)
    .await?;
    Ok(())
}

/// See [`Store::update`](crate::store::Store::update).
pub(super) struct Update(pub(super) TurnRecord);

impl Write for Update {
    type Output = ();

    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> Running<'c, ()> {
        Box::pin(async move {
            let turn = &self.0;
            let (state, reason) = state_columns(&turn.state);
            let usage = turn.usage.unwrap_or_default();
            sqlx::query(
                "UPDATE turns SET state = ?, reason = ?, answer = ?, model = ?, input_tokens = ?, output_tokens = ?,
                 started_at = ?, ended_at = ?, attempts = ? WHERE session = ? AND id = ?",
            )
            .bind(state)
            .bind(reason)
            .bind(&turn.answer)
            .bind(&turn.model)
            .bind(usage.input.map(whole))
            .bind(usage.output.map(whole))
            .bind(turn.started_at.map(whole))
            .bind(turn.ended_at.map(whole))
            .bind(turn.attempts)
            .bind(bytes(turn.session.0))
            .bind(bytes(turn.id.0))
            .execute(connection)
            .await?;
            Ok(())
        })
    }
}

/// See [`Store::reorder`](crate::store::Store::reorder).
pub(super) struct Reorder(pub(super) Vec<(SessionId, TurnId, OrderKey)>);

impl Write for Reorder {
    type Output = ();

    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> Running<'c, ()> {
        Box::pin(async move {
            for (session, turn, key) in &self.0 {
                sqlx::query("UPDATE turns SET tag = ?, arrival = ? WHERE session = ? AND id = ?")
                    .bind(whole(key.tag))
                    .bind(whole(key.arrival))
                    .bind(bytes(session.0))
                    .bind(bytes(turn.0))
                    .execute(&mut *connection)
                    .await?;
            }
            Ok(())
        })
    }
}

/// See [`Store::add_file`](crate::store::Store::add_file).
pub(super) struct AddFile {
    pub(super) session: SessionId,
    pub(super) file: FileView,
    pub(super) now: u64,
}

impl Write for AddFile {
    type Output = ();

    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> Running<'c, ()> {
        Box::pin(async move {
            let Self { session, file, now } = self;
            see(connection, *session, *now).await?;
            sqlx::query(
                "INSERT INTO files (id, session, name, kind, mime, size, uploaded_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(bytes(file.id.0))
            .bind(bytes(session.0))
            .bind(&file.name)
            .bind(kind_name(file.kind))
            .bind(&file.mime)
            .bind(whole(file.size))
            .bind(whole(*now))
            .execute(connection)
            .await?;
            Ok(())
        })
    }
}

/// See [`Store::path`](crate::store::Store::path).
pub(super) async fn path(
    readers: &SqlitePool,
    session: SessionId,
    last: TurnId,
    most: usize,
) -> sqlx::Result<Vec<Step>> {
    let rows = sqlx::query(concat!(
        "WITH RECURSIVE up (number, depth) AS (
            SELECT t.number, 1 FROM turns t JOIN conversations c ON c.id = t.conversation
            WHERE t.session = ?1 AND t.id = ?2 AND c.deleted_at IS NULL
            UNION ALL
            SELECT above.number, up.depth + 1 FROM up
            JOIN turns below ON below.number = up.number
            JOIN turns above ON above.session = below.session AND above.id = below.parent
            WHERE up.depth < ?3
        ) SELECT ",
        turn_columns!(),
        " FROM up CROSS JOIN turns t ON t.number = up.number ORDER BY up.depth DESC"
    ))
    .bind(bytes(session.0))
    .bind(bytes(last.0))
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .fetch_all(readers)
    .await?;
    rows.iter().map(step).collect()
}

/// See [`Store::newest_below`](crate::store::Store::newest_below).
pub(super) async fn newest_below(readers: &SqlitePool, session: SessionId, id: TurnId) -> sqlx::Result<TurnId> {
    let row = sqlx::query(
        "WITH RECURSIVE down (number, depth) AS (
            SELECT number, 1 FROM turns WHERE session = ?1 AND id = ?2
            UNION ALL
            SELECT (
                SELECT below.number FROM turns t JOIN turns below ON below.conversation = t.conversation AND below.parent = t.id
                WHERE t.number = down.number ORDER BY below.number DESC LIMIT 1
            ), down.depth + 1 FROM down WHERE down.number IS NOT NULL
        ) SELECT t.id FROM down JOIN turns t ON t.number = down.number ORDER BY down.depth DESC LIMIT 1",
    )
    .bind(bytes(session.0))
    .bind(bytes(id.0))
    .fetch_optional(readers)
    .await?;
    row.as_ref().map_or(Ok(id), super::rows::turn_id)
}

/// See [`Store::unfinished`](crate::store::Store::unfinished).
pub(super) async fn unfinished(readers: &SqlitePool) -> sqlx::Result<Vec<Unfinished>> {
    let rows = sqlx::query(concat!(
        "SELECT ",
        turn_columns!(),
        ", ",
        conversation_columns!(),
        " FROM turns t JOIN conversations c ON c.id = t.conversation
         WHERE t.state IN ('waiting', 'running') AND c.deleted_at IS NULL
         ORDER BY t.state = 'waiting' AND t.tag IS NOT NULL,
         CASE WHEN t.state = 'running' OR t.tag IS NULL THEN coalesce(t.started_at, t.accepted_at) END,
         t.tag, t.arrival, t.number"
    ))
    .fetch_all(readers)
    .await?;
    rows.iter().map(one_unfinished).collect()
}

fn one_unfinished(row: &SqliteRow) -> sqlx::Result<Unfinished> {
    let turn = step(row)?;
    let waited = turn.turn.state == TurnState::Waiting;
    Ok(Unfinished {
        conversation: conversation(row)?,
        key: key(row)?.filter(|_| waited),
        turn,
    })
}

/// See [`Store::turns`](crate::store::Store::turns).
pub(super) async fn all(
    readers: &SqlitePool,
    session: SessionId,
    conversation: ConversationId,
) -> sqlx::Result<Vec<TurnRecord>> {
    let rows = sqlx::query(concat!(
        "SELECT ",
        turn_columns!(),
        " FROM turns t JOIN conversations c ON c.id = t.conversation
         WHERE t.conversation = ? AND t.session = ? AND c.deleted_at IS NULL ORDER BY t.number"
    ))
    .bind(bytes(conversation.0))
    .bind(bytes(session.0))
    .fetch(readers);
    rows.map_err(sqlx::Error::from)
        .and_then(|row| std::future::ready(turn(&row)))
        .try_collect()
        .await
}
