//! What can go wrong with a file, as sentences for the person.

use std::io;

use thiserror::Error;

use crate::wire::size;

/// A fault with a file. `Display` is a sentence for the person whose file it is: what happened and what to do.
#[derive(Debug, Error)]
pub enum FileError {
    /// Nothing in it.
    #[error("“{name}” is empty. Choose a file with something in it.")]
    Empty {
        /// Its name, made harmless.
        name: String,
    },
    /// More than `MAX_UPLOAD_SIZE`.
    #[error("“{name}” is larger than {}, the most that Anteroom takes. Choose a smaller file.", size(*limit))]
    TooLarge {
        /// Its name, made harmless.
        name: String,
        /// The most that is taken, in bytes.
        limit: u64,
    },
    /// Neither text nor a picture that models can see.
    #[error(
        "Anteroom takes text, Markdown, CSV, JSON, source code and images (PNG, JPEG, GIF, WebP). \
         “{name}” is none of these."
    )]
    Unsupported {
        /// Its name, made harmless.
        name: String,
    },
    /// Its name is a picture's, its content is not.
    #[error(
        "“{name}” is named like an image, but holds none that Anteroom knows (PNG, JPEG, GIF, WebP). \
         Save it as one of these, or give it its right name."
    )]
    NotAnImage {
        /// Its name, made harmless.
        name: String,
    },
    /// Its name is a text's, its content is in an encoding that cannot be told.
    #[error("“{name}” is not text in UTF-8. Save it as UTF-8 and upload it again.")]
    NotUtf8 {
        /// Its name, made harmless.
        name: String,
    },
    /// It is not kept (any more).
    #[error("This file is no longer here. Upload it again.")]
    Gone,
    /// The disk is full.
    #[error("The server has no room left for files. Try again later, or ask whoever runs it.")]
    NoSpace(#[source] io::Error),
    /// The disk failed otherwise.
    #[error("The server could not keep or read the file. Try again later, or ask whoever runs it.")]
    Disk(#[source] io::Error),
}

impl FileError {
    /// Whether it is no fault of the file, but of the server.
    #[must_use]
    pub const fn is_ours(&self) -> bool {
        matches!(self, Self::NoSpace(_) | Self::Disk(_))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_named() {
        let error = FileError::TooLarge {
            name: "a.csv".to_owned(),
            limit: 20_000_000,
        };
        assert_eq!(
            error.to_string(),
            "“a.csv” is larger than 20 MB, the most that Anteroom takes. Choose a smaller file."
        );
        assert!(!error.is_ours());
    }
}
