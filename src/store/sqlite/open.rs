//! Opening the database.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{
    ConnectOptions as _, SqlSafeStr as _, SqliteConnection, SqlitePool,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
    sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use thiserror::Error;
use tracing::{info, warn};

use super::{
    FILE, SqliteStore,
    lock::{Lock, NotTaken},
    writer::Writer,
};
use crate::store::StoreError;

/// How long another program may keep the database locked before a write gives up.
const PATIENCE: Duration = Duration::from_secs(5);
/// Connections that read.
const READERS: u32 = 4;

/// The steps from an empty file to what this version needs. What has been released never changes; more is added.
const MIGRATIONS: [(i64, &str, &str); 1] = [(1, "conversations", include_str!("migrations/0001_conversations.sql"))];

/// Why the store cannot be opened: what happened, and what to do.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process has it.
    #[error(
        "{folder} is in use by another Anteroom{}. End that one, or give this one a DATA_DIR of its own.",
        .pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
    )]
    InUse {
        /// The data directory.
        folder: PathBuf,
        /// The other process, where it is known.
        pid: Option<u32>,
    },
    /// The folder cannot be made or used.
    #[error("{folder} cannot be used: {source}. DATA_DIR has to name a folder that Anteroom may write to.")]
    Folder {
        /// The data directory.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It was written by a later version.
    #[error("{file} was written by a newer Anteroom than this one ({version}). Start the newer one, or restore an older back-up.", version = env!("CARGO_PKG_VERSION"))]
    Newer {
        /// The database.
        file: PathBuf,
    },
    /// It is not what it should be.
    #[error(
        "{file} is damaged, or no database of Anteroom's: {what}. It was left as it is. Restore a back-up (docs/operating.md), or move it away to begin with nothing."
    )]
    Damaged {
        /// The database.
        file: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Another program keeps it locked.
    #[error("{file} is locked by another program. End that one, and start Anteroom again.")]
    Locked {
        /// The database.
        file: PathBuf,
    },
    /// There is no room.
    #[error("the disk of {file} is full. Make room, and start Anteroom again.")]
    Full {
        /// The database.
        file: PathBuf,
    },
    /// Anything else.
    #[error("{file} cannot be opened: {what}")]
    Other {
        /// The database.
        file: PathBuf,
        /// What the database says.
        what: String,
    },
}

impl OpenError {
    fn new(file: &Path, fault: StoreError) -> Self {
        let file = file.to_owned();
        match fault {
            StoreError::Damaged(what) => Self::Damaged { file, what },
            StoreError::Locked => Self::Locked { file },
            StoreError::Full => Self::Full { file },
            other => Self::Other {
                file,
                what: other.to_string(),
            },
        }
    }

    fn migrating(file: &Path, error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(_) | MigrateError::VersionTooOld(..) => Self::Newer { file: file.to_owned() },
            MigrateError::VersionMismatch(version) => Self::Damaged {
                file: file.to_owned(),
                what: format!("step {version} of its schema is not the one this version knows"),
            },
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => Self::new(file, error.into()),
            other => Self::Other {
                file: file.to_owned(),
                what: other.to_string(),
            },
        }
    }
}

impl SqliteStore {
    /// Opens the store in this folder, and makes both where they are not there. Where the disk can only be read and a database is
    /// there, what it holds can be read, and every write fails with [`StoreError::ReadOnly`] until the next start.
    ///
    /// # Errors
    /// [`OpenError`]; what was there is left as it is.
    pub async fn open(data_dir: &Path) -> Result<Self, OpenError> {
        Self::open_with(data_dir, PATIENCE).await
    }

    pub(super) async fn open_with(data_dir: &Path, patience: Duration) -> Result<Self, OpenError> {
        let file = data_dir.join(FILE);
        match make_folder(data_dir).and_then(|()| make_file(&file)) {
            Ok(()) => {}
            Err(error) if only_to_read(&error) && file.exists() => return Self::open_to_read(data_dir).await,
            Err(source) => {
                return Err(OpenError::Folder {
                    folder: data_dir.to_owned(),
                    source,
                });
            }
        }
        let lock = match Lock::take(data_dir) {
            Ok(lock) => lock,
            Err(NotTaken::Io(error)) if only_to_read(&error) => return Self::open_to_read(data_dir).await,
            Err(error) => return Err(not_taken(data_dir, error)),
        };
        let options = writing(&file, patience);
        let mut connection = match options.connect().await {
            Ok(connection) => connection,
            Err(error) => match StoreError::from(error) {
                StoreError::ReadOnly(_) => return Self::reading(data_dir, Some(lock)).await,
                fault => return Err(OpenError::new(&file, fault)),
            },
        };
        if let Err(error) = migrator().run(&mut connection).await {
            return match OpenError::migrating(&file, error) {
                OpenError::Other { .. } if is_read_only(&mut connection).await => {
                    Self::reading(data_dir, Some(lock)).await
                }
                error => Err(error),
            };
        }
        let readers = readers(&file, false);
        Ok(Self {
            readers,
            writer: Writer::start(connection),
            lock: std::sync::Mutex::new(Some(lock)),
        })
    }

    async fn open_to_read(data_dir: &Path) -> Result<Self, OpenError> {
        let lock = Lock::take_unwritten(data_dir).map_err(|error| not_taken(data_dir, error))?;
        Self::reading(data_dir, lock).await
    }

    async fn reading(data_dir: &Path, lock: Option<Lock>) -> Result<Self, OpenError> {
        let file = data_dir.join(FILE);
        // Readers keep their notes beside the database. Where even that cannot be written, and no log has to be read, it is as
        // good as carved in stone.
        let log = fs::metadata(log_of(&file)).map_or(0, |log| log.len());
        let mut opened = None;
        for immutable in [false, true] {
            if immutable && log > 0 {
                break;
            }
            let readers = readers(&file, immutable);
            match sqlx::query_scalar::<_, i64>("SELECT max(version) FROM _sqlx_migrations")
                .fetch_one(&readers)
                .await
            {
                Ok(version) if version > MIGRATIONS[MIGRATIONS.len() - 1].0 => return Err(OpenError::Newer { file }),
                Ok(_) => {
                    opened = Some(Ok(readers));
                    break;
                }
                Err(error) => opened = Some(Err(error)),
            }
        }
        let readers = match opened {
            Some(Ok(readers)) => readers,
            Some(Err(error)) => return Err(OpenError::new(&file, error.into())),
            None => {
                return Err(OpenError::new(
                    &file,
                    StoreError::ReadOnly("its log cannot be read".into()),
                ));
            }
        };
        warn!(file = %file.display(), "the database can only be read; make it writable and start again to go on");
        let fault = StoreError::ReadOnly("it could only be read when Anteroom started".into());
        Ok(Self {
            readers,
            writer: Writer::none(fault),
            lock: std::sync::Mutex::new(lock),
        })
    }
}

fn not_taken(folder: &Path, error: NotTaken) -> OpenError {
    let folder = folder.to_owned();
    match error {
        NotTaken::InUse(pid) => OpenError::InUse { folder, pid },
        NotTaken::Io(source) => OpenError::Folder { folder, source },
    }
}

/// Whether a fault says that there is something to read all the same.
fn only_to_read(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied
    )
}

async fn is_read_only(connection: &mut SqliteConnection) -> bool {
    let attempt = sqlx::raw_sql("BEGIN IMMEDIATE; ROLLBACK").execute(connection).await;
    matches!(attempt.map_err(StoreError::from), Err(StoreError::ReadOnly(_)))
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Makes the file before SQLite does, so that nobody else may read it; or opens the one that is there.
fn make_file(file: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(file)
        .map(|_| info!(file = %file.display(), "conversations are kept here"))
}

fn log_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

fn writing(file: &Path, patience: Duration) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .journal_mode(SqliteJournalMode::Wal)
        // A power cut must not take back what was acknowledged.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(patience)
        // What is deleted is overwritten.
        .pragma("secure_delete", "ON")
        .thread_name(|_| "anteroom-writer".into())
}

fn readers(file: &Path, immutable: bool) -> SqlitePool {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .read_only(true)
        .immutable(immutable)
        .busy_timeout(PATIENCE)
        .thread_name(|number| format!("anteroom-reader-{number}"));
    SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(Duration::from_secs(30))
        .connect_lazy_with(options)
}

fn migrator() -> Migrator {
    let migrations = MIGRATIONS.iter().map(|&(version, name, sql)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.collect())
}
