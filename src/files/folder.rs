//! Contents in files of the data directory.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use tokio::{fs, io::AsyncWriteExt as _};

use super::{
    FileError,
    contents::{Contents, Draft, FileContent},
};
use crate::{data_dir::FILES_FOLDER, wire::FileId};

/// The folder of uploads that are not finished.
const UNFINISHED: &str = "unfinished";

/// Under `files` in the data directory: each content in a file named by its [`FileId`], in one of 256 folders named by the last two digits of
/// that (the first ones are a time, and the same for years).
#[derive(Clone, Debug)]
pub(super) struct Folder {
    root: Arc<Path>,
}

impl Folder {
    /// That of this data directory.
    pub(super) fn of(data_dir: &Path) -> Self {
        Self {
            root: data_dir.join(FILES_FOLDER).into(),
        }
    }

    /// Removes unfinished uploads and makes the folders.
    pub(super) async fn sweep(&self) -> Result<(), FileError> {
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

#[async_trait]
impl Contents for Folder {
    async fn begin(&self, id: FileId) -> Result<Box<dyn Draft>, FileError> {
        let path = self.unfinished().join(id.to_string());
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        options.mode(0o600);
        // Made first, so that the file goes even if this future is dropped before it has an owner.
        let unfinished = Unfinished(Some(path.clone()));
        let file = options.open(&path).await?;
        Ok(Box::new(FileDraft {
            folder: self.clone(),
            id,
            file,
            unfinished,
        }))
    }

    async fn open(&self, id: FileId) -> Result<FileContent, FileError> {
        let file = fs::File::open(self.path(id)).await.map_err(gone)?;
        Ok(Box::new(file))
    }

    async fn remove(&self, ids: &[FileId]) -> Result<(), FileError> {
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
}

/// A content that is coming in.
#[derive(Debug)]
struct FileDraft {
    folder: Folder,
    id: FileId,
    file: fs::File,
    unfinished: Unfinished,
}

#[async_trait]
impl Draft for FileDraft {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        Ok(self.file.write_all(bytes).await?)
    }

    async fn keep(mut self: Box<Self>) -> Result<(), FileError> {
        self.file.sync_all().await?;
        let path = self.folder.path(self.id);
        let folder = path.parent().unwrap_or(&self.folder.root).to_owned();
        make_private_dir(&folder).await?;
        self.unfinished.keep_as(&path).await?;
        Ok(sync_dir(folder).await?)
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
