//! The end of a task, and what follows from it.

use std::collections::BTreeMap;

use sqlx::{PgConnection, Row as _};

use crate::store::{
    Ended, TaskEnd, TaskState,
    job::Operation,
    postgres::{rows::integer, text},
    rows::Columns as _,
    task_rows,
};

const END: &str = "UPDATE tasks SET state = $2, reason = $3, ended_at = $4, counted = $5, input_tokens = $6, output_tokens = $7, \
       result = $8 WHERE id = $1 AND state IN ('open', 'running') RETURNING key, batch";

const READY: &str = "UPDATE tasks SET blocked = blocked - 1 \
     WHERE key IN (SELECT task FROM task_needs WHERE needs = $1) AND state = 'open' RETURNING id, blocked";

/// All that need it, and those that need them: none of them has been begun.
const FAIL: &str = "WITH RECURSIVE behind (task) AS ( \
       SELECT task FROM task_needs WHERE needs = $1 UNION SELECT n.task FROM behind b JOIN task_needs n ON n.needs = b.task \
     ) UPDATE tasks SET state = 'failed', reason = $2, ended_at = $3 \
     WHERE key IN (SELECT task FROM behind) AND state = 'open' RETURNING key, batch, id";

const COUNT: &str = "UPDATE batches SET open = open - $2, ended = ended + $2, ended_at = CASE WHEN open = $2 THEN $3::bigint END \
     WHERE key = $1 RETURNING ended, open, url IS NOT NULL AS tells";

const NUMBER: &str = "UPDATE tasks SET ordinal = m.ordinal FROM unnest($1::bigint[], $2::bigint[]) AS m (task, ordinal) \
     WHERE tasks.key = m.task";

const TELL: &str = "INSERT INTO deliveries (owner, batch, task, attempts, created_at, due_at) \
     SELECT owner, batch, key, 0, $2, $2 FROM tasks WHERE key = ANY ($1) ORDER BY ordinal";

const TELL_ALL: &str = "INSERT INTO deliveries (owner, batch, task, attempts, created_at, due_at) \
     SELECT owner, key, NULL, 0, $2, $2 FROM batches WHERE key = $1";

/// See [`crate::store::TaskStore::end_task`].
pub(super) struct End(pub(super) TaskEnd);

impl Operation for End {
    type Connection = PgConnection;
    type Output = Option<Ended>;

    async fn run(&self, connection: &mut PgConnection) -> sqlx::Result<Option<Ended>> {
        let Self(end) = self;
        let (reason, behind) = task_rows::reasons(end);
        let usage = end.usage.unwrap_or_default();
        let over = sqlx::query(END)
            .bind(end.id)
            .bind(end.state.name())
            .bind(reason.as_deref().map(text::stored))
            .bind(integer(end.at))
            .bind(end.usage.is_some())
            .bind(usage.input.map(integer))
            .bind(usage.output.map(integer))
            .bind(end.result.as_deref().map(text::stored))
            .fetch_optional(&mut *connection)
            .await?;
        let Some(over) = over else { return Ok(None) };
        let (task, batch): (i64, i64) = (over.try_get("key")?, over.try_get("batch")?);
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
            let failed = sqlx::query(FAIL)
                .bind(task)
                .bind(behind.as_deref().map(text::stored))
                .bind(integer(end.at))
                .fetch_all(&mut *connection)
                .await?;
            for row in &failed {
                ended.push((row.try_get("key")?, row.try_get("batch")?));
                output.failed.push(row.id("id")?);
            }
            ended[1..].sort_unstable();
        }
        number(connection, &ended, end.at).await?;
        Ok(Some(output))
    }
}

/// Counts those that have ended in their batches, and notes what is to be told.
pub(super) async fn number(connection: &mut PgConnection, ended: &[(i64, i64)], at: u64) -> sqlx::Result<()> {
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
    let (tasks, ordinals): (Vec<i64>, Vec<i64>) = task_rows::ordinals(ended, &last).into_iter().unzip();
    let numbered = sqlx::query(NUMBER).bind(tasks).bind(ordinals);
    numbered.execute(&mut *connection).await?;
    if !telling.is_empty() {
        let told = ended.iter().filter(|(_, batch)| telling.contains(batch));
        let told: Vec<i64> = told.map(|(task, _)| *task).collect();
        let told = sqlx::query(TELL).bind(told).bind(integer(at));
        told.execute(&mut *connection).await?;
    }
    for batch in over {
        let all = sqlx::query(TELL_ALL).bind(batch).bind(integer(at));
        all.execute(&mut *connection).await?;
    }
    Ok(())
}
