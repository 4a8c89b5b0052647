//! A conversation as a file to keep.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;

use super::{Conversations, retold, step_view};
use crate::{
    language::{Language, Words},
    queue::Owner,
    say,
    store::{ConversationRecord, StoreError, ToolStep, TurnRecord},
    wire::{Choice, ConversationId, FileView, Incomplete, TurnId, TurnNotice, TurnState, Usage},
};

/// The name of the JSON format; a later one that readers of this one cannot read gets another number.
const FORMAT: &str = "anteroom-conversation/2";

/// In which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Export {
    /// What is shown, for people who read this language.
    Markdown(Language),
    /// Every version of everything, for programs.
    Json,
}

#[derive(Serialize)]
struct Whole {
    format: &'static str,
    id: ConversationId,
    title: String,
    updated_at: Option<Timestamp>,
    /// The last turn that is shown; those before it follow from `parent`.
    head: TurnId,
    /// The model that is chosen for it; none: the site's default.
    model: Option<String>,
    pinned: bool,
    archived: bool,
    turns: Vec<One>,
}

#[derive(Serialize)]
struct One {
    id: TurnId,
    parent: Option<TurnId>,
    message: String,
    files: Vec<FileView>,
    state: TurnState,
    /// Why an answer that is `done` is not whole.
    incomplete: Option<Incomplete>,
    answer: String,
    /// What the model thought before and between.
    reasoning: String,
    /// What tools were used meanwhile. `said`: bytes of the answer before that.
    steps: Vec<ToolStep>,
    notices: Vec<TurnNotice>,
    model: String,
    usage: Option<Usage>,
    accepted_at: Option<Timestamp>,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
}

impl Conversations {
    /// A conversation of an owner as a file: its title and its content. `None` where it has none of this id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn export(
        &self,
        owner: Owner,
        id: ConversationId,
        form: Export,
    ) -> Result<Option<(String, String)>, StoreError> {
        let store = &self.deps.store;
        let Some((record, choice)) = store.chosen(owner, id).await? else {
            return Ok(None);
        };
        let title = record.title.clone();
        let content = match form {
            Export::Markdown(language) => {
                let steps = self.path(owner, record.head, usize::MAX).await?;
                let turns = steps.into_iter().map(|step| step.turn);
                markdown(&record, turns, Words::of(language))
            }
            Export::Json => {
                let mut turns = store.turns(owner, id).await?;
                for turn in &mut turns {
                    self.pending.correct(turn);
                }
                json(record, choice, turns)?
            }
        };
        Ok(Some((title, content)))
    }
}

fn markdown(record: &ConversationRecord, turns: impl Iterator<Item = TurnRecord>, words: &Words) -> String {
    let mut text = format!("# {}\n", record.title);
    for turn in turns {
        let when = time(turn.accepted_at).map(|time| date(time, words));
        let asked = say!(words, "export-you", when = when.unwrap_or_default());
        // Writing to a string cannot fail.
        let _ = write!(text, "\n## {asked}\n\n{}\n", turn.message.trim_end());
        for file in &turn.files {
            let _ = write!(text, "\n- {} ({}, {})\n", file.name, file.mime, words.size(file.size));
        }
        let _ = write!(text, "\n## {}\n\n", turn.model);
        let (rounds, last) = retold::rounds(&turn);
        for round in &rounds {
            if !round.said.trim().is_empty() {
                let _ = writeln!(text, "{}\n", round.said.trim_end());
            }
            for step in round.steps {
                let tool = step_view::named(step);
                let used = match step.server.is_empty() {
                    true => say!(words, "export-tool-unknown", tool = tool),
                    false => say!(words, "export-tool", tool = tool, server = step.server.as_str()),
                };
                let _ = writeln!(text, "> *{used}*\n");
            }
        }
        if !last.is_empty() {
            let _ = writeln!(text, "{}", last.trim_end());
        }
        let remark = match &turn.state {
            TurnState::Done => None,
            TurnState::Waiting | TurnState::Running => Some(say!(words, "export-unanswered")),
            TurnState::Incomplete { cause } => Some(words.incomplete(*cause)),
            TurnState::Cancelled => Some(say!(words, "export-stopped")),
            TurnState::Failed { reason } | TurnState::Expired { reason } => Some(words.reason(reason)),
        };
        if let Some(remark) = remark {
            let _ = writeln!(text, "\n*({remark})*");
        }
    }
    text
}

/// A time as the language writes it.
fn date(time: Timestamp, words: &Words) -> String {
    words.date(u64::try_from(time.as_millisecond()).unwrap_or_default())
}

fn json(record: ConversationRecord, choice: Choice, turns: Vec<TurnRecord>) -> Result<String, StoreError> {
    let whole = Whole {
        format: FORMAT,
        id: record.id,
        title: record.title,
        updated_at: time(record.updated_at),
        head: record.head,
        model: choice.model,
        pinned: record.shelf.pinned,
        archived: record.shelf.archived,
        turns: turns.into_iter().map(One::from).collect(),
    };
    serde_json::to_string_pretty(&whole).map_err(|error| StoreError::Other(error.to_string()))
}

impl From<TurnRecord> for One {
    fn from(turn: TurnRecord) -> Self {
        let (state, incomplete) = match turn.state {
            TurnState::Incomplete { cause } => (TurnState::Done, Some(cause)),
            state => (state, None),
        };
        Self {
            id: turn.id,
            parent: turn.parent,
            message: turn.message,
            files: turn.files,
            state,
            incomplete,
            answer: turn.answer,
            reasoning: turn.reasoning,
            steps: turn.steps,
            notices: turn.notices,
            model: turn.model,
            usage: turn.usage,
            accepted_at: time(turn.accepted_at),
            started_at: turn.started_at.and_then(time),
            ended_at: turn.ended_at.and_then(time),
        }
    }
}

fn time(ms: u64) -> Option<Timestamp> {
    Timestamp::from_millisecond(i64::try_from(ms).ok()?).ok()
}
