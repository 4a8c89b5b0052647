//! How connections to the database are set up.

use std::{path::Path, time::Duration};

use sqlx::{
    ConnectOptions as _,
    sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

/// What tests set otherwise.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tuning {
    /// How long to wait for another program's lock.
    pub(super) busy_timeout: Duration,
    /// How long to wait for another server to end.
    pub(super) patience: Duration,
    /// How long after a fault to see whether it has passed, and again.
    pub(super) try_again: Duration,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            busy_timeout: Duration::from_secs(5),
            patience: Duration::from_secs(1),
            try_again: Duration::from_secs(5),
        }
    }
}

/// The connection that writes.
pub(super) fn writing(file: &Path, tuning: Tuning) -> SqliteConnectOptions {
    common(file, tuning)
        .journal_mode(SqliteJournalMode::Wal)
        // A commit is on the disk when it returns, not at the next checkpoint only; on macOS past the drive's cache, too.
        .synchronous(SqliteSynchronous::Full)
        .pragma("fullfsync", "ON")
        // What is deleted is overwritten.
        .pragma("secure_delete", "ON")
        // After a burst the log beside the database shrinks to this many bytes again.
        .pragma("journal_size_limit", "16777216")
}

/// A connection that looks whether a database may be written, and changes nothing itself. Not one that can only read: it could
/// not clear up what a server that was killed has left behind.
pub(super) fn looking(file: &Path, tuning: Tuning) -> SqliteConnectOptions {
    common(file, tuning)
}

/// The first connection to a database that is not there yet. Room that becomes free can be given back piece by piece then;
/// this is settled here once, and said at every connection it would be written every time.
pub(super) fn making(file: &Path, tuning: Tuning) -> SqliteConnectOptions {
    writing(file, tuning).auto_vacuum(SqliteAutoVacuum::Incremental)
}

/// A connection that reads.
pub(super) fn reading(file: &Path, tuning: Tuning) -> SqliteConnectOptions {
    common(file, tuning).read_only(true)
}

fn common(file: &Path, tuning: Tuning) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .busy_timeout(tuning.busy_timeout)
        .foreign_keys(true)
        // What is sorted is private, and the disk may be full.
        .pragma("temp_store", "MEMORY")
        .thread_name(|id| format!("sqlite-{id}"))
        .disable_statement_logging()
}
