//! A data directory whose content goes elsewhere.

use std::path::Path;

use sqlx::{ConnectOptions as _, SqliteConnection};

use super::{
    OpenError,
    lock::Lock,
    open::FILE,
    options::{self, Tuning},
    schema::{self, Migrated},
    survey,
};

/// A database that nobody writes to while this is there.
#[derive(Debug)]
pub(crate) struct Source {
    /// Reads it.
    pub(crate) connection: SqliteConnection,
    /// Whether this version of the program knows all of it.
    pub(crate) up_to_date: bool,
    _lock: Lock,
}

/// Opens the database in a data directory to be read, and keeps servers out. Nothing in it is changed.
///
/// # Errors
/// [`OpenError`]: a server uses it, it is damaged, or is none.
pub(crate) async fn source(data_dir: &Path) -> Result<Source, OpenError> {
    let (folder, file) = (data_dir.to_owned(), data_dir.join(FILE));
    let tuning = Tuning::default();
    let locked = tokio::task::spawn_blocking(move || hold(&folder, tuning)).await;
    let lock = locked.map_err(|error| OpenError::Failed {
        file: file.clone(),
        reason: error.to_string(),
    })??;
    // Not one that can only read: it could not clear up what a server that was killed has left behind.
    let options = options::looking(&file, tuning);
    let mut connection = options
        .connect()
        .await
        .map_err(|error| OpenError::of_database(&error, &file))?;
    let migrated = schema::check(&mut connection, &file).await?;
    Ok(Source {
        connection,
        up_to_date: migrated == Migrated::Fully,
        _lock: lock,
    })
}

fn hold(data_dir: &Path, tuning: Tuning) -> Result<Lock, OpenError> {
    let lock = Lock::take(data_dir, tuning.patience)?.lock;
    survey::look(&data_dir.join(FILE), survey::earlier(data_dir))?;
    Ok(lock)
}
