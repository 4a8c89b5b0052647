//! Looking tasks up.

use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use crate::{
    queue::Owner,
    store::{
        BatchRecord, Delivery, OpenTask, TaskFilter, TaskRecord,
        postgres::rows::{self, integer, owner_id},
        rows::Columns as _,
        task_rows::{self, open_columns, task_columns},
    },
};

const OWNERS: &str = "SELECT o.id AS owner FROM owners o \
     WHERE EXISTS (SELECT 1 FROM tasks t WHERE t.owner = o.key AND t.state IN ('open', 'running'))";

const OPEN: &str = concat!(
    "SELECT ",
    open_columns!(),
    " FROM owners o JOIN tasks t ON t.owner = o.key JOIN batches b ON b.key = t.batch WHERE o.id = $1 AND t.state IN ('open', 'running') \
     ORDER BY t.state DESC, t.priority DESC, t.key"
);

const AMONG: &str = concat!(
    "SELECT ",
    open_columns!(),
    " FROM tasks t JOIN owners o ON o.key = t.owner JOIN batches b ON b.key = t.batch \
     WHERE t.id = ANY ($1) AND t.state IN ('open', 'running')"
);

const REQUEST: &str = "SELECT request FROM tasks WHERE id = $1 AND state IN ('open', 'running')";

const RESULTS: &str = "SELECT t.id, t.result FROM tasks t JOIN owners o ON o.key = t.owner WHERE t.id = ANY ($2) AND o.id = $1 AND t.result IS NOT NULL";

const ONE: &str = concat!(
    "SELECT ",
    task_columns!(),
    ", t.result FROM tasks t JOIN owners o ON o.key = t.owner JOIN batches b ON b.key = t.batch WHERE o.id = $1 AND t.id = $2"
);

const PAGE: &str = concat!(
    "SELECT ",
    task_columns!(),
    " FROM owners o JOIN tasks t ON t.owner = o.key JOIN batches b ON b.key = t.batch \
     WHERE o.id = $1 AND ($2::text IS NULL OR t.state = $2) AND ($3::uuid IS NULL OR b.id = $3) \
     AND t.key < coalesce((SELECT a.key FROM tasks a WHERE a.id = $4), 9223372036854775807) \
     ORDER BY t.key DESC LIMIT $5"
);

const OUTCOMES: &str = concat!(
    "SELECT ",
    task_columns!(),
    " FROM owners o JOIN batches b ON b.owner = o.key JOIN tasks t ON t.batch = b.key \
     WHERE o.id = $1 AND b.id = $2 AND t.ordinal > $3 ORDER BY t.ordinal LIMIT $4"
);

const BATCH: &str = "SELECT b.key, b.id AS batch, b.created_at, b.ended_at, b.count, b.url, \
       (SELECT count(*) FROM deliveries d WHERE d.batch = b.key) AS untold, \
       (SELECT count(*) FROM deliveries d WHERE d.batch = b.key AND d.due_at IS NULL) AS given_up \
     FROM owners o JOIN batches b ON b.owner = o.key WHERE o.id = $1 AND b.id = $2";

const STATES: &str = "SELECT state, count(*) AS count FROM tasks WHERE batch = $1 GROUP BY state";

const UNTOLD: &str = "SELECT count(*) FROM deliveries WHERE due_at >= 0";

/// Some of each batch, so that one whose program does not listen keeps no other waiting.
const DELIVERIES: &str = "SELECT d.key, o.id AS owner, b.id AS batch, t.id AS task, d.attempts, d.created_at, b.url, b.secret \
     FROM (SELECT e.*, row_number() OVER (PARTITION BY e.batch ORDER BY e.due_at, e.key) AS nth \
       FROM deliveries e WHERE e.due_at <= $1) d \
     JOIN owners o ON o.key = d.owner JOIN batches b ON b.key = d.batch LEFT JOIN tasks t ON t.key = d.task \
     WHERE d.nth <= 4 ORDER BY d.due_at, d.key LIMIT $2";

pub(super) async fn owners(connection: &mut PgConnection) -> sqlx::Result<Vec<Owner>> {
    let found = sqlx::query(OWNERS).fetch_all(connection).await?;
    found.iter().map(rows::owner).collect()
}

pub(super) async fn open(connection: &mut PgConnection, owner: Owner) -> sqlx::Result<Vec<OpenTask>> {
    let found = sqlx::query(OPEN).bind(owner_id(owner)).fetch_all(connection).await?;
    found.iter().map(task_rows::open).collect()
}

pub(super) async fn open_among(connection: &mut PgConnection, ids: Vec<Uuid>) -> sqlx::Result<Vec<OpenTask>> {
    let found = sqlx::query(AMONG).bind(ids).fetch_all(connection).await?;
    found.iter().map(task_rows::open).collect()
}

pub(super) async fn request(connection: &mut PgConnection, id: Uuid) -> sqlx::Result<Option<String>> {
    let found = sqlx::query(REQUEST).bind(id).fetch_optional(connection).await?;
    found.map(|row| Ok(row.text("request")?.into_owned())).transpose()
}

pub(super) async fn results(
    connection: &mut PgConnection,
    owner: Owner,
    ids: Vec<Uuid>,
) -> sqlx::Result<Vec<(Uuid, String)>> {
    let found = sqlx::query(RESULTS).bind(owner_id(owner)).bind(ids);
    let found = found.fetch_all(connection).await?;
    let found = found.iter();
    found
        .map(|row| Ok((row.id("id")?, row.text("result")?.into_owned())))
        .collect()
}

pub(super) async fn one(connection: &mut PgConnection, owner: Owner, id: Uuid) -> sqlx::Result<Option<TaskRecord>> {
    let found = sqlx::query(ONE).bind(owner_id(owner)).bind(id);
    let found = found.fetch_optional(connection).await?;
    found.map(|row| task_rows::task(&row, true)).transpose()
}

pub(super) async fn page(
    connection: &mut PgConnection,
    owner: Owner,
    filter: TaskFilter,
    most: usize,
) -> sqlx::Result<Vec<TaskRecord>> {
    let found = sqlx::query(PAGE)
        .bind(owner_id(owner))
        .bind(filter.state.map(crate::store::TaskState::name))
        .bind(filter.batch)
        .bind(filter.before)
        .bind(rows::limit(most))
        .fetch_all(connection)
        .await?;
    found.iter().map(|row| task_rows::task(row, false)).collect()
}

pub(super) async fn outcomes(
    connection: &mut PgConnection,
    owner: Owner,
    batch: Uuid,
    after: u64,
    most: usize,
) -> sqlx::Result<Vec<TaskRecord>> {
    let found = sqlx::query(OUTCOMES)
        .bind(owner_id(owner))
        .bind(batch)
        .bind(integer(after))
        .bind(rows::limit(most))
        .fetch_all(connection)
        .await?;
    found.iter().map(|row| task_rows::task(row, false)).collect()
}

pub(super) async fn batch(connection: &mut PgConnection, owner: Owner, id: Uuid) -> sqlx::Result<Option<BatchRecord>> {
    let found = sqlx::query(BATCH).bind(owner_id(owner)).bind(id);
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

pub(super) async fn untold(connection: &mut PgConnection) -> sqlx::Result<u64> {
    let count: i64 = sqlx::query_scalar(UNTOLD).fetch_one(connection).await?;
    Ok(count.unsigned_abs())
}

pub(super) async fn deliveries(connection: &mut PgConnection, now: u64, most: usize) -> sqlx::Result<Vec<Delivery>> {
    let found = sqlx::query(DELIVERIES).bind(integer(now)).bind(rows::limit(most));
    let found = found.fetch_all(connection).await?;
    found.iter().map(task_rows::delivery).collect()
}
