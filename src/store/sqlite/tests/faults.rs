//! Files that are not as they should be, and others who use them.

use std::{
    fs::{self, OpenOptions},
    io::{Seek as _, SeekFrom, Write as _},
};

use sqlx::Connection as _;

use super::*;
use crate::store::{
    StoreError,
    sqlite::{OpenError, options::Tuning},
};

/// For tests that wait for a lock that nobody will give back.
pub(super) const IMPATIENT: Tuning = Tuning {
    busy_timeout: Duration::from_millis(50),
    patience: Duration::ZERO,
    try_again: Duration::from_millis(50),
};

/// Waits until the store says by itself that it is well.
pub(super) async fn well(store: &SqliteStore) {
    let well = async {
        while store.fault().is_some() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), well)
        .await
        .expect("it is well in time");
}

async fn refused(folder: &Path) -> OpenError {
    SqliteStore::open_tuned(folder, IMPATIENT)
        .await
        .expect_err("it does not open")
}

/// A closed database with something in it.
async fn closed() -> (TempDir, Talk, TurnRecord) {
    let Fixture { store, folder } = fixture().await;
    let mut talk = Talk::new(an_owner(), "Title");
    let turn = talk.say(&store, None, "hello").await;
    store.close().await;
    (folder, talk, turn)
}

fn overwrite(path: &Path, from: u64, length: usize) {
    let mut file = OpenOptions::new().write(true).open(path).expect("there");
    file.seek(SeekFrom::Start(from)).expect("sought");
    file.write_all(&vec![0xa5; length]).expect("written");
}

#[tokio::test]
async fn a_database_that_is_none_is_left_as_it_is() {
    let (folder, ..) = closed().await;
    let path = folder.path().join("anteroom.db");
    overwrite(&path, 0, 100);
    let before = fs::read(&path).expect("readable");
    let error = refused(folder.path()).await;
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
    for part in ["anteroom.db", "is damaged or not a database", "docs/operating.md"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    assert!(fs::read(&path).expect("readable") == before, "it has been changed");

    fs::write(&path, "Dear diary, this is no database at all.").expect("written");
    let error = refused(folder.path()).await;
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
    assert_eq!(
        fs::read(&path).expect("readable"),
        b"Dear diary, this is no database at all."
    );
}

#[tokio::test]
async fn damage_in_the_middle_is_told_when_it_is_met() {
    let Fixture { store, folder } = fixture().await;
    let owner = an_owner();
    let mut talk = Talk::new(owner, "Title");
    let mut last = None;
    for _ in 0..20 {
        last = Some(talk.say(&store, last, &"long ".repeat(1_000)).await.id);
    }
    store.close().await;
    let mut connection = outside(folder.path()).await;
    let pages: Vec<i64> = sqlx::query_scalar("SELECT pageno FROM dbstat WHERE name = 'turns'")
        .fetch_all(&mut connection)
        .await
        .expect("read");
    connection.close().await.expect("closed");
    for page in pages {
        overwrite(
            &folder.path().join("anteroom.db"),
            (page.unsigned_abs() - 1) * 4096,
            4096,
        );
    }

    let store = SqliteStore::open(folder.path())
        .await
        .expect("it opens, as far as can be seen");
    let read = store.path(owner, talk.conversation.head, 100).await;
    assert!(matches!(read, Err(StoreError::Damaged(_))), "{read:?}");
    let turn = talk.turn(None, "hello");
    let written = store.accept(talk.conversation, turn, None, None).await;
    assert!(matches!(written, Err(StoreError::Damaged(_))), "{written:?}");
    assert!(
        matches!(store.fault(), Some(StoreError::Damaged(_))),
        "{:?}",
        store.fault()
    );
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_as_it_is() {
    let (folder, ..) = closed().await;
    let mut connection = outside(folder.path()).await;
    sqlx::query("INSERT INTO _sqlx_migrations VALUES (999, 'from the future', 0, TRUE, x'00', 0)")
        .execute(&mut connection)
        .await
        .expect("inserted");
    connection.close().await.expect("closed");
    let path = folder.path().join("anteroom.db");
    let before = fs::read(&path).expect("readable");
    let error = refused(folder.path()).await;
    assert!(matches!(error, OpenError::Newer { version: 999, .. }), "{error:?}");
    assert!(error.to_string().contains("newer Anteroom"), "{error}");
    assert!(fs::read(&path).expect("readable") == before, "it has been changed");
}

#[tokio::test]
async fn a_migration_that_was_another_is_noticed() {
    let (folder, ..) = closed().await;
    let mut connection = outside(folder.path()).await;
    sqlx::query("UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 1")
        .execute(&mut connection)
        .await
        .expect("updated");
    connection.close().await.expect("closed");
    let error = refused(folder.path()).await;
    assert!(matches!(error, OpenError::Changed { version: 1, .. }), "{error:?}");
}

#[tokio::test]
async fn a_lock_of_another_program_passes() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open_tuned(folder.path(), IMPATIENT)
        .await
        .expect("it opens");
    let owner = an_owner();
    let mut talk = Talk::new(owner, "Title");
    let turn = talk.say(&store, None, "hello").await;
    let mut other = outside(folder.path()).await;
    sqlx::query("BEGIN EXCLUSIVE")
        .execute(&mut other)
        .await
        .expect("locked");

    let locked = store.update(answered(turn.clone(), "late")).await;
    assert_eq!(locked, Err(StoreError::Locked));
    assert_eq!(store.fault(), Some(StoreError::Locked));
    assert_eq!(
        store
            .turn(owner, turn.id)
            .await
            .expect("reading goes on")
            .expect("there")
            .turn,
        turn
    );

    sqlx::query("ROLLBACK").execute(&mut other).await.expect("unlocked");
    assert_eq!(store.update(answered(turn.clone(), "late")).await, Ok(()));
    assert_eq!(store.fault(), None);
}

#[tokio::test]
async fn a_fault_that_has_passed_is_found_out_without_a_message() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open_tuned(folder.path(), IMPATIENT)
        .await
        .expect("it opens");
    let mut talk = Talk::new(an_owner(), "Title");
    let turn = talk.say(&store, None, "hello").await;
    let mut other = outside(folder.path()).await;
    sqlx::query("BEGIN EXCLUSIVE")
        .execute(&mut other)
        .await
        .expect("locked");
    assert_eq!(store.update(turn.clone()).await, Err(StoreError::Locked));
    // It is tried meanwhile, and stays so.
    tokio::time::sleep(IMPATIENT.busy_timeout * 4).await;
    assert_eq!(store.fault(), Some(StoreError::Locked));
    sqlx::query("ROLLBACK").execute(&mut other).await.expect("unlocked");
    well(&store).await;
    let step = store.turn(talk.conversation.owner, turn.id).await.expect("read");
    assert_eq!(step.expect("there").turn, turn);
}

#[tokio::test]
async fn a_database_that_is_locked_does_not_open() {
    let (folder, ..) = closed().await;
    let mut other = outside(folder.path()).await;
    for sql in ["PRAGMA locking_mode = EXCLUSIVE", "BEGIN EXCLUSIVE"] {
        sqlx::raw_sql(sql).execute(&mut other).await.expect("locked");
    }
    let error = refused(folder.path()).await;
    assert!(matches!(error, OpenError::Locked { .. }), "{error:?}");
    assert!(error.to_string().contains("locked by another program"), "{error}");
    other.close().await.expect("closed");
    open(folder.path()).await;
}

#[tokio::test]
async fn two_stores_cannot_have_one_folder() {
    let Fixture { store, folder } = fixture().await;
    let error = refused(folder.path()).await;
    assert!(matches!(error, OpenError::InUse { .. }), "{error:?}");
    let words = format!("in use by another Anteroom (process {})", std::process::id());
    assert!(error.to_string().contains(&words), "{error}");
    store.close().await;
    drop(store);
    open(folder.path()).await;
}

#[tokio::test]
async fn a_folder_that_is_none_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("data");
    fs::write(&path, "a file").expect("written");
    for place in [path.clone(), path.join("below")] {
        let error = refused(&place).await;
        assert!(matches!(error, OpenError::NotAFolder(_)), "{error:?}");
    }
}

/// As when a server was killed in the first moment of its first start, or of that after a restore.
#[tokio::test]
async fn a_change_that_was_cut_off_is_undone() {
    let (folder, talk, turn) = closed().await;
    let mut other = outside(folder.path()).await;
    for sql in [
        "PRAGMA journal_mode = DELETE",
        // So that pages are written before the end.
        "PRAGMA cache_size = 2",
        "BEGIN IMMEDIATE",
        "UPDATE conversations SET title = hex(zeroblob(100000))",
        "UPDATE turns SET message = hex(zeroblob(100000))",
    ] {
        sqlx::raw_sql(sql).execute(&mut other).await.expect(sql);
    }
    let killed = tempfile::tempdir().expect("a folder");
    for name in ["anteroom.db", "anteroom.db-journal"] {
        fs::copy(folder.path().join(name), killed.path().join(name)).expect("copied");
    }
    let store = open(killed.path()).await;
    let owner = talk.conversation.owner;
    assert_eq!(store.conversation(owner, talk.id()).await, Ok(Some(talk.conversation)));
    assert_eq!(
        store.turn(owner, turn.id).await.expect("read").expect("there").turn,
        turn
    );
}
