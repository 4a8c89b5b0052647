//! The store in SQLite, against real files: what every store promises, and what this one does beside that.

mod before;
mod disks;
mod faults;
mod migrations;
mod plans;
mod processes;
mod removal;
mod speed;
mod starts;
mod writing;

use std::{path::Path, sync::Arc, time::Duration};

use sqlx::{ConnectOptions as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use super::SqliteStore;
use crate::{
    queue::{OrderKey, Owner},
    store::{
        ConversationRecord, Store, TurnRecord, contract as promises,
        testing::{Talk, a_choice, an_owner, answered, file},
    },
    wire::TurnId,
};

struct Sqlite;

impl promises::Kind for Sqlite {
    async fn open(folder: &Path) -> Arc<dyn Store> {
        Arc::new(open(folder).await)
    }
}

promises::tests!(Sqlite);

/// A store in a folder of its own.
pub(super) struct Fixture {
    pub(super) store: SqliteStore,
    pub(super) folder: TempDir,
}

pub(super) async fn fixture() -> Fixture {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path()).await;
    Fixture { store, folder }
}

pub(super) async fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(folder).await.expect("it opens")
}

/// What a folder's files hold, as raw bytes.
pub(super) fn on_disk(folder: &Path, text: &str) -> bool {
    let files = std::fs::read_dir(folder).expect("a folder");
    files
        .map(|file| file.expect("a file").path())
        .filter(|path| path.is_file())
        .any(|path| {
            let bytes = std::fs::read(path).expect("readable");
            bytes.windows(text.len()).any(|window| window == text.as_bytes())
        })
}

/// The database as another program sees it.
pub(super) async fn outside(folder: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(folder.join("anteroom.db"));
    options.busy_timeout(Duration::ZERO).connect().await.expect("connected")
}
