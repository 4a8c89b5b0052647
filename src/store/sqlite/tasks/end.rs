//! The end of a task, and what follows from it.

use std::collections::BTreeMap;

use serde_json::json;
use sqlx::{Row as _, SqliteConnection};

use crate::store::{
    Ended, TaskEnd, TaskState,
    job::Operation,
    rows::Columns as _,
    sqlite::rows::{blob, integer},
    task_rows,
};

const OPEN: &str = "SELECT key, batch FROM tasks WHERE id = ?1 AND state IN ('open', 'running')";

const END: &str = "UPDATE tasks SET state = ?2, reason = ?3, ended_at = ?4, counted = ?5, input_tokens = ?6, output_tokens = ?7, \
       result = ?8 WHERE key = ?1";

const READY: &str = "UPDATE tasks SET blocked = blocked - 1 \
     WHERE key IN (SELECT task FROM task_needs WHERE needs = ?1) AND state = 'open' RETURNING id, blocked";

/// All that need it, and those that need them: none of them has been begun.
pub(in crate::store::sqlite) const BEHIND: &str = "WITH RECURSIVE behind (task) AS ( \
       SELECT task FROM task_needs WHERE needs = ?1 UNION SELECT n.task FROM behind b CROSS JOIN task_needs n ON n.needs = b.task \
     ) SELECT t.key, t.batch, t.id FROM behind b CROSS JOIN tasks t ON t.key = b.task WHERE t.state = 'open' ORDER BY t.key";

const COUNT: &str = "UPDATE batches SET open = open - ?2, ended = ended + ?2, ended_at = iif(open = ?2, ?3, NULL) \
     WHERE key = ?1 RETURNING ended, open, url IS NOT NULL AS tells";

const NUMBER: &str = "WITH ended AS MATERIALIZED (SELECT m.value ->> 0 AS task, m.value ->> 1 AS ordinal FROM json_each(?1) m) \
     UPDATE tasks SET ordinal = ended.ordinal FROM ended WHERE tasks.key = ended.task";

pub(super) const FAIL: &str =
    "UPDATE tasks SET state = 'failed', reason = ?2, ended_at = ?3 WHERE key IN (SELECT value FROM json_each(?1))";

const TELL: &str = "INSERT INTO deliveries (owner, batch, task, attempts, created_at, due_at) \
     SELECT owner, batch, key, 0, ?2, ?2 FROM tasks WHERE key IN (SELECT value FROM json_each(?1)) ORDER BY ordinal";

const TELL_ALL: &str = "INSERT INTO deliveries (owner, batch, task, attempts, created_at, due_at) \
     SELECT owner, key, NULL, 0, ?2, ?2 FROM batches WHERE key = ?1";

/// See [`crate::store::TaskStore::end_task`].
pub(super) struct End(pub(super) TaskEnd);

impl Operation for End {
    type Connection = SqliteConnection;
    type Output = Option<Ended>;

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<Option<Ended>> {
        let Self(end) = self;
        let open = sqlx::query(OPEN).bind(blob(&end.id));
        let Some(open) = open.fetch_optional(&mut *connection).await? else {
            return Ok(None);
        };
        let (task, batch): (i64, i64) = (open.try_get("key")?, open.try_get("batch")?);
        let (reason, behind) = task_rows::reasons(end);
        let usage = end.usage.unwrap_or_default();
        sqlx::query(END)
            .bind(task)
            .bind(end.state.name())
            .bind(reason)
            .bind(integer(end.at))
            .bind(end.usage.is_some())
            .bind(usage.input.map(integer))
            .bind(usage.output.map(integer))
            .bind(end.result.as_deref())
            .execute(&mut *connection)
            .await?;
        let mut ended = vec![(task, batch)];
        let mut output = Ended::default();
        if end.state == TaskState::Done {
            let freed = sqlx::query(READY).bind(task).fetch_all(&mut *connection).await?;
            for row in &freed {
                if row.integer("blocked")? == 0 {
                    output.ready.push(row.id("id")?);
                }
            }
        } else {
            let needing = sqlx::query(BEHIND).bind(task).fetch_all(&mut *connection).await?;
            for row in &needing {
                ended.push((row.try_get("key")?, row.try_get("batch")?));
                output.failed.push(row.id("id")?);
            }
            if !needing.is_empty() {
                let keys = ended[1..].iter().map(|(key, _)| *key);
                sqlx::query(FAIL)
                    .bind(keys.collect::<serde_json::Value>().to_string())
                    .bind(behind)
                    .bind(integer(end.at))
                    .execute(&mut *connection)
                    .await?;
            }
        }
        number(connection, &ended, end.at).await?;
        Ok(Some(output))
    }
}

/// Counts those that have ended in their batches, and notes what is to be told.
pub(super) async fn number(connection: &mut SqliteConnection, ended: &[(i64, i64)], at: u64) -> sqlx::Result<()> {
    let (mut last, mut telling, mut over) = (BTreeMap::new(), Vec::new(), Vec::new());
    for (batch, count) in task_rows::counts(ended) {
        let row = sqlx::query(COUNT)
            .bind(batch)
            .bind(count)
            .bind(integer(at))
            .fetch_one(&mut *connection)
            .await?;
        last.insert(batch, row.try_get("ended")?);
        if row.try_get("tells")? {
            telling.push(batch);
            if row.integer("open")? == 0 {
                over.push(batch);
            }
        }
    }
    let ordinals = task_rows::ordinals(ended, &last);
    let ordinals: serde_json::Value = ordinals
        .into_iter()
        .map(|(task, ordinal)| json!([task, ordinal]))
        .collect();
    sqlx::query(NUMBER)
        .bind(ordinals.to_string())
        .execute(&mut *connection)
        .await?;
    if !telling.is_empty() {
        let told = ended.iter().filter(|(_, batch)| telling.contains(batch));
        let told: serde_json::Value = told.map(|(task, _)| *task).collect();
        sqlx::query(TELL)
            .bind(told.to_string())
            .bind(integer(at))
            .execute(&mut *connection)
            .await?;
    }
    for batch in over {
        let all = sqlx::query(TELL_ALL).bind(batch).bind(integer(at));
        all.execute(&mut *connection).await?;
    }
    Ok(())
}
