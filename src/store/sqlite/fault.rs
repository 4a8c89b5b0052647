//! What SQLite's errors mean: <https://www.sqlite.org/rescode.html>.

use crate::store::StoreError;

const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const READONLY: i32 = 8;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const CANTOPEN: i32 = 14;
const NOTADB: i32 = 26;
/// The index of the write-ahead log could not grow: no room left.
const IOERR_SHMSIZE: i32 = 10 | (19 << 8);

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let database = match &error {
            sqlx::Error::Database(database) => database,
            sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => return Self::Closed,
            _ => return Self::Other(error.to_string()),
        };
        let code: i32 = database.code().and_then(|code| code.parse().ok()).unwrap_or(0);
        let words = || database.message().to_owned();
        match (code, code & 0xff) {
            (IOERR_SHMSIZE, _) | (_, FULL) => Self::Full,
            (_, BUSY | LOCKED) => Self::Locked,
            (_, READONLY | CANTOPEN) => Self::ReadOnly(words()),
            (_, CORRUPT | NOTADB) => Self::Damaged(words()),
            _ => Self::Other(format!("{} (code {code})", words())),
        }
    }
}
