//! A consistent copy of everything, while it is in use: the database, the files it knows, and the key of the cookies, without
//! which nobody would find their conversations again. It is a tar archive, and restored by unpacking it.

use std::{
    fmt,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};
use thiserror::Error;
use uuid::Uuid;

use super::FILE;
use crate::{files::Vault, sessions::KEY_FILE, store::StoreError, wire::FileId};

/// Why there is no back-up. Nothing of it is left then.
#[derive(Debug, Error)]
pub enum BackupError {
    /// There is something already.
    #[error("{0} is there already, and a back-up overwrites nothing. Choose another name.")]
    Exists(PathBuf),
    /// There is no database.
    #[error("there is nothing to back up: {0} is not there. Is DATA_DIR the one that the server uses?")]
    Nothing(PathBuf),
    /// The database cannot be copied.
    #[error("the database cannot be copied: {0}")]
    Store(#[from] StoreError),
    /// The archive cannot be written.
    #[error("the back-up cannot be written: {0}")]
    Io(#[from] io::Error),
}

/// What a back-up holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupSummary {
    /// Where it is.
    pub path: PathBuf,
    /// Conversations in it, those included that can still be brought back.
    pub conversations: u64,
    /// Files in it.
    pub files: u64,
    /// Its size, in bytes.
    pub bytes: u64,
}

impl fmt::Display for BackupSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} holds {} conversations and {} files ({} bytes). docs/operating.md says how to restore it.",
            self.path.display(),
            self.conversations,
            self.files,
            self.bytes
        )
    }
}

/// Copies everything that `data_dir` keeps into the archive `target`, which must not be there. Another process may use the
/// folder meanwhile, and is not held up.
///
/// # Errors
/// [`BackupError`].
pub async fn backup(data_dir: &Path, target: &Path) -> Result<BackupSummary, BackupError> {
    let database = data_dir.join(FILE);
    if target.exists() {
        return Err(BackupError::Exists(target.to_owned()));
    }
    if !database.exists() {
        return Err(BackupError::Nothing(database));
    }
    let folder = target
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    // Beside the target, so that it can be renamed into its place; removed with all that is in it whatever happens.
    let work = Work::make(folder)?;
    let copy = work.0.join(FILE);
    let (conversations, known) = snapshot(&database, &copy).await?;
    let (data_dir, target) = (data_dir.to_owned(), target.to_owned());
    let packed = tokio::task::spawn_blocking(move || pack(&data_dir, &work, &copy, &known, &target));
    let (path, files, bytes) = packed.await.map_err(io::Error::other)??;
    Ok(BackupSummary {
        path,
        conversations,
        files,
        bytes,
    })
}

/// A folder of its own for what is not finished.
struct Work(PathBuf);

impl Work {
    fn make(beside: &Path) -> io::Result<Self> {
        let path = beside.join(format!(".anteroom-backup-{}", Uuid::new_v4().simple()));
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Copies the database as it is at one moment. Returns how many conversations are in it, and the files it knows.
async fn snapshot(database: &Path, copy: &Path) -> Result<(u64, Vec<FileId>), StoreError> {
    let mut connection = SqliteConnectOptions::new()
        .filename(database)
        .read_only(true)
        .connect()
        .await?;
    sqlx::query("VACUUM INTO ?")
        .bind(copy.display().to_string())
        .execute(&mut connection)
        .await?;
    connection.close().await?;
    let mut connection = SqliteConnectOptions::new()
        .filename(copy)
        .read_only(true)
        .connect()
        .await?;
    let conversations: i64 = sqlx::query_scalar("SELECT count(*) FROM conversations")
        .fetch_one(&mut connection)
        .await?;
    let files: Vec<Vec<u8>> = sqlx::query_scalar("SELECT id FROM files")
        .fetch_all(&mut connection)
        .await?;
    connection.close().await?;
    let files = files
        .iter()
        .filter_map(|id| Uuid::from_slice(id).ok().map(FileId))
        .collect();
    Ok((u64::try_from(conversations).unwrap_or(0), files))
}

fn pack(data_dir: &Path, work: &Work, copy: &Path, known: &[FileId], target: &Path) -> io::Result<(PathBuf, u64, u64)> {
    let unfinished = work.0.join("archive.tar");
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut archive = tar::Builder::new(io::BufWriter::new(options.open(&unfinished)?));
    archive.append_path_with_name(copy, FILE)?;
    let key = data_dir.join(KEY_FILE);
    // It may be in SECRET_KEY instead.
    if key.exists() {
        archive.append_path_with_name(key, KEY_FILE)?;
    }
    let mut files = 0;
    for id in known {
        let path = Vault::relative_path(*id);
        match File::open(data_dir.join(&path)) {
            Ok(mut file) => {
                archive.append_file(&path, &mut file)?;
                files += 1;
            }
            // Deleted meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    let file = archive
        .into_inner()?
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    let bytes = file.metadata()?.len();
    // Unlike a rename, a link never replaces what has come meanwhile.
    fs::hard_link(&unfinished, target)?;
    Ok((target.to_owned(), files, bytes))
}
