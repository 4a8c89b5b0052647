//! What can go wrong with a file.

use std::io;

use thiserror::Error;

use crate::papers::PaperFault;

/// A fault with a file. `Display` is for the log.
#[derive(Debug, Error)]
pub enum FileError {
    /// Nothing in it.
    #[error("{name:?} is empty")]
    Empty {
        /// Its name, made harmless.
        name: String,
    },
    /// More than `MAX_UPLOAD_SIZE`.
    #[error("{name:?} is larger than {limit} bytes")]
    TooLarge {
        /// Its name, made harmless.
        name: String,
        /// The most that is taken, in bytes.
        limit: u64,
    },
    /// Neither text nor a picture that models can see.
    #[error("{name:?} is of no kind that is taken")]
    Unsupported {
        /// Its name, made harmless.
        name: String,
    },
    /// Its name is a picture's, its content is not.
    #[error("{name:?} is named like an image and is none")]
    NotAnImage {
        /// Its name, made harmless.
        name: String,
    },
    /// Its name is a document's, its content is not.
    #[error("{name:?} is named like a document and is none")]
    NotADocument {
        /// Its name, made harmless.
        name: String,
    },
    /// It is a document, and cannot be read.
    #[error("{name:?} cannot be read: {fault}")]
    Unread {
        /// Its name, made harmless.
        name: String,
        /// Why.
        fault: PaperFault,
    },
    /// What reads documents does not start.
    #[error("documents cannot be read: {0}")]
    NoReader(#[source] io::Error),
    /// Its name is a text's, its content is in an encoding that cannot be told.
    #[error("{name:?} is not text in UTF-8")]
    NotUtf8 {
        /// Its name, made harmless.
        name: String,
    },
    /// It is not kept (any more).
    #[error("the file is not there")]
    Gone,
    /// The disk is full.
    #[error("there is no room for files: {0}")]
    NoSpace(#[source] io::Error),
    /// The disk failed otherwise.
    #[error("a file could not be kept or read: {0}")]
    Disk(#[source] io::Error),
}

impl FileError {
    /// Whether it is no fault of the file, but of the server.
    #[must_use]
    pub const fn is_ours(&self) -> bool {
        matches!(self, Self::NoSpace(_) | Self::Disk(_) | Self::NoReader(_))
    }
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace(error),
            _ => Self::Disk(error),
        }
    }
}
