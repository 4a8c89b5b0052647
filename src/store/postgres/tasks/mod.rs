//! Tasks: taken in, begun, over, told.

mod cancel;
mod end;
mod read;
mod take_in;
mod told;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use sqlx::PgConnection;
use uuid::Uuid;

use super::PostgresStore;
use crate::{
    queue::Owner,
    store::{
        BatchRecord, CancelledBatch, Delivery, Ended, NewBatch, OpenTask, StoreError, TakenIn, TaskEnd, TaskFilter,
        TaskRecord, TaskStore, job::Operation, postgres::rows::integer,
    },
};

const BEGIN: &str = "UPDATE tasks SET state = 'running', attempts = attempts + 1, started_at = $2 \
     WHERE id = $1 AND state IN ('open', 'running') AND blocked = 0 RETURNING attempts";

const STOP: &str = "UPDATE tasks SET stopped = stopped + 1 WHERE id = $1 AND state = 'running'";

/// See [`TaskStore::begin_task`].
struct Begin(Uuid, u64);

impl Operation for Begin {
    type Connection = PgConnection;
    type Output = Option<u32>;

    async fn run(&self, connection: &mut PgConnection) -> sqlx::Result<Option<u32>> {
        let begun = sqlx::query_scalar(BEGIN).bind(self.0).bind(integer(self.1));
        let begun: Option<i64> = begun.fetch_optional(connection).await?;
        Ok(begun.map(|attempts| u32::try_from(attempts).unwrap_or(u32::MAX)))
    }
}

/// See [`TaskStore::stop_task`].
struct Stop(Uuid);

impl Operation for Stop {
    type Connection = PgConnection;
    type Output = ();

    async fn run(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        let stopped = sqlx::query(STOP).bind(self.0);
        stopped.execute(connection).await.map(drop)
    }
}

#[async_trait]
impl TaskStore for PostgresStore {
    async fn take_in(&self, batch: NewBatch, most: u64) -> Result<TakenIn, StoreError> {
        self.write(take_in::TakeIn::new(batch, most)).await
    }

    async fn begin_task(&self, id: Uuid, at: u64) -> Result<Option<u32>, StoreError> {
        self.write(Begin(id, at)).await
    }

    async fn stop_task(&self, id: Uuid) -> Result<(), StoreError> {
        self.write(Stop(id)).await
    }

    async fn end_task(&self, end: TaskEnd, gives_slot: bool) -> Result<Option<Ended>, StoreError> {
        if gives_slot {
            self.writer.write_with_entry(end::End(end)).await
        } else {
            self.write(end::End(end)).await
        }
    }

    async fn cancel_batch(&self, owner: Owner, id: Uuid, at: u64) -> Result<Option<CancelledBatch>, StoreError> {
        self.write(cancel::Cancel { owner, id, at }).await
    }

    async fn owners_of_tasks(&self) -> Result<Vec<Owner>, StoreError> {
        self.read(|connection| read::owners(connection).boxed()).await
    }

    async fn open_tasks(&self, owner: Owner) -> Result<Vec<OpenTask>, StoreError> {
        self.read(move |connection| read::open(connection, owner).boxed()).await
    }

    async fn open_among(&self, ids: Vec<Uuid>) -> Result<Vec<OpenTask>, StoreError> {
        self.read(move |connection| read::open_among(connection, ids.clone()).boxed())
            .await
    }

    async fn request_of(&self, id: Uuid) -> Result<Option<String>, StoreError> {
        self.read(move |connection| read::request(connection, id).boxed()).await
    }

    async fn results(&self, owner: Owner, ids: Vec<Uuid>) -> Result<Vec<(Uuid, String)>, StoreError> {
        self.read(move |connection| read::results(connection, owner, ids.clone()).boxed())
            .await
    }

    async fn task(&self, owner: Owner, id: Uuid) -> Result<Option<TaskRecord>, StoreError> {
        self.read(move |connection| read::one(connection, owner, id).boxed())
            .await
    }

    async fn tasks(&self, owner: Owner, filter: TaskFilter, most: usize) -> Result<Vec<TaskRecord>, StoreError> {
        self.read(move |connection| read::page(connection, owner, filter, most).boxed())
            .await
    }

    async fn outcomes(
        &self,
        owner: Owner,
        batch: Uuid,
        after: u64,
        most: usize,
    ) -> Result<Vec<TaskRecord>, StoreError> {
        self.read(move |connection| read::outcomes(connection, owner, batch, after, most).boxed())
            .await
    }

    async fn batch(&self, owner: Owner, id: Uuid) -> Result<Option<BatchRecord>, StoreError> {
        self.read(move |connection| read::batch(connection, owner, id).boxed())
            .await
    }

    async fn deliveries(&self, now: u64, most: usize) -> Result<Vec<Delivery>, StoreError> {
        self.read(move |connection| read::deliveries(connection, now, most).boxed())
            .await
    }

    async fn untold(&self) -> Result<u64, StoreError> {
        self.read(|connection| read::untold(connection).boxed()).await
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
