//! Rows of a database as records, and the values that go into them: the same for every database.

use std::borrow::Cow;

use uuid::Uuid;

use crate::{
    accounts::{
        KeyId,
        rates::{KeyRates, Rate},
    },
    queue::{OrderKey, Owner},
    store::{ConversationRecord, KeyRecord, Leave, Step, TurnRecord, Unfinished, steps::read_steps},
    wire::{
        Choice, ConversationId, FileId, FileKind, FileView, FollowUp, Incomplete, Paper, Reason, Shelf, Shelving,
        TurnId, TurnNotice, TurnState, Usage, Versions,
    },
};

/// A row, read by the names of its columns.
pub(super) trait Columns {
    /// An id.
    fn optional_id(&self, column: &str) -> sqlx::Result<Option<Uuid>>;
    /// A text, as it was before it was stored.
    fn optional_text(&self, column: &str) -> sqlx::Result<Option<Cow<'_, str>>>;
    /// A whole number.
    fn optional_integer(&self, column: &str) -> sqlx::Result<Option<i64>>;
    /// Another number.
    fn optional_real(&self, column: &str) -> sqlx::Result<Option<f64>>;
    /// Whether something is so.
    fn flag(&self, column: &str) -> sqlx::Result<bool>;

    /// The id in a column that always has one.
    fn id(&self, column: &str) -> sqlx::Result<Uuid> {
        there(self.optional_id(column)?, column)
    }

    /// The text in a column that always has one.
    fn text(&self, column: &str) -> sqlx::Result<Cow<'_, str>> {
        there(self.optional_text(column)?, column)
    }

    /// The number in a column that always has one.
    fn integer(&self, column: &str) -> sqlx::Result<i64> {
        there(self.optional_integer(column)?, column)
    }
}

fn there<T>(value: Option<T>, column: &str) -> sqlx::Result<T> {
    value.ok_or_else(|| sqlx::Error::Decode(format!("there is nothing in the column {column}").into()))
}

pub(super) fn conversation(row: &impl Columns) -> sqlx::Result<ConversationRecord> {
    Ok(ConversationRecord {
        id: ConversationId(row.id("conversation")?),
        owner: owner(row)?,
        title: row.text("title")?.into_owned(),
        updated_at: number(row, "updated_at")?,
        head: TurnId(row.id("head")?),
        shelf: read_shelf(row.integer("shelf")?),
    })
}

/// In the number that tells where a conversation stands in the list: it is pinned.
const PINNED: i64 = 1;
/// Likewise: it is not archived. So the higher the number, the further up it stands; the migrations and what accepts a message know it, too.
const IN_SIGHT: i64 = 2;

pub(super) const fn read_shelf(stored: i64) -> Shelf {
    Shelf {
        pinned: stored & PINNED != 0,
        archived: stored & IN_SIGHT == 0,
    }
}

/// A change of that number: what stays of it, and what is added then.
pub(super) fn shelving_columns(shelving: Shelving) -> (i64, i64) {
    let bits = [
        (shelving.pinned, PINNED),
        (shelving.archived.map(|archived| !archived), IN_SIGHT),
    ];
    let changed = bits.iter().filter(|(to, _)| to.is_some()).map(|(_, bit)| bit);
    let set = bits.iter().filter(|(to, _)| *to == Some(true)).map(|(_, bit)| bit);
    (!changed.sum::<i64>(), set.sum())
}

pub(super) fn choice(row: &impl Columns) -> sqlx::Result<Choice> {
    let instructions = row.optional_text("instructions")?;
    let max_tokens = row.optional_integer("max_tokens")?;
    let temperature = row.optional_real("temperature")?;
    Ok(Choice {
        model: row.optional_text("chosen_model")?.map(Cow::into_owned),
        instructions: instructions.unwrap_or_default().into_owned(),
        #[expect(clippy::cast_possible_truncation, reason = "it was made of one of this width")]
        temperature: temperature.map(|temperature| temperature as f32),
        max_tokens: max_tokens.map(u32::try_from).transpose().map_err(undecodable)?,
        without_tools: row.flag("without_tools")?,
    })
}

pub(super) fn chosen(row: &impl Columns) -> sqlx::Result<(ConversationRecord, Choice)> {
    Ok((conversation(row)?, choice(row)?))
}

pub(super) fn turn(row: &impl Columns) -> sqlx::Result<TurnRecord> {
    let usage = Usage {
        input: optional_number(row, "input_tokens")?,
        output: optional_number(row, "output_tokens")?,
    };
    Ok(TurnRecord {
        id: TurnId(row.id("turn")?),
        owner: owner(row)?,
        conversation: ConversationId(row.id("conversation")?),
        parent: row.optional_id("parent")?.map(TurnId),
        message: row.text("message")?.into_owned(),
        files: files(&row.text("files")?)?,
        state: state(row)?,
        answer: row.text("answer")?.into_owned(),
        reasoning: row.text("reasoning")?.into_owned(),
        thought_ms: optional_number(row, "thought_ms")?,
        steps: read_steps(row.optional_text("steps")?.as_deref()),
        notices: notices(&row.text("notices")?),
        good: row.optional_integer("rating")?.map(|rating| rating > 0),
        model: row.text("model")?.into_owned(),
        backend: row.optional_text("backend")?.map(Cow::into_owned),
        usage: row.flag("counted")?.then_some(usage),
        accepted_at: number(row, "accepted_at")?,
        started_at: optional_number(row, "started_at")?,
        ended_at: optional_number(row, "ended_at")?,
        attempts: number(row, "attempts")?,
    })
}

pub(super) fn follow_up(row: &impl Columns) -> sqlx::Result<FollowUp> {
    Ok(FollowUp {
        id: TurnId(row.id("follow_up")?),
        message: row.text("message")?.into_owned(),
        files: files(&row.text("files")?)?,
        at: number(row, "created_at")?,
        held: row.optional_text("held")?.map(|held| read_reason(&held)),
    })
}

pub(super) fn step(row: &impl Columns) -> sqlx::Result<Step> {
    Ok(Step {
        turn: turn(row)?,
        versions: Versions {
            number: number(row, "version")?,
            count: number(row, "versions")?,
            earlier: row.optional_id("earlier")?.map(TurnId),
            later: row.optional_id("later")?.map(TurnId),
        },
    })
}

pub(super) fn unfinished(row: &impl Columns) -> sqlx::Result<Unfinished> {
    let tag = optional_number(row, "tag")?;
    let arrival = optional_number(row, "arrival")?;
    Ok(Unfinished {
        conversation: conversation(row)?,
        choice: choice(row)?,
        turn: step(row)?,
        key: tag.zip(arrival).map(|(tag, arrival)| OrderKey { tag, arrival }),
    })
}

pub(super) fn leave(row: &impl Columns) -> sqlx::Result<Leave> {
    Ok(Leave {
        tool: row.text("tool")?.into_owned(),
        fingerprint: row.text("fingerprint")?.into_owned(),
        allowed: row.flag("allowed")?,
    })
}

pub(super) fn file(row: &impl Columns) -> sqlx::Result<FileView> {
    let kind = row.text("kind")?;
    Ok(FileView {
        id: FileId(row.id("id")?),
        name: row.text("name")?.into_owned(),
        kind: file_kind(&kind)?,
        mime: row.text("mime")?.into_owned(),
        size: number(row, "size")?,
        paper: row.optional_text("paper")?.as_deref().and_then(paper),
    })
}

pub(super) fn key(row: &impl Columns) -> sqlx::Result<KeyRecord> {
    Ok(KeyRecord {
        id: KeyId(row.id("id")?),
        name: row.text("name")?.into_owned(),
        scopes: row.text("scopes")?.parse().map_err(undecodable)?,
        digest: row.text("digest")?.into_owned(),
        created_at: number(row, "created_at")?,
        expires_at: optional_number(row, "expires_at")?,
        revoked_at: optional_number(row, "revoked_at")?,
        rates: KeyRates {
            requests: rate(row, "requests_per_minute")?,
            tokens: rate(row, "tokens_per_minute")?,
        },
    })
}

/// A rate of a key's own.
fn rate<const MOST: u64>(row: &impl Columns, column: &str) -> sqlx::Result<Option<Rate<MOST>>> {
    let stored: Option<u64> = optional_number(row, column)?;
    stored.map(Rate::<MOST>::try_from).transpose().map_err(undecodable)
}

/// The owner in the column of that name.
pub(super) fn owner(row: &impl Columns) -> sqlx::Result<Owner> {
    Ok(Owner(row.id("owner")?.as_u128()))
}

pub(super) fn number<N: TryFrom<i64, Error: std::error::Error + Send + Sync + 'static>>(
    row: &impl Columns,
    column: &str,
) -> sqlx::Result<N> {
    N::try_from(row.integer(column)?).map_err(undecodable)
}

pub(super) fn optional_number(row: &impl Columns, column: &str) -> sqlx::Result<Option<u64>> {
    let number = row.optional_integer(column)?;
    number.map(u64::try_from).transpose().map_err(undecodable)
}

fn files(json: &str) -> sqlx::Result<Vec<FileView>> {
    let rows: Vec<(String, String, String, String, u64, Option<String>)> =
        serde_json::from_str(json).map_err(undecodable)?;
    rows.into_iter()
        .map(|(id, name, kind, mime, size, of_paper)| {
            Ok(FileView {
                id: FileId(Uuid::try_parse(&id).map_err(undecodable)?),
                name,
                kind: file_kind(&kind)?,
                mime,
                size,
                paper: of_paper.as_deref().and_then(paper),
            })
        })
        .collect()
}

fn state(row: &impl Columns) -> sqlx::Result<TurnState> {
    let reason = || {
        let column = row.optional_text("reason")?;
        Ok::<_, sqlx::Error>(read_reason(&column.unwrap_or_default()))
    };
    match &*row.text("state")? {
        "waiting" => Ok(TurnState::Waiting),
        "running" => Ok(TurnState::Running),
        // A server from before there was a reason for it takes such a turn as one that is whole.
        "done" => match row.optional_text("reason")?.as_deref() {
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
pub(super) fn written_reason(reason: &Reason) -> Cow<'static, str> {
    match reason {
        Reason::Told { sentence } => sentence.clone().into(),
        reason => serde_json::to_string(reason).unwrap_or_default().into(),
    }
}

/// What [`written_reason`] has written. A code of a later server is shown as it is, too: better than no turn at all.
pub(super) fn read_reason(column: &str) -> Reason {
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
        "document" => Ok(FileKind::Document),
        other => Err(unknown("kind of a file", other)),
    }
}

/// A kind of file as its column.
pub(super) const fn file_kind_column(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Text => "text",
        FileKind::Image => "image",
        FileKind::Document => "document",
    }
}

/// What was read of a document as its column.
pub(super) fn paper_column(file: &FileView) -> Option<String> {
    serde_json::to_string(&file.paper?).ok()
}

/// What [`paper_column`] has written. What a later server says of it is not needed to read the rest.
fn paper(column: &str) -> Option<Paper> {
    serde_json::from_str(column).ok()
}

pub(super) use super::steps::written_steps;

/// A number as databases have them. Times, sizes and tags stay far below the half that would not fit.
pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// How many, as a limit of a query.
pub(super) fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

pub(super) fn undecodable(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}

pub(super) fn unknown(what: &str, text: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("{text:?} is no {what}").into())
}
