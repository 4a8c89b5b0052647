//! OpenAI's own clients, which `cargo xtask test` installs, against a site.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::Site;

/// Set to anything in the environment, these tests fail where the clients are not installed.
const REQUIRED: &str = "ANTEROOM_TEST_REQUIRE_OPENAI";

/// Where the programs are that use what is installed under this name.
pub(super) fn programs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

/// The Python of this environment: in the folder of what is built, which this test is built into as well.
pub(super) fn python_of(name: &str) -> Option<PathBuf> {
    let test = std::env::current_exe().expect("the test's own file");
    let path = format!("xtask/{name}/bin/python");
    let python = test.ancestors().map(|folder| folder.join(&path));
    python.into_iter().find(|python| python.is_file())
}

/// Says that a test is skipped, or fails where this variable says that it must not be.
pub(super) fn skip(variable: &str, what: &str) {
    let required = std::env::var_os(variable).is_some_and(|value| !value.is_empty());
    assert!(!required, "{variable} is set, and {what} is not installed here");
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // Not by `eprintln!`: of a test that passes, the harness would keep it to itself.
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {what} is not installed");
}

/// Runs a program of this folder in front of a site of its own.
pub(super) async fn run(mut command: Command, programs: &Path, settings: &[(&str, &str)]) {
    let models = [("MODELS", "text-embedding-x@openai"), ("MODEL_RETRIES", "0")];
    let settings: Vec<_> = models.into_iter().chain(settings.iter().copied()).collect();
    let site = Site::start(&settings).await;
    command
        .current_dir(programs)
        .env("BASE_URL", format!("http://{}/v1", site.addr))
        .env("CONTROL_URL", format!("http://{}/control", site.model.addr))
        .env("NO_PROXY", "127.0.0.1");
    let ran = tokio::task::spawn_blocking(move || command.output())
        .await
        .expect("it ran");
    let ran = ran.expect("it can be run");
    let [out, err] = [&ran.stdout, &ran.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(ran.status.success(), "{out}{err}");
    site.until_load(0, 0).await;
}

async fn in_python(tests: &[&str], settings: &[(&str, &str)]) {
    let Some(python) = python_of("openai") else {
        return skip(REQUIRED, "OpenAI's client for Python");
    };
    for test in tests {
        let mut command = Command::new(&python);
        command.arg("client.py").arg(test);
        run(command, &programs("openai"), settings).await;
    }
}

#[tokio::test]
async fn openais_client_for_python_asks() {
    let tests = [
        "whole",
        "streamed",
        "tools",
        "embeddings",
        "models",
        "responses",
        "responses_call_tools",
    ];
    in_python(&tests, &[]).await;
}

#[tokio::test]
async fn openais_client_for_python_waits() {
    let tests = ["waits_in_a_stream", "times_out_and_keeps_its_place", "cancels"];
    in_python(&tests, &[]).await;
}

#[tokio::test]
async fn openais_client_for_python_is_refused() {
    in_python(&["errors"], &[]).await;
    in_python(&["full"], &[("QUEUE_MAX_SIZE", "1")]).await;
}

#[tokio::test]
async fn openais_client_for_javascript_asks_and_waits() {
    let programs = programs("openai");
    if !programs.join("node_modules/openai").is_dir() {
        return skip(REQUIRED, "OpenAI's client for JavaScript");
    }
    let mut command = Command::new("node");
    command.arg("client.mjs");
    run(command, &programs, &[]).await;
}
