//! Faults of the disk as an operator meets them, each of them real; and back-ups.
#![cfg(target_os = "linux")]

mod process;

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anteroom::wire::TurnState;
use process::{GIVE_UP, Site, command, failed, model};
use reqwest::StatusCode;
use serde_json::json;
use tempfile::TempDir;

/// Set to anything in the environment, a test that cannot be run on this machine fails.
const REQUIRED: &str = "ANTEROOM_TEST_REQUIRE_MOUNTS";

/// A small file system of its own.
struct Disk(TempDir);

impl Disk {
    /// `None`: this machine lets nobody mount, or not this user. Says that the test is skipped then, or fails it where
    /// [`REQUIRED`] is set.
    fn mount(megabytes: u32) -> Option<Self> {
        let disk = Self(tempfile::tempdir().expect("a folder"));
        let size = format!("size={megabytes}m");
        let mounted = disk.run("mount", &["-t", "tmpfs", "-o", &size, "tmpfs"]);
        if !mounted {
            let required = std::env::var_os(REQUIRED).is_some_and(|value| !value.is_empty());
            assert!(!required, "{REQUIRED} is set, and nothing can be mounted here");
            let test = std::thread::current().name().unwrap_or("a test").to_owned();
            // Not by `eprintln!`: of a test that passes, the harness would keep it to itself.
            let _ = writeln!(std::io::stderr(), "skipped: {test}: could not mount");
        }
        mounted.then_some(disk)
    }

    fn run(&self, program: &str, arguments: &[&str]) -> bool {
        let output = Command::new(program).args(arguments).arg(self.0.path()).output();
        output.is_ok_and(|output| output.status.success())
    }

    fn writable(&self, writable: bool) {
        let options = if writable { "remount,rw" } else { "remount,ro" };
        assert!(self.run("mount", &["-o", options]));
    }

    /// Takes all the room there is.
    fn fill(&self) -> PathBuf {
        let path = self.0.path().join("filler");
        let mut file = fs::File::create(&path).expect("made");
        for size in [1 << 16, 1 << 12, 1] {
            while file.write_all(&vec![b'x'; size]).is_ok() {}
        }
        path
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.run("umount", &["-l"]);
    }
}

#[tokio::test]
async fn a_full_disk_refuses_what_cannot_be_kept_and_loses_nothing() {
    let (Some(disk), model) = (Disk::mount(4), model().await) else {
        return;
    };
    let site = Site::start(&disk.data(), &model, None).await;
    let before = site.answered("before").await;
    model.hold(true);
    let running = site.send("its answer comes while the disk is full").await;
    model.until(|record| record.now == 1).await;

    let filler = disk.fill();
    let long = "too much for what is left ".repeat(2_000);
    let (status, reply) = site.try_send(&long).await;
    assert_eq!(status, StatusCode::INSUFFICIENT_STORAGE, "{reply}");
    assert!(
        reply.contains(r#"{"code":"message_not_kept","fault":"full"}"#),
        "{reply}"
    );
    assert_eq!(site.health().await["store"], "the disk is full");
    assert!(site.view(&before).await.is_some(), "who only reads is served");
    model.hold(false);
    // The answer is shown, although it is not stored yet.
    site.until(&running, |state| *state == TurnState::Done).await;

    fs::remove_file(filler).expect("removed");
    // Found out without a message.
    site.until_health(|store| store == "ok").await;
    let after = site.answered("after").await;
    assert_eq!(site.health().await["store"], "ok");
    // It is owed to the store no longer.
    let log = tokio::time::timeout(GIVE_UP, async {
        loop {
            let cookie = site.cookie.clone();
            let copy = tempfile::tempdir().expect("a folder");
            let file = copy.path().join("copy.tar");
            let backup = command(&disk.data(), &model)
                .args(["backup".as_ref(), file.as_os_str()])
                .output()
                .expect("it ran");
            assert!(backup.status.success(), "{backup:?}");
            let data = copy.path().join("data");
            fs::create_dir(&data).expect("made");
            assert!(
                Command::new("tar")
                    .arg("-xf")
                    .arg(&file)
                    .arg("-C")
                    .arg(&data)
                    .status()
                    .expect("tar")
                    .success()
            );
            model.hold(true);
            let restored = Site::start(&data, &model, Some(&cookie)).await;
            let view = restored.view(&running).await.expect("it is there");
            drop(restored);
            model.hold(false);
            if view.turns[0].state == TurnState::Done {
                return;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    });
    log.await.expect("it is stored in the end");
    for sent in [&before, &running, &after] {
        assert_eq!(site.view(sent).await.expect("it is there").turns.len(), 1);
    }
}

#[tokio::test]
async fn a_disk_that_can_only_be_read_is_read() {
    let (Some(disk), model) = (Disk::mount(8), model().await) else {
        return;
    };
    let site = Site::start(&disk.data(), &model, None).await;
    let (sent, cookie) = (site.answered("before").await, site.cookie.clone());
    model.hold(true);
    let waits = site.send("waits for a disk that can be written").await;
    drop(site);

    disk.writable(false);
    let site = Site::start(&disk.data(), &model, Some(&cookie)).await;
    assert_eq!(
        site.view(&sent).await.expect("it is there").turns[0].state,
        TurnState::Done
    );
    let (status, reply) = site.try_send("new").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{reply}");
    assert!(
        reply.contains(r#"{"code":"message_not_kept","fault":"read_only"}"#),
        "{reply}"
    );
    assert_ne!(site.health().await["store"], "ok");
    drop(site);
    model.until(|record| record.now == 0).await;
    model.hold(false);

    disk.writable(true);
    let site = Site::start(&disk.data(), &model, Some(&cookie)).await;
    site.until(&waits, |state| *state == TurnState::Done).await;
    site.answered("new").await;
}

#[tokio::test]
async fn a_second_server_on_the_same_folder_refuses_to_start() {
    let (folder, model) = (tempfile::tempdir().expect("a folder"), model().await);
    let site = Site::start(folder.path(), &model, None).await;
    let sent = site.answered("mine").await;
    let said = failed(command(folder.path(), &model));
    let pid = site.child.id().to_string();
    assert!(
        said.contains("in use by another Anteroom") && said.contains(&pid) && said.contains("DATA_DIR"),
        "{said}"
    );
    assert!(site.view(&sent).await.is_some());
    let cookie = site.cookie.clone();
    drop(site);
    // A crash leaves no lock behind.
    let site = Site::start(folder.path(), &model, Some(&cookie)).await;
    assert!(site.view(&sent).await.is_some());
}

#[tokio::test]
async fn a_damaged_or_newer_database_is_named_and_left_as_it_is() {
    let (folder, model) = (tempfile::tempdir().expect("a folder"), model().await);
    let database = folder.path().join("anteroom.db");
    let garbage = b"this was a database once, or never ".repeat(200);
    fs::write(&database, &garbage).expect("written");
    let said = failed(command(folder.path(), &model));
    assert!(
        said.contains("damaged") && said.contains("anteroom.db") && said.contains("docs/operating.md"),
        "{said}"
    );
    assert_eq!(fs::read(&database).expect("read"), garbage, "left as it is");

    fs::remove_file(&database).expect("removed");
    drop(Site::start(folder.path(), &model, None).await);
    let script = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', 1, x'00', 0)";
    edit(&database, script).await;
    let said = failed(command(folder.path(), &model));
    assert!(said.contains("newer Anteroom"), "{said}");
}

#[tokio::test]
async fn what_would_hide_every_conversation_does_not_start() {
    let (folder, model) = (tempfile::tempdir().expect("a folder"), model().await);
    let site = Site::start(folder.path(), &model, None).await;
    let (sent, cookie) = (site.answered("kept").await, site.cookie.clone());
    drop(site);
    let (database, key) = (folder.path().join("anteroom.db"), folder.path().join("secret.key"));
    edit(&database, "SELECT 1").await;

    // Without its key.
    let kept = fs::read(&key).expect("read");
    fs::remove_file(&key).expect("removed");
    let said = failed(command(folder.path(), &model));
    assert!(
        said.contains("secret.key is missing") && said.contains("back-up"),
        "{said}"
    );
    assert!(!key.exists(), "no other one is made");
    fs::write(&key, "").expect("emptied");
    let said = failed(command(folder.path(), &model));
    assert!(said.contains("0 bytes") && said.contains("Do not remove it"), "{said}");
    fs::write(&key, kept).expect("restored");

    // Without its database.
    let kept = fs::read(&database).expect("read");
    for state in ["is empty", "is missing"] {
        match state {
            "is empty" => fs::write(&database, "").expect("emptied"),
            _ => fs::remove_file(&database).expect("removed"),
        }
        let said = failed(command(folder.path(), &model));
        for part in [state, "secret.key", "hide them from everybody", "docs/operating.md"] {
            assert!(said.contains(part), "{part} is missing: {said}");
        }
    }
    fs::write(&database, kept).expect("restored");
    let site = Site::start(folder.path(), &model, Some(&cookie)).await;
    assert!(site.view(&sent).await.is_some());
    assert_eq!(site.health().await["warnings"], json!([]));
}

#[tokio::test]
async fn damage_is_found_while_the_server_runs() {
    use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};
    let (folder, model) = (tempfile::tempdir().expect("a folder"), model().await);
    let site = Site::start(folder.path(), &model, None).await;
    site.answered("kept").await;
    drop(site);
    let database = folder.path().join("anteroom.db");
    let connected = SqliteConnectOptions::new().filename(&database).connect().await;
    let mut connection = connected.expect("opened");
    let page: i64 = sqlx::query_scalar("SELECT rootpage FROM sqlite_schema WHERE name = 'turns_by_parent'")
        .fetch_one(&mut connection)
        .await
        .expect("read");
    // The last to close it empties the log.
    connection.close().await.expect("closed");
    let mut bytes = fs::read(&database).expect("read");
    let at = usize::try_from(page - 1).expect("a page") * 4096;
    bytes[at + 8..at + 4096].fill(0xa5);
    fs::write(&database, bytes).expect("damaged");

    let site = Site::start(folder.path(), &model, None).await;
    site.until_health(|store| store.contains("damaged")).await;
}

async fn edit(database: &Path, script: &'static str) {
    use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};
    let mut connection = SqliteConnectOptions::new()
        .filename(database)
        .connect()
        .await
        .expect("opened");
    sqlx::raw_sql(script).execute(&mut connection).await.expect("edited");
    connection.close().await.expect("closed");
}

#[tokio::test]
async fn a_backup_of_a_busy_server_is_restored_whole() {
    let (folder, model) = (tempfile::tempdir().expect("a folder"), model().await);
    let (data, archive) = (folder.path().join("data"), folder.path().join("copy.tar"));
    let site = Site::start(&data, &model, None).await;
    let sent = site.answered("kept").await;
    model.hold(true);
    let running = site.send("runs while it is copied").await;

    let backup = |target: &Path| {
        command(&data, &model)
            .args(["backup".as_ref(), target.as_os_str()])
            .output()
            .expect("it ran")
    };
    let output = backup(&archive);
    assert!(output.status.success(), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("2 conversations"),
        "{output:?}"
    );
    let again = backup(&archive);
    assert_eq!(again.status.code(), Some(1), "it overwrites nothing");
    assert!(
        String::from_utf8_lossy(&again.stderr).contains("there already"),
        "{again:?}"
    );
    site.send("comes too late for the copy").await;
    let cookie = site.cookie.clone();
    drop(site);
    model.until(|record| record.now == 0).await;
    model.hold(false);

    let restored = folder.path().join("restored");
    fs::create_dir(&restored).expect("made");
    assert!(
        Command::new("tar")
            .arg("-xf")
            .arg(&archive)
            .arg("-C")
            .arg(&restored)
            .status()
            .expect("tar")
            .success()
    );
    let site = Site::start(&restored, &model, Some(&cookie)).await;
    assert_eq!(
        site.view(&sent).await.expect("it is there").turns[0].state,
        TurnState::Done
    );
    // What was on its way when the copy was made is answered.
    site.until(&running, |state| *state == TurnState::Done).await;
    let nothing = command(&folder.path().join("nothing"), &model)
        .args(["backup", "/nowhere.tar"])
        .output()
        .expect("it ran");
    assert!(
        String::from_utf8_lossy(&nothing.stderr).contains("there is no database"),
        "{nothing:?}"
    );
}
