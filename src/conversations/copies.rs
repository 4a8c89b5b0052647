//! Conversations that are made of others: from a turn on another way, or from a file that was saved once.

use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;
use serde::Deserialize;
use thiserror::Error;

use super::{Conversations, retold::callable, rounds::MAX_TURN, title::given, view::summary};
use crate::{
    clock::now_ms,
    queue::Owner,
    sessions::Session,
    store::{ConversationRecord, StoreError, ToolStep, TurnRecord},
    wire::{
        Choice, ConversationId, FeedEvent, FileId, FileView, Incomplete, MAX_MESSAGE_BYTES, Shelf, Shelving,
        StepContent, StepState, TurnId, TurnNotice, TurnState, Usage,
    },
};

/// Largest file that is taken in as a conversation, in bytes.
pub(crate) const MAX_IMPORT_BYTES: usize = 16 * 1024 * 1024;
/// Most turns that such a file may have.
const MOST_TURNS: usize = 5_000;
/// What the format is called, before its number.
const FORMAT: &str = "anteroom-conversation/";
/// The latest that can be read.
const LATEST: u32 = 2;

/// Why a file does not become a conversation. `Display` is for the log.
#[derive(Debug, Error)]
pub enum ImportError {
    /// It is not what an export writes, or a later version of it.
    #[error("this is no export of a conversation: {0}")]
    NotAnExport(String),
    /// It could not be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Deserialize)]
struct Whole {
    format: String,
    title: String,
    head: TurnId,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    pinned: bool,
    #[serde(default)]
    archived: bool,
    turns: Vec<One>,
}

#[derive(Deserialize)]
struct One {
    id: TurnId,
    parent: Option<TurnId>,
    message: String,
    #[serde(default)]
    files: Vec<FileView>,
    state: TurnState,
    #[serde(default)]
    incomplete: Option<Incomplete>,
    answer: String,
    #[serde(default)]
    reasoning: String,
    #[serde(default)]
    steps: Vec<ToolStep>,
    #[serde(default)]
    notices: Vec<TurnNotice>,
    model: String,
    #[serde(default)]
    usage: Option<Usage>,
    accepted_at: Option<Timestamp>,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
}

impl Conversations {
    /// Makes a new conversation of everything up to this turn, that one included. `None`: there is no such turn of this owner, or no
    /// turn up to it is over.
    ///
    /// Dropped halfway, there may be a conversation that ends earlier.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn branch(
        &self,
        owner: Owner,
        session: &Arc<Session>,
        turn: TurnId,
    ) -> Result<Option<ConversationId>, StoreError> {
        let steps = self.path(owner, turn, usize::MAX).await?;
        let turns: Vec<TurnRecord> = steps
            .into_iter()
            .map(|step| step.turn)
            .take_while(|turn| turn.state.is_over())
            .collect();
        let Some(from) = turns.first().map(|turn| turn.conversation) else {
            return Ok(None);
        };
        let Some((record, choice)) = self.deps.store.chosen(owner, from).await? else {
            return Ok(None);
        };
        let head = turns.last().map_or(turn, |last| last.id);
        let title = given(&format!("↳ {}", record.title.trim_start_matches("↳ "))).unwrap_or(record.title);
        let chosen = (choice != Choice::default()).then_some(choice);
        let shelving = Shelving::default();
        self.copy(owner, session, (title, shelving), turns, head, chosen)
            .await
            .map(Some)
    }

    /// Makes a conversation of a file that [`Conversations::export`] has written as JSON, here or elsewhere, with every version of
    /// everything. Files that this owner does not have (any more) are left out.
    ///
    /// # Errors
    /// [`ImportError`]. After [`ImportError::Store`] there may be a conversation that ends earlier.
    pub async fn import(
        &self,
        owner: Owner,
        session: &Arc<Session>,
        content: &[u8],
    ) -> Result<ConversationId, ImportError> {
        let whole = read(content)?;
        let title = given(&whole.title).unwrap_or_else(|| "…".to_owned());
        let choice = Choice {
            model: whole.model,
            ..Choice::default()
        };
        // One that is not offered here is as good as none.
        let chosen = self.chosen(choice).ok().map(|chosen| chosen.choice);
        let choice = chosen.filter(|choice| *choice != Choice::default());
        let mut turns = Vec::with_capacity(whole.turns.len());
        for one in whole.turns {
            let mut turn = one.record(owner);
            let mut files = Vec::new();
            for file in std::mem::take(&mut turn.files) {
                files.extend(self.deps.store.file(owner, file.id).await?);
            }
            turn.files = files;
            for step in &mut turn.steps {
                let mut kept = Vec::new();
                for content in std::mem::take(&mut step.content) {
                    if let StepContent::Picture { file, .. } = content
                        && self.deps.store.file(owner, file).await?.is_none()
                    {
                        continue;
                    }
                    kept.push(content);
                }
                step.content = kept;
            }
            turns.push(turn);
        }
        let shelving = Shelving {
            pinned: Some(whole.pinned),
            archived: Some(whole.archived),
        };
        Ok(self
            .copy(owner, session, (title, shelving), turns, whole.head, choice)
            .await?)
    }

    /// Keeps these turns as a conversation of their own, each after the one that it follows, puts it in its place in the list, and tells the pages.
    async fn copy(
        &self,
        owner: Owner,
        session: &Arc<Session>,
        (title, shelving): (String, Shelving),
        turns: Vec<TurnRecord>,
        head: TurnId,
        mut choice: Option<Choice>,
    ) -> Result<ConversationId, StoreError> {
        let store = &self.deps.store;
        let mut record = ConversationRecord {
            id: ConversationId::new(),
            owner,
            title,
            updated_at: now_ms(),
            head,
            shelf: Shelf::default(),
        };
        let mut names = HashMap::new();
        for mut turn in turns {
            let id = TurnId::new();
            names.insert(turn.id, id);
            turn.id = id;
            turn.conversation = record.id;
            turn.parent = turn.parent.and_then(|parent| names.get(&parent).copied());
            record.head = id;
            let pictures: Vec<FileId> = turn.steps.iter().flat_map(ToolStep::pictures).collect();
            store.accept(record.clone(), turn, None, choice.take()).await?;
            for picture in pictures {
                if let Some(file) = store.file(owner, picture).await? {
                    store.add_step_file(owner, id, file, now_ms()).await?;
                }
            }
        }
        if let Some(&head) = names.get(&head).filter(|head| **head != record.head) {
            store.show(owner, record.id, head).await?;
            record.head = head;
        }
        if shelving != Shelving::default() {
            let shelf = store.shelve(owner, record.id, shelving).await?;
            record.shelf = shelf.unwrap_or_default();
        }
        session
            .journal()
            .append(FeedEvent::Conversation(summary(&record, false, false)));
        Ok(record.id)
    }
}

/// A file, checked: whatever is in it can be kept and shown.
fn read(content: &[u8]) -> Result<Whole, ImportError> {
    let fault = |what: &str| ImportError::NotAnExport(what.to_owned());
    let whole: Whole =
        serde_json::from_slice(content).map_err(|error| ImportError::NotAnExport(format!("{:?}", error.classify())))?;
    let version = whole
        .format
        .strip_prefix(FORMAT)
        .and_then(|version| version.parse().ok());
    if version.is_none_or(|version: u32| !(1..=LATEST).contains(&version)) {
        return Err(fault("another format"));
    }
    if whole.turns.is_empty() || whole.turns.len() > MOST_TURNS {
        return Err(fault("no turns, or too many"));
    }
    let mut seen = std::collections::HashSet::new();
    for turn in &whole.turns {
        if turn.parent.is_some_and(|parent| !seen.contains(&parent)) {
            return Err(fault("a turn stands before the one that it follows"));
        }
        if !seen.insert(turn.id) {
            return Err(fault("a turn stands there twice"));
        }
        if turn.message.len() > MAX_MESSAGE_BYTES {
            return Err(fault("a message is too long"));
        }
    }
    if !seen.contains(&whole.head) {
        return Err(fault("the last turn is not there"));
    }
    Ok(whole)
}

/// The steps of a turn that is over, whatever a file says of them: each stands in the answer, where those before it do or later.
fn steps_of(steps: Vec<ToolStep>, answer: &str) -> Vec<ToolStep> {
    let (mut said, mut round, mut room) = (0, 0, MAX_TURN);
    let fits = steps.into_iter().map_while(|step| {
        room = room.checked_sub(step.bytes())?;
        Some(step)
    });
    fits.map(|mut step| {
        said = answer
            .floor_char_boundary(step.said.clamp(said, answer.len()))
            .max(said);
        round = step.round.clamp(round, round + 1);
        (step.said, step.round) = (said, round);
        step.name = callable(&step.name);
        if !step.state.is_over() {
            step.state = StepState::Stopped;
        }
        step
    })
    .collect()
}

impl One {
    fn record(self, owner: Owner) -> TurnRecord {
        let state = match (self.state, self.incomplete) {
            (TurnState::Done, Some(cause)) => TurnState::Incomplete { cause },
            // Nobody will answer it any more.
            (TurnState::Waiting | TurnState::Running, _) => TurnState::Cancelled,
            (state, _) => state,
        };
        let steps = steps_of(self.steps, &self.answer);
        let ms = |at: Timestamp| u64::try_from(at.as_millisecond()).unwrap_or_default();
        let accepted_at = self.accepted_at.map_or_else(now_ms, ms);
        TurnRecord {
            id: self.id,
            owner,
            // Both are put in place as it is copied.
            conversation: ConversationId(uuid::Uuid::nil()),
            parent: self.parent,
            message: self.message,
            files: self.files,
            state,
            answer: self.answer,
            reasoning: self.reasoning,
            thought_ms: None,
            good: None,
            steps,
            notices: self.notices,
            model: self.model,
            backend: None,
            usage: self.usage,
            accepted_at,
            started_at: self.started_at.map(ms),
            ended_at: Some(self.ended_at.map_or(accepted_at, ms)),
            attempts: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(turns: &str) -> String {
        format!(
            r#"{{"format":"anteroom-conversation/2","id":"00000000-0000-0000-0000-000000000009","title":"t",
            "head":"00000000-0000-0000-0000-000000000001","model":null,"turns":[{turns}]}}"#
        )
    }

    fn turn(id: u8, parent: &str) -> String {
        format!(
            r#"{{"id":"00000000-0000-0000-0000-00000000000{id}","parent":{parent},"message":"m","state":"done","answer":"a",
            "model":"x","accepted_at":null,"started_at":null,"ended_at":null}}"#
        )
    }

    #[test]
    fn what_is_no_export_is_told_from_one() {
        assert!(read(file(&turn(1, "null")).as_bytes()).is_ok());
        let first = "\"00000000-0000-0000-0000-000000000001\"";
        let two = format!("{},{}", turn(1, "null"), turn(2, first));
        assert!(read(file(&two).as_bytes()).is_ok());
        for wrong in [
            String::new(),
            "[]".to_owned(),
            file(""),
            file(&turn(2, "null")),
            file(&turn(1, "\"00000000-0000-0000-0000-000000000007\"")),
            file(&format!("{},{}", turn(1, "null"), turn(1, "null"))),
            file(&turn(1, "null")).replace("anteroom-conversation/2", "anteroom-conversation/3"),
            file(&turn(1, "null")).replace("anteroom-conversation/2", "something/2"),
            file(&turn(1, "null")).replace("\"m\"", &format!("{:?}", "m".repeat(MAX_MESSAGE_BYTES + 1))),
        ] {
            assert!(
                matches!(read(wrong.as_bytes()), Err(ImportError::NotAnExport(_))),
                "{wrong:.200}"
            );
        }
    }

    #[test]
    fn a_turn_that_was_on_its_way_is_over() {
        let waiting = file(&turn(1, "null")).replace("\"done\"", "\"waiting\"");
        let whole = read(waiting.as_bytes()).expect("an export");
        let turns: Vec<_> = whole.turns.into_iter().map(|one| one.record(Owner(1))).collect();
        assert_eq!(turns[0].state, TurnState::Cancelled);
    }
}
