//! Between rows and records.

use serde::Deserialize;
use sqlx::{Row as _, SqlitePool, sqlite::SqliteRow};
use uuid::Uuid;

use crate::{
    queue::OrderKey,
    sessions::SessionId,
    store::{ConversationRecord, Step, TurnRecord},
    wire::{ConversationId, FileId, FileKind, FileView, TurnId, TurnState, Usage, Versions},
};

/// What a query of turns has to select, from `turns AS t`.
macro_rules! turn_columns {
    () => {
        "t.number, t.id, t.session, t.conversation, t.parent, t.message, t.state, t.reason, t.answer, t.model, \
         t.input_tokens, t.output_tokens, t.accepted_at, t.started_at, t.ended_at, t.attempts, t.tag, t.arrival, \
         (SELECT json_group_array(json_array(lower(hex(f.id)), f.name, f.kind, f.mime, f.size) ORDER BY c.position) \
          FROM turn_files c JOIN files f ON f.id = c.file WHERE c.turn = t.number) AS files, \
         (SELECT group_concat(hex(v.id), ' ' ORDER BY v.number) FROM turns v \
          WHERE v.conversation = t.conversation AND v.parent IS t.parent) AS versions"
    };
}
pub(super) use turn_columns;

/// What a query of conversations has to select, from `conversations AS c`.
macro_rules! conversation_columns {
    () => {
        "c.id AS c_id, c.session AS c_session, c.title AS c_title, c.updated_at AS c_updated_at, c.head AS c_head"
    };
}
pub(super) use conversation_columns;

fn damaged(what: impl std::fmt::Display) -> sqlx::Error {
    sqlx::Error::Decode(what.to_string().into())
}

fn id(row: &SqliteRow, column: &str) -> sqlx::Result<Uuid> {
    Uuid::from_slice(row.try_get(column)?).map_err(damaged)
}

fn number(row: &SqliteRow, column: &str) -> sqlx::Result<u64> {
    u64::try_from(row.try_get::<i64, _>(column)?).map_err(damaged)
}

fn maybe_number(row: &SqliteRow, column: &str) -> sqlx::Result<Option<u64>> {
    let value: Option<i64> = row.try_get(column)?;
    value.map(u64::try_from).transpose().map_err(damaged)
}

/// A number as SQLite has them. None of ours comes near the end.
pub(super) fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn bytes(id: Uuid) -> Vec<u8> {
    id.as_bytes().to_vec()
}

pub(super) fn conversation(row: &SqliteRow) -> sqlx::Result<ConversationRecord> {
    Ok(ConversationRecord {
        id: ConversationId(id(row, "c_id")?),
        session: SessionId(id(row, "c_session")?),
        title: row.try_get("c_title")?,
        updated_at: number(row, "c_updated_at")?,
        head: TurnId(id(row, "c_head")?),
    })
}

pub(super) fn turn_id(row: &SqliteRow) -> sqlx::Result<TurnId> {
    Ok(TurnId(id(row, "id")?))
}

pub(super) fn turn(row: &SqliteRow) -> sqlx::Result<TurnRecord> {
    let parent: Option<&[u8]> = row.try_get("parent")?;
    let parent = parent.map(Uuid::from_slice).transpose().map_err(damaged)?;
    let usage = Usage {
        input: maybe_number(row, "input_tokens")?,
        output: maybe_number(row, "output_tokens")?,
    };
    Ok(TurnRecord {
        id: turn_id(row)?,
        session: SessionId(id(row, "session")?),
        conversation: ConversationId(id(row, "conversation")?),
        parent: parent.map(TurnId),
        message: row.try_get("message")?,
        files: files(row.try_get("files")?)?,
        state: state(row.try_get("state")?, row.try_get("reason")?)?,
        answer: row.try_get("answer")?,
        model: row.try_get("model")?,
        usage: (usage != Usage::default()).then_some(usage),
        accepted_at: number(row, "accepted_at")?,
        started_at: maybe_number(row, "started_at")?,
        ended_at: maybe_number(row, "ended_at")?,
        attempts: row.try_get("attempts")?,
    })
}

pub(super) fn step(row: &SqliteRow) -> sqlx::Result<Step> {
    let turn = turn(row)?;
    let all = row.try_get::<&str, _>("versions")?.split(' ').map(Uuid::try_parse);
    let all: Vec<TurnId> = all
        .map(|id| id.map(TurnId))
        .collect::<Result<_, _>>()
        .map_err(damaged)?;
    let at = all
        .iter()
        .position(|id| *id == turn.id)
        .ok_or_else(|| damaged("a turn that is no version of itself"))?;
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let versions = Versions {
        number: count(at + 1),
        count: count(all.len()),
        earlier: at.checked_sub(1).map(|before| all[before]),
        later: all.get(at + 1).copied(),
    };
    Ok(Step { turn, versions })
}

pub(super) fn key(row: &SqliteRow) -> sqlx::Result<Option<OrderKey>> {
    let (tag, arrival) = (maybe_number(row, "tag")?, maybe_number(row, "arrival")?);
    Ok(tag.zip(arrival).map(|(tag, arrival)| OrderKey { tag, arrival }))
}

/// A state's name, and the reason of those that have one.
pub(super) fn state_columns(state: &TurnState) -> (&'static str, Option<&str>) {
    match state {
        TurnState::Waiting => ("waiting", None),
        TurnState::Running => ("running", None),
        TurnState::Done => ("done", None),
        TurnState::Cancelled => ("cancelled", None),
        TurnState::Failed { reason } => ("failed", Some(reason)),
        TurnState::Expired { reason } => ("expired", Some(reason)),
    }
}

fn state(name: &str, reason: Option<String>) -> sqlx::Result<TurnState> {
    let reason = reason.unwrap_or_default();
    Ok(match name {
        "waiting" => TurnState::Waiting,
        "running" => TurnState::Running,
        "done" => TurnState::Done,
        "cancelled" => TurnState::Cancelled,
        "failed" => TurnState::Failed { reason },
        "expired" => TurnState::Expired { reason },
        other => return Err(damaged(format!("there is no state {other}"))),
    })
}

pub(super) const fn kind_name(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Text => "text",
        FileKind::Image => "image",
    }
}

/// A file as an array of JSON.
#[derive(Deserialize)]
struct FileRow(Uuid, String, FileKind, String, u64);

impl From<FileRow> for FileView {
    fn from(FileRow(id, name, kind, mime, size): FileRow) -> Self {
        Self {
            id: FileId(id),
            name,
            kind,
            mime,
            size,
        }
    }
}

fn files(json: &str) -> sqlx::Result<Vec<FileView>> {
    let rows: Vec<FileRow> = serde_json::from_str(json).map_err(damaged)?;
    Ok(rows.into_iter().map(FileView::from).collect())
}

/// One uploaded file of a session.
pub(super) async fn file(readers: &SqlitePool, session: SessionId, id: FileId) -> sqlx::Result<Option<FileView>> {
    let json: Option<String> = sqlx::query_scalar(
        "SELECT json_array(json_array(lower(hex(id)), name, kind, mime, size)) FROM files WHERE id = ? AND session = ?",
    )
    .bind(bytes(id.0))
    .bind(bytes(session.0))
    .fetch_optional(readers)
    .await?;
    Ok(json
        .as_deref()
        .map(files)
        .transpose()?
        .and_then(|mut files| files.pop()))
}
