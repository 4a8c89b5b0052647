//! The end of a whole batch by its owner: a few statements, however many tasks it has.

use std::{borrow::Cow, collections::BTreeMap};

use sqlx::{Row as _, SqliteConnection};
use uuid::Uuid;

use super::end::{FAIL, number};
use crate::{
    queue::Owner,
    store::{
        CancelledBatch,
        job::Operation,
        rows::Columns as _,
        sqlite::rows::{blob, integer, owner_blob},
        task_rows,
    },
};

const BATCH: &str = "SELECT b.key FROM owners o CROSS JOIN batches b ON b.owner = o.key WHERE o.id = ?1 AND b.id = ?2";

const CANCEL: &str = "UPDATE tasks SET state = 'cancelled', ended_at = ?2 WHERE batch = ?1 AND state IN ('open', 'running') \
     RETURNING key, id, name";

/// Those that need one of these tasks. None of them has been begun.
pub(in crate::store::sqlite) const NEEDING: &str = "SELECT n.task, n.needs, t.batch, t.id FROM json_each(?1) m CROSS JOIN task_needs n ON n.needs = m.value \
       CROSS JOIN tasks t ON t.key = n.task WHERE t.state = 'open' ORDER BY n.task, n.needs";

/// See [`crate::store::TaskStore::cancel_batch`].
pub(super) struct Cancel {
    pub(super) owner: Owner,
    pub(super) id: Uuid,
    pub(super) at: u64,
}

impl Operation for Cancel {
    type Connection = SqliteConnection;
    type Output = Option<CancelledBatch>;

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<Option<CancelledBatch>> {
        let batch = sqlx::query_scalar(BATCH)
            .bind(owner_blob(self.owner))
            .bind(blob(&self.id));
        let Some(batch) = batch.fetch_optional(&mut *connection).await? else {
            return Ok(None);
        };
        let batch: i64 = batch;
        let rows = sqlx::query(CANCEL).bind(batch).bind(integer(self.at));
        let rows = rows.fetch_all(&mut *connection).await?;
        // In their order, each with why those come to nothing that need it.
        let mut cancelled = BTreeMap::new();
        for row in &rows {
            let id = row.id("id")?;
            let why = task_rows::needs_failed(row.optional_text("name")?.map(Cow::into_owned), id);
            cancelled.insert(row.try_get::<i64, _>("key")?, (id, why));
        }
        let mut output = CancelledBatch::default();
        let mut ended: Vec<(i64, i64)> = cancelled.keys().map(|key| (*key, batch)).collect();
        output.cancelled.extend(cancelled.values().map(|(id, _)| *id));
        let mut over: BTreeMap<i64, String> = cancelled.into_iter().map(|(key, (_, why))| (key, why)).collect();
        // What needs these has come to nothing, then what needs that, and so on.
        while !over.is_empty() {
            over = self
                .fail_needing(connection, over, &mut ended, &mut output.failed)
                .await?;
        }
        if !ended.is_empty() {
            number(connection, &ended, self.at).await?;
        }
        Ok(Some(output))
    }
}

impl Cancel {
    /// Fails those that need one of these tasks, each of which says why. Returns them in the same way.
    async fn fail_needing(
        &self,
        connection: &mut SqliteConnection,
        over: BTreeMap<i64, String>,
        ended: &mut Vec<(i64, i64)>,
        failed: &mut Vec<Uuid>,
    ) -> sqlx::Result<BTreeMap<i64, String>> {
        let needing = sqlx::query(NEEDING).bind(over.keys().copied().collect::<serde_json::Value>().to_string());
        let needing = needing.fetch_all(&mut *connection).await?;
        let mut found = BTreeMap::new();
        let mut by_reason = BTreeMap::<String, Vec<i64>>::new();
        for row in &needing {
            let (task, needs): (i64, i64) = (row.try_get("task")?, row.try_get("needs")?);
            let Some(why) = over.get(&needs).filter(|_| !found.contains_key(&task)) else {
                continue;
            };
            found.insert(task, why.clone());
            by_reason.entry(why.clone()).or_default().push(task);
            ended.push((task, row.try_get("batch")?));
            failed.push(row.id("id")?);
        }
        for (why, tasks) in by_reason {
            sqlx::query(FAIL)
                .bind(tasks.into_iter().collect::<serde_json::Value>().to_string())
                .bind(why)
                .bind(integer(self.at))
                .execute(&mut *connection)
                .await?;
        }
        Ok(found)
    }
}
