//! What can go wrong with the store.

use std::io;

use thiserror::Error;

/// A fault of the store. `Display` is for the operator.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum StoreError {
    /// The disk has no room left.
    #[error("the disk is full")]
    Full,
    /// The file or the disk cannot be written.
    #[error("the database cannot be written: {0}")]
    ReadOnly(String),
    /// Somebody else has kept it locked for too long.
    #[error("the database is locked by another program")]
    Locked,
    /// The file is not what it should be.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// It has been closed.
    #[error("the store is closed")]
    Closed,
    /// Anything else.
    #[error("the store failed: {0}")]
    Other(String),
}

impl StoreError {
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
