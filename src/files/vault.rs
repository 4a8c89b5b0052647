//! The contents of files: uploads on their way in, and what is read of them.

use std::{path::Path, sync::Arc};

use tokio::io::AsyncReadExt as _;
use tracing::warn;

use super::{
    FileError,
    beside::{beside, pictures_beside},
    contents::{Contents, Draft, FileContent},
    folder::Folder,
    inspect::Inspector,
    name::harmless,
};
use crate::{
    papers::{self, MAX_PACKED, MAX_TEXT_BYTES, PaperFault, Picture, Read, Reading, Report},
    wire::{FileId, FileKind, FileView},
};

/// The contents of uploaded files: in the data directory, or wherever the store keeps them.
///
/// Cheap to clone; all clones are the same vault.
#[derive(Clone, Debug)]
pub struct Vault {
    contents: Arc<dyn Contents>,
}

impl Vault {
    /// The vault in this data directory. Makes its folders, and removes what uploads have left there that an end of
    /// the server cut off; to be called once, before there are any.
    ///
    /// # Errors
    /// The folders can not be made or read.
    pub async fn open(data_dir: &Path) -> Result<Self, FileError> {
        let folder = Folder::of(data_dir);
        folder.sweep().await?;
        Ok(Self::over(Arc::new(folder)))
    }

    /// The same where nothing can be written: good for reading only.
    #[must_use]
    pub fn unswept(data_dir: &Path) -> Self {
        Self::over(Arc::new(Folder::of(data_dir)))
    }

    /// One whose contents are kept elsewhere.
    pub(crate) fn over(contents: Arc<dyn Contents>) -> Self {
        Self { contents }
    }

    /// Begins an upload of at most `limit` bytes. `name` is what the browser says, whatever that is.
    ///
    /// # Errors
    /// The disk is full or fails.
    pub async fn begin(&self, name: &str, limit: u64) -> Result<Upload, FileError> {
        let (id, name) = (FileId::new(), harmless(name));
        let inspector = Inspector::new(name.clone());
        Ok(Upload {
            contents: Arc::clone(&self.contents),
            reading: None,
            draft: self.contents.begin(id).await?,
            id,
            name,
            limit,
            received: 0,
            kept: 0,
            inspector,
        })
    }

    /// A file's content, of a longer one the first `limit` bytes.
    ///
    /// # Errors
    /// [`FileError::Gone`], or the disk fails.
    pub async fn read(&self, id: FileId, limit: u64) -> Result<Vec<u8>, FileError> {
        let mut content = Vec::new();
        self.reader(id).await?.take(limit).read_to_end(&mut content).await?;
        Ok(content)
    }

    /// A file's content, to be read piece by piece.
    ///
    /// # Errors
    /// [`FileError::Gone`], or the disk fails.
    pub async fn reader(&self, id: FileId) -> Result<FileContent, FileError> {
        self.contents.open(id).await
    }

    /// The text that was read of a document, in its parts.
    ///
    /// # Errors
    /// [`FileError::Gone`], or the disk fails.
    pub(crate) async fn text(&self, document: FileId) -> Result<String, FileError> {
        let bytes = self.read(beside(document), 2 * MAX_TEXT_BYTES as u64).await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The pictures that were read of a document, in the order of its pages.
    ///
    /// # Errors
    /// [`FileError::Gone`]: there are none; or the disk fails.
    pub(crate) async fn pictures(&self, document: FileId) -> Result<Vec<Picture>, FileError> {
        let bytes = self.read(pictures_beside(document), MAX_PACKED as u64).await?;
        Ok(papers::unpack(bytes))
    }

    /// Removes files, and what was read of them. Those that are not there are as good as removed.
    ///
    /// # Errors
    /// The first fault of the disk; the other files are removed all the same, where that is possible.
    pub async fn remove(&self, ids: &[FileId]) -> Result<(), FileError> {
        if ids.is_empty() {
            return Ok(());
        }
        let with_all = |id: &FileId| [*id, beside(*id), pictures_beside(*id)];
        let all: Vec<FileId> = ids.iter().flat_map(with_all).collect();
        self.contents.remove(&all).await
    }

    /// Ends well: nothing stays of uploads that were given up.
    pub async fn close(&self) {
        self.contents.close().await;
    }
}

/// An upload that is coming in. Dropping it removes what has come.
#[derive(Debug)]
pub struct Upload {
    contents: Arc<dyn Contents>,
    /// Of a document: whoever reads it.
    reading: Option<Reading>,
    draft: Box<dyn Draft>,
    id: FileId,
    name: String,
    limit: u64,
    received: u64,
    kept: u64,
    inspector: Inspector,
}

impl Upload {
    /// Takes the next bytes. Nothing of them is held in memory but what the disk has not taken yet.
    ///
    /// Not cancel-safe: an upload whose `write` was dropped has a hole and is to be dropped, too.
    ///
    /// # Errors
    /// As soon as the file is too large or certain to be of a kind that is not taken, or if the disk fails. The upload
    /// is then to be dropped; there is no need to read the rest of it.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.received = self.received.saturating_add(bytes.len() as u64);
        if self.received > self.limit {
            return Err(FileError::TooLarge {
                name: self.name.clone(),
                limit: self.limit,
            });
        }
        let kept = self.inspector.feed(bytes)?;
        if self.inspector.is_document() {
            read(&mut self.reading, &kept).await?;
        }
        self.draft.write(&kept).await?;
        self.kept += kept.len() as u64;
        Ok(())
    }

    /// Says that all has come, and keeps the file. Once this has returned, it survives an end of the server.
    ///
    /// Not cancel-safe: dropped halfway, the file may be kept under an id that nobody has been told.
    ///
    /// # Errors
    /// The file is empty, of a kind that is not taken, or the disk fails. Nothing of it is kept then.
    pub async fn finish(mut self) -> Result<FileView, FileError> {
        if self.received == 0 {
            return Err(FileError::Empty { name: self.name });
        }
        let (rest, kind, mime) = self.inspector.finish()?;
        if kind == FileKind::Document {
            read(&mut self.reading, &rest).await?;
        }
        self.draft.write(&rest).await?;
        self.kept += rest.len() as u64;
        if self.kept == 0 {
            return Err(FileError::Empty { name: self.name });
        }
        let Some(reading) = self.reading else {
            self.draft.keep().await?;
            return Ok(FileView {
                id: self.id,
                name: self.name,
                kind,
                mime: mime.to_owned(),
                size: self.kept,
                paper: None,
            });
        };
        let Read { report, text, pictures } = match reading.finish().await {
            Ok(read) => read,
            Err(PaperFault::Unsupported) => return Err(Inspector::unknown_document(self.name)),
            Err(fault) => return Err(FileError::Unread { name: self.name, fault }),
        };
        let Report { mime, paper, .. } = report;
        // What was read first: a document without it would be of no use.
        let keeping = async {
            let read = [
                (beside(self.id), text.as_bytes()),
                (pictures_beside(self.id), &pictures),
            ];
            for (id, content) in read {
                // Most documents have no pictures.
                if !content.is_empty() {
                    let mut beside_it = self.contents.begin(id).await?;
                    beside_it.write(content).await?;
                    beside_it.keep().await?;
                }
            }
            self.draft.keep().await
        };
        if let Err(error) = keeping.await {
            let read = [beside(self.id), pictures_beside(self.id)];
            if let Err(error) = self.contents.remove(&read).await {
                warn!(%error, "what was read of a document that was not kept stays behind");
            }
            return Err(error);
        }
        Ok(FileView {
            id: self.id,
            name: self.name,
            kind,
            mime,
            size: self.kept,
            paper: Some(paper),
        })
    }
}

/// Gives a document's next bytes to whoever reads it.
async fn read(reading: &mut Option<Reading>, bytes: &[u8]) -> Result<(), FileError> {
    let reading = match reading {
        Some(reading) => reading,
        None => reading.insert(Reading::begin().map_err(FileError::NoReader)?),
    };
    reading.feed(bytes).await;
    Ok(())
}

#[cfg(test)]
mod tests;
