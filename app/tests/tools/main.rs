//! Servers of tools in processes of their own: what is started, what it gets, and that nothing is left of it.

#![cfg(unix)]

mod conformance;
mod everything;
mod over_http;
mod persons;
mod processes;
mod sqlite;

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anteroom::{
    queue::Owner,
    settings::{LeaveRules, OwnValues, Secret, ToolServer, ToolSettings, ToolTransport},
    tools::{Asker, Content, Offered, Person, ToolError, ToolOutput, Tools, Wanted},
};
use serde_json::Value;

/// Far more than anything here needs.
const GIVE_UP: Duration = Duration::from_secs(60);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools")
}

fn server(name: &str, transport: ToolTransport) -> ToolServer {
    ToolServer {
        name: name.to_owned(),
        transport,
        limit: None,
        timeout: GIVE_UP,
        connect_timeout: GIVE_UP,
        idle: GIVE_UP,
        leave: LeaveRules::default(),
        only: None,
        own: OwnValues::default(),
        resources: true,
        prompts: true,
    }
}

fn program(command: &str, arguments: &[&str]) -> ToolTransport {
    ToolTransport::Program {
        command: command.to_owned(),
        args: arguments.iter().map(|text| Secret((*text).to_owned())).collect(),
        env: Vec::new(),
        cwd: None,
    }
}

fn settings(servers: impl IntoIterator<Item = ToolServer>) -> ToolSettings {
    ToolSettings {
        servers: servers.into_iter().map(Arc::new).collect(),
        keeper: Some(env!("CARGO_BIN_EXE_anteroom").into()),
        ..ToolSettings::default()
    }
}

/// The test's own server, in Python.
fn own(arguments: &[&str]) -> ToolTransport {
    let script = folder().join("server.py").display().to_string();
    program("python3", &[&[script.as_str()], arguments].concat())
}

async fn offered(tools: &Tools, name: &str) -> Offered {
    let offer = tokio::time::timeout(GIVE_UP, tools.offer(&Person::nobody(), |_| ()))
        .await
        .expect("in time");
    assert_eq!(offer.missing, []);
    tools
        .find(&Person::nobody(), name)
        .unwrap_or_else(|| panic!("{name} in {offer:?}"))
}

async fn call(tools: &Tools, name: &str, arguments: Value) -> Result<ToolOutput, ToolError> {
    let tool = offered(tools, name).await;
    let Value::Object(arguments) = arguments else {
        panic!("an object is needed")
    };
    let slot = tools.slot(&tool.server, Owner(1)).await;
    tools.call(&Person::nobody(), &tool, arguments, slot, |_| ()).await
}

/// All that it says.
async fn text(tools: &Tools, name: &str, arguments: Value) -> String {
    let output = call(tools, name, arguments).await.expect("a result");
    assert!(!output.failed, "{output:?}");
    said(&output)
}

fn said(output: &ToolOutput) -> String {
    let texts = output.content.iter().map(|piece| match piece {
        Content::Text(text) => text.as_str(),
        _ => "",
    });
    texts.collect()
}

/// The program of this package, where it is installed.
fn installed(package: &str) -> Option<String> {
    let program = folder().join(format!("node_modules/@modelcontextprotocol/{package}/dist/index.js"));
    let found = program.is_file().then(|| program.display().to_string());
    if found.is_none() {
        skip(package);
    }
    found
}

/// Says that a test is skipped, or fails where this variable says that it must not be.
fn skip(what: &str) {
    const REQUIRED: &str = "ANTEROOM_TEST_REQUIRE_TOOL_SERVERS";
    let required = std::env::var_os(REQUIRED).is_some_and(|value| !value.is_empty());
    assert!(!required, "{REQUIRED} is set, and {what} is not installed here");
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // Not by `eprintln!`: of a test that passes, the harness would keep it to itself.
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {what} is not installed");
}

/// Whether there is Python here.
fn has_python() -> bool {
    let found = std::process::Command::new("python3").arg("--version").output();
    let found = found.is_ok_and(|ran| ran.status.success());
    if !found {
        skip("Python");
    }
    found
}
