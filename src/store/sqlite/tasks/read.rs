//! Looking tasks up.

use sqlx::{Row as _, SqliteConnection};
use uuid::Uuid;

use crate::{
    queue::Owner,
    store::{
        BatchRecord, Delivery, OpenTask, TaskFilter, TaskRecord,
        rows::Columns as _,
        sqlite::rows::{self, blob, integer, owner_blob},
        task_rows::{self, open_columns, task_columns},
    },
};

const OWNERS: &str = "SELECT o.id AS owner FROM owners o \
     WHERE EXISTS (SELECT 1 FROM tasks t WHERE t.owner = o.key AND t.state IN ('open', 'running'))";

const OPEN: &str = concat!(
    "SELECT ",
    open_columns!(),
    " FROM owners o CROSS JOIN tasks t INDEXED BY tasks_open ON t.owner = o.key \
     JOIN batches b ON b.key = t.batch WHERE o.id = ?1 AND t.state IN ('open', 'running') \
     ORDER BY t.state DESC, t.priority DESC, t.key"
);

const AMONG: &str = concat!(
    "SELECT ",
    open_columns!(),
    " FROM json_each(?1) m CROSS JOIN tasks t ON t.id = unhex(m.value) JOIN owners o ON o.key = t.owner \
     JOIN batches b ON b.key = t.batch WHERE t.state IN ('open', 'running')"
);

const REQUEST: &str = "SELECT request FROM tasks WHERE id = ?1 AND state IN ('open', 'running')";

const RESULTS: &str = "SELECT t.id, t.result FROM json_each(?2) m CROSS JOIN tasks t ON t.id = unhex(m.value) \
     JOIN owners o ON o.key = t.owner WHERE o.id = ?1 AND t.result IS NOT NULL";

const ONE: &str = concat!(
    "SELECT ",
    task_columns!(),
    ", t.result FROM tasks t JOIN owners o ON o.key = t.owner JOIN batches b ON b.key = t.batch WHERE o.id = ?1 AND t.id = ?2"
);

const PAGE: &str = concat!(
    "SELECT ",
    task_columns!(),
    " FROM owners o CROSS JOIN tasks t INDEXED BY tasks_of_owner ON t.owner = o.key JOIN batches b ON b.key = t.batch \
     WHERE o.id = ?1 AND (?2 IS NULL OR t.state = ?2) AND (?3 IS NULL OR b.id = ?3) \
     AND t.key < coalesce((SELECT a.key FROM tasks a WHERE a.id = ?4), 9223372036854775807) \
     ORDER BY t.key DESC LIMIT ?5"
);

const OUTCOMES: &str = concat!(
    "SELECT ",
    task_columns!(),
    " FROM owners o JOIN batches b ON b.owner = o.key CROSS JOIN tasks t INDEXED BY tasks_of_batch ON t.batch = b.key \
     WHERE o.id = ?1 AND b.id = ?2 AND t.ordinal > ?3 ORDER BY t.ordinal LIMIT ?4"
);

const BATCH: &str = "SELECT b.key, b.id AS batch, b.created_at, b.ended_at, b.count, b.url, \
       (SELECT count(*) FROM deliveries d WHERE d.batch = b.key) AS untold, \
       (SELECT count(*) FROM deliveries d WHERE d.batch = b.key AND d.due_at IS NULL) AS given_up \
     FROM owners o JOIN batches b ON b.owner = o.key WHERE o.id = ?1 AND b.id = ?2";

const STATES: &str = "SELECT state, count(*) AS count FROM tasks WHERE batch = ?1 GROUP BY state";

const UNTOLD: &str = "SELECT count(*) FROM deliveries WHERE due_at >= 0";

/// Some of each batch, so that one whose program does not listen keeps no other waiting.
const DELIVERIES: &str = "SELECT d.key, o.id AS owner, b.id AS batch, t.id AS task, d.attempts, d.created_at, b.url, b.secret \
     FROM (SELECT e.*, row_number() OVER (PARTITION BY e.batch ORDER BY e.due_at, e.key) AS nth \
       FROM deliveries e WHERE e.due_at <= ?1) d \
     JOIN owners o ON o.key = d.owner JOIN batches b ON b.key = d.batch LEFT JOIN tasks t ON t.key = d.task \
     WHERE d.nth <= 4 ORDER BY d.due_at, d.key LIMIT ?2";

/// For the test that looks how they find what they look for.
#[cfg(test)]
pub(in crate::store::sqlite) const QUERIES: [(&str, &str, bool); 9] = [
    ("open tasks", OPEN, true),
    ("open tasks among some", AMONG, false),
    ("request of a task", REQUEST, false),
    ("results", RESULTS, false),
    ("task", ONE, false),
    ("tasks", PAGE, false),
    ("outcomes", OUTCOMES, false),
    ("deliveries", DELIVERIES, true),
    ("untold", UNTOLD, false),
];

fn list(ids: &[Uuid]) -> String {
    let ids: serde_json::Value = ids.iter().map(|id| id.simple().to_string()).collect();
    ids.to_string()
}

pub(super) async fn owners(connection: &mut SqliteConnection) -> sqlx::Result<Vec<Owner>> {
    let found = sqlx::query(OWNERS).fetch_all(connection).await?;
    found.iter().map(rows::owner).collect()
}

pub(super) async fn open(connection: &mut SqliteConnection, owner: Owner) -> sqlx::Result<Vec<OpenTask>> {
    let found = sqlx::query(OPEN).bind(owner_blob(owner)).fetch_all(connection).await?;
    found.iter().map(task_rows::open).collect()
}

pub(super) async fn open_among(connection: &mut SqliteConnection, ids: &[Uuid]) -> sqlx::Result<Vec<OpenTask>> {
    let found = sqlx::query(AMONG).bind(list(ids)).fetch_all(connection).await?;
    found.iter().map(task_rows::open).collect()
}

pub(super) async fn request(connection: &mut SqliteConnection, id: Uuid) -> sqlx::Result<Option<String>> {
    let found = sqlx::query_scalar(REQUEST).bind(blob(&id));
    found.fetch_optional(connection).await
}

pub(super) async fn results(
    connection: &mut SqliteConnection,
    owner: Owner,
    ids: &[Uuid],
) -> sqlx::Result<Vec<(Uuid, String)>> {
    let found = sqlx::query(RESULTS).bind(owner_blob(owner)).bind(list(ids));
    let found = found.fetch_all(connection).await?;
    let found = found.iter();
    found
        .map(|row| Ok((row.id("id")?, row.text("result")?.into_owned())))
        .collect()
}

pub(super) async fn one(connection: &mut SqliteConnection, owner: Owner, id: Uuid) -> sqlx::Result<Option<TaskRecord>> {
    let found = sqlx::query(ONE).bind(owner_blob(owner)).bind(blob(&id));
    let found = found.fetch_optional(connection).await?;
    found.map(|row| task_rows::task(&row, true)).transpose()
}

pub(super) async fn page(
    connection: &mut SqliteConnection,
    owner: Owner,
    filter: TaskFilter,
    most: usize,
) -> sqlx::Result<Vec<TaskRecord>> {
    let found = sqlx::query(PAGE)
        .bind(owner_blob(owner))
        .bind(filter.state.map(crate::store::TaskState::name))
        .bind(filter.batch.as_ref().map(blob))
        .bind(filter.before.as_ref().map(blob))
        .bind(rows::limit(most))
        .fetch_all(connection)
        .await?;
    found.iter().map(|row| task_rows::task(row, false)).collect()
}

pub(super) async fn outcomes(
    connection: &mut SqliteConnection,
    owner: Owner,
    batch: Uuid,
    after: u64,
    most: usize,
) -> sqlx::Result<Vec<TaskRecord>> {
    let found = sqlx::query(OUTCOMES)
        .bind(owner_blob(owner))
        .bind(blob(&batch))
        .bind(integer(after))
        .bind(rows::limit(most))
        .fetch_all(connection)
        .await?;
    found.iter().map(|row| task_rows::task(row, false)).collect()
}

pub(super) async fn batch(
    connection: &mut SqliteConnection,
    owner: Owner,
    id: Uuid,
) -> sqlx::Result<Option<BatchRecord>> {
    let found = sqlx::query(BATCH).bind(owner_blob(owner)).bind(blob(&id));
    let Some(row) = found.fetch_optional(&mut *connection).await? else {
        return Ok(None);
    };
    let mut batch = task_rows::batch(&row)?;
    let states = sqlx::query(STATES).bind(row.try_get::<i64, _>("key")?);
    for row in states.fetch_all(connection).await? {
        batch
            .states
            .push((task_rows::state(&row)?, row.integer("count")?.unsigned_abs()));
    }
    Ok(Some(batch))
}

pub(super) async fn untold(connection: &mut SqliteConnection) -> sqlx::Result<u64> {
    let count: i64 = sqlx::query_scalar(UNTOLD).fetch_one(connection).await?;
    Ok(count.unsigned_abs())
}

pub(super) async fn deliveries(
    connection: &mut SqliteConnection,
    now: u64,
    most: usize,
) -> sqlx::Result<Vec<Delivery>> {
    let found = sqlx::query(DELIVERIES).bind(integer(now)).bind(rows::limit(most));
    let found = found.fetch_all(connection).await?;
    found.iter().map(task_rows::delivery).collect()
}
