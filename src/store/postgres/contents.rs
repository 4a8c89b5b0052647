//! The contents of uploaded files, in rows of a bounded size: nobody holds a whole file in memory, neither here nor at the server.
//!
//! A content is written piece by piece as it comes, and counts once it is finished. Every step may be done again, so that a lost connection costs
//! nobody an upload. What the end of a server has cut off, the next start removes, its own or another's.

use std::{io, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{FutureExt as _, Stream, stream};
use sqlx::{PgConnection, Row as _};
use tokio::runtime::Handle;
use tokio_util::{io::StreamReader, task::TaskTracker};
use tracing::{Instrument as _, info_span, warn};
use uuid::Uuid;

use super::{Tuning, access::Access, faults, link::Link};
use crate::{
    files::{Contents, Draft, FileContent, FileError},
    nodes::Incarnation,
    store::StoreError,
    wire::FileId,
};

/// How many read or write a piece at once.
const CONNECTIONS: u32 = 4;
/// Bytes of a piece.
pub(super) const PIECE: usize = 256 * 1024;

const BEGIN: &str = "INSERT INTO contents (id, finished, node) VALUES ($1, false, $2) ON CONFLICT (id) DO NOTHING";
const WRITE: &str = "INSERT INTO pieces (content, number, bytes) VALUES ($1, $2, $3) \
     ON CONFLICT (content, number) DO UPDATE SET bytes = excluded.bytes";
const FINISH: &str = "UPDATE contents SET finished = true WHERE id = $1";
const FIND: &str = "SELECT (SELECT count(*) FROM pieces p WHERE p.content = c.id) AS pieces FROM contents c WHERE c.id = $1 AND c.finished";
const READ: &str = "SELECT bytes FROM pieces WHERE content = $1 AND number = $2";
const REMOVE: &str = "DELETE FROM contents WHERE id = ANY($1)";
/// Also of what was kept and then never noted, or is not of use to anybody any more. Where the process is there that it came to, it may be
/// finished and noted still; one that has no row any more can note nothing. What was read of a document, its text and its pictures, is of use as long
/// as that is: their ids differ from its by bits of one digit (`files::beside`).
const SWEEP: &str = "DELETE FROM contents c WHERE NOT EXISTS (SELECT 1 FROM nodes n WHERE n.id = c.node) \
     AND (NOT c.finished OR NOT EXISTS (SELECT 1 FROM files f WHERE f.id IN (c.id, overlay(c.id::text placing \
     translate(substr(c.id::text, 15, 1), '0123456789abcdef', '89abcdef01234567') from 15 for 1)::uuid, overlay(c.id::text placing \
     translate(substr(c.id::text, 15, 1), '0123456789abcdef', '98badcfe10325476') from 15 for 1)::uuid)))";

/// Contents in the database.
#[derive(Clone, Debug)]
pub(super) struct Rows(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    access: Access,
    /// This process.
    node: Uuid,
    /// Those that remove what was given up.
    removals: TaskTracker,
}

impl Rows {
    pub(super) fn new(link: Link, node: Incarnation, tuning: Tuning) -> Self {
        Self(Arc::new(Shared {
            access: Access::new(link, CONNECTIONS, tuning),
            node: Uuid::from_u128(node.0),
            removals: TaskTracker::new(),
        }))
    }

    async fn make(&self, id: Uuid) -> Result<(), FileError> {
        let node = self.0.node;
        let done = self.0.access.run(move |connection| {
            let query = sqlx::query(BEGIN).bind(id).bind(node);
            async move { query.execute(connection).await }.boxed()
        });
        done.await.map(drop).map_err(|error| fault(&error))
    }

    /// `false`: it has been removed meanwhile.
    async fn finish(&self, id: Uuid) -> Result<bool, FileError> {
        let done = self.0.access.run(move |connection| {
            let query = sqlx::query(FINISH).bind(id);
            async move { query.execute(connection).await }.boxed()
        });
        let done = done.await.map_err(|error| fault(&error))?;
        Ok(done.rows_affected() > 0)
    }

    async fn write(&self, id: Uuid, number: i64, bytes: Bytes) -> Result<(), FileError> {
        let done = self.0.access.run(move |connection| {
            let query = sqlx::query(WRITE).bind(id).bind(number).bind(bytes.to_vec());
            async move { query.execute(connection).await }.boxed()
        });
        done.await.map(drop).map_err(|error| fault(&error))
    }

    async fn piece(&self, id: Uuid, number: i64) -> io::Result<Bytes> {
        let found = self.0.access.run(move |connection| {
            let query = sqlx::query_scalar::<_, Vec<u8>>(READ).bind(id).bind(number);
            async move { query.fetch_optional(connection).await }.boxed()
        });
        let found = found.await.map_err(|error| io::Error::other(faults::said(&error)))?;
        // It would end too early else, and nobody would know.
        let found = found.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof));
        found.map(Bytes::from)
    }

    fn pieces(self, id: Uuid, count: i64) -> impl Stream<Item = io::Result<Bytes>> + Send {
        stream::unfold((self, 0), move |(rows, number)| async move {
            if number == count {
                return None;
            }
            let piece = rows.piece(id, number).await;
            let next = if piece.is_ok() { number + 1 } else { count };
            Some((piece, (rows, next)))
        })
    }
}

/// Removes what a server has left there that ended in the middle of it.
pub(super) async fn sweep(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query(SWEEP).execute(connection).await.map(drop)
}

#[async_trait]
impl Contents for Rows {
    async fn begin(&self, id: FileId) -> Result<Box<dyn Draft>, FileError> {
        // Made first, so that it goes even if this future is dropped before it has an owner.
        let unfinished = Unfinished(Some((self.clone(), id)));
        self.make(id.0).await?;
        Ok(Box::new(RowDraft {
            rows: self.clone(),
            id: id.0,
            number: 0,
            waiting: Vec::with_capacity(PIECE),
            unfinished,
        }))
    }

    async fn open(&self, id: FileId) -> Result<FileContent, FileError> {
        let found = self.0.access.run(move |connection| {
            let query = sqlx::query(FIND).bind(id.0);
            async move { query.fetch_optional(connection).await }.boxed()
        });
        let row = found.await.map_err(|error| fault(&error))?.ok_or(FileError::Gone)?;
        let count = row.try_get("pieces").map_err(|error| fault(&error))?;
        let pieces = self.clone().pieces(id.0, count);
        Ok(Box::new(StreamReader::new(Box::pin(pieces))))
    }

    async fn remove(&self, ids: &[FileId]) -> Result<(), FileError> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        let done = self.0.access.run(move |connection| {
            let query = sqlx::query(REMOVE).bind(ids.clone());
            async move { query.execute(connection).await }.boxed()
        });
        done.await.map(drop).map_err(|error| fault(&error))
    }

    async fn close(&self) {
        self.0.removals.close();
        self.0.removals.wait().await;
        self.0.access.close().await;
    }
}

/// A content that is coming in.
#[derive(Debug)]
struct RowDraft {
    rows: Rows,
    id: Uuid,
    /// That of the next piece.
    number: i64,
    /// What is not enough for a piece yet.
    waiting: Vec<u8>,
    unfinished: Unfinished,
}

impl RowDraft {
    async fn put(&mut self) -> Result<(), FileError> {
        let piece = Bytes::from(std::mem::replace(&mut self.waiting, Vec::with_capacity(PIECE)));
        self.rows.write(self.id, self.number, piece).await?;
        self.number += 1;
        Ok(())
    }
}

#[async_trait]
impl Draft for RowDraft {
    async fn write(&mut self, mut bytes: &[u8]) -> Result<(), FileError> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(PIECE - self.waiting.len()));
            self.waiting.extend_from_slice(now);
            bytes = later;
            if self.waiting.len() == PIECE {
                self.put().await?;
            }
        }
        Ok(())
    }

    async fn keep(mut self: Box<Self>) -> Result<(), FileError> {
        if !self.waiting.is_empty() {
            self.put().await?;
        }
        if !self.rows.finish(self.id).await? {
            return Err(FileError::Gone);
        }
        self.unfinished.0 = None;
        Ok(())
    }
}

/// A content that is not finished; removed on drop.
#[derive(Debug)]
struct Unfinished(Option<(Rows, FileId)>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        let Some((rows, id)) = self.0.take() else { return };
        // Without a runtime the process is ending, and the next start sweeps.
        let Ok(runtime) = Handle::try_current() else { return };
        let removals = rows.0.removals.clone();
        let removal = async move {
            if let Err(error) = rows.remove(&[id]).await {
                warn!(%error, "an upload that was given up stays until the next start");
            }
        };
        runtime.spawn(removals.track_future(removal.instrument(info_span!("upload given up"))));
    }
}

fn fault(error: &sqlx::Error) -> FileError {
    match faults::meaning(error) {
        StoreError::Full => io::Error::from(io::ErrorKind::StorageFull).into(),
        meaning => FileError::Disk(io::Error::other(meaning.to_string())),
    }
}
