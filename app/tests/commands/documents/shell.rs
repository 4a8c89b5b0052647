//! What is for a shell: run by one, in front of a server, with an answer each.

use std::{
    collections::BTreeSet,
    process::{Command, Stdio},
};

use serde_json::Value;

use super::{Way, answers::is_alike, blocks::Block, of};
use crate::{Served, run};

/// What a shell is told before: `curl` fails where a server refuses, and says the status; ids in addresses are those of the answer before.
const BEFORE: &str = r#"set -eu
last=
curl() {
  answer=$(command curl --silent --show-error --fail-with-body --write-out '%{stderr}status %{http_code}\n' "$@") || { printf '%s\n' "$answer"; return 22; }
  printf '%s\n' "$answer"
  last=$(printf '%s\n' "$answer" | sed -n 's/.*"id":"\([^"]*\)".*/\1/p' | tail -n 1)
}
"#;

/// The block as a script for this server.
fn script(served: &Served, block: &Block) -> String {
    let folder = served.folder.path().display().to_string();
    // Of cron's lines the command alone, in which a `%` has to be escaped.
    let text = match block.text.split_once("* * *  ") {
        Some((_, command)) => command.replace("\\%", "%"),
        None => block.text.clone(),
    };
    let backups = tempfile::tempdir_in(&folder).expect("a folder").keep();
    let here = text
        .replace("http://127.0.0.1:3000", &served.site.url)
        .replace("llama3.2@ollama", "loopback@openai")
        .replace("/0190…", "/$last")
        .replace("/srv/anteroom", &folder)
        .replace("/backups/", &format!("{}/", backups.display()));
    let binary = env!("CARGO_BIN_EXE_anteroom");
    format!("{BEFORE}anteroom() {{ '{binary}' \"$@\"; }}\n{here}")
}

/// Runs it, and compares what it gets with what the block says that it gets.
async fn works(served: &Served, block: &Block) -> String {
    let mut shell = Command::new("sh");
    let path = std::env::var_os("PATH").unwrap_or_default();
    shell
        .args(["-c", &script(served, block)])
        .current_dir(served.folder.path())
        .env_clear()
        .env("PATH", path)
        .env("NO_PROXY", "127.0.0.1")
        .env("ANTEROOM_URL", &served.site.url)
        .env("DATA_DIR", served.folder.path())
        .env("MODEL", "demo@builtin")
        .stdin(Stdio::null());
    let (code, out, complaint) = run(shell).await;
    assert_eq!(code, Some(0), "{block:#?}\n{out}\n{complaint}");
    let (statuses, complaints): (Vec<_>, Vec<_>) = complaint.lines().partition(|line| line.starts_with("status "));
    assert!(!out.trim().is_empty() || !complaints.is_empty(), "{block:#?}");
    for shown in block.text.lines().filter_map(|line| line.strip_prefix("# ")) {
        let Some((status, body)) = shown.split_once(" {") else {
            continue;
        };
        let body: Value = serde_json::from_str(&format!("{{{body}")).expect("an answer is shown whole");
        let said: BTreeSet<_> = statuses.iter().filter_map(|line| line.split(' ').nth(1)).collect();
        assert!(said.contains(status), "{shown}: {statuses:?}");
        let mut answers = out.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        assert!(answers.any(|answer| is_alike(&body, &answer)), "{shown}: {out}");
    }
    out
}

#[tokio::test]
async fn every_command_of_the_documents_works() {
    let served = Served::start().await;
    served.file("batch.jsonl", "\"Hello\"\n");
    let mut of_keys = 0;
    for block in of(Way::Shell) {
        if !block.text.contains("anteroom key ") {
            works(&served, &block).await;
            continue;
        }
        // The first key ends it that programs of this machine need none.
        let served = Served::start().await;
        let out = works(&served, &block).await;
        assert!(out.lines().any(|line| line.starts_with("anteroom_")), "{out}");
        of_keys += 1;
    }
    assert!(of_keys > 0, "keys are made in no example any more");
}
