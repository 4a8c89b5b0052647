//! The store: what was said, kept. Once a method that writes has returned, what it wrote survives a `kill -9` and a power
//! cut.

#[cfg(test)]
pub(crate) mod contract;
mod credentials;
mod desk;
mod fault;
mod follow_ups;
mod job;
mod minutes;
mod passes;
pub(crate) mod postgres;
mod readers;
mod rows;
pub(crate) mod search;
pub(crate) mod sqlite;
mod steps;
mod task_rows;
mod tasks;
#[cfg(test)]
pub(crate) mod testing;

use std::sync::Arc;

use anyhow::Context as _;
use async_trait::async_trait;
use thiserror::Error;

pub(crate) use credentials::{CredentialRecord, CredentialStore};
pub(crate) use desk::{KeyDesk, desk};
pub(crate) use fault::StoreError;
pub(crate) use follow_ups::{Added, FollowUpStore};
pub(crate) use minutes::{KEPT, Minute};
pub(crate) use passes::PassStore;
pub use passes::{PassKind, PassRecord};
pub(crate) use steps::{Leave, StepStore, ToolStep};
pub(crate) use tasks::{
    BatchRecord, CancelledBatch, Delivery, Ended, NewBatch, NewTask, OpenTask, TakenIn, TaskEnd, TaskFilter,
    TaskRecord, TaskState, TaskStore, Webhook,
};

use self::postgres::Opener;
pub(crate) use self::postgres::PostgresStore;
use crate::{
    accounts::{
        KeyId, Scopes,
        rates::{KeyRates, RatesChange},
    },
    files::Contents,
    nodes::{Database, Incarnation},
    queue::{OrderKey, Owner, Policy},
    settings::{Secret, Settings},
    wire::{
        Choice, ConversationId, FileId, FileView, Role, Shelf, Shelving, TurnId, TurnNotice, TurnState, Usage, Versions,
    },
};

/// The store cannot be opened. `Display` is for the operator.
#[derive(Debug, Error)]
#[error(transparent)]
pub(crate) enum OpenError {
    /// That in the data directory.
    Sqlite(#[from] sqlite::OpenError),
    /// That of `DATABASE_URL`.
    Postgres(#[from] postgres::OpenError),
}

/// A store that is open.
pub(crate) struct Opened {
    pub(crate) store: Arc<dyn Store>,
    /// Where the contents of files are; `None`: in the data directory.
    pub(crate) contents: Option<Arc<dyn Contents>>,
    /// The same store, where it keeps the log of several nodes; `None`: it is one process's alone.
    pub(crate) shared: Option<Arc<PostgresStore>>,
}

/// Opens the store that the settings name, for this process alone or as one of several nodes.
///
/// # Errors
/// [`OpenError`], with words for the operator.
pub(crate) async fn open(settings: &Settings) -> Result<Opened, OpenError> {
    match &settings.database_url {
        Some(address) => {
            let opener = Opener {
                address: settings.node_addr.clone(),
                ..Opener::alone()
            };
            open_database(address, &opener).await
        }
        None => Ok(Opened {
            store: Arc::new(sqlite::SqliteStore::open(&settings.data_dir).await?),
            contents: None,
            shared: None,
        }),
    }
}

/// Opens the store in this database.
///
/// # Errors
/// [`OpenError`], with words for the operator.
pub(crate) async fn open_database(address: &Secret, opener: &Opener) -> Result<Opened, OpenError> {
    let store = Arc::new(PostgresStore::open(address, opener).await?);
    Ok(Opened {
        contents: Some(store.contents()),
        shared: Some(Arc::clone(&store)),
        store,
    })
}

/// The log of several nodes in a database, and nothing else of what is kept there: for what measures nodes.
///
/// # Errors
/// What keeps it from being opened, in words for the operator.
pub async fn open_log(
    database: &Secret,
    incarnation: Incarnation,
    address: &str,
    policy: &Policy,
) -> anyhow::Result<Arc<dyn Database>> {
    let opener = Opener {
        incarnation,
        address: Some(address.to_owned()),
    };
    let opened = open_database(database, &opener).await?;
    let store = opened.shared.context("a database keeps a log")?;
    Ok(store.log(policy).await?)
}

/// One conversation, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationRecord {
    /// This conversation.
    pub id: ConversationId,
    /// Whose it is.
    pub owner: Owner,
    /// Made from the first message, or given by its owner.
    pub title: String,
    /// Milliseconds since the Unix epoch.
    pub updated_at: u64,
    /// The last turn that is shown. Those before it are found by [`TurnRecord::parent`].
    pub head: TurnId,
    /// Where it stands in the list. [`Store::shelve`] alone changes it, and a message that is accepted.
    pub shelf: Shelf,
}

/// One turn, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnRecord {
    /// This turn.
    pub id: TurnId,
    /// Whose it is.
    pub owner: Owner,
    /// The conversation it belongs to.
    pub conversation: ConversationId,
    /// The turn it follows. Turns of a conversation that follow the same one are versions of each other.
    pub parent: Option<TurnId>,
    /// What the person wrote.
    pub message: String,
    /// The files that came with it.
    pub files: Vec<FileView>,
    /// Where it is.
    pub state: TurnState,
    /// The answer; empty until the turn is over, but for what was said before tools were used.
    pub answer: String,
    /// What the model thought before and between, likewise. Nothing of it is told to a model later, or searched.
    pub reasoning: String,
    /// How long it thought before the first words of the answer, or before it was ended, in milliseconds.
    pub thought_ms: Option<u64>,
    /// What tools were used meanwhile, in the order in which they were called.
    pub steps: Vec<ToolStep>,
    /// What its reader should know of the answer.
    pub notices: Vec<TurnNotice>,
    /// What its reader thinks of the answer; `None`: nothing was said. [`Store::rate`] alone changes it.
    pub good: Option<bool>,
    /// The model that is to answer, as it was chosen: its id.
    pub model: String,
    /// The back end that has answered; `None`: none has yet, or it is not known.
    pub backend: Option<String>,
    /// Tokens taken, once known.
    pub usage: Option<Usage>,
    /// Milliseconds since the Unix epoch.
    pub accepted_at: u64,
    /// Likewise.
    pub started_at: Option<u64>,
    /// Likewise.
    pub ended_at: Option<u64>,
    /// How often its answer has been begun: more than once only where the server ended meanwhile.
    pub attempts: u32,
}

impl TurnRecord {
    /// Whether a use of a tool of it is not over: then it holds no slot, and waits in no line.
    #[must_use]
    pub fn has_open_steps(&self) -> bool {
        self.steps.iter().any(|step| !step.state.is_over())
    }
}

/// A turn among its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The turn.
    pub turn: TurnRecord,
    /// Where it stands among its versions.
    pub versions: Versions,
}

/// A turn that was not over when the server ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Unfinished {
    /// Its conversation.
    pub conversation: ConversationRecord,
    /// What is chosen for that.
    pub choice: Choice,
    /// The turn.
    pub turn: Step,
    /// Its place in the order of its line, if it is known.
    pub key: Option<OrderKey>,
}

/// Something that a search has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The conversation.
    pub conversation: ConversationRecord,
    /// Where in it, and the whole text there; `None`: the title.
    pub turn: Option<(TurnId, Role, String)>,
}

/// A program's key, as stored: nothing of it lets anybody in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// Its name in the store, which is part of what its program sends, and its owner.
    pub id: KeyId,
    /// Its name for people. No two keys that are not revoked have the same.
    pub name: String,
    /// What it lets its program do.
    pub scopes: Scopes,
    /// Of what its program sends, as [`Token::digest`](crate::accounts::keys::Token::digest) makes it.
    pub digest: String,
    /// Milliseconds since the Unix epoch.
    pub created_at: u64,
    /// From when on it lets nobody in; likewise.
    pub expires_at: Option<u64>,
    /// Since when it lets nobody in; likewise.
    pub revoked_at: Option<u64>,
    /// What it may ask for in a minute where that is not the site's setting.
    pub rates: KeyRates,
}

impl KeyRecord {
    /// Whether it lets its program in at this time (milliseconds since the Unix epoch).
    #[must_use]
    pub fn is_valid(&self, now: u64) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| at > now)
    }
}

/// What tells whether the keys have changed: they are only made, given other rates and revoked, never removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeysVersion {
    /// How many there are.
    pub made: u64,
    /// How many of them are revoked.
    pub revoked: u64,
    /// How often they were given other rates.
    pub changes: u64,
}

/// Where conversations and turns are kept. Every look-up names the owner: what is another's is not found, and neither is
/// what has been deleted.
///
/// Cancel-safe throughout: a write whose future is dropped is made whole or not at all.
#[async_trait]
pub trait Store: TaskStore + FollowUpStore + PassStore + StepStore + CredentialStore + Send + Sync {
    /// An owner's conversations: those that are pinned, the others, those that are archived, of each the last used first. At most
    /// `most`: those that come after `after` in that order, or the first ones.
    async fn conversations(
        &self,
        owner: Owner,
        after: Option<ConversationId>,
        most: usize,
    ) -> Result<Vec<ConversationRecord>, StoreError>;
    /// One conversation of an owner.
    async fn conversation(&self, owner: Owner, id: ConversationId) -> Result<Option<ConversationRecord>, StoreError>;
    /// The same, with what is chosen for it: nothing, unless something was.
    async fn chosen(
        &self,
        owner: Owner,
        id: ConversationId,
    ) -> Result<Option<(ConversationRecord, Choice)>, StoreError>;
    /// One turn of an owner.
    async fn turn(&self, owner: Owner, id: TurnId) -> Result<Option<Step>, StoreError>;
    /// The turns that lead to `last`, that one included, oldest first: at most `most`, the newest of them. Costs a
    /// step for each turn that is returned, however long the conversation is.
    async fn path(&self, owner: Owner, last: TurnId, most: usize) -> Result<Vec<Step>, StoreError>;
    /// The last turn of the newest version below a turn: the newest of those that follow it, the newest of those that follow
    /// that one, and so on; itself where none does.
    async fn newest_below(&self, owner: Owner, turn: TurnId) -> Result<TurnId, StoreError>;
    /// Turns that are not over, of all owners, in the order in which they are to start: that of their keys. Those without one come
    /// first, by their start or else their acceptance.
    async fn unfinished(&self) -> Result<Vec<Unfinished>, StoreError>;
    /// Conversations that have `text` in their title or in a message or an answer, whatever its case, the last used first; at
    /// most `most`, one hit each: the title, or the newest. Versions that are not shown are looked through, too.
    /// [`search::find_in`] finds the place in the text of a hit.
    async fn search(&self, owner: Owner, text: &str, most: usize) -> Result<Vec<Hit>, StoreError>;
    /// Every turn of a conversation, all versions, in the order of their acceptance: for an export.
    async fn turns(&self, owner: Owner, conversation: ConversationId) -> Result<Vec<TurnRecord>, StoreError>;
    /// One uploaded file of an owner.
    async fn file(&self, owner: Owner, id: FileId) -> Result<Option<FileView>, StoreError>;

    /// Stores a turn as accepted, and its conversation as it is now, both new or not. `key` as in [`Unfinished`]. A
    /// conversation that was just deleted is brought back by it, and so is one out of the archive; the title of one that is there stays, for it may have been
    /// renamed meanwhile. `choice` is what was chosen along with the message; `None`: what is chosen for the conversation stays. A turn
    /// whose parent is not there is an error. What stood behind another message under this id does so no more.
    async fn accept(
        &self,
        conversation: ConversationRecord,
        turn: TurnRecord,
        key: Option<OrderKey>,
        choice: Option<Choice>,
    ) -> Result<(), StoreError>;
    /// The same for one that is about to join the line: to be polled once before that is asked for, so that both are one change where the line
    /// is kept in the store, too. Its place in the order is the line's to keep then.
    async fn accept_to_join(
        &self,
        conversation: ConversationRecord,
        turn: TurnRecord,
        choice: Option<Choice>,
    ) -> Result<(), StoreError> {
        self.accept(conversation, turn, None, choice).await
    }
    /// Stores how a turn is now. One that has been deleted meanwhile stays deleted, without an error.
    async fn update(&self, turn: TurnRecord) -> Result<(), StoreError>;
    /// The same for one that is over and gives its slot back: to be polled once before that is asked for, so that both are one change where the
    /// line is kept in the store, too.
    async fn end(&self, turn: TurnRecord) -> Result<(), StoreError> {
        self.update(turn).await
    }
    /// Stores the places of waiting turns that have moved in the order of their line.
    async fn reorder(&self, keys: Vec<(Owner, TurnId, OrderKey)>) -> Result<(), StoreError>;
    /// Shows another version of a conversation. `false`: there is no such conversation, or the turn is not one of it.
    async fn show(&self, owner: Owner, conversation: ConversationId, head: TurnId) -> Result<bool, StoreError>;
    /// Keeps what is chosen for a conversation from now on; turns of it that wait are for this model then, which is what the choice
    /// comes to. `false`: there is no such conversation.
    async fn choose(&self, owner: Owner, id: ConversationId, choice: Choice, model: &str) -> Result<bool, StoreError>;
    /// Gives a conversation another title. `false`: there is no such conversation.
    async fn rename(&self, owner: Owner, id: ConversationId, title: &str) -> Result<bool, StoreError>;
    /// Gives a conversation another title, if it still has this one. `false`: there is no such conversation, or it is called otherwise.
    async fn retitle(&self, owner: Owner, id: ConversationId, from: &str, to: &str) -> Result<bool, StoreError>;
    /// Puts a conversation elsewhere in the list. `None`: there is no such conversation; else where it stands now.
    async fn shelve(&self, owner: Owner, id: ConversationId, shelving: Shelving) -> Result<Option<Shelf>, StoreError>;
    /// Keeps what a reader thinks of an answer; `None`: nothing any more. `false`: there is no such turn, or nothing was said of it.
    async fn rate(&self, owner: Owner, turn: TurnId, good: Option<bool>) -> Result<bool, StoreError>;
    /// Deletes a conversation so that it can be brought back until [`Store::purge`]. `false`: there is none.
    async fn delete(&self, owner: Owner, id: ConversationId, now: u64) -> Result<bool, StoreError>;
    /// Brings back what was deleted; also says what was brought back already. `None`: it has been purged, or was never there.
    async fn undelete(&self, owner: Owner, id: ConversationId) -> Result<Option<ConversationRecord>, StoreError>;
    /// Keeps what is known of an uploaded file.
    async fn add_file(&self, owner: Owner, file: FileView, now: u64) -> Result<(), StoreError>;

    /// Removes permanently, from the disk too, conversations that were deleted before `deleted_before`, and, where there is an
    /// `unused_before`, conversations without a turn that waits or runs that were last used before it, and files uploaded
    /// before it that no message carries (all in milliseconds since the Unix epoch).
    ///
    /// Returns the files that are of no use any more, whose contents are the caller's to remove, and what was removed for
    /// each owner of what was not deleted by hand. Files that the last purge or a [`Store::forget`] since then has named are
    /// named once more, should the server have ended before it had removed them. Dropped halfway, some conversations are
    /// removed and others not.
    async fn purge(&self, deleted_before: u64, unused_before: Option<u64>) -> Result<Purged, StoreError>;
    /// Removes permanently, from the disk too, everything of an owner. Returns its files, whose contents are the caller's to
    /// remove.
    async fn forget(&self, owner: Owner) -> Result<Vec<FileId>, StoreError>;
    /// All keys of programs, in the order in which they were made.
    async fn keys(&self) -> Result<Vec<KeyRecord>, StoreError>;
    /// Changes with them, whoever has changed them.
    async fn keys_version(&self) -> Result<KeysVersion, StoreError>;
    /// Keeps a new key, which is not revoked. `false`: another one has its name.
    async fn add_key(&self, key: KeyRecord) -> Result<bool, StoreError>;
    /// Revokes a key for ever. `false`: there is none with this id, or it is revoked.
    async fn revoke_key(&self, id: KeyId, now: u64) -> Result<bool, StoreError>;
    /// Gives a key other rates. `false`: there is none with this id, or it is revoked.
    async fn set_key_rates(&self, id: KeyId, change: RatesChange) -> Result<bool, StoreError>;
    /// Keeps a minute of the line, or adds this part to what is kept of it, and lets go of those that are too old ([`minutes::KEPT`]).
    async fn keep_minute(&self, minute: Minute) -> Result<(), StoreError>;
    /// The minutes that began at `since` or later, of all nodes, the oldest first.
    async fn minutes(&self, since: u64) -> Result<Vec<Minute>, StoreError>;
    /// Whether nobody has anything in it.
    async fn is_empty(&self) -> Result<bool, StoreError>;
    /// Whether the site was begun with the key of cookies that has this fingerprint, as far as the store knows; one without anybody begins
    /// with any. In a data directory the key lies beside what is stored, and there is nothing to compare.
    async fn admits_key(&self, _fingerprint: &str) -> Result<bool, StoreError> {
        Ok(true)
    }
    /// Why it cannot be written to at the moment, as far as the last attempt told; `None`: it can. A fault that has passed is
    /// found out within seconds, whether anybody writes or not.
    fn fault(&self) -> Option<StoreError>;
    /// Looks whether what is stored is what it should be, for a minute at most. To be called once, in the background: it reads
    /// as much as it can in that time. [`Store::damage`] knows the outcome then, and so does the log.
    async fn inspect(&self);
    /// What [`Store::inspect`] has found to be damaged.
    fn damage(&self) -> Option<StoreError>;
    /// What was odd at the start and harmless by itself, a sentence each. Anybody may read them.
    fn warnings(&self) -> &[String];
    /// Ends well: everything is in one file then. Writes fail from here on.
    async fn close(&self);
}

/// What a purge has removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Files that are of no use any more.
    pub files: Vec<FileId>,
    /// Conversations that had become too old.
    pub conversations: Vec<(Owner, ConversationId)>,
}
