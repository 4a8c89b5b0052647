//! Faults of the disk as an operator meets them, each of them real; and back-ups.
#![cfg(target_os = "linux")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use anteroom::wire::{ConversationView, SendRequest, Sent, TurnId, TurnState};
use anteroom_loopback::{Config, Loopback};
use reqwest::{Client, StatusCode, header};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Far more than anything here needs.
const GIVE_UP: Duration = Duration::from_secs(60);

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

fn command(data: &Path, model: &Loopback) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anteroom"));
    command
        .current_dir("/")
        .env_clear()
        .env("DATA_DIR", data)
        .env("MODEL", "loopback@openai")
        .env("OPENAI_BASE_URL", model.base_url());
    command
}

fn failed(mut command: Command) -> String {
    let Output { status, stderr, .. } = command.env("SITE_ADDR", "127.0.0.1:0").output().expect("it ran");
    let said = String::from_utf8(stderr).expect("text");
    assert_eq!(status.code(), Some(1), "{said}");
    said
}

/// A server, and a browser in front of it.
struct Site {
    child: Child,
    url: String,
    http: Client,
    cookie: String,
}

impl Site {
    async fn start(data: &Path, model: &Loopback, cookie: Option<&str>) -> Self {
        let free = TcpListener::bind("127.0.0.1:0")
            .and_then(|free| free.local_addr())
            .expect("a free port");
        let mut command = command(data, model);
        command
            .env("SITE_ADDR", free.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let mut child = command.spawn().expect("it runs");
        let mut greeting = String::new();
        BufReader::new(child.stdout.take().expect("it is piped"))
            .read_line(&mut greeting)
            .expect("a line");
        assert!(greeting.contains("http://"), "it does not start");
        anteroom::tls::install();
        let (url, http) = (
            format!("http://{free}"),
            Client::builder().no_proxy().build().expect("a client"),
        );
        let page = http.get(&url).header(header::ACCEPT, "text/html");
        let page = match cookie {
            Some(cookie) => page.header(header::COOKIE, cookie),
            None => page,
        };
        let page = page.send().await.expect("a page");
        assert_eq!(page.status(), StatusCode::OK);
        let fresh = page
            .headers()
            .get(header::SET_COOKIE)
            .map(|value| value.to_str().expect("text"));
        let fresh = fresh.and_then(|value| value.split(';').next()).map(str::to_owned);
        Self {
            child,
            url,
            http,
            cookie: cookie.map(str::to_owned).or(fresh).expect("a cookie"),
        }
    }

    async fn post(&self, function: &str, mime: &str, body: String) -> (StatusCode, String) {
        let post = self.http.post(format!("{}/api/{function}", self.url));
        let post = post
            .header(header::COOKIE, &self.cookie)
            .header(header::CONTENT_TYPE, mime);
        let response = post.timeout(GIVE_UP).body(body).send().await.expect("an answer");
        (response.status(), response.text().await.expect("text"))
    }

    async fn try_send(&self, text: &str) -> (StatusCode, String) {
        let request = SendRequest {
            turn: TurnId::new(),
            conversation: None,
            instead_of: None,
            text: text.to_owned(),
            files: Vec::new(),
            choice: None,
        };
        self.post("send", "application/json", json!({ "request": request }).to_string())
            .await
    }

    async fn send(&self, text: &str) -> Sent {
        let (status, reply) = self.try_send(text).await;
        assert_eq!(status, StatusCode::OK, "{reply}");
        serde_json::from_str(&reply).expect("JSON")
    }

    async fn view(&self, sent: &Sent) -> Option<ConversationView> {
        let form = "application/x-www-form-urlencoded";
        let (status, reply) = self
            .post("conversation", form, format!("id={}", sent.conversation))
            .await;
        assert_eq!(status, StatusCode::OK, "{reply}");
        serde_json::from_str(&reply).expect("JSON")
    }

    /// Sends, and waits until the answer is stored.
    async fn answered(&self, text: &str) -> Sent {
        let sent = self.send(text).await;
        self.until(&sent, |state| *state == TurnState::Done).await;
        sent
    }

    async fn until(&self, sent: &Sent, holds: impl Fn(&TurnState) -> bool) {
        let waited = tokio::time::timeout(GIVE_UP, async {
            while !self.view(sent).await.is_some_and(|view| holds(&view.turns[0].state)) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        waited.await.expect("the state in time");
    }

    async fn until_health(&self, holds: impl Fn(&str) -> bool) {
        let waited = tokio::time::timeout(GIVE_UP, async {
            while !holds(self.health().await["store"].as_str().expect("text")) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        waited.await.expect("the store's state in time");
    }

    async fn health(&self) -> Value {
        let response = self
            .http
            .get(format!("{}/health", self.url))
            .send()
            .await
            .expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        response.json().await.expect("JSON")
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn model() -> Loopback {
    Loopback::start(Config::default()).await.expect("a free port")
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
