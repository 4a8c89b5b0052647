//! The log in PostgreSQL, version 15 or later.
//!
//! One connection appends, so that entries are written in the order in which they are sent; another listens; reading and beating have
//! one each, so that neither waits for a commit. Each has to answer in time: one that does not is given up, and the next request makes
//! another.

use std::{io, time::Duration};

use async_trait::async_trait;
use sqlx::{
    ConnectOptions as _, Connection as _, PgConnection, Row as _,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions, PgRow},
};
use tokio::{
    sync::Mutex,
    time::{sleep, timeout},
};
use tracing::warn;
use uuid::Uuid;

use super::{
    BEAT, Batch, Beaten, Change, Database, Digest, Entry, Incarnation, Log, Number, Peer, Replica, ReplicaSnapshot,
    Reply, Told,
};
use crate::queue::{Policy, machine::Time};

/// The tables and the function, made where they are missing.
const TABLES: &str = include_str!("log.sql");
/// How long an answer may take. Shorter than a lease, so that a node finds out in time.
const ANSWER: Duration = Duration::from_secs(4);
/// Entries that are kept before a snapshot, for those that are behind.
const KEPT: i64 = 2_000;
/// Most entries of one read.
const PAGE: i64 = 1_000;
/// What notifications are sent by.
const CHANNEL: &str = "anteroom_log";
/// The lock under which tables are made: "ante log" in ASCII.
const LOCK: i64 = 0x616e_7465_206c_6f67;

/// The log in a database.
pub struct PostgresLog {
    options: PgConnectOptions,
    appending: Mutex<Option<PgConnection>>,
    beating: Mutex<Option<PgConnection>>,
    reading: Mutex<Option<PgConnection>>,
    listening: Mutex<Option<PgListener>>,
}

impl PostgresLog {
    /// The log of this database, made where there is none: an empty line under `policy`, which then is that of all who come.
    ///
    /// # Errors
    /// The database cannot be reached, or the tables cannot be made.
    pub async fn open(options: PgConnectOptions, policy: &Policy) -> sqlx::Result<Self> {
        let mut connection = options.connect().await?;
        // Several nodes may start at once, and making what is there already is not safe against that.
        let mut transaction = connection.begin().await?;
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(LOCK)
            .execute(&mut *transaction)
            .await?;
        sqlx::raw_sql(TABLES).execute(&mut *transaction).await?;
        let empty = Replica::new(policy.clone());
        sqlx::query(
            "INSERT INTO log_head (number, at, digest, snapshot_number, snapshot) VALUES (0, 0, $1, 0, $2) \
             ON CONFLICT DO NOTHING",
        )
        .bind(&empty.digest().0[..])
        .bind(written(&empty.snapshot()))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Self {
            options,
            appending: Mutex::default(),
            beating: Mutex::default(),
            reading: Mutex::default(),
            listening: Mutex::default(),
        })
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
                None => self.options.connect().await?,
            };
            let done = work(&mut connection).await?;
            *slot = Some(connection);
            Ok(done)
        });
        let done = done
            .await
            .unwrap_or_else(|_elapsed| Err(io::Error::from(io::ErrorKind::TimedOut).into()));
        if let Err(error) = &done {
            warn!(%error, "the database of the log is away");
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
            let row = sqlx::query("SELECT snapshot FROM log_head")
                .fetch_one(&mut *transaction)
                .await?;
            let mut replica = read_written(row.try_get("snapshot")?)?;
            loop {
                let page = page(&mut transaction, replica.applied()).await?;
                for batch in &page {
                    replica
                        .apply(batch)
                        .map_err(|error| sqlx::Error::Decode(error.into()))?;
                }
                if page.is_empty() {
                    break;
                }
            }
            transaction.commit().await?;
            Ok(Box::new(replica))
        });
        loaded.await.ok()
    }

    async fn read(&self, after: Number) -> Option<Log> {
        let read = self.on(&self.reading, async |connection| {
            let before: Option<Vec<u8>> = sqlx::query_scalar("SELECT digest FROM log WHERE number = $1")
                .bind(after.0.cast_signed())
                .fetch_optional(&mut *connection)
                .await?;
            let digest = match before {
                Some(bytes) => Some(digest(&bytes)?),
                None if after == Number::default() => Some(Digest::default()),
                None => None,
            };
            let batches = page(connection, after).await?;
            Ok(Log { digest, batches })
        });
        read.await.ok()
    }

    async fn append(
        &self,
        node: Incarnation,
        sequence: u64,
        changes: Vec<Change>,
        unless_heard: Option<Peer>,
    ) -> Reply {
        let entry = Entry::new(node, sequence, &changes);
        let gone: Vec<Uuid> = changes
            .iter()
            .filter_map(|change| match change {
                Change::Gone(gone) => Some(Uuid::from_u128(gone.0)),
                _ => None,
            })
            .collect();
        let appended = self.on(&self.appending, async |connection| {
            let row = sqlx::query("SELECT status, number, at, digest FROM log_append($1, $2, $3, $4, $5, $6, $7)")
                .bind(Uuid::from_u128(node.0))
                .bind(sequence.cast_signed())
                .bind(changes.iter().any(|change| matches!(change, Change::Up { .. })))
                .bind(gone)
                .bind(unless_heard.map(|peer| Uuid::from_u128(peer.node.0)))
                .bind(unless_heard.map(|peer| peer.beats.cast_signed()))
                .bind(&entry.payload)
                .fetch_one(connection)
                .await?;
            match row.try_get::<&str, _>("status")? {
                "written" => {
                    let (number, at) = (number(&row, "number")?, row.try_get("at")?);
                    let digest = digest(row.try_get("digest")?)?;
                    Ok(Reply::Written(Box::new(Batch {
                        number,
                        at: Time(at),
                        entry: entry.clone(),
                        digest,
                    })))
                }
                "already" => Ok(Reply::Already),
                "fenced" => Ok(Reply::Fenced),
                _ => Ok(Reply::Nothing),
            }
        });
        appended.await.unwrap_or(Reply::Away)
    }

    async fn beat(&self, node: Incarnation) -> Beaten {
        let id = Uuid::from_u128(node.0);
        let beaten = self.on(&self.beating, async |connection| {
            let beaten = sqlx::query("UPDATE log_nodes SET beats = beats + 1 WHERE id = $1")
                .bind(id)
                .execute(&mut *connection)
                .await?;
            if beaten.rows_affected() == 0 {
                return Ok(Beaten::Fenced);
            }
            let rows = sqlx::query("SELECT id, beats FROM log_nodes WHERE id <> $1")
                .bind(id)
                .fetch_all(&mut *connection)
                .await?;
            let peer = |row: &PgRow| {
                Ok(Peer {
                    node: Incarnation(row.try_get::<Uuid, _>("id")?.as_u128()),
                    beats: row.try_get::<i64, _>("beats")?.cast_unsigned(),
                })
            };
            let peers = rows.iter().map(peer).collect::<sqlx::Result<_>>()?;
            let head = sqlx::query("SELECT number, digest FROM log_head")
                .fetch_one(connection)
                .await?;
            let head = (number(&head, "number")?, digest(head.try_get("digest")?)?);
            Ok(Beaten::Noted { peers, head })
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
                        let pool = pool.connect_lazy_with(self.options.clone());
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
            let mut transaction = connection.begin().await?;
            // One that is older than what is there is of no use.
            let kept =
                sqlx::query("UPDATE log_head SET snapshot_number = $1, snapshot = $2 WHERE snapshot_number < $1")
                    .bind(number)
                    .bind(written)
                    .execute(&mut *transaction)
                    .await?;
            if kept.rows_affected() == 1 {
                sqlx::query("DELETE FROM log WHERE number <= $1")
                    .bind(number - KEPT)
                    .execute(&mut *transaction)
                    .await?;
            }
            transaction.commit().await
        });
        // Another node does, or this one later.
        let _ = kept.await;
    }
}

/// Whatever may have been missed: read.
const ANY: Told = Told::Number(Number(u64::MAX));

/// What a notification says: the number, and mostly the rest of the entry; see `log.sql`.
fn notice(payload: &str) -> Option<Told> {
    let mut words = payload.splitn(6, ' ');
    let number = Number(words.next()?.parse().ok()?);
    let Some(at) = words.next() else {
        return Some(Told::Number(number));
    };
    let node: Uuid = words.next()?.parse().ok()?;
    let sequence = words.next()?.parse().ok()?;
    let hex = words.next()?;
    let mut digest = [0; 32];
    for (byte, digits) in digest.iter_mut().zip(hex.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(Told::Batch(Box::new(Batch {
        number,
        at: Time(at.parse().ok()?),
        entry: Entry {
            node: Incarnation(node.as_u128()),
            sequence,
            payload: words.next()?.as_bytes().to_vec(),
        },
        digest: Digest(digest),
    })))
}

async fn page(connection: &mut PgConnection, after: Number) -> sqlx::Result<Vec<Batch>> {
    let rows = sqlx::query(
        "SELECT number, at, node, sequence, payload, digest FROM log WHERE number > $1 ORDER BY number LIMIT $2",
    )
    .bind(after.0.cast_signed())
    .bind(PAGE)
    .fetch_all(connection)
    .await?;
    let batch = |row: &PgRow| {
        Ok(Batch {
            number: number(row, "number")?,
            at: Time(row.try_get("at")?),
            entry: Entry {
                node: Incarnation(row.try_get::<Uuid, _>("node")?.as_u128()),
                sequence: row.try_get::<i64, _>("sequence")?.cast_unsigned(),
                payload: row.try_get("payload")?,
            },
            digest: digest(row.try_get("digest")?)?,
        })
    };
    rows.iter().map(batch).collect()
}

fn number(row: &PgRow, column: &str) -> sqlx::Result<Number> {
    Ok(Number(row.try_get::<i64, _>(column)?.cast_unsigned()))
}

fn digest(bytes: &[u8]) -> sqlx::Result<Digest> {
    let digest = bytes.try_into().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    Ok(Digest(digest))
}

fn written(snapshot: &ReplicaSnapshot) -> Vec<u8> {
    serde_json::to_vec(snapshot).expect("a snapshot can be written")
}

fn read_written(bytes: &[u8]) -> sqlx::Result<Replica> {
    let snapshot = serde_json::from_slice(bytes).map_err(|error| sqlx::Error::Decode(error.into()))?;
    Replica::from_snapshot(snapshot).map_err(|error| sqlx::Error::Decode(error.into()))
}
