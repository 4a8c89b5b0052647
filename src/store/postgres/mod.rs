//! The store in a PostgreSQL, version 15 or later.
//!
//! One task writes, on one connection (`work.rs`); a few connections read. What is kept is the same as in SQLite, under the same names,
//! but for what each database does better in its own way. What is removed is removed from the tables; when the server gives up the room and
//! the old versions of rows is for its vacuum, and how long its back-ups have them for whoever runs it.

mod access;
mod append;
mod contents;
mod credentials;
mod desk;
mod fault;
mod faults;
mod follow_ups;
mod format;
mod group;
mod link;
mod log;
mod node;
mod open;
mod passes;
mod read;
mod rows;
mod schema;
mod steps;
mod target;
mod tasks;
mod text;
mod transaction;
mod whole;
mod work;
mod write;
mod writer;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::{FutureExt as _, future::BoxFuture};
use sqlx::PgConnection;
use tokio::{sync::Semaphore, time::timeout};
use tracing::warn;
use uuid::Uuid;

use self::{
    access::Access,
    contents::Rows,
    link::Link,
    log::PostgresLog,
    read::search::Place,
    writer::{Beginning, Writer},
};
pub(crate) use self::{
    desk::desk,
    fault::OpenError,
    target::{PIECE, stored, target},
};
use super::{
    ConversationRecord, Hit, KeyRecord, KeysVersion, Minute, Purged, Step, Store, StoreError, TurnRecord, Unfinished,
    job::Operation, readers::Connect as _, search::Needle,
};
use crate::{
    accounts::{KeyId, rates::RatesChange},
    files::Contents,
    nodes::{Database, Incarnation, Replica},
    queue::{OrderKey, Owner, Policy},
    settings::Secret,
    wire::{Choice, ConversationId, FileId, FileView, Shelf, Shelving, TurnId},
};

/// How many read at once.
const READERS: u32 = 8;
/// How long a start that has come to nothing may take to take itself back.
const WITHDRAWAL: Duration = Duration::from_secs(5);
/// Searches at once: they take long, and the others who read shall not wait for them.
const SEARCHES: usize = 2;

/// What tests set otherwise.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tuning {
    /// How long a start waits for a server that is not there.
    start: Duration,
    /// How long making a connection may take.
    connect: Duration,
    /// How long to wait for what another session has locked.
    locked: Duration,
    /// How long a transaction that writes may stand still; less than that.
    still: Duration,
    /// How long a start waits for another Anteroom to end.
    lock: Duration,
    /// How long a change or a look waits for a server that is away.
    patience: Duration,
    /// How long a server may be silent before its connection is given up.
    answer: Duration,
    /// How long after a fault to see whether it has passed, and again.
    try_again: Duration,
    /// How long nothing may happen before the connection is looked after.
    look_after: Duration,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            start: Duration::from_secs(10),
            connect: Duration::from_secs(5),
            locked: Duration::from_secs(5),
            still: Duration::from_secs(2),
            lock: Duration::from_secs(3),
            patience: Duration::from_secs(10),
            answer: Duration::from_secs(30),
            try_again: Duration::from_secs(1),
            look_after: Duration::from_secs(2),
        }
    }
}

/// Who opens a database.
#[derive(Clone, Debug)]
pub(crate) struct Opener {
    /// This start of this process.
    pub(crate) incarnation: Incarnation,
    /// Where the other nodes that work over the same database reach it (`host:port`); `None`: there are to be none.
    pub(crate) address: Option<String>,
}

impl Opener {
    /// A process that has the database to itself.
    pub(crate) fn alone() -> Self {
        Self {
            incarnation: Incarnation(Uuid::new_v4().as_u128()),
            address: None,
        }
    }
}

/// What was said, in a database of PostgreSQL.
///
/// [`Store::close`] ends it well. Dropped without, the writing task ends once it has done what it was given; if the runtime ends first,
/// that is as if the process were killed, and nothing that was acknowledged is lost either way.
#[derive(Debug)]
pub(crate) struct PostgresStore {
    incarnation: Incarnation,
    link: Link,
    access: Access,
    searches: Semaphore,
    contents: Rows,
    writer: Arc<Writer>,
    warnings: Vec<String>,
}

impl PostgresStore {
    /// Opens the database of this address, and brings it up to date. A server that is not there is waited for, some seconds.
    ///
    /// To be called within a tokio runtime.
    ///
    /// # Errors
    /// [`OpenError`]. What is there is left as it is then.
    pub(crate) async fn open(address: &Secret, opener: &Opener) -> Result<Self, OpenError> {
        Self::open_tuned(address, opener, Tuning::default()).await
    }

    async fn open_tuned(address: &Secret, opener: &Opener, tuning: Tuning) -> Result<Self, OpenError> {
        let mut opened = open::open(address, opener, tuning).await?;
        let settled = opened.link.settle_writing(&mut opened.connection).await;
        settled.map_err(|error| OpenError::of(&error, &opened.link.place()))?;
        Ok(Self {
            incarnation: opener.incarnation,
            link: opened.link.clone(),
            access: Access::new(opened.link.clone(), READERS, tuning),
            contents: Rows::new(opened.link.clone(), opener.incarnation, tuning),
            searches: Semaphore::new(SEARCHES),
            writer: Arc::new(Writer::start(Beginning {
                connection: opened.connection,
                link: opened.link,
                node: opened.node,
                tuning,
            })),
            warnings: opened.warnings,
        })
    }

    /// The contents of files, kept in the same database.
    pub(crate) fn contents(&self) -> Arc<dyn Contents> {
        Arc::new(self.contents.clone())
    }

    /// The log of the nodes that share the database, for this one: made where there is none, as an empty line under `policy`, which then is
    /// that of all who come. What is appended is committed with what was given to this store before it, or later, and never earlier. The
    /// writing task goes on until both are dropped, or the store is closed; the log is away from then on.
    ///
    /// Where nodes of an older version keep it in another format, this waits until they have ended.
    ///
    /// # Errors
    /// The database is away, or cannot be written, or a newer version keeps the log.
    pub(crate) async fn log(&self, policy: &Policy) -> Result<Arc<dyn Database>, StoreError> {
        let empty = Replica::new(policy.clone());
        let (snapshot, digest) = (log::written(&empty.snapshot()), empty.digest());
        self.read(move |connection| log::begin(connection, snapshot.clone(), digest).boxed())
            .await?;
        format::enter(&self.link, self.incarnation, &empty).await?;
        let (link, writer) = (self.link.clone(), Arc::clone(&self.writer));
        Ok(Arc::new(PostgresLog::new(self.incarnation, link, writer)))
    }

    /// Takes back what [`PostgresStore::open`] has noted of this process, whose start has come to nothing: what is not there is no node. One that has
    /// taken part in the line is one, until the others find it gone. A database that is away keeps it until the next start at the same address.
    pub(crate) async fn withdraw(&self) {
        let taken_back = async { node::withdraw(&mut self.link.connect().await?, self.incarnation).await };
        let taken_back = timeout(WITHDRAWAL, taken_back).await;
        if let Err(error) = taken_back.unwrap_or_else(|_elapsed| Err(faults::silence())) {
            warn!(
                error = faults::said(&error),
                "the row of this start stays in the database"
            );
        }
    }

    /// This process, as the database knows it.
    pub(crate) const fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// Looks something up.
    async fn read<T: Send>(
        &self,
        look: impl for<'c> Fn(&'c mut PgConnection) -> BoxFuture<'c, sqlx::Result<T>> + Send + Sync,
    ) -> Result<T, StoreError> {
        self.access.run(look).await.map_err(|error| faults::meaning(&error))
    }

    async fn write<O: Operation<Connection = PgConnection>>(&self, operation: O) -> Result<O::Output, StoreError> {
        self.writer.write(operation).await
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn conversations(
        &self,
        owner: Owner,
        after: Option<ConversationId>,
        most: usize,
    ) -> Result<Vec<ConversationRecord>, StoreError> {
        self.read(move |connection| read::conversations::page(connection, owner, after, most).boxed())
            .await
    }

    async fn conversation(&self, owner: Owner, id: ConversationId) -> Result<Option<ConversationRecord>, StoreError> {
        self.read(move |connection| read::conversations::one(connection, owner, id).boxed())
            .await
    }

    async fn chosen(
        &self,
        owner: Owner,
        id: ConversationId,
    ) -> Result<Option<(ConversationRecord, Choice)>, StoreError> {
        self.read(move |connection| read::conversations::chosen(connection, owner, id).boxed())
            .await
    }

    async fn turn(&self, owner: Owner, id: TurnId) -> Result<Option<Step>, StoreError> {
        self.read(move |connection| read::turns::one(connection, owner, id).boxed())
            .await
    }

    async fn path(&self, owner: Owner, last: TurnId, most: usize) -> Result<Vec<Step>, StoreError> {
        self.read(move |connection| read::turns::path(connection, owner, last, most).boxed())
            .await
    }

    async fn newest_below(&self, owner: Owner, turn: TurnId) -> Result<TurnId, StoreError> {
        self.read(move |connection| read::turns::newest_below(connection, owner, turn).boxed())
            .await
    }

    async fn unfinished(&self) -> Result<Vec<Unfinished>, StoreError> {
        self.read(|connection| read::turns::unfinished(connection).boxed())
            .await
    }

    async fn search(&self, owner: Owner, text: &str, most: usize) -> Result<Vec<Hit>, StoreError> {
        let _permit = self.searches.acquire().await.map_err(|_closed| StoreError::Closed)?;
        let Some(needle) = Needle::new(text) else {
            return Ok(Vec::new());
        };
        let (mut hits, mut place) = (Vec::new(), Some(Place::BEGIN));
        while let Some(after) = place
            && hits.len() < most
        {
            let needle = needle.clone();
            let (found, next) = self
                .read(move |connection| {
                    let needle = needle.clone();
                    async move { read::search::next(connection, owner, &needle, after).await }.boxed()
                })
                .await?;
            hits.extend(found);
            place = next;
        }
        hits.truncate(most);
        Ok(hits)
    }

    async fn turns(&self, owner: Owner, conversation: ConversationId) -> Result<Vec<TurnRecord>, StoreError> {
        self.read(move |connection| read::turns::all(connection, owner, conversation).boxed())
            .await
    }

    async fn file(&self, owner: Owner, id: FileId) -> Result<Option<FileView>, StoreError> {
        self.read(move |connection| read::conversations::file(connection, owner, id).boxed())
            .await
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

    async fn accept_to_join(
        &self,
        conversation: ConversationRecord,
        turn: TurnRecord,
        choice: Option<Choice>,
    ) -> Result<(), StoreError> {
        let accept = write::Accept {
            conversation,
            turn,
            key: None,
            choice,
        };
        self.writer.write_with_entry(accept).await
    }

    async fn update(&self, turn: TurnRecord) -> Result<(), StoreError> {
        self.write(write::Update(turn)).await
    }

    async fn end(&self, turn: TurnRecord) -> Result<(), StoreError> {
        self.writer.write_with_entry(write::Update(turn)).await
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
        let mut first = true;
        loop {
            let part = write::Purge {
                deleted_before,
                unused_before,
                first,
                most: write::AT_A_TIME,
            };
            let part = self.write(part).await?;
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
        self.read(|connection| read::keys::all(connection).boxed()).await
    }

    async fn keys_version(&self) -> Result<KeysVersion, StoreError> {
        self.read(|connection| read::keys::version(connection).boxed()).await
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
        self.read(move |connection| read::minutes::since(connection, since).boxed())
            .await
    }

    async fn is_empty(&self) -> Result<bool, StoreError> {
        self.read(|connection| read::conversations::none(connection).boxed())
            .await
    }

    async fn admits_key(&self, fingerprint: &str) -> Result<bool, StoreError> {
        self.write(write::Admit(fingerprint.to_owned())).await
    }

    fn fault(&self) -> Option<StoreError> {
        self.writer.fault()
    }

    /// Nothing: PostgreSQL has checksums of its own, and its operator the means to look.
    async fn inspect(&self) {}

    fn damage(&self) -> Option<StoreError> {
        None
    }

    fn warnings(&self) -> &[String] {
        &self.warnings
    }

    async fn close(&self) {
        self.searches.close();
        self.access.close().await;
        self.contents.close().await;
        self.writer.close().await;
    }
}

#[cfg(test)]
mod tests;
