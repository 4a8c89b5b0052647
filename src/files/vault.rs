//! Where the contents of files are kept.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::{
    fs,
    io::{AsyncReadExt as _, AsyncWriteExt},
};

use super::{FileError, inspect::Inspector, name::harmless};
use crate::{
    data_dir::FILES_FOLDER,
    wire::{FileId, FileView},
};

/// The folder of uploads that are not finished.
const UNFINISHED: &str = "unfinished";

/// The contents of uploaded files, under `files` in the data directory: each in a file named by its [`FileId`], in one
/// of 256 folders named by the last two digits of that (the first ones are a time, and the same for years).
///
/// Cheap to clone; all clones are the same vault.
#[derive(Clone, Debug)]
pub struct Vault {
    root: Arc<Path>,
}

/// The content of a file that is kept.
pub type FileContent = fs::File;

impl Vault {
    /// The vault in this data directory. Makes its folders, and removes what uploads have left there that an end of
    /// the server cut off; to be called once, before there are any.
    ///
    /// # Errors
    /// The folders can not be made or read.
    pub async fn open(data_dir: &Path) -> Result<Self, FileError> {
        let vault = Self::unswept(data_dir);
        vault.sweep().await?;
        Ok(vault)
    }

    /// The same where nothing can be written: good for reading only.
    #[must_use]
    pub fn unswept(data_dir: &Path) -> Self {
        Self {
            root: data_dir.join(FILES_FOLDER).into(),
        }
    }

    /// Begins an upload of at most `limit` bytes. `name` is what the browser says, whatever that is.
    ///
    /// # Errors
    /// The disk is full or fails.
    pub async fn begin(&self, name: &str, limit: u64) -> Result<Upload, FileError> {
        let name = harmless(name);
        let id = FileId::new();
        let path = self.unfinished().join(id.to_string());
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        options.mode(0o600);
        // Made first, so that the file goes even if this future is dropped before it has an owner.
        let unfinished = Unfinished(Some(path.clone()));
        let file = options.open(&path).await?;
        let inspector = Inspector::new(name.clone());
        Ok(Upload {
            vault: self.clone(),
            id,
            name,
            limit,
            received: 0,
            kept: 0,
            file,
            inspector,
            unfinished,
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
        fs::File::open(self.path(id)).await.map_err(gone)
    }

    /// Removes files. Those that are not there are as good as removed.
    ///
    /// # Errors
    /// The first fault of the disk; the other files are removed all the same.
    pub async fn remove(&self, ids: &[FileId]) -> Result<(), FileError> {
        let mut first_fault = Ok(());
        for &id in ids {
            match fs::remove_file(self.path(id)).await {
                Err(error) if error.kind() != io::ErrorKind::NotFound && first_fault.is_ok() => {
                    first_fault = Err(error.into());
                }
                _ => {}
            }
        }
        first_fault
    }

    /// Removes unfinished uploads and makes the folders.
    async fn sweep(&self) -> Result<(), FileError> {
        let folder = self.unfinished();
        match fs::remove_dir_all(&folder).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        make_private_dir(&folder).await?;
        Ok(())
    }

    fn unfinished(&self) -> PathBuf {
        self.root.join(UNFINISHED)
    }

    fn path(&self, id: FileId) -> PathBuf {
        self.root.join(place(id))
    }
}

/// Where a file's content is, from the data directory on: for back-ups.
pub(crate) fn place_in_data_dir(id: FileId) -> PathBuf {
    Path::new(FILES_FOLDER).join(place(id))
}

fn place(id: FileId) -> PathBuf {
    let name = id.to_string();
    Path::new(&name[name.len() - 2..]).join(&name)
}

/// An upload that is coming in. Dropping it removes what has come.
#[derive(Debug)]
pub struct Upload {
    vault: Vault,
    id: FileId,
    name: String,
    limit: u64,
    received: u64,
    kept: u64,
    file: fs::File,
    inspector: Inspector,
    unfinished: Unfinished,
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
        self.file.write_all(&kept).await?;
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
        self.file.write_all(&rest).await?;
        self.kept += rest.len() as u64;
        if self.kept == 0 {
            return Err(FileError::Empty { name: self.name });
        }
        self.file.sync_all().await?;
        let path = self.vault.path(self.id);
        let folder = path.parent().unwrap_or(&self.vault.root).to_owned();
        make_private_dir(&folder).await?;
        self.unfinished.keep_as(&path).await?;
        sync_dir(folder).await?;
        Ok(FileView {
            id: self.id,
            name: self.name,
            kind,
            mime: mime.to_owned(),
            size: self.kept,
        })
    }
}

/// The file of an upload that is not finished; removed on drop.
#[derive(Debug)]
struct Unfinished(Option<PathBuf>);

impl Unfinished {
    async fn keep_as(&mut self, path: &Path) -> io::Result<()> {
        if let Some(unfinished) = &self.0 {
            fs::rename(unfinished, path).await?;
        }
        self.0 = None;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // One quick call, and drop cannot wait for another thread to make it. What it leaves, the next start sweeps.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn gone(error: io::Error) -> FileError {
    if error.kind() == io::ErrorKind::NotFound {
        FileError::Gone
    } else {
        error.into()
    }
}

async fn make_private_dir(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    builder.mode(0o700);
    builder.create(path).await
}

/// Makes a rename survive a loss of power. Windows has no such call, and needs none.
async fn sync_dir(path: PathBuf) -> io::Result<()> {
    if cfg!(unix) {
        fs::File::open(path).await?.sync_all().await
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
