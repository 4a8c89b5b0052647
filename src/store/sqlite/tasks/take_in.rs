//! Taking a batch in: a few statements, however many tasks it has.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use sqlx::{Row as _, SqliteConnection};
use uuid::Uuid;

use crate::store::{
    NewBatch, TakenIn, TaskState,
    job::Operation,
    rows::Columns as _,
    sqlite::rows::{blob, integer, owner_blob},
    task_rows,
};

const OWNER: &str = "INSERT INTO owners (id) VALUES (?1) ON CONFLICT (id) DO UPDATE SET id = excluded.id RETURNING key";

const KNOWN: &str = "SELECT key, id, hash FROM batches WHERE owner = ?1 AND idempotency = ?2";

const THEIRS: &str = "SELECT id, name FROM tasks WHERE batch = ?1 ORDER BY key";

const OPEN: &str = "SELECT count(*) FROM tasks WHERE owner = ?1 AND state IN ('open', 'running')";

const NEEDED: &str = "SELECT id, state FROM tasks WHERE owner = ?1 AND id IN (SELECT unhex(value) FROM json_each(?2))";

const BATCH: &str = "INSERT INTO batches (owner, id, idempotency, hash, created_at, count, open, ended, url, secret) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, 0, ?7, ?8) RETURNING key";

const TASKS: &str = "INSERT INTO tasks (owner, batch, id, name, priority, state, blocked, attempts, created_at, counted, model, metadata, request) \
     SELECT ?1, ?2, unhex(m.value ->> 0), m.value ->> 1, m.value ->> 2, 'open', m.value ->> 3, 0, ?3, 0, m.value ->> 4, m.value ->> 5, \
       m.value ->> 6 \
     FROM json_each(?4) m ORDER BY m.key";

const NEEDS: &str = "INSERT INTO task_needs (task, needs) SELECT t.key, n.key FROM json_each(?1) m \
     CROSS JOIN tasks t ON t.id = unhex(m.value ->> 0) CROSS JOIN tasks n ON n.id = unhex(m.value ->> 1)";

/// See [`crate::store::TaskStore::take_in`].
pub(super) struct TakeIn {
    batch: NewBatch,
    most: u64,
    /// Tasks of before that it needs.
    outside: Vec<Uuid>,
}

impl TakeIn {
    pub(super) fn new(batch: NewBatch, most: u64) -> Self {
        let own: BTreeSet<Uuid> = batch.tasks.iter().map(|task| task.id).collect();
        let needed: BTreeSet<Uuid> = batch.needs.iter().map(|(_, needs)| *needs).collect();
        Self {
            outside: needed.difference(&own).copied().collect(),
            batch,
            most,
        }
    }
}

impl Operation for TakeIn {
    type Connection = SqliteConnection;
    type Output = TakenIn;

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<TakenIn> {
        let batch = &self.batch;
        let owner: i64 = sqlx::query_scalar(OWNER)
            .bind(owner_blob(batch.owner))
            .fetch_one(&mut *connection)
            .await?;
        if let Some(known) = self.known(connection, owner).await? {
            return Ok(known);
        }
        let open: i64 = sqlx::query_scalar(OPEN).bind(owner).fetch_one(&mut *connection).await?;
        if open.unsigned_abs() + batch.tasks.len() as u64 > self.most {
            return Ok(TakenIn::TooMany(open.unsigned_abs()));
        }
        let done = match self.outside(connection, owner).await? {
            Ok(done) => done,
            Err(refused) => return Ok(refused),
        };
        let webhook = batch.webhook.as_ref();
        let key: i64 = sqlx::query_scalar(BATCH)
            .bind(owner)
            .bind(blob(&batch.id))
            .bind(batch.key.as_deref())
            .bind(batch.hash.as_str())
            .bind(integer(batch.created_at))
            .bind(integer(batch.tasks.len() as u64))
            .bind(webhook.map(|webhook| webhook.url.as_str()))
            .bind(webhook.map(|webhook| webhook.secret.as_str()))
            .fetch_one(&mut *connection)
            .await?;
        let mut blocked = BTreeMap::<Uuid, u32>::new();
        for (task, _) in batch.needs.iter().filter(|(_, needs)| !done.contains(needs)) {
            *blocked.entry(*task).or_default() += 1;
        }
        let tasks = batch.tasks.iter().map(|task| {
            let blocked = blocked.get(&task.id).copied().unwrap_or_default();
            let id = task.id.simple().to_string();
            json!([
                id,
                task.name,
                task.priority,
                blocked,
                task.model,
                task.metadata,
                task.request
            ])
        });
        let tasks: serde_json::Value = tasks.collect();
        sqlx::query(TASKS)
            .bind(owner)
            .bind(key)
            .bind(integer(batch.created_at))
            .bind(tasks.to_string())
            .execute(&mut *connection)
            .await?;
        if !batch.needs.is_empty() {
            let needs = batch.needs.iter();
            let needs: serde_json::Value = needs
                .map(|(task, needs)| json!([task.simple().to_string(), needs.simple().to_string()]))
                .collect();
            sqlx::query(NEEDS)
                .bind(needs.to_string())
                .execute(&mut *connection)
                .await?;
        }
        Ok(TakenIn::New)
    }
}

impl TakeIn {
    /// The batch of before that has its key.
    async fn known(&self, connection: &mut SqliteConnection, owner: i64) -> sqlx::Result<Option<TakenIn>> {
        let Some(key) = &self.batch.key else { return Ok(None) };
        let known = sqlx::query(KNOWN).bind(owner).bind(key.as_str());
        let Some(known) = known.fetch_optional(&mut *connection).await? else {
            return Ok(None);
        };
        if known.text("hash")? != self.batch.hash {
            return Ok(Some(TakenIn::OtherBatch));
        }
        let tasks = sqlx::query(THEIRS).bind(known.try_get::<i64, _>("key")?);
        let tasks = tasks.fetch_all(connection).await?;
        let tasks = tasks.iter().map(|row| {
            let name = row.optional_text("name")?;
            Ok((row.id("id")?, name.map(std::borrow::Cow::into_owned)))
        });
        Ok(Some(TakenIn::Known(
            known.id("id")?,
            tasks.collect::<sqlx::Result<_>>()?,
        )))
    }

    /// Those of the tasks of before that are done; or why they cannot be needed.
    async fn outside(
        &self,
        connection: &mut SqliteConnection,
        owner: i64,
    ) -> sqlx::Result<Result<BTreeSet<Uuid>, TakenIn>> {
        if self.outside.is_empty() {
            return Ok(Ok(BTreeSet::new()));
        }
        let ids: serde_json::Value = self.outside.iter().map(|id| id.simple().to_string()).collect();
        let found = sqlx::query(NEEDED).bind(owner).bind(ids.to_string());
        let found = found.fetch_all(connection).await?;
        let found = found.iter().map(|row| Ok((row.id("id")?, task_rows::state(row)?)));
        let found: BTreeMap<Uuid, TaskState> = found.collect::<sqlx::Result<_>>()?;
        Ok(task_rows::usable(&self.outside, &found))
    }
}
