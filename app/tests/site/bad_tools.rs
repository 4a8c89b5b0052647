//! Tools that do what a tool may do wrong: each is a sentence, keeps nobody else from anything, and leaves nothing behind.

#![cfg(unix)]

use std::{fs, path::Path, time::Duration};

use anteroom::wire::{StepState, ToolFault, TurnState};
use reqwest::header;
use serde_json::json;

use crate::support::{Browser, Html, Site, answer_of, soon};

/// Which does it all. It needs Python.
const SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/server.py");

fn has_python() -> bool {
    let found = std::process::Command::new("python3").arg("--version").output();
    let found = found.is_ok_and(|ran| ran.status.success());
    if !found {
        eprintln!("skipped: Python is not installed");
    }
    found
}

/// Whether this process is there, and is no mere entry of one that has ended.
fn lives(process: &str) -> bool {
    let state = fs::read_to_string(format!("/proc/{process}/stat"));
    state.is_ok_and(|state| {
        let state = state.rsplit(')').next().unwrap_or_default();
        !state.trim_start().starts_with('Z')
    })
}

/// The page of a conversation, in this language.
async fn page(browser: &Browser, path: &str, language: &str) -> Html {
    let asked = browser.get(path).header(header::ACCEPT, "text/html");
    let page = browser.ask(asked.header(header::ACCEPT_LANGUAGE, language)).await;
    Html::read(&page.text)
}

#[tokio::test]
async fn whatever_a_tool_does_wrong_is_a_sentence_and_nobody_elses_trouble() {
    if !has_python() || !Path::new("/proc/self/stat").exists() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name).display().to_string();
    let entry = |name: &str, timeout: u64| {
        json!({
            "command": "python3", "args": [SERVER, "--pids", file(name)], "leave": "allow", "limit": 1, "timeout": timeout,
        })
    };
    let servers = json!({ "mcpServers": { "bad": entry("bad", 60), "slow": entry("slow", 1) } });
    fs::write(file("mcp.json"), servers.to_string()).expect("written");
    let site = Site::start(&[("MCP_FILE", &file("mcp.json")), ("DEFAULT_CONCURRENCY_LIMIT", "1")]).await;
    let (browser, other) = (site.browser().await, site.browser().await);
    let failed = |fault| StepState::Failed { fault };
    for (tool, state, english, russian) in [
        (
            "slow__hang",
            failed(ToolFault::TimedOut),
            "failed: it took too long",
            "не удалось: вызов длился слишком долго",
        ),
        (
            "bad__huge",
            failed(ToolFault::TooLarge),
            "failed: what it returned is too large",
            "не удалось: результат слишком велик",
        ),
        (
            "bad__picture",
            failed(ToolFault::TooLarge),
            "failed: what it returned is too large",
            "не удалось: результат слишком велик",
        ),
        (
            "bad__script",
            StepState::Done,
            "<script>alert(1)</script>",
            "<script>alert(1)</script>",
        ),
        (
            "bad__die",
            failed(ToolFault::Ended),
            "failed: its server has ended",
            "не удалось: его сервер завершил работу",
        ),
    ] {
        let sent = browser.send(&format!("use tool {tool}")).await;
        // The only slot is somebody else's meanwhile.
        let beside = other.send("hello").await;
        assert_eq!(answer_of(&other, beside.turn).await.state, TurnState::Done, "{tool}");
        let turn = answer_of(&browser, sent.turn).await;
        assert_eq!(turn.state, TurnState::Done, "{tool}: {turn:?}");
        let states: Vec<_> = turn.steps.iter().map(|step| &step.state).collect();
        assert_eq!(states, [&state], "{tool}");
        site.until_load(0, 0).await;
        let path = format!("/c/{}", sent.conversation);
        for (language, said) in [("en", english), ("ru", russian)] {
            assert!(page(&browser, &path, language).await.says(said), "{tool}: {said}");
        }
    }
    let processes = ["bad", "slow"].map(|name| fs::read_to_string(file(name)).expect("written"));
    let all: Vec<_> = processes.iter().flat_map(|line| line.split(' ')).collect();
    soon("the end of the server", site.engine.shutdown(Duration::from_secs(5))).await;
    soon("the end of its programs", async {
        while all.iter().any(|process| lives(process)) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}
