use std::{collections::HashSet, path::PathBuf};

use tempfile::TempDir;
use tokio::io::AsyncReadExt;

use super::*;
use crate::{
    papers::{PaperFault, samples},
    wire::{FileKind, PaperUnit},
};

const LIMIT: u64 = 1024 * 1024;

async fn vault() -> (TempDir, Vault) {
    let dir = TempDir::new().expect("a temporary directory");
    let vault = Vault::open(dir.path()).await.expect("a vault");
    (dir, vault)
}

async fn upload(vault: &Vault, name: &str, content: &[u8]) -> Result<FileView, FileError> {
    let mut upload = vault.begin(name, LIMIT).await?;
    for piece in content.chunks(7_000) {
        upload.write(piece).await?;
    }
    upload.finish().await
}

/// Every file below `dir`, by its path in it.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found
}

#[tokio::test]
async fn what_is_uploaded_can_be_read_and_removed() {
    let (dir, vault) = vault().await;
    let text = "# Notes\n".repeat(5_000);
    let view = upload(&vault, "notes.md", text.as_bytes()).await.expect("kept");
    assert_eq!(
        (view.name.as_str(), view.kind, view.mime.as_str()),
        ("notes.md", FileKind::Text, "text/markdown")
    );
    assert_eq!(view.size, text.len() as u64);
    assert!(vault.read(view.id, u64::MAX).await.expect("there") == text.as_bytes());
    let mut read = String::new();
    vault
        .reader(view.id)
        .await
        .expect("there")
        .read_to_string(&mut read)
        .await
        .expect("text");
    assert!(read == text);
    assert_eq!(files(dir.path()).len(), 1);

    vault.remove(&[view.id, FileId::new()]).await.expect("removed");
    assert!(matches!(vault.read(view.id, u64::MAX).await, Err(FileError::Gone)));
    assert!(matches!(vault.reader(view.id).await, Err(FileError::Gone)));
    assert_eq!(files(dir.path()).len(), 0);
}

#[tokio::test]
async fn a_document_is_kept_as_it_is_and_its_text_beside_it() {
    let (dir, vault) = vault().await;
    let pdf = samples::pdf(&["Hello", "there"]);
    let view = upload(&vault, "a.bin", &pdf).await.expect("kept");
    assert_eq!((view.kind, view.mime.as_str()), (FileKind::Document, "application/pdf"));
    let paper = view.paper.expect("read");
    assert_eq!((paper.unit, paper.parts, paper.characters), (PaperUnit::Pages, 2, 10));
    assert_eq!(view.size, pdf.len() as u64);
    assert!(vault.read(view.id, u64::MAX).await.expect("there") == pdf);
    assert_eq!(
        vault.text(view.id).await.expect("there"),
        "\u{0C}page 1\nHello\n\u{0C}page 2\nthere\n"
    );
    assert_eq!(files(dir.path()).len(), 2);
    vault.remove(&[view.id]).await.expect("removed");
    assert!(matches!(vault.text(view.id).await, Err(FileError::Gone)));
    assert_eq!(files(dir.path()).len(), 0);
}

#[tokio::test]
async fn a_document_that_cannot_be_read_says_why_and_leaves_nothing() {
    let (dir, vault) = vault().await;
    let unread = |error: FileError| match error {
        FileError::Unread { name, fault } => (name, fault),
        other => panic!("{other:?}"),
    };
    for (name, content, fault) in [
        ("a.pdf", b"%PDF-1.7 and nothing".to_vec(), PaperFault::Damaged),
        ("b.pdf", samples::pdf(&[""]), PaperFault::NoText),
    ] {
        let error = upload(&vault, name, &content).await.expect_err(name);
        assert_eq!(unread(error), (name.to_owned(), fault));
    }
    let other = samples::zip(&[("a.txt", b"hello")]);
    let error = upload(&vault, "c.xlsx", &other).await.expect_err("no workbook");
    assert!(matches!(error, FileError::NotADocument { name } if name == "c.xlsx"));
    let error = upload(&vault, "c.zip", &other).await.expect_err("no document");
    assert!(matches!(error, FileError::Unsupported { .. }));
    let mut given_up = vault.begin("d.pdf", LIMIT).await.expect("begun");
    given_up.write(&samples::pdf(&["Hello"])).await.expect("written");
    drop(given_up);
    assert_eq!(files(dir.path()).len(), 0);
}

#[tokio::test]
async fn the_pictures_of_a_document_are_kept_and_go_with_it() {
    let (dir, vault) = vault().await;
    let view = upload(&vault, "a.pdf", &samples::pdf_with_picture("Hello"))
        .await
        .expect("kept");
    let paper = view.paper.expect("read");
    assert_eq!((paper.pictures, paper.pictures_left_out), (1, 0));
    let pictures = vault.pictures(view.id).await.expect("there");
    assert_eq!((pictures[0].page, pictures[0].format.mime()), (1, "image/jpeg"));
    assert_eq!(pictures[0].bytes, samples::jpeg(100, 80, 3));
    assert_eq!(files(dir.path()).len(), 3);
    vault.remove(&[view.id]).await.expect("removed");
    assert_eq!(files(dir.path()).len(), 0);
}

#[tokio::test]
async fn no_name_leads_out_of_the_vault() {
    let (dir, vault) = vault().await;
    for name in ["../../x", "/etc/x", "..\\..\\x", "a/../../../x", "\0x", "x"] {
        let view = upload(&vault, name, b"content").await.expect(name);
        assert_eq!(view.name, "x");
    }
    let root = dir.path().join("files");
    let found = files(dir.path());
    assert_eq!(found.len(), 6);
    assert!(
        found.iter().all(|path| path.starts_with(&root) && !path.ends_with("x")),
        "{found:?}"
    );
}

#[tokio::test]
async fn an_empty_file_is_refused() {
    let (dir, vault) = vault().await;
    for content in [b"".as_slice(), b"\xEF\xBB\xBF", b"\xFF\xFE"] {
        let error = upload(&vault, "empty.txt", content).await.expect_err("empty");
        assert!(matches!(error, FileError::Empty { name } if name == "empty.txt"));
    }
    assert_eq!(files(dir.path()).len(), 0);
}

#[tokio::test]
async fn a_gigabyte_is_refused_as_soon_as_it_is_too_much() {
    let (dir, vault) = vault().await;
    let piece = vec![b'a'; 64 * 1024];
    let mut upload = vault.begin("big.txt", LIMIT).await.expect("begun");
    let mut taken = 0_u64;
    let error = loop {
        assert!(taken < 1024 * 1024 * 1024, "a gigabyte was taken");
        match upload.write(&piece).await {
            Ok(()) => taken += piece.len() as u64,
            Err(error) => break error,
        }
    };
    assert_eq!(taken, LIMIT, "exactly the limit is taken");
    assert!(matches!(error, FileError::TooLarge { name, limit } if (&*name, limit) == ("big.txt", LIMIT)));
    drop(upload);
    assert_eq!(files(dir.path()).len(), 0);
}

#[tokio::test]
async fn exactly_the_limit_is_taken() {
    let (_dir, vault) = vault().await;
    let view = upload(&vault, "a.txt", &vec![b'a'; 1024 * 1024]).await.expect("kept");
    assert_eq!(view.size, LIMIT);
}

fn is_of_no_kind(error: &FileError) -> bool {
    matches!(
        error,
        FileError::Unsupported { .. } | FileError::NotAnImage { .. } | FileError::NotUtf8 { .. }
    )
}

#[tokio::test]
async fn what_lies_about_its_type_leaves_nothing() {
    let (dir, vault) = vault().await;
    let exe = [b"MZ\x90\0\x03\0\0\0".as_slice(), &[0xFF; 100_000]].concat();
    for (name, content) in [
        ("a.png", exe.as_slice()),
        ("a.txt", &exe),
        ("a.png", b"<html></html>"),
        ("a.jpg", b"x"),
    ] {
        assert!(is_of_no_kind(&upload(&vault, name, content).await.expect_err(name)));
    }
    // Text up to its last byte, which cuts a character.
    let late = [b"text ".repeat(50_000).as_slice(), b"\xe2\x82"].concat();
    assert!(is_of_no_kind(
        &upload(&vault, "late.txt", &late).await.expect_err("late")
    ));
    assert_eq!(files(dir.path()).len(), 0);
}

#[tokio::test]
async fn text_is_kept_as_utf8() {
    let (_dir, vault) = vault().await;
    let text = "Größe;😀\n".repeat(10_000);
    let utf16: Vec<u8> = [0xFF, 0xFE]
        .into_iter()
        .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    let view = upload(&vault, "a.csv", &utf16).await.expect("kept");
    assert_eq!(view.size, text.len() as u64);
    assert!(vault.read(view.id, u64::MAX).await.expect("there") == text.as_bytes());
}

#[tokio::test]
async fn a_dropped_upload_leaves_nothing() {
    let (dir, vault) = vault().await;
    let mut upload = vault.begin("a.txt", LIMIT).await.expect("begun");
    upload
        .write(b"a long enough beginning of a text")
        .await
        .expect("written");
    assert_eq!(files(dir.path()).len(), 1);
    drop(upload);
    assert_eq!(files(dir.path()).len(), 0);
}

#[tokio::test]
async fn a_start_sweeps_what_an_end_left_and_keeps_the_rest() {
    let (dir, vault) = vault().await;
    let view = upload(&vault, "a.txt", b"kept").await.expect("kept");
    let left = dir.path().join("files/unfinished").join(FileId::new().to_string());
    std::fs::write(&left, "half").expect("written");
    let vault = Vault::open(dir.path()).await.expect("opened again");
    assert!(!left.exists());
    assert_eq!(vault.read(view.id, u64::MAX).await.expect("there"), b"kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploads_at_once_do_not_meet() {
    let (dir, vault) = vault().await;
    let tasks: Vec<_> = (0..50_u32)
        .map(|number| {
            let vault = vault.clone();
            tokio::spawn(async move {
                let content = format!("content of {number}\n").repeat(1_000);
                let view = upload(&vault, "same name.txt", content.as_bytes()).await.expect("kept");
                assert!(vault.read(view.id, u64::MAX).await.expect("there") == content.as_bytes());
                view.id
            })
        })
        .collect();
    let mut ids = HashSet::new();
    for task in tasks {
        ids.insert(task.await.expect("no panic"));
    }
    assert_eq!(ids.len(), 50);
    assert_eq!(files(dir.path()).len(), 50);
    vault
        .remove(&ids.into_iter().collect::<Vec<_>>())
        .await
        .expect("removed");
    assert_eq!(files(dir.path()).len(), 0);
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_on_the_machine_reads_them() {
    use std::os::unix::fs::PermissionsExt;
    let (dir, vault) = vault().await;
    upload(&vault, "a.txt", b"private").await.expect("kept");
    for path in files(dir.path()) {
        assert_eq!(path.metadata().expect("there").permissions().mode() & 0o077, 0);
        assert_eq!(
            path.parent()
                .expect("a folder")
                .metadata()
                .expect("there")
                .permissions()
                .mode()
                & 0o077,
            0
        );
    }
}
