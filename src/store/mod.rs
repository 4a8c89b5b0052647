//! The store: what was said, kept.

mod memory;

use async_trait::async_trait;
use thiserror::Error;

pub use memory::MemoryStore;

use crate::{
    sessions::SessionId,
    wire::{ConversationId, FileId, FileView, TurnId, TurnState, Usage},
};

/// One conversation, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationRecord {
    /// This conversation.
    pub id: ConversationId,
    /// Whose it is.
    pub session: SessionId,
    /// Made from the first message.
    pub title: String,
    /// Milliseconds since the Unix epoch.
    pub updated_at: u64,
}

/// One turn, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnRecord {
    /// This turn.
    pub id: TurnId,
    /// Whose it is.
    pub session: SessionId,
    /// The conversation it belongs to.
    pub conversation: ConversationId,
    /// What the person wrote.
    pub message: String,
    /// The files that came with it.
    pub files: Vec<FileView>,
    /// Where it is.
    pub state: TurnState,
    /// The answer, as far as it is stored.
    pub answer: String,
    /// The model that answered or will.
    pub model: String,
    /// Tokens taken, once known.
    pub usage: Option<Usage>,
    /// Milliseconds since the Unix epoch.
    pub accepted_at: u64,
    /// Likewise.
    pub started_at: Option<u64>,
    /// Likewise.
    pub ended_at: Option<u64>,
}

/// A fault of the store.
#[derive(Debug, Error)]
#[error("the store failed: {0}")]
pub struct StoreError(pub String);

/// Where conversations and turns are kept. Every look-up names the session: what is another's is not found.
#[async_trait]
pub trait Store: Send + Sync {
    /// Whether what it keeps outlasts the process: turns that are not over are then taken up by the next start.
    fn lasts(&self) -> bool;
    /// A session's conversations, the last used first.
    async fn conversations(&self, session: SessionId) -> Result<Vec<ConversationRecord>, StoreError>;
    /// One conversation of a session.
    async fn conversation(
        &self,
        session: SessionId,
        id: ConversationId,
    ) -> Result<Option<ConversationRecord>, StoreError>;
    /// Stores a turn as accepted, and its conversation where that is new. Both are kept once this has returned.
    async fn accept(&self, conversation: ConversationRecord, turn: TurnRecord) -> Result<(), StoreError>;
    /// Replaces a turn that was accepted before.
    async fn update(&self, turn: TurnRecord) -> Result<(), StoreError>;
    /// One turn of a session.
    async fn turn(&self, session: SessionId, id: TurnId) -> Result<Option<TurnRecord>, StoreError>;
    /// A conversation's turns, oldest first.
    async fn turns(&self, session: SessionId, conversation: ConversationId) -> Result<Vec<TurnRecord>, StoreError>;
    /// Turns that are not over, of all sessions, in the order of their acceptance.
    async fn unfinished(&self) -> Result<Vec<TurnRecord>, StoreError>;
    /// Keeps what is known of an uploaded file.
    async fn add_file(&self, session: SessionId, file: FileView) -> Result<(), StoreError>;
    /// One uploaded file of a session.
    async fn file(&self, session: SessionId, id: FileId) -> Result<Option<FileView>, StoreError>;
    /// Told that a session has left memory. Returns files that are of no use any more, whose contents are the
    /// caller's to remove: a store that lasts keeps everything and returns none.
    async fn session_left(&self, session: SessionId) -> Result<Vec<FileId>, StoreError>;
}
