//! What the log's rows and notifications say.

use sqlx::{PgConnection, Row as _, postgres::PgRow};
use uuid::Uuid;

use crate::{
    nodes::{Batch, Beaten, Digest, Entry, Incarnation, Log, Number, Peer, Replica, ReplicaSnapshot, Told},
    queue::machine::Time,
    store::postgres::append,
};

/// Most entries of one read.
const PAGE: i64 = 1_000;

/// Whatever may have been missed: read.
pub(super) const ANY: Told = Told::Number(Number(u64::MAX));

/// What a notification says: the number, and mostly the rest of the entry; see `log_append`.
pub(super) fn notice(payload: &str) -> Option<Told> {
    let mut words = payload.splitn(6, ' ');
    let number = Number(words.next()?.parse().ok()?);
    let Some(at) = words.next() else {
        return Some(Told::Number(number));
    };
    let node: Uuid = words.next()?.parse().ok()?;
    let sequence = words.next()?.parse().ok()?;
    let digest = append::digest(words.next()?).ok()?;
    Some(Told::Batch(Box::new(Batch {
        number,
        at: Time(at.parse().ok()?),
        entry: Entry {
            node: Incarnation(node.as_u128()),
            sequence,
            payload: words.next()?.as_bytes().to_vec(),
        },
        digest,
    })))
}

/// What follows a number, as far as it is read at once.
pub(super) async fn page(connection: &mut PgConnection, after: Number) -> sqlx::Result<Vec<Batch>> {
    let rows = sqlx::query(
        "SELECT number, at, node, sequence, payload, digest FROM log WHERE number > $1 ORDER BY number LIMIT $2",
    )
    .bind(after.0.cast_signed())
    .bind(PAGE)
    .fetch_all(connection)
    .await?;
    rows.iter().map(batch).collect()
}

/// The same with the digest of what is there up to that number, if its entry is: one statement, so one way to the server.
pub(super) async fn since(connection: &mut PgConnection, after: Number) -> sqlx::Result<Log> {
    let rows = sqlx::query(
        "SELECT number, at, node, sequence, CASE WHEN number > $1 THEN payload ELSE '' END AS payload, digest \
         FROM log WHERE number >= $1 ORDER BY number LIMIT $2",
    )
    .bind(after.0.cast_signed())
    .bind(PAGE)
    .fetch_all(connection)
    .await?;
    let (before, rows) = match rows.split_first() {
        Some((first, rest)) if number(first)? == after => (Some(digest(first.try_get("digest")?)?), rest),
        _ if after == Number::default() => (Some(Digest::default()), &rows[..]),
        _ => (None, &rows[..]),
    };
    Ok(Log {
        digest: before,
        batches: rows.iter().map(batch).collect::<sqlx::Result<_>>()?,
    })
}

fn batch(row: &PgRow) -> sqlx::Result<Batch> {
    Ok(Batch {
        number: number(row)?,
        at: Time(row.try_get("at")?),
        entry: Entry {
            node: node(row.try_get("node")?),
            sequence: row.try_get::<i64, _>("sequence")?.cast_unsigned(),
            payload: row.try_get("payload")?,
        },
        digest: digest(row.try_get("digest")?)?,
    })
}

/// What a beat has brought: a row for each other node, or one without; none: this node has no row.
pub(super) fn beaten(rows: &[PgRow]) -> sqlx::Result<Beaten> {
    let Some(first) = rows.first() else {
        return Ok(Beaten::Fenced);
    };
    let head = (number(first)?, digest(first.try_get("digest")?)?);
    let mut peers = Vec::with_capacity(rows.len());
    for row in rows {
        if let Some(id) = row.try_get("node")? {
            peers.push(Peer {
                node: node(id),
                beats: row.try_get::<i64, _>("count")?.cast_unsigned(),
                applied: Number(row.try_get::<i64, _>("applied")?.cast_unsigned()),
            });
        }
    }
    Ok(Beaten::Noted { peers, head })
}

const fn node(id: Uuid) -> Incarnation {
    Incarnation(id.as_u128())
}

fn number(row: &PgRow) -> sqlx::Result<Number> {
    Ok(Number(row.try_get::<i64, _>("number")?.cast_unsigned()))
}

fn digest(bytes: &[u8]) -> sqlx::Result<Digest> {
    let digest = bytes.try_into().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    Ok(Digest(digest))
}

/// A snapshot as its column.
pub(in crate::store::postgres) fn written(snapshot: &ReplicaSnapshot) -> Vec<u8> {
    serde_json::to_vec(snapshot).expect("a snapshot can be written")
}

pub(super) fn read_written(bytes: &[u8]) -> sqlx::Result<Replica> {
    let snapshot = serde_json::from_slice(bytes).map_err(|error| sqlx::Error::Decode(error.into()))?;
    Replica::from_snapshot(snapshot).map_err(|error| sqlx::Error::Decode(error.into()))
}
