//! A back-up of everything that lasts, made while the server runs.
//!
//! It is a tar of what belongs into an empty data directory: the database as it was at one moment, the contents of the
//! files that it knows, and the key that signs the cookies, without which nobody would find their conversations again.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Seek as _},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use thiserror::Error;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use crate::{
    data_dir::KEY_FILE,
    files,
    store::{
        StoreError,
        sqlite::{self, DATABASE, Snapshot, SnapshotError},
    },
    wire::FileId,
};

/// What a back-up holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackupSummary {
    /// Conversations, with those that can still be brought back.
    pub conversations: u64,
    /// Turns, all versions.
    pub turns: u64,
    /// Uploaded files.
    pub files: u64,
    /// Uploaded files that were removed while the back-up was made.
    pub skipped: u64,
    /// Whether the key that signs the cookies is in it; not if it comes from `SECRET_KEY`.
    pub key: bool,
    /// Its size.
    pub bytes: u64,
}

/// There is no back-up. `Display` tells the operator what happened and what to do.
#[derive(Debug, Error)]
pub enum BackupError {
    /// There is nothing to back up.
    #[error("there is no database at {0}. Set DATA_DIR to the server's")]
    NothingThere(PathBuf),
    /// Something has that name already.
    #[error("{0} is there already and is not overwritten. Name another file, or move that one away")]
    Exists(PathBuf),
    /// The database cannot be read.
    #[error("{file} cannot be read: {reason}", file = file.display())]
    Unreadable {
        /// The database, or another file of the data directory.
        file: PathBuf,
        /// What happened.
        reason: StoreError,
    },
    /// The back-up cannot be written. Nothing is left of it.
    #[error("the back-up cannot be written beside {target}: {reason}", target = target.display())]
    Unwritable {
        /// Where it was to be.
        target: PathBuf,
        /// What happened.
        reason: StoreError,
    },
}

/// Makes a back-up of a data directory, whether a server runs on it or not. What happens while it is made is in it or not,
/// each change as a whole. Needs room for the database twice where the back-up goes.
///
/// Dropped halfway, it ends by itself: at the latest with a whole back-up.
///
/// # Errors
/// [`BackupError`]. Nothing is left of it then.
pub async fn backup(data_dir: &Path, target: &Path) -> Result<BackupSummary, BackupError> {
    let unwritable = |error: &io::Error| unwritable(target, error);
    let data_dir = std::path::absolute(data_dir).map_err(|error| unwritable(&error))?;
    let target = std::path::absolute(target).map_err(|error| unwritable(&error))?;
    let database = data_dir.join(DATABASE);
    if !database.is_file() {
        return Err(BackupError::NothingThere(database));
    }
    if target.symlink_metadata().is_ok() {
        return Err(BackupError::Exists(target));
    }
    let workshop = Workshop::beside(&target).map_err(|error| unwritable(&error))?;
    let snapshot = workshop.0.join(DATABASE);
    let Snapshot {
        conversations,
        turns,
        files,
    } = sqlite::snapshot(&database, &snapshot)
        .await
        .map_err(|error| match error {
            SnapshotError::Unreadable(reason) => BackupError::Unreadable { file: database, reason },
            SnapshotError::Unwritable(reason) => BackupError::Unwritable {
                target: target.clone(),
                reason,
            },
        })?;
    let summary = BackupSummary {
        conversations,
        turns,
        ..BackupSummary::default()
    };
    let sources = Sources {
        data_dir,
        snapshot,
        files,
    };
    let place = target.clone();
    let packed = spawn_blocking(move || pack(&workshop, &sources, &place, summary)).await;
    packed.unwrap_or_else(|error| {
        let reason = StoreError::Other(error.to_string());
        Err(BackupError::Unwritable { target, reason })
    })
}

/// A folder of this user's own beside the back-up, for what is not finished. Goes with all that is in it.
#[derive(Debug)]
struct Workshop(PathBuf);

impl Workshop {
    fn beside(target: &Path) -> io::Result<Self> {
        let mut name = target.file_name().unwrap_or_default().to_owned();
        name.push(format!(".unfinished-{}", Uuid::new_v4().simple()));
        let path = target.with_file_name(name);
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        // What is left of it has a name that says what it is.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What goes into the tar.
struct Sources {
    data_dir: PathBuf,
    snapshot: PathBuf,
    files: Vec<FileId>,
}

fn pack(
    workshop: &Workshop,
    sources: &Sources,
    target: &Path,
    mut summary: BackupSummary,
) -> Result<BackupSummary, BackupError> {
    let unwritable = |error: io::Error| unwritable(target, &error);
    let unfinished = workshop.0.join("tar");
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut tar = tar::Builder::new(options.open(&unfinished).map_err(unwritable)?);

    let owner = sources.data_dir.join(DATABASE);
    let owner = owner.metadata().map_err(|error| unreadable(&owner, &error))?;
    let mut add = |path: &Path, name: &Path| -> Result<bool, BackupError> {
        // A pipe would be waited for.
        let regular = path.metadata().map_or(true, |metadata| metadata.is_file());
        if !regular {
            return Err(unreadable(path, &io::Error::other("it is no regular file")));
        }
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(unreadable(path, &error)),
        };
        let size = file.metadata().map_err(|error| unreadable(path, &error))?.len();
        let mut header = header(size, &owner);
        tar.append_data(&mut header, name, file.take(size))
            .map_err(unwritable)?;
        Ok(true)
    };
    add(&sources.snapshot, Path::new(DATABASE))?;
    let key = Path::new(KEY_FILE);
    summary.key = add(&sources.data_dir.join(key), key)?;
    for &id in &sources.files {
        let place = files::place_in_data_dir(id);
        if add(&sources.data_dir.join(&place), &place)? {
            summary.files += 1;
        } else {
            summary.skipped += 1;
        }
        // What was read of it, if it is a document.
        for read in [files::beside(id), files::pictures_beside(id)] {
            let read = files::place_in_data_dir(read);
            add(&sources.data_dir.join(&read), &read)?;
        }
    }
    let mut file = tar.into_inner().map_err(unwritable)?;
    file.sync_all().map_err(unwritable)?;
    summary.bytes = file.stream_position().map_err(unwritable)?;
    publish(&unfinished, target)?;
    Ok(summary)
}

/// A header that makes a file its server's own again, also where root unpacks it.
fn header(size: u64, owner: &fs::Metadata) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_mode(0o600);
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    header.set_mtime(now.map_or(0, |since| since.as_secs()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        header.set_uid(owner.uid().into());
        header.set_gid(owner.gid().into());
    }
    #[cfg(not(unix))]
    let _ = owner;
    header
}

/// Gives a finished back-up its name, unless something has it.
fn publish(unfinished: &Path, target: &Path) -> Result<(), BackupError> {
    // Unlike a rename, a link never replaces anything.
    let named = match fs::hard_link(unfinished, target) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists && target.symlink_metadata().is_err() => {
            // Some disks know no links.
            fs::rename(unfinished, target)
        }
        named => named,
    };
    match named {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(BackupError::Exists(target.to_owned())),
        Err(error) => Err(unwritable(target, &error)),
        Ok(()) => sync_folder(target).map_err(|error| unwritable(target, &error)),
    }
}

/// Makes the name survive a power cut. Windows has no such call, and needs none.
fn sync_folder(target: &Path) -> io::Result<()> {
    match target.parent() {
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

fn unreadable(file: &Path, error: &io::Error) -> BackupError {
    BackupError::Unreadable {
        file: file.to_owned(),
        reason: reason(error),
    }
}

fn unwritable(target: &Path, error: &io::Error) -> BackupError {
    BackupError::Unwritable {
        target: target.to_owned(),
        reason: reason(error),
    }
}

fn reason(error: &io::Error) -> StoreError {
    StoreError::of_io(error)
}

#[cfg(test)]
mod tests;
