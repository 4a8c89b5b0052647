//! Rows of the database as records, and the values that go into them.

use std::borrow::Cow;

use sqlx::{Row as _, sqlite::SqliteRow};
use uuid::Uuid;

use crate::{
    queue::{OrderKey, Owner},
    store::{ConversationRecord, Step, TurnRecord, Unfinished},
    wire::{
        Choice, ConversationId, FileId, FileKind, FileView, Incomplete, Reason, TurnId, TurnNotice, TurnState, Usage,
        Versions,
    },
};

/// The columns of [`conversation`]: `o` is its owner, `c` itself.
macro_rules! conversation_columns {
    () => {
        "o.id AS owner, c.id AS conversation, c.title, c.updated_at, c.head"
    };
}

/// The columns of [`choice`]: `h` is the row of the conversation's choices, if it has one.
macro_rules! choice_columns {
    () => {
        "h.model AS chosen_model, h.temperature, h.max_tokens, h.instructions"
    };
}

/// The columns of [`turn`]: `o` is its owner, `c` its conversation, `t` itself.
macro_rules! turn_columns {
    () => {
        "o.id AS owner, c.id AS conversation, t.id AS turn, t.message, t.answer, t.model, t.backend, t.notices, t.thought_ms, t.reasoning, \
         t.state, t.reason, \
         t.counted, t.input_tokens, t.output_tokens, t.accepted_at, t.started_at, t.ended_at, t.attempts, \
         (SELECT p.id FROM turns p WHERE p.key = t.parent) AS parent, \
         (SELECT json_group_array(json_array(hex(f.id), f.name, f.kind, f.mime, f.size) ORDER BY tf.position) \
          FROM turn_files tf JOIN files f ON f.key = tf.file WHERE tf.turn = t.key) AS files"
    };
}

/// The columns of [`step`] that [`turn_columns`] has not.
macro_rules! version_columns {
    () => {
        "(SELECT count(*) FROM turns v WHERE v.parent IS t.parent AND v.conversation = t.conversation) AS versions, \
         (SELECT count(*) FROM turns v WHERE v.parent IS t.parent AND v.conversation = t.conversation AND v.key <= t.key) \
          AS version, \
         (SELECT v.id FROM turns v WHERE v.parent IS t.parent AND v.conversation = t.conversation AND v.key < t.key \
          ORDER BY v.key DESC LIMIT 1) AS earlier, \
         (SELECT v.id FROM turns v WHERE v.parent IS t.parent AND v.conversation = t.conversation AND v.key > t.key \
          ORDER BY v.key LIMIT 1) AS later"
    };
}

pub(super) use {choice_columns, conversation_columns, turn_columns, version_columns};

pub(super) fn conversation(row: &SqliteRow) -> sqlx::Result<ConversationRecord> {
    Ok(ConversationRecord {
        id: ConversationId(id(row, "conversation")?),
        owner: owner(row)?,
        title: row.try_get("title")?,
        updated_at: number(row, "updated_at")?,
        head: TurnId(id(row, "head")?),
    })
}

pub(super) fn choice(row: &SqliteRow) -> sqlx::Result<Choice> {
    let instructions: Option<String> = row.try_get("instructions")?;
    let max_tokens: Option<i64> = row.try_get("max_tokens")?;
    let temperature: Option<f64> = row.try_get("temperature")?;
    Ok(Choice {
        model: row.try_get("chosen_model")?,
        instructions: instructions.unwrap_or_default(),
        #[expect(clippy::cast_possible_truncation, reason = "it was made of one of this width")]
        temperature: temperature.map(|temperature| temperature as f32),
        max_tokens: max_tokens.map(u32::try_from).transpose().map_err(undecodable)?,
    })
}

pub(super) fn chosen(row: &SqliteRow) -> sqlx::Result<(ConversationRecord, Choice)> {
    Ok((conversation(row)?, choice(row)?))
}

pub(super) fn turn(row: &SqliteRow) -> sqlx::Result<TurnRecord> {
    let usage = Usage {
        input: optional_number(row, "input_tokens")?,
        output: optional_number(row, "output_tokens")?,
    };
    Ok(TurnRecord {
        id: TurnId(id(row, "turn")?),
        owner: owner(row)?,
        conversation: ConversationId(id(row, "conversation")?),
        parent: optional_id(row, "parent")?.map(TurnId),
        message: row.try_get("message")?,
        files: files(row.try_get("files")?)?,
        state: state(row)?,
        answer: row.try_get("answer")?,
        reasoning: row.try_get("reasoning")?,
        thought_ms: optional_number(row, "thought_ms")?,
        notices: notices(row.try_get("notices")?),
        model: row.try_get("model")?,
        backend: row.try_get("backend")?,
        usage: row.try_get::<bool, _>("counted")?.then_some(usage),
        accepted_at: number(row, "accepted_at")?,
        started_at: optional_number(row, "started_at")?,
        ended_at: optional_number(row, "ended_at")?,
        attempts: number(row, "attempts")?,
    })
}

pub(super) fn step(row: &SqliteRow) -> sqlx::Result<Step> {
    Ok(Step {
        turn: turn(row)?,
        versions: Versions {
            number: number(row, "version")?,
            count: number(row, "versions")?,
            earlier: optional_id(row, "earlier")?.map(TurnId),
            later: optional_id(row, "later")?.map(TurnId),
        },
    })
}

pub(super) fn unfinished(row: &SqliteRow) -> sqlx::Result<Unfinished> {
    let tag = optional_number(row, "tag")?;
    let arrival = optional_number(row, "arrival")?;
    Ok(Unfinished {
        conversation: conversation(row)?,
        choice: choice(row)?,
        turn: step(row)?,
        key: tag.zip(arrival).map(|(tag, arrival)| OrderKey { tag, arrival }),
    })
}

pub(super) fn file(row: &SqliteRow) -> sqlx::Result<FileView> {
    let kind: &str = row.try_get("kind")?;
    Ok(FileView {
        id: FileId(id(row, "id")?),
        name: row.try_get("name")?,
        kind: file_kind(kind)?,
        mime: row.try_get("mime")?,
        size: number(row, "size")?,
    })
}

/// The owner in the column of that name.
pub(super) fn owner(row: &SqliteRow) -> sqlx::Result<Owner> {
    Ok(Owner(id(row, "owner")?.as_u128()))
}

/// The id in a column.
pub(super) fn id(row: &SqliteRow, column: &str) -> sqlx::Result<Uuid> {
    Uuid::from_slice(row.try_get(column)?).map_err(undecodable)
}

fn optional_id(row: &SqliteRow, column: &str) -> sqlx::Result<Option<Uuid>> {
    let bytes: Option<&[u8]> = row.try_get(column)?;
    bytes.map(Uuid::from_slice).transpose().map_err(undecodable)
}

fn number<N: TryFrom<i64, Error: std::error::Error + Send + Sync + 'static>>(
    row: &SqliteRow,
    column: &str,
) -> sqlx::Result<N> {
    N::try_from(row.try_get::<i64, _>(column)?).map_err(undecodable)
}

fn optional_number(row: &SqliteRow, column: &str) -> sqlx::Result<Option<u64>> {
    let number: Option<i64> = row.try_get(column)?;
    number.map(u64::try_from).transpose().map_err(undecodable)
}

fn files(json: &str) -> sqlx::Result<Vec<FileView>> {
    let rows: Vec<(String, String, String, String, u64)> = serde_json::from_str(json).map_err(undecodable)?;
    rows.into_iter()
        .map(|(id, name, kind, mime, size)| {
            Ok(FileView {
                id: FileId(Uuid::try_parse(&id).map_err(undecodable)?),
                name,
                kind: file_kind(&kind)?,
                mime,
                size,
            })
        })
        .collect()
}

fn state(row: &SqliteRow) -> sqlx::Result<TurnState> {
    let reason = || {
        Ok::<_, sqlx::Error>(read_reason(
            row.try_get::<Option<&str>, _>("reason")?.unwrap_or_default(),
        ))
    };
    match row.try_get("state")? {
        "waiting" => Ok(TurnState::Waiting),
        "running" => Ok(TurnState::Running),
        // A server from before there was a reason for it takes such a turn as one that is whole.
        "done" => match row.try_get::<Option<&str>, _>("reason")? {
            None => Ok(TurnState::Done),
            Some("length") => Ok(incomplete(Incomplete::Length)),
            Some("filter") => Ok(incomplete(Incomplete::Filter)),
            Some(_) => Ok(incomplete(Incomplete::Other)),
        },
        "failed" => Ok(TurnState::Failed { reason: reason()? }),
        "cancelled" => Ok(TurnState::Cancelled),
        "expired" => Ok(TurnState::Expired { reason: reason()? }),
        other => Err(unknown("state", other)),
    }
}

const fn incomplete(cause: Incomplete) -> TurnState {
    TurnState::Incomplete { cause }
}

/// A state as its column, and the reason as the other.
pub(super) fn state_columns(state: &TurnState) -> (&'static str, Option<Cow<'static, str>>) {
    match state {
        TurnState::Waiting => ("waiting", None),
        TurnState::Running => ("running", None),
        TurnState::Done => ("done", None),
        TurnState::Incomplete { cause } => {
            let reason = match cause {
                Incomplete::Length => "length",
                Incomplete::Filter => "filter",
                Incomplete::Other => "other",
            };
            ("done", Some(reason.into()))
        }
        TurnState::Failed { reason } => ("failed", Some(written_reason(reason))),
        TurnState::Cancelled => ("cancelled", None),
        TurnState::Expired { reason } => ("expired", Some(written_reason(reason))),
    }
}

/// A reason as its column: JSON. In older rows, an English sentence stands there.
fn written_reason(reason: &Reason) -> Cow<'static, str> {
    match reason {
        Reason::Told { sentence } => sentence.clone().into(),
        reason => serde_json::to_string(reason).unwrap_or_default().into(),
    }
}

/// What [`written_reason`] has written. A code of a later server is shown as it is, too: better than no turn at all.
fn read_reason(column: &str) -> Reason {
    serde_json::from_str(column).unwrap_or_else(|_| Reason::Told {
        sentence: column.to_owned(),
    })
}

/// Notices as their column.
pub(super) fn written_notices(notices: &[TurnNotice]) -> String {
    serde_json::to_string(notices).unwrap_or_default()
}

/// What [`written_notices`] has written. One that this server does not know is left out: better than no turn at all.
fn notices(column: &str) -> Vec<TurnNotice> {
    let all: Vec<serde_json::Value> = serde_json::from_str(column).unwrap_or_default();
    let known = all.into_iter().filter_map(|one| serde_json::from_value(one).ok());
    known.collect()
}

fn file_kind(text: &str) -> sqlx::Result<FileKind> {
    match text {
        "text" => Ok(FileKind::Text),
        "image" => Ok(FileKind::Image),
        other => Err(unknown("kind of a file", other)),
    }
}

/// A kind of file as its column.
pub(super) const fn file_kind_column(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Text => "text",
        FileKind::Image => "image",
    }
}

/// A number as SQLite has them. Times, sizes and tags stay far below the half that would not fit.
pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// How many, as a limit of a query.
pub(super) fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

/// An id as SQLite has it.
pub(super) fn blob(id: &Uuid) -> &[u8] {
    id.as_bytes()
}

/// An owner likewise: the bytes of the id that the number stands for.
pub(super) fn owner_blob(owner: Owner) -> Vec<u8> {
    owner.0.to_be_bytes().into()
}

fn undecodable(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}

fn unknown(what: &str, text: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("{text:?} is no {what}").into())
}
