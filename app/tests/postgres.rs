//! A site whose everything is in PostgreSQL, as its operator and its visitors meet it: real processes, a real server, real faults.
#![cfg(unix)]

mod process;

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use anteroom::wire::{FileView, TurnState};
use anteroom_loopback::Loopback;
use anteroom_pgtest::{Cluster, PASSWORD};
use process::{Site, failed, model};
use reqwest::{StatusCode, header};
use tempfile::TempDir;

const KEY: &str = "a key that is of use to nobody but tests";

/// A folder that nothing should be kept in, and what a server is started with.
struct Place {
    folder: TempDir,
    address: String,
}

impl Place {
    fn of(cluster: &Cluster) -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            address: cluster.url(&cluster.database()),
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, model: &Loopback) -> Command {
        let mut command = process::command(&self.data(), model);
        command
            .env("DATABASE_URL", &self.address)
            .env("SECRET_KEY", KEY.replace(' ', "-"));
        command
    }

    async fn start(&self, model: &Loopback, cookie: Option<&str>) -> Site {
        Site::run(self.command(model), cookie).await
    }
}

async fn upload(site: &Site, content: &'static [u8]) -> FileView {
    let upload = site.http.post(format!("{}/files?name=notes.txt", site.url));
    let upload = upload.header(header::COOKIE, &site.cookie).body(content);
    let response = upload.send().await.expect("an answer");
    assert_eq!(response.status(), StatusCode::OK);
    response.json().await.expect("JSON")
}

async fn download(site: &Site, file: &FileView) -> (StatusCode, Vec<u8>) {
    let download = site.http.get(format!("{}/files/{}", site.url, file.id));
    let response = download
        .header(header::COOKIE, &site.cookie)
        .send()
        .await
        .expect("an answer");
    (response.status(), response.bytes().await.expect("a body").to_vec())
}

#[tokio::test]
async fn a_site_is_kept_in_the_database_and_nowhere_else() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let (place, model) = (Place::of(cluster), model().await);
    let site = place.start(&model, None).await;
    let sent = site.answered("Кто там?").await;
    let file = upload(&site, b"some notes").await;
    assert_eq!(download(&site, &file).await, (StatusCode::OK, b"some notes".to_vec()));
    assert_eq!(site.health().await["store"], "ok");
    let cookie = site.cookie.clone();
    drop(site);
    assert!(!place.data().exists(), "nothing is kept in DATA_DIR");

    let site = place.start(&model, Some(&cookie)).await;
    let view = site.view(&sent).await.expect("it is there");
    assert_eq!(view.turns[0].state, TurnState::Done);
    assert_eq!(download(&site, &file).await, (StatusCode::OK, b"some notes".to_vec()));
}

#[tokio::test]
async fn the_password_is_shown_nowhere() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let (place, model) = (Place::of(cluster), model().await);
    let mut command = place.command(&model);
    command.env("RUST_LOG", "trace").env("OPERATOR_KEY", "0123456789abcdef");
    let log = place.folder.path().join("log");
    command.stderr(std::fs::File::create(&log).expect("made"));
    let site = Site::run(command, None).await;
    site.answered("hello").await;
    let link = site.http.get(format!("{}/operator?key=0123456789abcdef", site.url));
    let entered = link
        .header(header::COOKIE, &site.cookie)
        .send()
        .await
        .expect("an answer");
    let cookies = entered.headers().get_all(header::SET_COOKIE).iter();
    let cookies = cookies.filter_map(|cookie| cookie.to_str().ok()?.split(';').next().map(str::to_owned));
    let cookies: Vec<String> = cookies.chain([site.cookie.clone()]).collect();
    for page in ["", "stats", "logs", "health", "metrics"] {
        let page = site.http.get(format!("{}/{page}", site.url));
        let page = page
            .header(header::COOKIE, cookies.join("; "))
            .send()
            .await
            .expect("an answer");
        let text = page.text().await.expect("text");
        assert!(!text.contains(PASSWORD), "{text}");
    }
    drop(site);
    let said = std::fs::read_to_string(&log).expect("it logs");
    assert!(said.contains("conversations are kept here"), "{said}");
    let shown = said.lines().find(|line| line.contains(PASSWORD));
    assert_eq!(shown, None);
}

#[tokio::test]
async fn what_stands_in_the_way_of_a_start_is_said_in_a_sentence() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let (place, model) = (Place::of(cluster), model().await);
    let said = |change: &dyn Fn(&mut Command), parts: &[&str]| {
        let mut command = place.command(&model);
        change(&mut command);
        let said = failed(command);
        assert!(!said.contains(PASSWORD), "{said}");
        for part in parts {
            assert!(said.contains(part), "{part} is missing: {said}");
        }
    };
    said(
        &|command| {
            command.env_remove("SECRET_KEY");
        },
        &["SECRET_KEY", "openssl rand"],
    );
    let wrong = cluster.url_of("postgres", "wrong", "postgres");
    said(
        &|command| {
            command.env("DATABASE_URL", &wrong);
        },
        &["the role postgres", "DATABASE_URL"],
    );

    let site = place.start(&model, None).await;
    site.answered("hello").await;
    said(&|_| {}, &["is in use by another Anteroom", "process"]);
    drop(site);
    said(
        &|command| {
            command.env("SECRET_KEY", "another-key-than-the-one-of-before-it");
        },
        &["begun with another key", "SECRET_KEY"],
    );
    said(
        &|command| {
            command.args(["backup", "/nowhere.tar"]);
        },
        &["pg_dump", "docs/postgres.md"],
    );
    said(
        &|command| {
            command.args(["migrate", "--from", "/nowhere"]);
        },
        &["there is no database at /nowhere"],
    );
}

/// A restart of PostgreSQL while one is being answered and two wait, and one is sent in the middle of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_postgresql_costs_nobody_anything() {
    if !anteroom_pgtest::present() {
        return;
    }
    let (cluster, model) = (Cluster::start(), model().await);
    let place = Place::of(&cluster);
    let site = place.start(&model, None).await;
    let before = site.answered("before").await;
    model.hold(true);
    let mut sent = vec![site.send("runs").await];
    model.until(|record| record.now == 1).await;
    for text in ["waits", "waits behind it"] {
        sent.push(site.send(text).await);
    }
    for crash in [false, true] {
        if crash {
            cluster.crash();
        } else {
            cluster.stop();
        }
        let (meanwhile, read, ()) = tokio::join!(site.send("sent meanwhile"), site.view(&before), async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            tokio::task::block_in_place(|| cluster.start_again());
        });
        assert!(read.is_some(), "who reads is waited for, too");
        sent.push(meanwhile);
    }
    // One of them ends while there is no database.
    cluster.stop();
    model.hold(false);
    model.until(|record| record.now == 0 || record.requests.len() > 1).await;
    cluster.start_again();
    for one in &sent {
        site.until(one, |state| *state == TurnState::Done).await;
    }
    let cookie = site.cookie.clone();
    site.until_health(|store| store == "ok").await;
    drop(site);
    // Nothing of it was only shown, and nothing is asked again.
    let site = place.start(&model, Some(&cookie)).await;
    for one in &sent {
        let view = site.view(one).await.expect("it is there");
        let states: Vec<_> = view.turns.iter().map(|turn| &turn.state).collect();
        assert_eq!(states, [&TurnState::Done]);
    }
    let questions = model.record().requests.len();
    assert_eq!(questions, sent.len() + 1, "each was asked once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_told_and_found_to_be_over() {
    if !anteroom_pgtest::present() {
        return;
    }
    let (cluster, model) = (Cluster::start(), model().await);
    let place = Place::of(&cluster);
    let site = place.start(&model, None).await;
    model.hold(true);
    let file = upload(&site, b"some notes").await;
    let running = site.send("answered without a database").await;
    model.until(|record| record.now == 1).await;
    cluster.crash();
    // Nobody need do anything for that.
    site.until_health(|store| store.contains("the database cannot be reached"))
        .await;
    let (status, reply) = site.try_send("while it is away").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{reply}");
    assert!(
        reply.contains(r#"{"code":"message_not_kept","fault":"away"}"#),
        "{reply}"
    );
    assert!(reply.contains("cannot be reached at the moment"), "{reply}");
    let (status, _) = download(&site, &file).await;
    assert_eq!(
        status,
        StatusCode::SERVICE_UNAVAILABLE,
        "it is not gone, but nobody can look"
    );
    model.hold(false);
    model.until(|record| record.now == 0).await;
    cluster.start_again();
    site.until_health(|store| store == "ok").await;
    assert_eq!(download(&site, &file).await.0, StatusCode::OK);
    site.until(&running, |state| *state == TurnState::Done).await;
    site.answered("after").await;
}

#[tokio::test]
async fn a_site_in_sqlite_goes_over_with_everybody_and_all_that_waits() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let (place, model) = (Place::of(cluster), model().await);
    let data = place.data();
    let site = Site::start(&data, &model, None).await;
    let answered = site.answered("before").await;
    let file = upload(&site, b"some notes").await;
    model.hold(true);
    let mut waiting = Vec::new();
    for number in 0..5 {
        waiting.push(site.send(&format!("waits {number}")).await);
    }
    let cookie = site.cookie.clone();
    let migrate = |data: &Path| -> Output {
        let mut command = place.command(&model);
        command.env_remove("SECRET_KEY").args(["migrate", "--from"]).arg(data);
        command.output().expect("it ran")
    };
    let refused = migrate(&data);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("is in use by another Anteroom"), "{said}");
    // Killed: what waits is only on the disk.
    drop(site);
    let asked_before = model.record().requests.len();
    let done = migrate(&data);
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{done:?}");
    for part in [
        "6 conversations, 6 turns (5 of them",
        "1 files (10 bytes)",
        "secret.key",
    ] {
        assert!(said.contains(part), "{part} is missing: {said}");
    }
    let again = migrate(&data);
    assert_eq!(again.status.code(), Some(1));

    let mut command = place.command(&model);
    command.env_remove("SECRET_KEY");
    let site = Site::run(command, Some(&cookie)).await;
    assert_eq!(
        site.view(&answered).await.expect("it is there").turns[0].state,
        TurnState::Done
    );
    assert_eq!(download(&site, &file).await, (StatusCode::OK, b"some notes".to_vec()));
    model.hold(false);
    for one in &waiting {
        site.until(one, |state| *state == TurnState::Done).await;
    }
    let asked = model.record().requests.split_off(asked_before);
    let order: Vec<_> = asked.iter().map(|request| request.question.as_str()).collect();
    assert_eq!(order, ["waits 0", "waits 1", "waits 2", "waits 3", "waits 4"]);
}
