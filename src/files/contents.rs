//! Where the contents of files are kept: the seam between uploads and whatever keeps them.

use std::fmt;

use async_trait::async_trait;
use tokio::io::AsyncRead;

use super::FileError;
use crate::wire::FileId;

/// The content of a file that is kept, to be read piece by piece.
pub type FileContent = Box<dyn AsyncRead + Send + Unpin>;

/// Keeps contents, each under the id of its file.
#[async_trait]
pub(crate) trait Contents: fmt::Debug + Send + Sync {
    /// Begins one. Dropped before it is kept, nothing of it stays.
    async fn begin(&self, id: FileId) -> Result<Box<dyn Draft>, FileError>;
    /// One that is kept; [`FileError::Gone`] where it is not.
    async fn open(&self, id: FileId) -> Result<FileContent, FileError>;
    /// Removes some. Those that are not there are as good as removed. The others are removed where one fails.
    async fn remove(&self, ids: &[FileId]) -> Result<(), FileError>;
    /// Ends well: what is to be removed of drafts that were dropped has been.
    async fn close(&self) {}
}

/// A content that is coming in.
#[async_trait]
pub(crate) trait Draft: fmt::Debug + Send {
    /// Takes the next bytes. Not cancel-safe.
    async fn write(&mut self, bytes: &[u8]) -> Result<(), FileError>;
    /// Says that all has come. Once this has returned, it survives an end of the server. Not cancel-safe.
    async fn keep(self: Box<Self>) -> Result<(), FileError>;
}
