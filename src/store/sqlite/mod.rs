//! The store in one file, by SQLite.
//!
//! One task writes (`writer.rs`), a few connections read (`readers.rs`): readers see what has been committed, and go on
//! while writing waits or fails. The write-ahead log is synchronised with the disk at every commit, so that what has been
//! acknowledged survives a power cut.

mod cleaning;
mod credentials;
mod desk;
mod faults;
mod follow_ups;
mod integrity;
mod lock;
mod log;
mod open;
mod options;
mod passes;
mod read;
mod reserve;
mod rows;
mod schema;
mod snapshot;
mod source;
mod steps;
mod survey;
mod tasks;
mod transaction;
mod write;
mod writer;

use std::{path::Path, sync::OnceLock, time::Duration};

use async_trait::async_trait;
use sqlx::{ConnectOptions, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::Semaphore;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};
use tracing::{error, info, warn};

use self::{
    integrity::Verdict,
    lock::Lock,
    options::Tuning,
    writer::{Beginning, Writer},
};
use super::{
    ConversationRecord, Hit, KeyRecord, KeysVersion, Minute, Purged, Step, Store, StoreError, TurnRecord, Unfinished,
    job::Operation,
    readers::{Connect, Reader, Readers},
};
use crate::{
    accounts::{KeyId, rates::RatesChange},
    queue::{OrderKey, Owner},
    wire::{Choice, ConversationId, FileId, FileView, Shelf, Shelving, TurnId},
};

pub(crate) use desk::desk;
pub(crate) use open::FILE as DATABASE;
pub(crate) use open::OpenError;
pub(crate) use snapshot::{Snapshot, SnapshotError, snapshot};
pub(crate) use source::source;

/// How many read at once. Each connection has a thread, and the disk is one.
const READERS: u32 = 4;
/// Searches at once: they take long, and the others who read shall not wait for them.
const SEARCHES: usize = 2;
/// How long the database is looked through. A disk reads many gigabytes in that time; and while it is read, what has been
/// deleted stays in the log.
const INSPECTION: Duration = Duration::from_secs(60);

/// What was said, in `anteroom.db` in the data directory.
///
/// [`Store::close`] ends it well. Dropped without, the writing task ends once it has done what it was given; if the runtime
/// ends first, that is as if the process were killed, and nothing that was acknowledged is lost either way.
#[derive(Debug)]
pub(crate) struct SqliteStore {
    readers: Readers<SqliteConnectOptions>,
    searches: Semaphore,
    access: Writing,
    reading: SqliteConnectOptions,
    warnings: Vec<String>,
    damage: OnceLock<StoreError>,
    inspections: TaskTracker,
    /// Ends them.
    closing: CancellationToken,
    _closing: DropGuard,
}

#[derive(Debug)]
enum Writing {
    Possible(Writer),
    /// For this reason it is not, until the next start.
    Impossible {
        reason: String,
        _lock: Lock,
    },
}

impl SqliteStore {
    /// Opens the database in a data directory, making both where there are none, and brings it up to date. What cannot be
    /// written but can be read is opened for reading: [`Store::fault`] says so then.
    ///
    /// To be called within a tokio runtime.
    ///
    /// # Errors
    /// [`OpenError`]. Whatever is there is left as it is then.
    pub(crate) async fn open(data_dir: &Path) -> Result<Self, OpenError> {
        Self::open_tuned(data_dir, Tuning::default()).await
    }

    async fn open_tuned(data_dir: &Path, tuning: Tuning) -> Result<Self, OpenError> {
        // A later change of the working directory shall not matter.
        let data_dir = std::path::absolute(data_dir).map_err(|error| OpenError::of_io(&error, data_dir))?;
        let opened = open::open(&data_dir, tuning).await?;
        let access = match opened.read_only {
            None => Writing::Possible(Writer::start(Beginning {
                connection: opened.connection,
                options: opened.options,
                folder: data_dir,
                lock: opened.lock,
                reserve: opened.reserve,
                try_again: tuning.try_again,
            })),
            Some(reason) => Writing::Impossible {
                reason,
                _lock: opened.lock,
            },
        };
        let closing = CancellationToken::new();
        Ok(Self {
            readers: Readers::new(opened.reading.clone(), READERS),
            searches: Semaphore::new(SEARCHES),
            access,
            reading: opened.reading,
            warnings: opened.warnings,
            damage: OnceLock::new(),
            inspections: TaskTracker::new(),
            _closing: closing.clone().drop_guard(),
            closing,
        })
    }

    async fn read(&self) -> Result<Reader<'_, SqliteConnectOptions>, StoreError> {
        self.readers.get().await.map_err(|error| faults::meaning(&error))
    }

    async fn write<O: Operation<Connection = SqliteConnection>>(&self, operation: O) -> Result<O::Output, StoreError> {
        match &self.access {
            Writing::Possible(writer) => writer.write(operation).await,
            Writing::Impossible { reason, .. } => Err(StoreError::ReadOnly(reason.clone())),
        }
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn conversations(
        &self,
        owner: Owner,
        after: Option<ConversationId>,
        most: usize,
    ) -> Result<Vec<ConversationRecord>, StoreError> {
        let mut reader = self.read().await?;
        told(read::conversations::page(&mut reader, owner, after, most).await)
    }

    async fn conversation(&self, owner: Owner, id: ConversationId) -> Result<Option<ConversationRecord>, StoreError> {
        let mut reader = self.read().await?;
        told(read::conversations::one(&mut reader, owner, id).await)
    }

    async fn chosen(
        &self,
        owner: Owner,
        id: ConversationId,
    ) -> Result<Option<(ConversationRecord, Choice)>, StoreError> {
        let mut reader = self.read().await?;
        told(read::conversations::chosen(&mut reader, owner, id).await)
    }

    async fn turn(&self, owner: Owner, id: TurnId) -> Result<Option<Step>, StoreError> {
        let mut reader = self.read().await?;
        told(read::turns::one(&mut reader, owner, id).await)
    }

    async fn path(&self, owner: Owner, last: TurnId, most: usize) -> Result<Vec<Step>, StoreError> {
        let mut reader = self.read().await?;
        told(read::turns::path(&mut reader, owner, last, most).await)
    }

    async fn newest_below(&self, owner: Owner, turn: TurnId) -> Result<TurnId, StoreError> {
        let mut reader = self.read().await?;
        told(read::turns::newest_below(&mut reader, owner, turn).await)
    }

    async fn unfinished(&self) -> Result<Vec<Unfinished>, StoreError> {
        let mut reader = self.read().await?;
        told(read::unfinished::all(&mut reader).await)
    }

    async fn search(&self, owner: Owner, text: &str, most: usize) -> Result<Vec<Hit>, StoreError> {
        let _permit = self.searches.acquire().await.map_err(|_closed| StoreError::Closed)?;
        let mut reader = self.read().await?;
        told(read::search::search(&mut reader, owner, text, most).await)
    }

    async fn turns(&self, owner: Owner, conversation: ConversationId) -> Result<Vec<TurnRecord>, StoreError> {
        let mut reader = self.read().await?;
        told(read::turns::all(&mut reader, owner, conversation).await)
    }

    async fn file(&self, owner: Owner, id: FileId) -> Result<Option<FileView>, StoreError> {
        let mut reader = self.read().await?;
        told(read::conversations::file(&mut reader, owner, id).await)
    }

    async fn accept(
        &self,
        conversation: ConversationRecord,
        turn: TurnRecord,
        key: Option<OrderKey>,
        choice: Option<Choice>,
    ) -> Result<(), StoreError> {
        self.write(write::Accept {
            conversation,
            turn,
            key,
            choice,
        })
        .await
    }

    async fn update(&self, turn: TurnRecord) -> Result<(), StoreError> {
        self.write(write::Update(turn)).await
    }

    async fn reorder(&self, keys: Vec<(Owner, TurnId, OrderKey)>) -> Result<(), StoreError> {
        if keys.is_empty() {
            return Ok(());
        }
        self.write(write::Reorder::new(&keys)).await
    }

    async fn show(&self, owner: Owner, conversation: ConversationId, head: TurnId) -> Result<bool, StoreError> {
        self.write(write::Show {
            owner,
            conversation,
            head,
        })
        .await
    }

    async fn choose(&self, owner: Owner, id: ConversationId, choice: Choice, model: &str) -> Result<bool, StoreError> {
        self.write(write::Choose {
            owner,
            id,
            choice,
            model: model.to_owned(),
        })
        .await
    }

    async fn rename(&self, owner: Owner, id: ConversationId, title: &str) -> Result<bool, StoreError> {
        let title = title.to_owned();
        self.write(write::Rename { owner, id, title }).await
    }

    async fn retitle(&self, owner: Owner, id: ConversationId, from: &str, to: &str) -> Result<bool, StoreError> {
        let (from, to) = (from.to_owned(), to.to_owned());
        self.write(write::Retitle { owner, id, from, to }).await
    }

    async fn shelve(&self, owner: Owner, id: ConversationId, shelving: Shelving) -> Result<Option<Shelf>, StoreError> {
        self.write(write::Shelve { owner, id, shelving }).await
    }

    async fn rate(&self, owner: Owner, turn: TurnId, good: Option<bool>) -> Result<bool, StoreError> {
        self.write(write::Rate { owner, turn, good }).await
    }

    async fn delete(&self, owner: Owner, id: ConversationId, now: u64) -> Result<bool, StoreError> {
        self.write(write::Delete { owner, id, now }).await
    }

    async fn undelete(&self, owner: Owner, id: ConversationId) -> Result<Option<ConversationRecord>, StoreError> {
        self.write(write::Undelete { owner, id }).await
    }

    async fn add_file(&self, owner: Owner, file: FileView, now: u64) -> Result<(), StoreError> {
        self.write(write::AddFile { owner, file, now }).await
    }

    async fn purge(&self, deleted_before: u64, unused_before: Option<u64>) -> Result<Purged, StoreError> {
        let mut purged = Purged::default();
        let (mut first, mut most) = (true, write::AT_A_TIME);
        loop {
            let part = write::Purge {
                deleted_before,
                unused_before,
                first,
                most,
            };
            let part = match self.write(part).await {
                // There may be room for one at a time, and more after each.
                Err(StoreError::Full) if most > 1 => {
                    most = 1;
                    continue;
                }
                part => part?,
            };
            purged.files.extend(part.files);
            purged.conversations.extend(part.conversations);
            if !part.more {
                return Ok(purged);
            }
            first = false;
        }
    }

    async fn forget(&self, owner: Owner) -> Result<Vec<FileId>, StoreError> {
        self.write(write::Forget(owner)).await
    }

    async fn keys(&self) -> Result<Vec<KeyRecord>, StoreError> {
        let mut reader = self.read().await?;
        told(read::keys::all(&mut reader).await)
    }

    async fn keys_version(&self) -> Result<KeysVersion, StoreError> {
        let mut reader = self.read().await?;
        told(read::keys::version(&mut reader).await)
    }

    async fn add_key(&self, key: KeyRecord) -> Result<bool, StoreError> {
        self.write(write::AddKey(key)).await
    }

    async fn revoke_key(&self, id: KeyId, now: u64) -> Result<bool, StoreError> {
        self.write(write::RevokeKey { id, now }).await
    }

    async fn set_key_rates(&self, id: KeyId, change: RatesChange) -> Result<bool, StoreError> {
        self.write(write::SetKeyRates { id, change }).await
    }

    async fn keep_minute(&self, minute: Minute) -> Result<(), StoreError> {
        self.write(write::KeepMinute(minute)).await
    }

    async fn minutes(&self, since: u64) -> Result<Vec<Minute>, StoreError> {
        let mut reader = self.read().await?;
        told(read::minutes::since(&mut reader, since).await)
    }

    async fn is_empty(&self) -> Result<bool, StoreError> {
        let mut reader = self.read().await?;
        told(read::conversations::none(&mut reader).await)
    }

    async fn inspect(&self) {
        let check = integrity::check(&self.reading, INSPECTION, &self.closing);
        match self.inspections.track_future(check).await {
            Ok(Verdict::Sound) => info!("the database has been looked through, and is sound"),
            Ok(Verdict::Unfinished) => info!("the database has been looked through in part, and that is sound"),
            Ok(Verdict::Damaged(reason)) => {
                error!(
                    reason,
                    "the database is damaged: stop this server and see docs/operating.md"
                );
                let _ = self.damage.set(StoreError::Damaged(reason));
            }
            Err(error) => warn!(%error, "the database could not be looked through"),
        }
    }

    fn damage(&self) -> Option<StoreError> {
        self.damage.get().cloned()
    }

    fn warnings(&self) -> &[String] {
        &self.warnings
    }

    fn fault(&self) -> Option<StoreError> {
        match &self.access {
            Writing::Possible(writer) => writer.fault(),
            Writing::Impossible { reason, .. } => Some(StoreError::ReadOnly(reason.clone())),
        }
    }

    async fn close(&self) {
        // Who still reads would stand in the way of emptying the log.
        self.closing.cancel();
        self.inspections.close();
        self.inspections.wait().await;
        self.readers.close().await;
        if let Writing::Possible(writer) = &self.access {
            writer.close().await;
        }
    }
}

#[async_trait]
impl Connect for SqliteConnectOptions {
    type Connection = SqliteConnection;

    async fn connect(&self) -> sqlx::Result<SqliteConnection> {
        ConnectOptions::connect(self).await
    }
}

fn told<T>(outcome: sqlx::Result<T>) -> Result<T, StoreError> {
    outcome.map_err(|error| faults::meaning(&error))
}

#[cfg(test)]
mod tests;
