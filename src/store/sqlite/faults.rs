//! What SQLite's result codes mean for the store: a full disk, a read-only one, a lock, damage.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::Path,
};

use crate::{store::StoreError, wire::MAX_MESSAGE_BYTES};

// Primary result codes, the low byte of an extended one: https://www.sqlite.org/rescode.html
const PERM: u32 = 3;
const BUSY: u32 = 5;
const LOCKED: u32 = 6;
const READONLY: u32 = 8;
const IOERR: u32 = 10;
const CORRUPT: u32 = 11;
const FULL: u32 = 13;
const CANTOPEN: u32 = 14;
const NOTADB: u32 = 26;

// Extended ones.
const READONLY_DBMOVED: u32 = READONLY | 4 << 8;
const IOERR_SHMSIZE: u32 = IOERR | 19 << 8;
const IOERR_DATA: u32 = IOERR | 32 << 8;
const IOERR_CORRUPTFS: u32 = IOERR | 33 << 8;

/// Bytes that show whether a disk can be written at all.
const LITTLE: usize = 16 * 1024;
/// Bytes that the change takes which stores a message, with every page that it touches.
const MESSAGE: usize = 4 * MAX_MESSAGE_BYTES;

/// What an error of the database means, by its code.
pub(super) fn meaning(error: &sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Database(inner) => {
            let code = code(error).unwrap_or_default();
            let message = || inner.message().to_owned();
            match (code, code & 0xff) {
                (READONLY_DBMOVED, _) => StoreError::ReadOnly("its file has been moved or removed".into()),
                (IOERR_SHMSIZE, _) | (_, FULL) => StoreError::Full,
                (IOERR_DATA | IOERR_CORRUPTFS, _) | (_, CORRUPT | NOTADB) => StoreError::Damaged(message()),
                (_, READONLY | PERM) => StoreError::ReadOnly(message()),
                (_, BUSY | LOCKED) => StoreError::Locked,
                _ => StoreError::Other(error.to_string()),
            }
        }
        sqlx::Error::Io(error) => of_io(error).unwrap_or_else(|| StoreError::Other(error.to_string())),
        // The schema says what is in a column, so another content is not what was written.
        sqlx::Error::PoolClosed => StoreError::Closed,
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => StoreError::Damaged(error.to_string()),
        _ => StoreError::Other(error.to_string()),
    }
}

/// The same for a write: where SQLite says no more than that the disk failed, the disk is asked why.
pub(super) async fn diagnosis(error: &sqlx::Error, folder: &Path) -> StoreError {
    let meaning = meaning(error);
    if !matches!(code(error).map(|code| code & 0xff), Some(IOERR | CANTOPEN))
        || !matches!(meaning, StoreError::Other(_))
    {
        return meaning;
    }
    let folder = folder.to_owned();
    let probed = tokio::task::spawn_blocking(move || probe(&folder, LITTLE)).await;
    match probed {
        Ok(Err(error)) => of_io(&error).unwrap_or(meaning),
        _ => meaning,
    }
}

/// Whether a disk that was full has room for a message again, of the longest kind.
pub(super) async fn has_room(folder: &Path) -> bool {
    let folder = folder.to_owned();
    let probed = tokio::task::spawn_blocking(move || probe(&folder, MESSAGE)).await;
    matches!(probed, Ok(Ok(())))
}

/// What an error of the system means, where that is plain.
pub(super) fn of_io(error: &io::Error) -> Option<StoreError> {
    Some(StoreError::of_io(error)).filter(|meaning| !matches!(meaning, StoreError::Other(_)))
}

fn code(error: &sqlx::Error) -> Option<u32> {
    error.as_database_error()?.code()?.parse().ok()
}

/// Writes so many bytes beside the database, and removes them.
fn probe(folder: &Path, bytes: usize) -> io::Result<()> {
    let path = folder.join("probe");
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&path)
        .and_then(|mut file| {
            file.write_all(&vec![0; bytes])?;
            file.sync_all()
        });
    // Whether it was made or not.
    let _ = fs::remove_file(&path);
    written
}
