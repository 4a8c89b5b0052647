//! `anteroom key`, as an operator uses it, beside a server that runs and where none does.

#[expect(dead_code, reason = "other tests use more of it")]
mod process;

use std::{io::Write as _, path::Path, process::Output, time::Duration};

use anteroom_loopback::Loopback;
use axum::{
    Json, Router,
    http::HeaderMap,
    response::{IntoResponse as _, Response},
    routing::post,
};
use process::{GIVE_UP, Site, command, model};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Where a site keeps things, for as long as a test takes.
struct Place {
    data: TempDir,
    database: Option<String>,
}

impl Place {
    fn folder() -> Self {
        Self {
            data: tempfile::tempdir().expect("a folder"),
            database: None,
        }
    }

    /// `None`: there is no PostgreSQL here to test with.
    fn database() -> Option<Self> {
        let cluster = anteroom_pgtest::shared()?;
        Some(Self {
            database: Some(cluster.url(&cluster.database())),
            ..Self::folder()
        })
    }

    fn command(&self, model: &Loopback) -> std::process::Command {
        let mut command = command(self.data.path(), model);
        if let Some(database) = &self.database {
            command.env("DATABASE_URL", database);
            command.env("SECRET_KEY", "a-key-that-is-of-use-to-nobody-but-tests");
        }
        command
    }

    /// What `anteroom key` says; else its code and what it complains of.
    fn key(&self, model: &Loopback, arguments: &[&str]) -> Result<String, (Option<i32>, String)> {
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

async fn keys_are_made_and_revoked(place: &Place) {
    let model = model().await;
    let key = |arguments: &[&str]| place.key(&model, arguments);
    let list = || key(&["list"]).expect("listed");
    // Where no server has ever been.
    assert!(list().contains("There are no keys"));
    let first = key(&["add", "first", "--scopes", "chat,metrics"]).expect("made");
    let site = Site::run(place.command(&model), None).await;
    let me = until(&site, token(&first), StatusCode::OK).await;
    assert_eq!(me["name"], "first");
    assert_eq!(me["scopes"], json!(["chat", "metrics"]));
    // Beside one that runs, and takes messages meanwhile.
    let sent = site.send("a message").await;
    let second = key(&["add", "The second", "--expires", "90d"]).expect("made");
    let me = until(&site, token(&second), StatusCode::OK).await;
    assert_eq!(me["scopes"], json!(["chat", "tasks", "read"]));
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
    keys_are_made_and_revoked(&Place::folder()).await;
}

#[tokio::test]
async fn keys_are_made_and_revoked_in_a_database() {
    if let Some(place) = Place::database() {
        keys_are_made_and_revoked(&place).await;
    }
}

/// A server of tools that says whose key it was called with.
async fn whose(headers: HeaderMap, Json(message): Json<Value>) -> Response {
    let result = match message["method"].as_str() {
        Some("initialize") => json!({
            "protocolVersion": "2025-06-18", "capabilities": { "tools": {} }, "serverInfo": { "name": "t", "version": "1" },
        }),
        Some("tools/list") => json!({ "tools": [{
            "name": "whose", "inputSchema": { "type": "object" },
            "annotations": { "readOnlyHint": true, "openWorldHint": false },
        }] }),
        Some("tools/call") => {
            let said = ["x-user", "x-key"].map(|name| headers[name].to_str().expect("text"));
            json!({ "content": [{ "type": "text", "text": said.join(" ") }] })
        }
        Some(method) if method.starts_with("notifications/") => {
            return axum::http::StatusCode::ACCEPTED.into_response();
        }
        _ => {
            let error = json!({ "code": -32601, "message": "Method not found" });
            return Json(json!({ "jsonrpc": "2.0", "id": message["id"], "error": error })).into_response();
        }
    };
    Json(json!({ "jsonrpc": "2.0", "id": message["id"], "result": result })).into_response()
}

impl Place {
    /// Gives a key what a server of tools asks for: these lines, on the standard input.
    fn give(&self, model: &Loopback, mcp: &Path, arguments: &[&str], lines: &str) -> Result<String, String> {
        let mut command = self.command(model);
        command.env("MCP_FILE", mcp).args(["key", "tool"]).args(arguments);
        let piped = || std::process::Stdio::piped();
        let mut child = command
            .stdin(piped())
            .stdout(piped())
            .stderr(piped())
            .spawn()
            .expect("it runs");
        let mut input = child.stdin.take().expect("it is piped");
        // What is refused at once is read no more.
        let _ = input.write_all(lines.as_bytes());
        drop(input);
        let Output { status, stdout, stderr } = child.wait_with_output().expect("it ran");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        match status.success() {
            true => Ok(text(stdout)),
            false => Err(text(stderr)),
        }
    }
}

async fn a_key_is_given_what_a_server_of_tools_asks_for(place: &Place) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let url = format!("http://{}/mcp", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/mcp", post(whose))).await });
    let folder = tempfile::tempdir().expect("a folder");
    let mcp = folder.path().join("mcp.json");
    let input = |id: &str| json!({ "type": "promptString", "id": id, "password": true });
    let servers = json!({
        "inputs": [input("user"), input("key")],
        "mcpServers": {
            "who": { "url": url, "headers": { "X-User": "${input:user}", "X-Key": "${input:key}" } },
            "plain": { "url": url },
        },
    });
    std::fs::write(&mcp, servers.to_string()).expect("written");

    let model = model().await;
    let mut command = place.command(&model);
    command.env("MCP_FILE", &mcp);
    let site = Site::run(command, None).await;
    let token_of = |name: &str| token(&place.key(&model, &["add", name]).expect("made")).to_owned();
    let (first, second) = (token_of("first"), token_of("second"));
    for token in [&first, &second] {
        until(&site, token, StatusCode::OK).await;
    }
    let asked = async |token: &str| -> Value {
        let question = json!({ "message": "use tool who__whose" }).to_string();
        let request = site.http.post(format!("{}/api/v1/conversations", site.url));
        let request = request.bearer_auth(token).header("content-type", "application/json");
        let answer = request.body(question).send().await.expect("an answer");
        answer.json().await.expect("JSON")
    };
    // The other server has tools of its own, so the model tries.
    let without = async |token: &str| {
        let turn = asked(token).await;
        assert_eq!(turn["steps"][0]["fault"], "gone", "{turn}");
        assert_eq!(turn["notices"][0]["key_wanted"]["server"], "who", "{turn}");
    };
    without(&first).await;
    let give = |arguments: &[&str], lines: &str| place.give(&model, &mcp, arguments, lines);
    for (arguments, lines, told) in [
        (&["nobody", "who"][..], "a\nb\n", "no key called nobody"),
        (&["first", "nowhere"], "a\nb\n", "no server called nowhere"),
        (&["first", "plain"], "a\nb\n", "no server called plain"),
        (&["first", "who"], "only-one\n", "user, key"),
        (&["first", "who"], "a\nb\nc\n", "user, key"),
        (&["first", "who"], "a\n \n", "is empty"),
    ] {
        let said = give(arguments, lines).expect_err("it is refused");
        assert!(
            said.contains(told) && !said.contains("only-one"),
            "{arguments:?}: {said}"
        );
    }
    // Nothing has changed.
    without(&first).await;
    for (name, lines) in [("first", "anna\nannas-s3cr3t\n"), ("second", "boris\nboriss-s3cr3t")] {
        let said = give(&[name, "who"], lines).expect("kept");
        assert!(!said.contains("s3cr3t"), "{said}");
    }
    for (token, own) in [(&first, "anna annas-s3cr3t"), (&second, "boris boriss-s3cr3t")] {
        let turn = asked(token).await;
        assert_eq!(turn["steps"][0]["content"], json!([{ "text": own }]), "{turn}");
    }
    let removed = give(&["first", "who", "--remove"], "").expect("removed");
    assert!(removed.contains("is removed"), "{removed}");
    let removed = give(&["first", "who", "--remove"], "").expect("there is none");
    assert!(removed.contains("There was nothing"), "{removed}");
    without(&first).await;
    // Revoked and made again by the same name, it is another key.
    place.key(&model, &["revoke", "second"]).expect("revoked");
    let again = token_of("second");
    until(&site, &again, StatusCode::OK).await;
    without(&again).await;
}

#[tokio::test]
async fn a_key_is_given_what_a_server_of_tools_asks_for_in_a_data_directory() {
    a_key_is_given_what_a_server_of_tools_asks_for(&Place::folder()).await;
}

#[tokio::test]
async fn a_key_is_given_what_a_server_of_tools_asks_for_in_a_database() {
    if let Some(place) = Place::database() {
        a_key_is_given_what_a_server_of_tools_asks_for(&place).await;
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_told_and_nothing_is_made() {
    let (place, model) = (Place::folder(), model().await);
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
