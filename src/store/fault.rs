//! What can go wrong with the store, and what becomes of it.
//!
//! The way of a full disk, which Anteroom lives through; the other faults go the same one, without what frees room:
//!
//! 1. It is known: SQLite's codes and the system's errors become a [`StoreError`] in `sqlite/faults.rs`, which also asks the disk where they
//!    say too little.
//! 2. It is refused: `sqlite/writer.rs` rolls the batch back, keeps the fault, tells each caller, and looks itself whether there is room again.
//! 3. Room is made: removals go through, with what `sqlite/reserve.rs` keeps for them.
//! 4. Nothing is lost: an answer that could not be stored waits in `conversations/pending.rs`.
//! 5. It is told: as a reason by `client/reason.rs`, with a status by `http/status.rs` (507), by `/health`, and at a start by `sqlite/open.rs`.
//!
//! With PostgreSQL the codes become meanings in `postgres/faults.rs`, a server that is away is waited for in `postgres/writer.rs`, and whether there is room
//! again is seen by a write that is taken back.
//!
//! Attached files are not in SQLite's database: theirs is `files/error.rs`, from where it goes on at 5. All of it is tried on real full disks, by
//! `sqlite/tests/disks.rs` and `app/tests/disk.rs`.

use std::io;

use thiserror::Error;

/// A fault of the store. `Display` is for the operator.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum StoreError {
    /// The disk has no room left.
    #[error("{kind}", kind = self.in_public())]
    Full,
    /// The file or the disk cannot be written.
    #[error("{kind}: {0}", kind = self.in_public())]
    ReadOnly(String),
    /// Somebody else has kept it locked for too long.
    #[error("{kind}", kind = self.in_public())]
    Locked,
    /// The file is not what it should be.
    #[error("{kind}: {0}", kind = self.in_public())]
    Damaged(String),
    /// The server that has it cannot be reached, or is not ready.
    #[error("{kind}: {0}", kind = self.in_public())]
    Away(String),
    /// It has been closed.
    #[error("{kind}", kind = self.in_public())]
    Closed,
    /// Anything else.
    #[error("{kind}: {0}", kind = self.in_public())]
    Other(String),
}

impl StoreError {
    /// What kind of fault it is, for everybody: the words of a database or a system name users, addresses and paths.
    #[must_use]
    pub const fn in_public(&self) -> &'static str {
        match self {
            Self::Full => "the disk is full",
            Self::ReadOnly(_) => "the database cannot be written",
            Self::Locked => "the database is locked by another program",
            Self::Damaged(_) => "the database is damaged",
            Self::Away(_) => "the database cannot be reached",
            Self::Closed => "the store is closed",
            Self::Other(_) => "the store failed",
        }
    }

    /// What an error of the system means.
    #[must_use]
    pub fn of_io(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly(error.to_string()),
            _ => Self::Other(error.to_string()),
        }
    }
}
