//! The contents of files.

use tokio::io::AsyncReadExt as _;

use super::*;
use crate::{
    files::{FileError, Vault},
    papers::samples,
    store::postgres::contents::PIECE,
    wire::{FileId, FileView},
};

const LIMIT: u64 = 10 * 1024 * 1024;

/// More than two pieces, none of them like another.
fn text() -> String {
    (0..PIECE / 4).map(|number| format!("{number:08}\n")).collect()
}

async fn upload(vault: &Vault, content: &[u8]) -> Result<FileView, FileError> {
    let mut upload = vault.begin("notes.txt", LIMIT).await?;
    for piece in content.chunks(70_001) {
        upload.write(piece).await?;
    }
    upload.finish().await
}

fn count(cluster: &Cluster, database: &str) -> String {
    cluster.sql(
        database,
        "SELECT (SELECT count(*) FROM contents), (SELECT count(*) FROM pieces)",
    )
}

#[tokio::test]
async fn what_is_uploaded_can_be_read_and_removed_in_pieces_of_bounded_size() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    let store = open(&cluster.url(&database)).await;
    let vault = Vault::over(store.contents());
    let text = text();
    let view = upload(&vault, text.as_bytes()).await.expect("kept");
    assert_eq!(view.size, text.len() as u64);
    assert_eq!(count(cluster, &database), "1|3");
    let longest = cluster.sql(&database, "SELECT max(length(bytes)) FROM pieces");
    assert_eq!(longest, PIECE.to_string());
    assert!(vault.read(view.id, u64::MAX).await.expect("there") == text.as_bytes());
    assert!(vault.read(view.id, 300_000).await.expect("there") == text.as_bytes()[..300_000]);

    // Removed while it is read, it does not seem to be shorter than it is.
    let mut reader = vault.reader(view.id).await.expect("there");
    let mut begun = vec![0; 100];
    reader.read_exact(&mut begun).await.expect("read");
    vault.remove(&[view.id, FileId::new()]).await.expect("removed");
    assert_eq!(count(cluster, &database), "0|0");
    reader.read_to_end(&mut begun).await.expect_err("it has gone");
    assert!(matches!(vault.reader(view.id).await, Err(FileError::Gone)));
}

#[tokio::test]
async fn an_upload_that_is_given_up_or_refused_leaves_nothing() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    let store = open(&cluster.url(&database)).await;
    let vault = Vault::over(store.contents());
    let mut given_up = vault.begin("notes.txt", LIMIT).await.expect("begun");
    given_up.write(text().as_bytes()).await.expect("written");
    let id = cluster.sql(&database, "SELECT id FROM contents WHERE NOT finished");
    let id = FileId(id.parse().expect("an id"));
    assert!(
        matches!(vault.reader(id).await, Err(FileError::Gone)),
        "it is not all there"
    );
    drop(given_up);
    let program = [b"MZ\x90\0\x03\0\0\0".as_slice(), &[0xFF; 100_000]].concat();
    upload(&vault, &program).await.expect_err("no text");
    upload(&vault, b"").await.expect_err("empty");
    vault.close().await;
    assert_eq!(count(cluster, &database), "0|0");
}

#[tokio::test]
async fn a_start_removes_what_an_end_left_and_keeps_the_rest() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    let address = cluster.url(&database);
    let store = open(&address).await;
    let vault = Vault::over(store.contents());
    let noted = upload(&vault, b"noted").await.expect("kept");
    store.add_file(an_owner(), noted.clone(), 5).await.expect("added");
    upload(&vault, b"never noted").await.expect("kept");
    let document = upload(&vault, &samples::pdf_with_picture("A page"))
        .await
        .expect("kept");
    store.add_file(an_owner(), document.clone(), 5).await.expect("added");
    upload(&vault, &samples::pdf_with_picture("Never noted"))
        .await
        .expect("kept");
    let mut unfinished = vault.begin("notes.txt", LIMIT).await.expect("begun");
    unfinished.write(text().as_bytes()).await.expect("written");
    // As if the process had been killed.
    std::mem::forget(unfinished);
    store.close().await;
    let store = open(&address).await;
    assert_eq!(count(cluster, &database), "4|4");
    let vault = Vault::over(store.contents());
    assert_eq!(vault.read(noted.id, u64::MAX).await.expect("there"), b"noted");
    assert_eq!(vault.text(document.id).await.expect("there"), "\u{0C}page 1\nA page\n");
    assert_eq!(vault.pictures(document.id).await.expect("there").len(), 1);
    vault.remove(&[document.id]).await.expect("removed");
    assert_eq!(count(cluster, &database), "1|1");
}

#[tokio::test]
async fn an_upload_goes_on_through_lost_connections() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    let store = open(&cluster.url(&database)).await;
    let vault = Vault::over(store.contents());
    let text = text();
    let mut upload = vault.begin("notes.txt", LIMIT).await.expect("begun");
    let end = format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{database}' AND pid <> pg_backend_pid()"
    );
    for piece in text.as_bytes().chunks(PIECE) {
        upload.write(piece).await.expect("written");
        cluster.sql(&database, &end);
    }
    let view = upload.finish().await.expect("kept");
    cluster.sql(&database, &end);
    assert!(vault.read(view.id, u64::MAX).await.expect("there") == text.as_bytes());
}
