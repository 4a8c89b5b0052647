//! OpenAI's own clients, which `cargo xtask test` installs, against a site.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anteroom::accounts::{Scope, Scopes};

use crate::{
    api::key_for,
    installed::{program, skip},
    support::Site,
};

/// Set to anything in the environment, these tests fail where the clients are not installed.
const REQUIRED: &str = "ANTEROOM_TEST_REQUIRE_OPENAI";

/// Where the programs are that use what is installed under this name.
pub(super) fn programs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

/// What a model server cannot do now is told at once, and not waited for.
const NOW: [(&str, &str); 1] = [("MODEL_OUTAGE_WAIT", "0")];

/// A site for programs of these folders.
async fn site(settings: &[(&str, &str)]) -> Site {
    let models = [("MODELS", "text-embedding-x@openai"), ("MODEL_RETRIES", "0")];
    let settings: Vec<_> = models.into_iter().chain(settings.iter().copied()).collect();
    Site::start(&settings).await
}

/// Runs a program of this folder in front of a site of its own.
pub(super) async fn run(command: Command, programs: &Path, settings: &[(&str, &str)]) {
    run_at(&site(settings).await, command, programs).await;
}

/// The same in front of this one.
async fn run_at(site: &Site, mut command: Command, programs: &Path) {
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

/// One of the tests for Python; `None`: its client is not installed, which has been said.
fn in_python(test: &str) -> Option<Command> {
    let Some(python) = program("openai", "python") else {
        skip(REQUIRED, "OpenAI's client for Python");
        return None;
    };
    let mut command = Command::new(python);
    command.arg("client.py").arg(test);
    Some(command)
}

async fn all_in_python(tests: &[&str], settings: &[(&str, &str)]) {
    for test in tests {
        let Some(command) = in_python(test) else { return };
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
    all_in_python(&tests, &[]).await;
}

#[tokio::test]
async fn openais_client_for_python_waits_and_goes() {
    let tests = [
        "waits_in_a_stream",
        "times_out_and_keeps_its_place",
        "times_out",
        "cancels",
    ];
    all_in_python(&tests, &[]).await;
    all_in_python(&["cancels_while_it_waits"], &[("QUEUE_ABANDON_AFTER", "0.5")]).await;
}

#[tokio::test]
async fn openais_client_for_python_tries_again() {
    all_in_python(&["tries_again"], &NOW).await;
    all_in_python(&["full"], &[("QUEUE_MAX_SIZE", "1")]).await;
}

#[tokio::test]
async fn openais_client_for_python_is_refused() {
    all_in_python(&["errors", "too_large", "ended_by_its_owner"], &[]).await;
    all_in_python(&["servers_faults"], &NOW).await;
    all_in_python(&["waits_too_long"], &[("QUEUE_MAX_WAIT", "0.5")]).await;
    all_in_python(&["is_answered_too_long"], &[("CHAT_TIMEOUT", "3")]).await;
}

#[tokio::test]
async fn openais_client_for_python_is_refused_by_its_key() {
    let Some(mut command) = in_python("keys") else { return };
    let site = site(&[]).await;
    let key = key_for(&site, Scopes::NONE.with(Scope::Metrics)).await;
    command.env("LIMITED_KEY", key);
    run_at(&site, command, &programs("openai")).await;
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
