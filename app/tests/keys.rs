//! `anteroom key`, as an operator uses it, beside a server that runs and where none does.

#[expect(dead_code, reason = "other tests use more of it")]
mod process;

use std::{path::Path, process::Output, time::Duration};

use anteroom_loopback::Loopback;
use process::{GIVE_UP, Site, command, model};
use reqwest::StatusCode;
use serde_json::Value;

/// Where a site keeps things.
#[derive(Clone, Copy)]
struct Place<'a> {
    data: &'a Path,
    database: Option<&'a str>,
}

impl Place<'_> {
    fn command(self, model: &Loopback) -> std::process::Command {
        let mut command = command(self.data, model);
        if let Some(database) = self.database {
            command.env("DATABASE_URL", database);
            command.env("SECRET_KEY", "a-key-that-is-of-use-to-nobody-but-tests");
        }
        command
    }

    /// What `anteroom key` says; else its code and what it complains of.
    fn key(self, model: &Loopback, arguments: &[&str]) -> Result<String, (Option<i32>, String)> {
        let mut command = self.command(model);
        let Output { status, stdout, stderr } = command.arg("key").args(arguments).output().expect("it ran");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        if status.success() {
            return Ok(text(stdout));
        }
        Err((status.code(), text(stderr)))
    }
}

/// The token, which stands alone in the first line.
fn token(said: &str) -> &str {
    let token = said.lines().next().expect("a line");
    assert!(token.starts_with("anteroom_") && token.len() == 106, "{said}");
    token
}

/// Asks until the answer has this status: a server hears of a key by itself.
async fn until(site: &Site, token: &str, status: StatusCode) -> Value {
    let asked = async {
        loop {
            let request = site.http.get(format!("{}/api/v1/key", site.url)).bearer_auth(token);
            let response = request.send().await.expect("an answer");
            if response.status() == status {
                return response.json().await.expect("JSON");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(GIVE_UP, asked).await.expect("in time")
}

/// Asks until these are the rates in force.
async fn bounded(site: &Site, token: &str, [requests, tokens]: [Value; 2]) {
    let asked = async {
        loop {
            let me = until(site, token, StatusCode::OK).await;
            if me["requests_per_minute"] == requests && me["tokens_per_minute"] == tokens {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(GIVE_UP, asked).await.expect("in time");
}

async fn keys_are_made_and_revoked(place: Place<'_>) {
    let model = model().await;
    let key = |arguments: &[&str]| place.key(&model, arguments);
    let list = || key(&["list"]).expect("listed");
    // Where no server has ever been.
    assert!(list().contains("There are no keys"));
    let first = key(&["add", "first", "--scopes", "chat,metrics"]).expect("made");
    let site = Site::run(place.command(&model), None).await;
    let me = until(&site, token(&first), StatusCode::OK).await;
    assert_eq!(me["name"], "first");
    assert_eq!(me["scopes"], serde_json::json!(["chat", "metrics"]));
    // Beside one that runs, and takes messages meanwhile.
    let sent = site.send("a message").await;
    let second = key(&["add", "The second", "--expires", "90d"]).expect("made");
    let me = until(&site, token(&second), StatusCode::OK).await;
    assert_eq!(me["scopes"], serde_json::json!(["chat", "tasks", "read"]));
    assert!(me["expires_at"].is_u64());
    site.until(&sent, |state| *state == anteroom::wire::TurnState::Done)
        .await;
    let (code, said) = key(&["add", "first"]).expect_err("its name is taken");
    assert!(code == Some(1) && said.contains("called first already"), "{said}");
    let listed = list();
    for part in ["first", "The second", "chat,metrics", "never expires", "expires 2"] {
        assert!(listed.contains(part), "{part} is missing: {listed}");
    }
    for token in [&first, &second].map(|said| token(said)) {
        assert!(!listed.contains(&token[token.len() - 64..]), "it is shown once");
    }
    // Other rates, for the same key and at once.
    assert_eq!(me["requests_per_minute"], Value::Null);
    let said = key(&[
        "set",
        "The second",
        "--requests-per-minute",
        "500",
        "--tokens-per-minute",
        "90000",
    ]);
    let said = said.expect("set");
    assert!(
        said.contains("500 requests a minute and 90000 tokens a minute"),
        "{said}"
    );
    bounded(&site, token(&second), [500.into(), 90_000.into()]).await;
    assert!(list().contains("500 requests a minute and 90000 tokens a minute"));
    key(&["set", "The second", "--tokens-per-minute", "none"]).expect("set");
    bounded(&site, token(&second), [500.into(), Value::Null]).await;
    let third = key(&["add", "third", "--requests-per-minute", "7"]).expect("made");
    assert!(third.contains("7 requests a minute"), "{third}");
    until(&site, token(&third), StatusCode::OK).await;
    bounded(&site, token(&third), [7.into(), Value::Null]).await;
    key(&["revoke", "third"]).expect("revoked");
    let (code, said) = key(&["set", "third", "--requests-per-minute", "8"]).expect_err("it is revoked");
    assert!(code == Some(1) && said.contains("no key called third"), "{said}");
    key(&["revoke", "first"]).expect("revoked");
    let refused = until(&site, token(&first), StatusCode::UNAUTHORIZED).await;
    assert_eq!(refused["reason"]["code"], "key_revoked");
    until(&site, token(&second), StatusCode::OK).await;
    let (code, said) = key(&["revoke", "first"]).expect_err("it is revoked already");
    assert!(code == Some(1) && said.contains("no key called first"), "{said}");
    // The server has not been disturbed.
    site.answered("another message").await;
    assert_eq!(site.health().await["store"], "ok");
    drop(site);
    // And where one has been.
    let id = me["id"].as_str().expect("text");
    key(&["revoke", id]).expect("revoked");
    assert_eq!(list().matches("revoked 2").count(), 3);
}

#[tokio::test]
async fn keys_are_made_and_revoked_in_a_data_directory() {
    let data = tempfile::tempdir().expect("a folder");
    let place = Place {
        data: data.path(),
        database: None,
    };
    keys_are_made_and_revoked(place).await;
}

#[tokio::test]
async fn keys_are_made_and_revoked_in_a_database() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let data = tempfile::tempdir().expect("a folder");
    let database = cluster.url(&cluster.database());
    let place = Place {
        data: data.path(),
        database: Some(&database),
    };
    keys_are_made_and_revoked(place).await;
}

#[tokio::test]
async fn what_makes_no_sense_is_told_and_nothing_is_made() {
    let (data, model) = (tempfile::tempdir().expect("a folder"), model().await);
    let place = Place {
        data: data.path(),
        database: None,
    };
    for (arguments, told) in [
        (&["add"][..], "name"),
        (&["add", "bot", "--scopes", "everything"], "everything"),
        (&["add", "bot", "--expires", "soon"], "soon"),
        (&["add", "bot", "--requests-per-minute", "0"], "from 1 to 1000000"),
        (&["set", "bot", "--tokens-per-minute", "lots"], "lots"),
        (&["set", "bot"], "say what is to be set"),
        (&["frobnicate"], "frobnicate"),
        (&[], "subcommand"),
    ] {
        let (code, said) = place.key(&model, arguments).expect_err("it is refused");
        assert!(code == Some(2) && said.contains(told), "{arguments:?}: {said}");
    }
    for name in [
        "",
        " ",
        "a\nb",
        "00000000-0000-0000-0000-000000000001",
        &"x".repeat(101),
    ] {
        let (code, said) = place.key(&model, &["add", name]).expect_err("it is refused");
        assert!(
            code == Some(1) && said.contains("a key needs a name"),
            "{name:?}: {said}"
        );
    }
    assert!(
        place
            .key(&model, &["list"])
            .expect("listed")
            .contains("There are no keys")
    );
}
