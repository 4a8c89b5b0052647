//! Tasks: taken in, begun, over, told.

mod cancel;
mod end;
mod read;
mod take_in;
mod told;

use async_trait::async_trait;
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{SqliteStore, told as as_told};
use crate::{
    queue::Owner,
    store::{
        BatchRecord, CancelledBatch, Delivery, Ended, NewBatch, OpenTask, StoreError, TakenIn, TaskEnd, TaskFilter,
        TaskRecord, TaskStore,
        job::Operation,
        sqlite::rows::{blob, integer},
    },
};

#[cfg(test)]
pub(super) use {cancel::NEEDING, end::BEHIND, read::QUERIES};

const BEGIN: &str = "UPDATE tasks SET state = 'running', attempts = attempts + 1, started_at = ?2 \
     WHERE id = ?1 AND state IN ('open', 'running') AND blocked = 0 RETURNING attempts";

const STOP: &str = "UPDATE tasks SET stopped = stopped + 1 WHERE id = ?1 AND state = 'running'";

/// See [`TaskStore::begin_task`].
struct Begin(Uuid, u64);

impl Operation for Begin {
    type Connection = SqliteConnection;
    type Output = Option<u32>;

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<Option<u32>> {
        let begun = sqlx::query_scalar(BEGIN).bind(blob(&self.0)).bind(integer(self.1));
        begun.fetch_optional(connection).await
    }
}

/// See [`TaskStore::stop_task`].
struct Stop(Uuid);

impl Operation for Stop {
    type Connection = SqliteConnection;
    type Output = ();

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        let stopped = sqlx::query(STOP).bind(blob(&self.0));
        stopped.execute(connection).await.map(drop)
    }
}

#[async_trait]
impl TaskStore for SqliteStore {
    async fn take_in(&self, batch: NewBatch, most: u64) -> Result<TakenIn, StoreError> {
        self.write(take_in::TakeIn::new(batch, most)).await
    }

    async fn begin_task(&self, id: Uuid, at: u64) -> Result<Option<u32>, StoreError> {
        self.write(Begin(id, at)).await
    }

    async fn stop_task(&self, id: Uuid) -> Result<(), StoreError> {
        self.write(Stop(id)).await
    }

    async fn end_task(&self, end: TaskEnd, _gives_slot: bool) -> Result<Option<Ended>, StoreError> {
        self.write(end::End(end)).await
    }

    async fn cancel_batch(&self, owner: Owner, id: Uuid, at: u64) -> Result<Option<CancelledBatch>, StoreError> {
        self.write(cancel::Cancel { owner, id, at }).await
    }

    async fn owners_of_tasks(&self) -> Result<Vec<Owner>, StoreError> {
        let mut reader = self.read().await?;
        as_told(read::owners(&mut reader).await)
    }

    async fn open_tasks(&self, owner: Owner) -> Result<Vec<OpenTask>, StoreError> {
        let mut reader = self.read().await?;
        as_told(read::open(&mut reader, owner).await)
    }

    async fn open_among(&self, ids: Vec<Uuid>) -> Result<Vec<OpenTask>, StoreError> {
        let mut reader = self.read().await?;
        as_told(read::open_among(&mut reader, &ids).await)
    }

    async fn request_of(&self, id: Uuid) -> Result<Option<String>, StoreError> {
        let mut reader = self.read().await?;
        as_told(read::request(&mut reader, id).await)
    }

    async fn results(&self, owner: Owner, ids: Vec<Uuid>) -> Result<Vec<(Uuid, String)>, StoreError> {
        let mut reader = self.read().await?;
        as_told(read::results(&mut reader, owner, &ids).await)
    }

    async fn task(&self, owner: Owner, id: Uuid) -> Result<Option<TaskRecord>, StoreError> {
        let mut reader = self.read().await?;
        as_told(read::one(&mut reader, owner, id).await)
    }

    async fn tasks(&self, owner: Owner, filter: TaskFilter, most: usize) -> Result<Vec<TaskRecord>, StoreError> {
        let mut reader = self.read().await?;
        as_told(read::page(&mut reader, owner, filter, most).await)
    }

    async fn outcomes(
        &self,
        owner: Owner,
        batch: Uuid,
        after: u64,
        most: usize,
    ) -> Result<Vec<TaskRecord>, StoreError> {
        let mut reader = self.read().await?;
        as_told(read::outcomes(&mut reader, owner, batch, after, most).await)
    }

    async fn batch(&self, owner: Owner, id: Uuid) -> Result<Option<BatchRecord>, StoreError> {
        let mut reader = self.read().await?;
        as_told(read::batch(&mut reader, owner, id).await)
    }

    async fn deliveries(&self, now: u64, most: usize) -> Result<Vec<Delivery>, StoreError> {
        let mut reader = self.read().await?;
        as_told(read::deliveries(&mut reader, now, most).await)
    }

    async fn untold(&self) -> Result<u64, StoreError> {
        let mut reader = self.read().await?;
        as_told(read::untold(&mut reader).await)
    }

    async fn delivered(&self, key: i64) -> Result<(), StoreError> {
        self.write(told::Delivered(key)).await
    }

    async fn put_off(&self, key: i64, due_at: Option<u64>) -> Result<(), StoreError> {
        self.write(told::PutOff(key, due_at)).await
    }

    async fn purge_tasks(&self, before: u64) -> Result<u64, StoreError> {
        let mut removed = 0;
        loop {
            let part = self.write(told::Purge(before)).await?;
            removed += part;
            if part < told::AT_A_TIME {
                return Ok(removed);
            }
        }
    }
}
