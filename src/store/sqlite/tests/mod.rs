//! The store, against real files.

mod backups;
mod conversations;
mod disks;
mod faults;
mod plans;
mod processes;
mod removal;
mod speed;
mod starts;
mod turns;
mod unfinished;
mod writing;

use std::{path::Path, time::Duration};

use sqlx::{ConnectOptions as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use super::SqliteStore;
use crate::{
    queue::OrderKey,
    sessions::SessionId,
    store::{ConversationRecord, Step, Store, TurnRecord},
    wire::{ConversationId, FileId, FileKind, FileView, TurnId, TurnState},
};

/// A store in a folder of its own.
pub(super) struct Fixture {
    pub(super) store: SqliteStore,
    pub(super) folder: TempDir,
}

pub(super) async fn fixture() -> Fixture {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path()).await;
    Fixture { store, folder }
}

pub(super) async fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(folder).await.expect("it opens")
}

/// A conversation that is written to.
#[derive(Clone, Debug)]
pub(super) struct Talk {
    pub(super) conversation: ConversationRecord,
}

impl Talk {
    pub(super) fn new(session: SessionId, title: &str) -> Self {
        Self {
            conversation: ConversationRecord {
                id: ConversationId::new(),
                session,
                title: title.to_owned(),
                updated_at: 1_000,
                head: TurnId::new(),
            },
        }
    }

    pub(super) fn id(&self) -> ConversationId {
        self.conversation.id
    }

    pub(super) fn at(mut self, updated_at: u64) -> Self {
        self.conversation.updated_at = updated_at;
        self
    }

    /// Has a message accepted that follows `parent`.
    pub(super) async fn say(&mut self, store: &SqliteStore, parent: Option<TurnId>, message: &str) -> TurnRecord {
        let turn = self.turn(parent, message);
        self.accept(store, &turn, None).await;
        turn
    }

    /// A turn of it, not stored yet.
    pub(super) fn turn(&self, parent: Option<TurnId>, message: &str) -> TurnRecord {
        TurnRecord {
            id: TurnId::new(),
            session: self.conversation.session,
            conversation: self.conversation.id,
            parent,
            message: message.to_owned(),
            files: Vec::new(),
            state: TurnState::Waiting,
            answer: String::new(),
            model: "demo@builtin".to_owned(),
            usage: None,
            accepted_at: self.conversation.updated_at,
            started_at: None,
            ended_at: None,
            attempts: 0,
        }
    }

    pub(super) async fn accept(&mut self, store: &SqliteStore, turn: &TurnRecord, key: Option<OrderKey>) {
        self.conversation.head = turn.id;
        let conversation = self.conversation.clone();
        store.accept(conversation, turn.clone(), key).await.expect("accepted");
    }
}

/// A turn as it is when its answer is there.
pub(super) fn answered(mut turn: TurnRecord, answer: &str) -> TurnRecord {
    turn.state = TurnState::Done;
    turn.answer = answer.to_owned();
    turn.started_at = Some(turn.accepted_at + 10);
    turn.ended_at = Some(turn.accepted_at + 20);
    turn.attempts = 1;
    turn
}

/// What a folder's files hold, as raw bytes.
pub(super) fn on_disk(folder: &Path, text: &str) -> bool {
    let files = std::fs::read_dir(folder).expect("a folder");
    files
        .map(|file| file.expect("a file").path())
        .filter(|path| path.is_file())
        .any(|path| {
            let bytes = std::fs::read(path).expect("readable");
            bytes.windows(text.len()).any(|window| window == text.as_bytes())
        })
}

/// The database as another program sees it.
pub(super) async fn outside(folder: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(folder.join("anteroom.db"));
    options.busy_timeout(Duration::ZERO).connect().await.expect("connected")
}

pub(super) fn file(name: &str) -> FileView {
    FileView {
        id: FileId::new(),
        name: name.to_owned(),
        kind: FileKind::Text,
        mime: "text/plain".to_owned(),
        size: 12,
    }
}

pub(super) fn ids(steps: &[Step]) -> Vec<TurnId> {
    steps.iter().map(|step| step.turn.id).collect()
}
