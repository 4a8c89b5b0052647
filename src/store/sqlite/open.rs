//! Opening the database, and what can stand in the way.

use std::{
    fs::{self, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use sqlx::{ConnectOptions as _, SqliteConnection, sqlite::SqliteConnectOptions};
use thiserror::Error;
use tracing::info;

use super::{
    faults,
    lock::{Lock, Taken},
    log, options,
    reserve::Reserve,
    schema::{self, Migrated},
    survey,
};
use crate::store::StoreError;

/// The database's file, inside the data directory.
pub(crate) const FILE: &str = "anteroom.db";

/// The store cannot be opened. `Display` tells the operator what happened and what to do.
#[derive(Debug, Error)]
pub(crate) enum OpenError {
    /// Where the data directory should be is something else.
    #[error("{0} is not a folder. Set DATA_DIR to one, or remove what is there")]
    NotAFolder(PathBuf),
    /// Another server has it.
    #[error(
        "{data_dir} is in use by another Anteroom ({holder}). Stop that one first, or set DATA_DIR to a folder of this server's own",
        data_dir = data_dir.display()
    )]
    InUse {
        /// The data directory.
        data_dir: PathBuf,
        /// Who holds it, in words.
        holder: String,
    },
    /// A later version of this program has written it.
    #[error(
        "{file} was made by a newer Anteroom (it has migration {version}, which this one does not know). Start that version, or \
         restore a back-up made by this one: see docs/operating.md",
        file = file.display()
    )]
    Newer {
        /// The database.
        file: PathBuf,
        /// The first migration that is not known.
        version: i64,
    },
    /// The database has had another migration of that number.
    #[error(
        "{file} was made by an Anteroom whose migration {version} was another one. Start the build that made it, or set \
         DATA_DIR to a folder of this one's own",
        file = file.display()
    )]
    Changed {
        /// The database.
        file: PathBuf,
        /// The migration.
        version: i64,
    },
    /// A server that runs on it has not brought it up to date.
    #[error(
        "{file} is used by a server that is older than this program. Restart that server with this version, or use the program that it was \
         started from",
        file = file.display()
    )]
    OfBefore {
        /// The database.
        file: PathBuf,
    },
    /// It cannot be written, and would have to be.
    #[error(
        "{file} was made by an older Anteroom and has to be brought up to date, but cannot be written. Make it writable and start again",
        file = file.display()
    )]
    Outdated {
        /// The database.
        file: PathBuf,
    },
    /// It is not what it should be.
    #[error(
        "{file} is damaged or not a database ({reason}). Nothing has been changed. Move it away to keep it, and restore a \
         back-up: see docs/operating.md",
        file = file.display()
    )]
    Damaged {
        /// The database.
        file: PathBuf,
        /// What SQLite said.
        reason: String,
    },
    /// It holds nothing, but was not always so.
    #[error(
        "{file} {state}, but {beside} beside it is from a server that kept conversations here. Starting would hide them from \
         everybody, so nothing has been changed. Put the database back, or restore a back-up; to begin with no conversations \
         on purpose, move everything out of this folder and keep it: see docs/operating.md",
        file = file.display()
    )]
    Emptied {
        /// The database.
        file: PathBuf,
        /// What it is like, in words.
        state: &'static str,
        /// The file or folder that tells.
        beside: &'static str,
    },
    /// Its log cannot be read.
    #[error(
        "{log} has {bytes} bytes, of which nothing can be read. The newest messages were in it, and SQLite would drop it without a \
         word, so nothing has been changed. Restore a back-up, or, to go on without what was in it, move {log} away and keep \
         it: see docs/operating.md",
        log = log.display()
    )]
    LogLost {
        /// The log.
        log: PathBuf,
        /// How long it is.
        bytes: u64,
    },
    /// Another program has it.
    #[error("{file} is locked by another program. Close whatever has it open (a database browser?) and start again", file = file.display())]
    Locked {
        /// The database.
        file: PathBuf,
    },
    /// There is no room.
    #[error("the disk of {path} is full. Make room and start again", path = path.display())]
    Full {
        /// The file that was to be written.
        path: PathBuf,
    },
    /// There is nothing to read, and nothing can be made.
    #[error("{path} cannot be written ({reason}), and there is no database there to read. Make DATA_DIR writable and start again", path = path.display())]
    ReadOnly {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// It was not closed well, and cannot be read as it is without being written.
    #[error(
        "{file} was not closed when its server ended, and its disk cannot be written, which reading it needs now. Make the disk \
         writable and start again",
        file = file.display()
    )]
    Unreadable {
        /// The database.
        file: PathBuf,
    },
    /// Anything else.
    #[error("{file} cannot be opened: {reason}", file = file.display())]
    Failed {
        /// The database, or another file of the data directory.
        file: PathBuf,
        /// What happened.
        reason: String,
    },
}

impl OpenError {
    pub(super) fn of_database(error: &sqlx::Error, file: &Path) -> Self {
        let file = file.to_owned();
        match faults::meaning(error) {
            StoreError::Full => Self::Full { path: file },
            StoreError::ReadOnly(reason) => Self::ReadOnly { path: file, reason },
            StoreError::Locked => Self::Locked { file },
            StoreError::Damaged(reason) => Self::Damaged { file, reason },
            StoreError::Away(_) | StoreError::Closed | StoreError::Other(_) => Self::Failed {
                file,
                reason: error.to_string(),
            },
        }
    }

    pub(super) fn of_io(source: &io::Error, path: &Path) -> Self {
        let path = path.to_owned();
        match (faults::of_io(source), source.kind()) {
            (Some(StoreError::Full), _) => Self::Full { path },
            (Some(StoreError::ReadOnly(reason)), _) => Self::ReadOnly { path, reason },
            (_, io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists) => Self::NotAFolder(path),
            _ => Self::Failed {
                file: path,
                reason: source.to_string(),
            },
        }
    }
}

/// What opening has found.
pub(super) struct Opened {
    pub(super) lock: Lock,
    /// The connection that writes; where nothing can be written, one that reads.
    pub(super) connection: SqliteConnection,
    /// How that is set up.
    pub(super) options: SqliteConnectOptions,
    /// How connections that read are set up.
    pub(super) reading: SqliteConnectOptions,
    /// Why nothing can be written, where that is so.
    pub(super) read_only: Option<String>,
    pub(super) reserve: Reserve,
    /// What is odd and lets it start all the same, a sentence each.
    pub(super) warnings: Vec<String>,
}

/// Opens the database in a data directory, making both where there are none, and brings it up to date.
pub(super) async fn open(data_dir: &Path, tuning: options::Tuning) -> Result<Opened, OpenError> {
    let file = data_dir.join(FILE);
    let place = data_dir.to_owned();
    let prepared = tokio::task::spawn_blocking(move || prepare(&place, tuning)).await;
    let Prepared {
        lock,
        read_only,
        new,
        earlier,
        warnings,
        reserve,
    } = prepared.map_err(|error| OpenError::Failed {
        file: file.clone(),
        reason: error.to_string(),
    })??;
    if let Some(reason) = read_only {
        let opened = open_to_read(lock, reserve, file, tuning, &reason).await?;
        return Ok(Opened { warnings, ..opened });
    }
    let first = if new {
        options::making(&file, tuning)
    } else {
        // Before anything is written: what cannot be used stays as it is.
        let mut connection = connect(&options::looking(&file, tuning), &file).await?;
        match (schema::check(&mut connection, &file).await?, earlier) {
            (Migrated::Never, Some(beside)) => {
                let state = "has nothing in it";
                return Err(OpenError::Emptied { file, state, beside });
            }
            _ => options::writing(&file, tuning),
        }
    };
    let mut connection = connect(&first, &file).await?;
    schema::migrate(&mut connection, &file).await?;
    info!(file = %file.display(), "conversations are kept here");
    Ok(Opened {
        lock,
        connection,
        options: options::writing(&file, tuning),
        reading: options::reading(&file, tuning),
        read_only: None,
        reserve,
        warnings,
    })
}

async fn open_to_read(
    lock: Lock,
    reserve: Reserve,
    file: PathBuf,
    tuning: options::Tuning,
    reason: &str,
) -> Result<Opened, OpenError> {
    let reading = read_only_options(&file, tuning)?;
    let mut connection = connect(&reading, &file).await.map_err(unreadable)?;
    if schema::check(&mut connection, &file).await.map_err(unreadable)? != Migrated::Fully {
        return Err(OpenError::Outdated { file });
    }
    Ok(Opened {
        lock,
        connection,
        options: reading.clone(),
        reading,
        read_only: Some(format!("{reason}; once it can be written again, restart Anteroom")),
        reserve,
        warnings: Vec::new(),
    })
}

async fn connect(options: &SqliteConnectOptions, file: &Path) -> Result<SqliteConnection, OpenError> {
    options
        .connect()
        .await
        .map_err(|error| OpenError::of_database(&error, file))
}

/// The folder, made ready.
struct Prepared {
    lock: Lock,
    /// Why nothing can be written, where that is so.
    read_only: Option<String>,
    /// Whether there is no database yet.
    new: bool,
    /// What tells that there has been a server here before.
    earlier: Option<&'static str>,
    warnings: Vec<String>,
    reserve: Reserve,
}

/// Makes the folder and an empty file, both for this user only, takes the lock, and finds out whether they can be written.
///
/// The database is opened here as a file only while this process has no connection to it: closing it would let go of
/// SQLite's locks on it.
fn prepare(data_dir: &Path, tuning: options::Tuning) -> Result<Prepared, OpenError> {
    make_folder(data_dir)?;
    let Taken { lock, mut read_only } = Lock::take(data_dir, tuning.patience)?;
    let file = data_dir.join(FILE);
    let earlier = survey::earlier(data_dir);
    let warnings = survey::look(&file, earlier)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(read_only.is_none());
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let new = match options.open(&file).and_then(|opened| opened.metadata()) {
        Ok(metadata) => metadata.len() == 0,
        Err(error) if file.is_file() => match faults::of_io(&error) {
            Some(StoreError::ReadOnly(reason)) => {
                read_only.get_or_insert(reason);
                false
            }
            _ => return Err(OpenError::of_io(&error, &file)),
        },
        Err(error) => match read_only {
            Some(reason) => return Err(OpenError::ReadOnly { path: file, reason }),
            None => return Err(OpenError::of_io(&error, &file)),
        },
    };
    let reserve = match read_only {
        None => Reserve::keep(data_dir),
        Some(_) => Reserve::none(data_dir),
    };
    Ok(Prepared {
        lock,
        read_only,
        new,
        earlier,
        warnings,
        reserve,
    })
}

fn make_folder(data_dir: &Path) -> Result<(), OpenError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(data_dir) {
        Err(_) if data_dir.exists() && !data_dir.is_dir() => Err(OpenError::NotAFolder(data_dir.into())),
        Err(error) => Err(OpenError::of_io(&error, data_dir)),
        Ok(()) => Ok(()),
    }
}

/// A database that has been closed well is all in its file. It can then be read without the two files beside it, which
/// could not be made.
fn read_only_options(file: &Path, tuning: options::Tuning) -> Result<SqliteConnectOptions, OpenError> {
    match fs::metadata(log::path(file)) {
        Ok(log) if log.len() > 0 => Ok(options::reading(file, tuning)),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(OpenError::of_io(&error, file)),
        _ => Ok(options::reading(file, tuning).immutable(true)),
    }
}

/// Why a database that cannot be written cannot be read either: SQLite says no more than that it cannot open a file.
fn unreadable(error: OpenError) -> OpenError {
    match error {
        OpenError::Failed { file, .. } | OpenError::ReadOnly { path: file, .. } => OpenError::Unreadable { file },
        other => other,
    }
}
