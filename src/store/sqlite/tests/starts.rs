//! Starts on what another start, or a fault, has left: nothing is passed over in silence.

use std::{
    fs::{self, OpenOptions},
    io::{Seek as _, SeekFrom, Write as _},
    path::PathBuf,
};

use sqlx::Connection as _;

use super::*;
use crate::{
    files::Vault,
    sessions::CookieKey,
    store::{StoreError, sqlite::OpenError},
};

/// A data directory as a server leaves it that was killed: with a log that holds what was said.
struct Killed {
    folder: TempDir,
    owner: Owner,
    turn: TurnRecord,
}

impl Killed {
    async fn new() -> Self {
        let Fixture { store, folder: source } = fixture().await;
        store.close().await;
        drop(store);
        let store = open(source.path()).await;
        let owner = an_owner();
        let mut talk = Talk::new(owner, "Title");
        let first = talk.say(&store, None, "hello").await;
        let turn = talk.say(&store, Some(first.id), "hello again").await;
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["anteroom.db", "anteroom.db-wal"] {
            fs::copy(source.path().join(name), folder.path().join(name)).expect("copied");
        }
        CookieKey::load(None, folder.path()).expect("made");
        Vault::open(folder.path()).await.expect("made");
        Self { folder, owner, turn }
    }

    /// The same, ended well: without a log.
    async fn closed() -> Self {
        let killed = Self::new().await;
        killed.open().await.expect("it opens").close().await;
        killed
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("anteroom.db")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("anteroom.db-wal")
    }

    async fn open(&self) -> Result<SqliteStore, OpenError> {
        SqliteStore::open(self.folder.path()).await
    }

    async fn refused(&self) -> OpenError {
        let before = contents(self.folder.path());
        let error = self.open().await.expect_err("it does not open");
        assert!(contents(self.folder.path()) == before, "something has been changed");
        error
    }

    async fn keeps_its_turn(&self) -> SqliteStore {
        let store = self.open().await.expect("it opens");
        let step = store.turn(self.owner, self.turn.id).await.expect("read");
        assert_eq!(step.expect("it is there").turn, self.turn);
        store
    }
}

/// What a server keeps, as bytes.
fn contents(folder: &Path) -> Vec<Option<Vec<u8>>> {
    let names = ["anteroom.db", "anteroom.db-wal", "anteroom.db-shm", "secret.key"];
    names.map(|name| fs::read(folder.join(name)).ok()).into()
}

fn overwrite(path: &Path, from: u64, bytes: &[u8]) {
    let mut file = OpenOptions::new().write(true).open(path).expect("there");
    file.seek(SeekFrom::Start(from)).expect("sought");
    file.write_all(bytes).expect("written");
}

#[tokio::test]
async fn what_a_killed_server_left_is_taken_up_without_a_word() {
    let killed = Killed::new().await;
    let store = killed.keeps_its_turn().await;
    assert_eq!(store.warnings(), [""; 0]);
    store.close().await;
    drop(store);
    assert_eq!(killed.keeps_its_turn().await.warnings(), [""; 0]);
}

#[tokio::test]
async fn an_emptied_database_beside_its_log_does_not_start() {
    let killed = Killed::new().await;
    fs::write(killed.database(), "").expect("emptied");
    for state in ["is empty", "is missing"] {
        let error = killed.refused().await.to_string();
        for part in [
            state,
            "anteroom.db-wal",
            "nothing has been changed",
            "docs/operating.md",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
        let _ = fs::remove_file(killed.database());
    }
}

#[tokio::test]
async fn an_emptied_database_beside_its_key_or_files_does_not_start() {
    let killed = Killed::closed().await;
    let empty_database = tempfile::tempdir().expect("a folder");
    let path = empty_database.path().join("empty.db");
    let mut other = SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(true)
        .connect()
        .await
        .expect("made");
    for sql in ["CREATE TABLE t (x)", "DROP TABLE t"] {
        sqlx::raw_sql(sql).execute(&mut other).await.expect(sql);
    }
    other.close().await.expect("closed");
    let empty_database = fs::read(path).expect("read");

    for (content, state) in [(&b""[..], "is empty"), (&empty_database, "has nothing in it")] {
        fs::write(killed.database(), content).expect("written");
        let error = killed.refused().await;
        assert!(matches!(error, OpenError::Emptied { .. }), "{error:?}");
        let said = error.to_string();
        assert!(said.contains(state) && said.contains("secret.key"), "{said}");
    }
    fs::remove_file(killed.database()).expect("removed");
    fs::remove_file(killed.folder.path().join("secret.key")).expect("removed");
    let said = killed.refused().await.to_string();
    assert!(said.contains("is missing") && said.contains("files"), "{said}");

    // On purpose: everything has been moved out of the folder.
    fs::remove_dir_all(killed.folder.path().join("files")).expect("removed");
    assert_eq!(killed.open().await.expect("it opens").is_empty().await, Ok(true));
}

#[tokio::test]
async fn a_log_that_has_lost_what_was_acknowledged_does_not_start() {
    // Its header, as a disk leaves it that has lost a block; and the first page that was changed, with more changes after it.
    for (from, length) in [(0, 32), (32 + 24, 100)] {
        let killed = Killed::new().await;
        overwrite(&killed.log(), from, &vec![0xa5; length]);
        let error = killed.refused().await;
        assert!(matches!(error, OpenError::LogLost { .. }), "{from}: {error:?}");
        for part in ["anteroom.db-wal has", "newest messages", "move", "docs/operating.md"] {
            assert!(error.to_string().contains(part), "{part}: {error}");
        }
        // On purpose: the log has been moved away.
        fs::rename(killed.log(), killed.folder.path().join("kept")).expect("moved");
        killed.open().await.expect("it opens");
    }
}

#[tokio::test]
async fn a_log_that_was_cut_off_in_its_first_change_is_told_and_starts() {
    let killed = Killed::new().await;
    let log = fs::read(killed.log()).expect("read");
    // The header and half a frame; and nothing but the header, which is as good as no log.
    for (length, warned) in [(32 + 2_000, true), (32, false), (0, false)] {
        let killed = Killed::closed().await;
        fs::write(killed.log(), &log[..length]).expect("written");
        let store = killed.keeps_its_turn().await;
        assert_eq!(!store.warnings().is_empty(), warned, "{length}: {:?}", store.warnings());
        for warning in store.warnings() {
            assert!(
                warning.contains("2032 bytes") && warning.contains("docs/operating.md"),
                "{warning}"
            );
        }
    }
}

#[tokio::test]
async fn a_database_whose_end_is_missing_does_not_start() {
    let killed = Killed::closed().await;
    let whole = fs::read(killed.database()).expect("read");
    fs::write(killed.database(), &whole[..whole.len() - 4096]).expect("cut off");
    let error = killed.refused().await;
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
    assert!(error.to_string().contains("bytes, where"), "{error}");
    fs::write(killed.database(), whole).expect("written");
    killed.keeps_its_turn().await;
}

#[tokio::test]
async fn a_database_without_one_of_its_tables_does_not_start() {
    let killed = Killed::closed().await;
    let mut other = outside(killed.folder.path()).await;
    let tables: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .fetch_all(&mut other)
        .await
        .expect("read");
    let mut ours: Vec<&str> = tables.iter().map(String::as_str).collect();
    ours.retain(|name| !name.starts_with('_'));
    ours.sort_unstable();
    let mut known = crate::store::sqlite::schema::TABLES;
    known.sort_unstable();
    assert_eq!(ours, known, "all that there are");
    for sql in ["PRAGMA foreign_keys = OFF", "DROP TABLE turn_files"] {
        sqlx::raw_sql(sql).execute(&mut other).await.expect(sql);
    }
    other.close().await.expect("closed");
    let error = killed.open().await.expect_err("it does not open");
    assert!(error.to_string().contains("its table turn_files is missing"), "{error}");
}

#[tokio::test]
async fn damage_that_nobody_has_met_yet_is_found() {
    let killed = Killed::closed().await;
    let store = killed.keeps_its_turn().await;
    store.inspect().await;
    assert_eq!(store.damage(), None);
    store.close().await;
    drop(store);

    let mut other = outside(killed.folder.path()).await;
    let page: i64 = sqlx::query_scalar("SELECT rootpage FROM sqlite_schema WHERE name = 'turns_by_parent'")
        .fetch_one(&mut other)
        .await
        .expect("read");
    other.close().await.expect("closed");
    overwrite(&killed.database(), (page.unsigned_abs() - 1) * 4096 + 8, &[0xa5; 4000]);
    let store = killed.open().await.expect("it opens, as far as can be seen");
    assert_eq!((store.damage(), store.fault()), (None, None));
    store.inspect().await;
    assert!(
        matches!(store.damage(), Some(StoreError::Damaged(_))),
        "{:?}",
        store.damage()
    );
}

#[tokio::test]
async fn looking_through_it_ends_with_the_store() {
    let Fixture { store, folder: _folder } = fixture().await;
    store.close().await;
    store.inspect().await;
    assert_eq!(store.damage(), None);
}
