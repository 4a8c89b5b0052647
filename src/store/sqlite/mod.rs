//! The store in SQLite: one file, `DATA_DIR/anteroom.db`.
//!
//! - `open`: the file, its lock, its migrations; `fault`: what SQLite's errors mean
//! - `writer`: the one connection that writes, with group commits; readers have connections of their own
//! - `rows`: from rows to records; `turns`, `conversations`, `removal`: the operations
//! - `backup`: a consistent copy while it runs

mod backup;
mod conversations;
mod fault;
mod lock;
mod open;
mod removal;
mod rows;
#[cfg(test)]
mod tests;
mod turns;
mod writer;

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use sqlx::SqlitePool;

pub use backup::{BackupError, BackupSummary, backup};
pub use open::OpenError;

use self::{lock::Lock, writer::Writer};
use super::{ConversationRecord, Hit, Purged, Step, Store, StoreError, TurnRecord, Unfinished};
use crate::{
    queue::OrderKey,
    sessions::SessionId,
    wire::{ConversationId, FileId, FileView, TurnId},
};

/// The name of the database within `DATA_DIR`.
const FILE: &str = "anteroom.db";

/// The store in SQLite.
pub struct SqliteStore {
    readers: SqlitePool,
    writer: Writer,
    /// No other process uses this `DATA_DIR` until this is dropped.
    lock: Mutex<Option<Lock>>,
}

#[async_trait]
impl Store for SqliteStore {
    async fn conversations(
        &self,
        session: SessionId,
        after: Option<ConversationId>,
        most: usize,
    ) -> Result<Vec<ConversationRecord>, StoreError> {
        Ok(conversations::page(&self.readers, session, after, most).await?)
    }

    async fn conversation(
        &self,
        session: SessionId,
        id: ConversationId,
    ) -> Result<Option<ConversationRecord>, StoreError> {
        Ok(conversations::one(&self.readers, session, id).await?)
    }

    async fn turn(&self, session: SessionId, id: TurnId) -> Result<Option<Step>, StoreError> {
        Ok(turns::path(&self.readers, session, id, 1).await?.pop())
    }

    async fn path(&self, session: SessionId, last: TurnId, most: usize) -> Result<Vec<Step>, StoreError> {
        Ok(turns::path(&self.readers, session, last, most).await?)
    }

    async fn newest_below(&self, session: SessionId, turn: TurnId) -> Result<TurnId, StoreError> {
        Ok(turns::newest_below(&self.readers, session, turn).await?)
    }

    async fn unfinished(&self) -> Result<Vec<Unfinished>, StoreError> {
        Ok(turns::unfinished(&self.readers).await?)
    }

    async fn search(&self, session: SessionId, text: &str, most: usize) -> Result<Vec<Hit>, StoreError> {
        Ok(conversations::search(&self.readers, session, text, most).await?)
    }

    async fn turns(&self, session: SessionId, conversation: ConversationId) -> Result<Vec<TurnRecord>, StoreError> {
        Ok(turns::all(&self.readers, session, conversation).await?)
    }

    async fn file(&self, session: SessionId, id: FileId) -> Result<Option<FileView>, StoreError> {
        Ok(rows::file(&self.readers, session, id).await?)
    }

    async fn accept(
        &self,
        conversation: ConversationRecord,
        turn: TurnRecord,
        key: Option<OrderKey>,
    ) -> Result<(), StoreError> {
        self.writer
            .write(turns::Accept {
                conversation,
                turn,
                key,
            })
            .await
    }

    async fn update(&self, turn: TurnRecord) -> Result<(), StoreError> {
        self.writer.write(turns::Update(turn)).await
    }

    async fn reorder(&self, keys: Vec<(SessionId, TurnId, OrderKey)>) -> Result<(), StoreError> {
        self.writer.write(turns::Reorder(keys)).await
    }

    async fn show(&self, session: SessionId, conversation: ConversationId, head: TurnId) -> Result<bool, StoreError> {
        let show = conversations::Change::Show(head);
        self.writer
            .write(conversations::Changed {
                session,
                conversation,
                change: show,
            })
            .await
    }

    async fn rename(&self, session: SessionId, id: ConversationId, title: &str) -> Result<bool, StoreError> {
        let change = conversations::Change::Rename(title.to_owned());
        self.writer
            .write(conversations::Changed {
                session,
                conversation: id,
                change,
            })
            .await
    }

    async fn delete(&self, session: SessionId, id: ConversationId, now: u64) -> Result<bool, StoreError> {
        let change = conversations::Change::Delete { now };
        self.writer
            .write(conversations::Changed {
                session,
                conversation: id,
                change,
            })
            .await
    }

    async fn undelete(&self, session: SessionId, id: ConversationId) -> Result<Option<ConversationRecord>, StoreError> {
        let change = conversations::Change::Undelete;
        let back = self
            .writer
            .write(conversations::Changed {
                session,
                conversation: id,
                change,
            })
            .await?;
        if back {
            self.conversation(session, id).await
        } else {
            Ok(None)
        }
    }

    async fn add_file(&self, session: SessionId, file: FileView, now: u64) -> Result<(), StoreError> {
        self.writer.write(turns::AddFile { session, file, now }).await
    }

    async fn purge(&self, deleted_before: u64, unused_before: Option<u64>) -> Result<Purged, StoreError> {
        let purge = removal::Purge {
            deleted_before,
            unused_before,
        };
        let (purged, any) = self.writer.write(purge).await?;
        if any {
            self.writer.compact().await?;
        }
        Ok(purged)
    }

    async fn forget(&self, session: SessionId) -> Result<Vec<FileId>, StoreError> {
        let files = self.writer.write(removal::Forget(session)).await?;
        self.writer.compact().await?;
        Ok(files)
    }

    fn fault(&self) -> Option<StoreError> {
        self.writer.fault()
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(lock);
    }
}
