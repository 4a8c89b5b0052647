//! Taking a site in SQLite over into PostgreSQL: everything that lasts, in one transaction, or nothing.

mod rows;

use std::path::{Path, PathBuf};

use sqlx::{Connection as _, PgConnection};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tracing::info;
use uuid::Uuid;

use crate::{
    files::{FileError, Vault, beside, pictures_beside},
    sessions::{CookieKey, KeyError},
    settings::Settings,
    store::{postgres, sqlite},
    wire::FileId,
};

/// What was taken over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TakeoverSummary {
    /// Conversations, with those that can still be brought back.
    pub conversations: u64,
    /// Turns, all versions.
    pub turns: u64,
    /// Turns that wait or ran, and are taken up at the next start.
    pub unfinished: u64,
    /// Uploaded files.
    pub files: u64,
    /// Bytes of their contents.
    pub bytes: u64,
    /// Uploaded files whose content was not there any more.
    pub missing: u64,
    /// The file with the key of the cookies, where it does not come from `SECRET_KEY`.
    pub key: Option<PathBuf>,
}

/// Nothing was taken over. `Display` tells the operator what happened and what to do.
#[derive(Debug, Error)]
pub enum TakeoverError {
    /// Nobody said where to.
    #[error("DATABASE_URL is not set: it says which database the site is to go to")]
    NoDatabase,
    /// There is nothing to take over.
    #[error("there is no database at {0}. Name the DATA_DIR of the server whose site is to be taken over")]
    NothingThere(PathBuf),
    /// It cannot be read, or a server uses it.
    #[error("{0}")]
    Source(String),
    /// It is of an older version.
    #[error(
        "{0} was made by an older Anteroom. Start this version over it once, without DATABASE_URL, which brings it up to date; stop it, and take it \
         over then"
    )]
    Outdated(PathBuf),
    /// The database cannot be used.
    #[error("{0}")]
    Target(String),
    /// It is somebody's.
    #[error(
        "the database {database} at {server} has something in it already, and nothing was changed. Name an empty one in DATABASE_URL"
    )]
    NotEmpty {
        /// Where it is.
        server: String,
        /// Its name.
        database: String,
    },
    /// The key of the cookies is not there.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Something broke off in the middle.
    #[error("{what} could not be taken over: {reason}. Nothing was changed; mend that and try again")]
    BrokeOff {
        /// What.
        what: &'static str,
        /// What happened.
        reason: String,
    },
    /// What came out is not what went in.
    #[error(
        "{what} are {there} in the database, and {here} were to be taken over: nothing was changed. That is a fault of Anteroom; please report it"
    )]
    Differs {
        /// What.
        what: &'static str,
        /// How many there were to be.
        here: u64,
        /// How many there are.
        there: u64,
    },
    /// The connection was lost in the last moment.
    #[error(
        "the connection was lost while it was made final ({0}). Try again: if the database has something in it by then, all of it is there"
    )]
    Unknown(String),
}

/// Takes the site in the data directory `from` over into the database of the settings, which has to be empty. No server may use either.
/// What is in `from` is left as it is.
///
/// Dropped halfway, nothing is taken over.
///
/// # Errors
/// [`TakeoverError`]. Nothing is taken over then.
pub async fn take_over(from: &Path, settings: &Settings) -> Result<TakeoverSummary, TakeoverError> {
    let address = settings.database_url.as_ref().ok_or(TakeoverError::NoDatabase)?;
    let file = from.join(sqlite::DATABASE);
    if !file.is_file() {
        return Err(TakeoverError::NothingThere(file));
    }
    let key = CookieKey::load_for_database(settings.secret_key.as_ref(), from)?;
    let mut source = sqlite::source(from)
        .await
        .map_err(|error| TakeoverError::Source(error.to_string()))?;
    if !source.up_to_date {
        return Err(TakeoverError::Outdated(file));
    }
    let mut target = postgres::target(address)
        .await
        .map_err(|error| TakeoverError::Target(error.to_string()))?;
    let connection = &mut target.connection;
    execute(connection, "BEGIN ISOLATION LEVEL READ COMMITTED").await?;
    if !rows::is_empty(connection).await? {
        return Err(TakeoverError::NotEmpty {
            server: target.place.server,
            database: target.place.database,
        });
    }
    // What a server that nobody has used has noted of its line.
    execute(connection, "DELETE FROM minutes").await?;
    let mut summary = TakeoverSummary {
        key: settings
            .secret_key
            .is_none()
            .then(|| from.join(crate::data_dir::KEY_FILE)),
        ..TakeoverSummary::default()
    };
    for table in &rows::TABLES {
        let copied = rows::copy(table, &mut source.connection, connection).await?;
        info!(table = table.name, rows = copied, "taken over");
    }
    let vault = Vault::unswept(from);
    let mut of_documents = 0;
    for id in rows::files(&mut source.connection).await? {
        match vault.reader(id).await {
            Ok(content) => {
                summary.files += 1;
                summary.bytes += keep(connection, id, content).await?;
            }
            Err(FileError::Gone) => summary.missing += 1,
            Err(error) => return Err(broke_off("a file's content", &error)),
        }
        for read in [beside(id), pictures_beside(id)] {
            match vault.reader(read).await {
                Ok(content) => {
                    of_documents += 1;
                    summary.bytes += keep(connection, read, content).await?;
                }
                // Most files are no documents, and most documents have no pictures.
                Err(FileError::Gone) => {}
                Err(error) => return Err(broke_off("what was read of a document", &error)),
            }
        }
    }
    rows::set_key(connection, &key.fingerprint()).await?;
    for table in &rows::TABLES {
        rows::compare(table, &mut source.connection, connection).await?;
    }
    (summary.conversations, summary.turns, summary.unfinished) = rows::figures(connection).await?;
    let contents = rows::contents(connection).await?;
    for (what, here, there) in [
        ("contents of files", summary.files + of_documents, contents.0),
        ("bytes of contents", summary.bytes, contents.1),
    ] {
        if here != there {
            return Err(TakeoverError::Differs { what, here, there });
        }
    }
    let committed = sqlx::raw_sql("COMMIT").execute(connection).await;
    committed.map_err(|error| TakeoverError::Unknown(error.to_string()))?;
    // It has only read.
    let _ = source.connection.close().await;
    Ok(summary)
}

/// Keeps a content, piece by piece. Returns its bytes.
async fn keep(
    connection: &mut PgConnection,
    id: FileId,
    mut content: impl AsyncRead + Unpin,
) -> Result<u64, TakeoverError> {
    rows::begin_content(connection, id.0).await?;
    let mut bytes = 0;
    for number in 0.. {
        let mut piece = Vec::with_capacity(postgres::PIECE);
        let read = (&mut content)
            .take(postgres::PIECE as u64)
            .read_to_end(&mut piece)
            .await;
        let read = read.map_err(|error| broke_off("a file's content", &error))?;
        if read == 0 {
            break;
        }
        bytes += read as u64;
        rows::add_piece(connection, id.0, number, &piece).await?;
    }
    Ok(bytes)
}

async fn execute(connection: &mut PgConnection, sql: &'static str) -> Result<(), TakeoverError> {
    let done = sqlx::raw_sql(sql).execute(connection).await;
    done.map(drop).map_err(|error| broke_off("the site", &error))
}

fn broke_off(what: &'static str, error: &dyn std::error::Error) -> TakeoverError {
    TakeoverError::BrokeOff {
        what,
        reason: error.to_string(),
    }
}

/// An id as SQLite has it.
fn id(bytes: &[u8]) -> Result<Uuid, TakeoverError> {
    Uuid::from_slice(bytes).map_err(|error| broke_off("an id", &error))
}

#[cfg(test)]
mod tests;
