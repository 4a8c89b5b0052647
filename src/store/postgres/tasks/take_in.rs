//! Taking a batch in: a few statements, however many tasks it has.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use crate::store::{
    NewBatch, TakenIn, TaskState,
    job::Operation,
    postgres::{rows::integer, text, write::owner_key},
    rows::Columns as _,
    task_rows,
};

/// Of two that come at once with the same key, the second is to find the first; and none is to pass the bound because another one is not
/// counted yet.
const ONE_AT_A_TIME: &str = "SELECT FROM owners WHERE key = $1 FOR NO KEY UPDATE";

const KNOWN: &str = "SELECT key, id, hash FROM batches WHERE owner = $1 AND idempotency = $2";

const THEIRS: &str = "SELECT id, name FROM tasks WHERE batch = $1 ORDER BY key";

const OPEN: &str = "SELECT count(*) FROM tasks WHERE owner = $1 AND state IN ('open', 'running')";

/// Locked, so that none of them is over before it is known that it is needed.
const NEEDED: &str = "SELECT id, state FROM tasks WHERE owner = $1 AND id = ANY ($2) ORDER BY key FOR SHARE";

const BATCH: &str = "INSERT INTO batches (owner, id, idempotency, hash, created_at, count, open, ended, url, secret) \
     VALUES ($1, $2, $3, $4, $5, $6, $6, 0, $7, $8) RETURNING key";

const TASKS: &str = "INSERT INTO tasks (owner, batch, id, name, priority, state, blocked, attempts, created_at, counted, model, metadata, request) \
     SELECT $1, $2, m.id, m.name, m.priority, 'open', m.blocked, 0, $3, false, m.model, m.metadata, m.request \
     FROM unnest($4::uuid[], $5::text[], $6::bigint[], $7::bigint[], $8::text[], $9::text[], $10::text[]) WITH ORDINALITY \
       AS m (id, name, priority, blocked, model, metadata, request, number) ORDER BY m.number";

const NEEDS: &str = "INSERT INTO task_needs (task, needs) SELECT t.key, n.key \
     FROM unnest($1::uuid[], $2::uuid[]) AS m (task, needs) JOIN tasks t ON t.id = m.task JOIN tasks n ON n.id = m.needs";

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
    type Connection = PgConnection;
    type Output = TakenIn;

    async fn run(&self, connection: &mut PgConnection) -> sqlx::Result<TakenIn> {
        let batch = &self.batch;
        let owner = owner_key(connection, batch.owner).await?;
        sqlx::query(ONE_AT_A_TIME).bind(owner).execute(&mut *connection).await?;
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
            .bind(batch.id)
            .bind(batch.key.as_deref().map(text::stored))
            .bind(batch.hash.as_str())
            .bind(integer(batch.created_at))
            .bind(integer(batch.tasks.len() as u64))
            .bind(webhook.map(|webhook| text::stored(&webhook.url)))
            .bind(webhook.map(|webhook| text::stored(&webhook.secret)))
            .fetch_one(&mut *connection)
            .await?;
        self.add_tasks(connection, owner, key, &done).await?;
        if !batch.needs.is_empty() {
            let (tasks, needs): (Vec<Uuid>, Vec<Uuid>) = batch.needs.iter().copied().unzip();
            let added = sqlx::query(NEEDS).bind(tasks).bind(needs);
            added.execute(&mut *connection).await?;
        }
        Ok(TakenIn::New)
    }
}

impl TakeIn {
    async fn add_tasks(
        &self,
        connection: &mut PgConnection,
        owner: i64,
        key: i64,
        done: &BTreeSet<Uuid>,
    ) -> sqlx::Result<()> {
        let batch = &self.batch;
        let mut blocked = BTreeMap::<Uuid, i64>::new();
        for (task, _) in batch.needs.iter().filter(|(_, needs)| !done.contains(needs)) {
            *blocked.entry(*task).or_default() += 1;
        }
        let tasks = || batch.tasks.iter();
        let texts = |text: &Option<String>| text.as_deref().map(|text| text::stored(text).into_owned());
        sqlx::query(TASKS)
            .bind(owner)
            .bind(key)
            .bind(integer(batch.created_at))
            .bind(tasks().map(|task| task.id).collect::<Vec<_>>())
            .bind(tasks().map(|task| texts(&task.name)).collect::<Vec<_>>())
            .bind(tasks().map(|task| i64::from(task.priority)).collect::<Vec<_>>())
            .bind(
                tasks()
                    .map(|task| blocked.get(&task.id).copied().unwrap_or_default())
                    .collect::<Vec<_>>(),
            )
            .bind(
                tasks()
                    .map(|task| text::stored(&task.model).into_owned())
                    .collect::<Vec<_>>(),
            )
            .bind(tasks().map(|task| texts(&task.metadata)).collect::<Vec<_>>())
            .bind(
                tasks()
                    .map(|task| text::stored(&task.request).into_owned())
                    .collect::<Vec<_>>(),
            )
            .execute(connection)
            .await
            .map(drop)
    }

    /// The batch of before that has its key.
    async fn known(&self, connection: &mut PgConnection, owner: i64) -> sqlx::Result<Option<TakenIn>> {
        let Some(key) = &self.batch.key else { return Ok(None) };
        let known = sqlx::query(KNOWN).bind(owner).bind(text::stored(key));
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
            Ok((row.id("id")?, name.map(Cow::into_owned)))
        });
        Ok(Some(TakenIn::Known(
            known.id("id")?,
            tasks.collect::<sqlx::Result<_>>()?,
        )))
    }

    /// Those of the tasks of before that are done; or why they cannot be needed.
    async fn outside(
        &self,
        connection: &mut PgConnection,
        owner: i64,
    ) -> sqlx::Result<Result<BTreeSet<Uuid>, TakenIn>> {
        if self.outside.is_empty() {
            return Ok(Ok(BTreeSet::new()));
        }
        let found = sqlx::query(NEEDED).bind(owner).bind(&self.outside);
        let found = found.fetch_all(connection).await?;
        let found = found.iter().map(|row| Ok((row.id("id")?, task_rows::state(row)?)));
        let found: BTreeMap<Uuid, TaskState> = found.collect::<sqlx::Result<_>>()?;
        Ok(task_rows::usable(&self.outside, &found))
    }
}
