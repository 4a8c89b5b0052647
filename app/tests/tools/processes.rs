//! Programs, their environment, and their end.

use std::{fs, process::Command};

use anteroom::tools::{ServerState, Trouble};
use serde_json::json;

use super::*;

/// Whether this process is there, and is no mere entry of one that has ended.
fn lives(process: &str) -> bool {
    if Path::new("/proc/self/stat").exists() {
        let state = fs::read_to_string(format!("/proc/{process}/stat"));
        return state.is_ok_and(|state| {
            !state
                .rsplit(')')
                .next()
                .unwrap_or_default()
                .trim_start()
                .starts_with('Z')
        });
    }
    let shown = Command::new("ps")
        .args(["-o", "stat=", "-p", process])
        .output()
        .expect("ps runs");
    let state = String::from_utf8(shown.stdout).expect("text");
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}

/// Waits until none of these processes is there.
async fn until_gone(processes: &str) {
    let gone = async {
        while processes.split(' ').any(lives) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let waited = tokio::time::timeout(GIVE_UP, gone).await;
    assert!(waited.is_ok(), "some of {processes} are still there");
}

#[tokio::test]
async fn a_program_gets_what_it_is_given_and_nothing_else() {
    if !has_python() {
        return;
    }
    let mut transport = own(&["one", "two words"]);
    if let ToolTransport::Program { env, cwd, .. } = &mut transport {
        env.push(("GIVEN".to_owned(), Secret("1".to_owned())));
        *cwd = Some("/".into());
    }
    let tools = Tools::start(&settings([server("s", transport)]));
    let echo = text(&tools, "s__echo", json!({ "a": [1, "é"] })).await;
    let echo: Value = serde_json::from_str(&echo).expect("JSON");
    assert_eq!(
        echo,
        json!({ "arguments": { "a": [1, "é"] }, "argv": ["one", "two words"], "cwd": "/" })
    );
    let names = text(&tools, "s__environment", json!({})).await;
    let names: Vec<String> = serde_json::from_str(&names).expect("JSON");
    assert!(names.contains(&"GIVEN".to_owned()) && names.contains(&"PATH".to_owned()));
    // Where Python is started by a script, that and its shell add some of their own.
    let added = ["PWD", "OLDPWD", "SHLVL", "_", "LC_CTYPE"];
    let given = ["HOME", "LANG", "PATH", "TMPDIR"];
    let kept_back = std::env::vars().map(|(name, _)| name).filter(|name| {
        let name = name.as_str();
        !given.contains(&name) && !added.contains(&name) && !name.contains("PYENV")
    });
    let kept_back: Vec<_> = kept_back.collect();
    assert!(
        kept_back.contains(&"CARGO_MANIFEST_DIR".to_owned()),
        "there is more to be had"
    );
    let leaked: Vec<_> = names.iter().filter(|name| kept_back.contains(name)).collect();
    assert!(leaked.is_empty(), "{leaked:?}");
    let processes = text(&tools, "s__pid", json!({})).await;
    tools.close().await;
    until_gone(&processes).await;
}

#[tokio::test]
async fn one_that_ends_by_itself_is_told_apart_from_one_that_cannot_start() {
    if !has_python() {
        return;
    }
    let tools = Tools::start(&settings([
        server("dies", own(&[])),
        server("fails", own(&["--fail"])),
        server("missing", program("/no/such/program", &[])),
    ]));
    let offer = tokio::time::timeout(GIVE_UP, tools.offer(&Person::nobody(), |_| ()))
        .await
        .expect("in time");
    let missing: Vec<_> = offer
        .missing
        .iter()
        .map(|one| (one.server.as_str(), one.reason.clone()))
        .collect();
    assert_eq!(
        missing,
        [
            ("fails", Trouble::Ended { code: Some(3) }),
            ("missing", Trouble::CannotStart)
        ]
    );
    let die = tools.find(&Person::nobody(), "dies__die").expect("it is there");
    let slot = tools.slot("dies", Owner(1)).await;
    assert_eq!(
        tools
            .call(&Person::nobody(), &die, serde_json::Map::new(), slot, |_| ())
            .await,
        Err(ToolError::Died)
    );
    let ServerState::OutOfService { trouble, .. } = tools.view()[0].state.clone() else {
        panic!("{:?}", tools.view());
    };
    assert_eq!(trouble, Trouble::Ended { code: Some(3) });
    tools.close().await;
}

#[tokio::test]
async fn nothing_is_left_of_a_server_that_is_removed_however_stubborn() {
    if !has_python() {
        return;
    }
    let tools = Tools::start(&settings([
        server("meek", own(&[])),
        server("stubborn", own(&["--stubborn"])),
    ]));
    let meek = text(&tools, "meek__pid", json!({})).await;
    let stubborn = text(&tools, "stubborn__pid", json!({})).await;
    assert!(meek.split(' ').chain(stubborn.split(' ')).all(lives));
    tools.retune(&settings([]));
    until_gone(&meek).await;
    until_gone(&stubborn).await;
}

/// Set for the process that is killed: where its servers write their processes.
const HOLDS: &str = "ANTEROOM_TEST_HOLDS";

/// No test: the process that the next one kills.
#[tokio::test]
#[ignore = "it is started by another test"]
async fn holds_servers_until_it_is_killed() {
    let Some(folder) = std::env::var_os(HOLDS) else {
        return;
    };
    let file = |name: &str| Path::new(&folder).join(name).display().to_string();
    let tools = Tools::start(&settings([
        server("meek", own(&["--pids", &file("meek")])),
        server("stubborn", own(&["--stubborn", "--pids", &file("stubborn")])),
    ]));
    let _held = (
        offered(&tools, "meek__pid").await,
        offered(&tools, "stubborn__pid").await,
    );
    fs::write(Path::new(&folder).join("ready"), "").expect("written");
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn nothing_is_left_of_any_server_after_a_kill() {
    if !has_python() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut holder = Command::new(std::env::current_exe().expect("this one"))
        .args(["processes::holds_servers_until_it_is_killed", "--exact", "--ignored"])
        .env(HOLDS, folder.path())
        .spawn()
        .expect("it runs");
    let ready = async {
        while !folder.path().join("ready").exists() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(GIVE_UP, ready).await.expect("it is ready");
    let processes = ["meek", "stubborn"].map(|name| fs::read_to_string(folder.path().join(name)).expect("written"));
    assert!(processes.iter().flat_map(|all| all.split(' ')).all(lives));
    // SIGKILL: it has no chance to end anything.
    holder.kill().expect("killed");
    holder.wait().expect("it has ended");
    for processes in processes {
        until_gone(&processes).await;
    }
}
