//! The log of the nodes that share the database.
//!
//! What is appended goes through the writing task, with the changes of the store and in their order (`append.rs`). All else has connections
//! of its own: one listens; reading and beating have one each, so that neither waits for a commit. Each has to answer in time: one that does
//! not is given up, and the next request makes another.

mod rows;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use sqlx::{
    Connection as _, PgConnection, Row as _,
    postgres::{PgListener, PgPoolOptions},
};
use tokio::{
    sync::Mutex,
    time::{sleep, timeout},
};
use tracing::warn;
use uuid::Uuid;

use super::{faults, link::Link, writer::Writer};
use crate::{
    nodes::{
        BEAT, Beaten, Change, Database, Digest, Entry, Incarnation, Log, Number, Peer, Replica, ReplicaSnapshot, Reply,
        Told,
    },
    store::readers::Connect as _,
};
pub(super) use rows::written;
use rows::{ANY, beaten, notice, page, read_written, since};

/// How long an answer may take. Shorter than a lease, so that a node finds out in time.
const ANSWER: Duration = Duration::from_secs(4);
/// Entries that are kept before a snapshot, for those that are behind.
const KEPT: i64 = 2_000;
/// What notifications are sent by.
const CHANNEL: &str = "anteroom_log";

/// One statement, and so of one moment: the nodes that are there, and the log as it was then. No row: this node is not there.
const BEAT_AND_LOOK: &str = "WITH mine AS (UPDATE beats SET count = count + 1, applied = $2 WHERE node = $1 RETURNING node) \
     SELECT h.number, h.digest, b.node, b.count, b.applied FROM mine CROSS JOIN log_head h LEFT JOIN beats b ON b.node <> $1";

/// One that is older than what is there is of no use.
const KEEP: &str = "WITH kept AS (UPDATE log_snapshot SET number = $1, snapshot = $2 WHERE number < $1 RETURNING number) \
     DELETE FROM log WHERE number <= (SELECT number - $3 FROM kept)";

/// The log, for one node.
pub(super) struct PostgresLog {
    node: Incarnation,
    link: Link,
    writer: Arc<Writer>,
    beating: Mutex<Option<PgConnection>>,
    reading: Mutex<Option<PgConnection>>,
    listening: Mutex<Option<PgListener>>,
}

/// Begins the log with this snapshot where there is none.
pub(super) async fn begin(connection: &mut PgConnection, snapshot: Vec<u8>, digest: Digest) -> sqlx::Result<()> {
    // Of several that do so at once, one makes both.
    sqlx::query(
        "WITH made AS (INSERT INTO log_snapshot (number, snapshot) VALUES (0, $1) ON CONFLICT DO NOTHING RETURNING number) \
         INSERT INTO log_head (number, at, digest) SELECT number, 0, $2 FROM made",
    )
    .bind(snapshot)
    .bind(digest.0.to_vec())
    .execute(connection)
    .await
    .map(drop)
}

/// The line as the snapshot and what follows it say. What cannot be read is a [`sqlx::Error::Decode`].
pub(super) async fn load(connection: &mut PgConnection) -> sqlx::Result<Replica> {
    let row = sqlx::query("SELECT snapshot FROM log_snapshot")
        .fetch_one(&mut *connection)
        .await?;
    let mut replica = read_written(row.try_get("snapshot")?)?;
    loop {
        let page = page(connection, replica.applied()).await?;
        for batch in &page {
            replica
                .apply(batch)
                .map_err(|error| sqlx::Error::Decode(error.into()))?;
        }
        if page.is_empty() {
            return Ok(replica);
        }
    }
}

/// Has the log go on from this line, which is that of its end.
pub(super) async fn replace(connection: &mut PgConnection, replica: &Replica) -> sqlx::Result<()> {
    sqlx::query("UPDATE log_snapshot SET number = $1, snapshot = $2")
        .bind(replica.applied().0.cast_signed())
        .bind(written(&replica.snapshot()))
        .execute(connection)
        .await
        .map(drop)
}

/// Has the log begin once more with this line, which is that of no entry.
pub(super) async fn restart(connection: &mut PgConnection, empty: &Replica) -> sqlx::Result<()> {
    replace(&mut *connection, empty).await?;
    sqlx::query("DELETE FROM log").execute(&mut *connection).await?;
    sqlx::query("UPDATE log_head SET number = $1, digest = $2")
        .bind(empty.applied().0.cast_signed())
        .bind(empty.digest().0.to_vec())
        .execute(connection)
        .await
        .map(drop)
}

impl PostgresLog {
    /// For the node whose store `writer` writes to; the log has been begun.
    pub(super) fn new(node: Incarnation, link: Link, writer: Arc<Writer>) -> Self {
        Self {
            node,
            link,
            writer,
            beating: Mutex::default(),
            reading: Mutex::default(),
            listening: Mutex::default(),
        }
    }

    /// Does something on a connection, in time. One that has failed is dropped.
    async fn on<T>(
        &self,
        connection: &Mutex<Option<PgConnection>>,
        work: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<T>,
    ) -> sqlx::Result<T> {
        let mut slot = connection.lock().await;
        let done = timeout(ANSWER, async {
            // Taken out, so that one whose work is dropped halfway is not used again.
            let mut connection = match slot.take() {
                Some(connection) => connection,
                None => self.link.connect().await?,
            };
            let done = work(&mut connection).await?;
            *slot = Some(connection);
            Ok(done)
        });
        let done = done.await.unwrap_or_else(|_elapsed| Err(faults::silence()));
        if let Err(error) = &done {
            warn!(error = faults::said(error), "the log cannot be reached");
        }
        done
    }
}

#[async_trait]
impl Database for PostgresLog {
    async fn load(&self) -> Option<Box<Replica>> {
        let loaded = self.on(&self.reading, async |connection| {
            // Of one moment: a later snapshot would not go with what was read before.
            let mut transaction = connection
                .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                .await?;
            let replica = load(&mut transaction).await?;
            transaction.commit().await?;
            Ok(Box::new(replica))
        });
        loaded.await.ok()
    }

    async fn read(&self, after: Number) -> Option<Log> {
        let read = self.on(&self.reading, async |connection| since(connection, after).await);
        read.await.ok()
    }

    async fn append(
        &self,
        node: Incarnation,
        sequence: u64,
        changes: Vec<Change>,
        unless_heard: Option<Peer>,
    ) -> Reply {
        if node != self.node {
            return Reply::Fenced;
        }
        let gone = changes.iter().filter_map(|change| match change {
            Change::Gone(gone) => Some(*gone),
            _ => None,
        });
        let gone = gone.collect();
        let entry = Entry::new(node, sequence, &changes);
        self.writer.append(entry, gone, unless_heard).await
    }

    async fn beat(&self, node: Incarnation, applied: Number) -> Beaten {
        let beaten = self.on(&self.beating, async |connection| {
            let rows = sqlx::query(BEAT_AND_LOOK)
                .bind(Uuid::from_u128(node.0))
                .bind(applied.0.cast_signed())
                .fetch_all(connection)
                .await?;
            beaten(&rows)
        });
        beaten.await.unwrap_or(Beaten::Away)
    }

    async fn told(&self) -> Told {
        let mut slot = self.listening.lock().await;
        loop {
            let heard = async {
                let listener = match &mut *slot {
                    Some(listener) => listener,
                    None => {
                        let pool = PgPoolOptions::new().max_connections(1);
                        let pool = pool.connect_lazy_with(self.link.options().clone());
                        let mut listener = PgListener::connect_with(&pool).await?;
                        listener.listen(CHANNEL).await?;
                        slot.insert(listener)
                    }
                };
                listener.try_recv().await
            };
            match heard.await {
                Ok(Some(notification)) => return notice(notification.payload()).unwrap_or(ANY),
                // The connection was lost, and with it perhaps a notification.
                Ok(None) => return ANY,
                Err(_) => {
                    *slot = None;
                    sleep(BEAT).await;
                }
            }
        }
    }

    async fn keep(&self, snapshot: ReplicaSnapshot) {
        let number = snapshot.applied().0.cast_signed();
        // With a long line that takes a while.
        let Ok(written) = tokio::task::spawn_blocking(move || written(&snapshot)).await else {
            return;
        };
        let kept = self.on(&self.reading, async |connection| {
            sqlx::query(KEEP)
                .bind(number)
                .bind(written)
                .bind(KEPT)
                .execute(connection)
                .await
        });
        // Another node does, or this one later.
        let _ = kept.await;
    }
}
