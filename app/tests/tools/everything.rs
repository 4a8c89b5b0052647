//! The protocol's own example servers, which `cargo xtask test` installs.

use std::{fs, process::Stdio};

use serde_json::json;
use tokio::process::Command;

use super::*;

/// What the server that has everything returns, whichever way it is reached.
async fn has_everything(tools: &Tools) {
    let echo = text(tools, "s__echo", json!({ "message": "Hello" })).await;
    assert!(echo.contains("Hello"), "{echo}");
    let sum = text(tools, "s__get-sum", json!({ "a": 2, "b": 3 })).await;
    assert!(sum.contains('5'), "{sum}");
    let image = call(tools, "s__get-tiny-image", json!({})).await.expect("a result");
    let is_picture = |piece: &Content| matches!(piece, Content::Picture { mime, .. } if mime == "image/png");
    assert!(image.content.iter().any(is_picture), "{image:?}");
    let structured = text(tools, "s__get-structured-content", json!({ "location": "New York" })).await;
    assert!(structured.contains("temperature"), "{structured}");
    let links = call(tools, "s__get-resource-links", json!({ "count": 2 }))
        .await
        .expect("a result");
    let links = links
        .content
        .iter()
        .filter(|piece| matches!(piece, Content::Link { .. }));
    assert_eq!(links.count(), 2);
    let wrong = call(tools, "s__get-sum", json!({ "a": "two" })).await;
    assert!(
        matches!(&wrong, Err(ToolError::BadArguments(_))) || wrong.as_ref().is_ok_and(|output| output.failed),
        "{wrong:?}"
    );
    let tool = offered(tools, "s__trigger-long-running-operation").await;
    let told = std::sync::Mutex::new(0);
    let arguments = json!({ "duration": 1, "steps": 4 });
    let slot = tools.slot("s", Owner(1)).await;
    let arguments = arguments.as_object().expect("one").clone();
    let long = tools
        .call(&Person::nobody(), &tool, arguments, slot, |_| {
            *told.lock().expect("whole") += 1;
        })
        .await
        .expect("a result");
    assert!(said(&long).contains("ompleted"), "{long:?}");
    assert!(*told.lock().expect("whole") > 0, "it tells how far it is");
}

#[tokio::test]
async fn everything_works_with_a_program() {
    let Some(script) = installed("server-everything") else {
        return;
    };
    let tools = Tools::start(&settings([server("s", program("node", &[&script, "stdio"]))]));
    has_everything(&tools).await;
    tools.close().await;
}

#[tokio::test]
async fn everything_works_over_http() {
    let Some(script) = installed("server-everything") else {
        return;
    };
    let port = anteroom_pgtest::free_port();
    let _running = Command::new("node")
        .args([&script, "streamableHttp"])
        .env("PORT", port.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("it runs");
    let listens = async {
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(GIVE_UP, listens).await.expect("it listens");
    let url = ToolTransport::Http {
        url: Secret(format!("http://127.0.0.1:{port}/mcp")),
        headers: Vec::new(),
    };
    let tools = Tools::start(&settings([server("s", url)]));
    has_everything(&tools).await;
    tools.close().await;
}

#[tokio::test]
async fn files_are_read_within_their_folder_alone() {
    let Some(script) = installed("server-filesystem") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().canonicalize().expect("a path");
    let path = |name: &str| json!({ "path": root.join(name).display().to_string() });
    fs::write(root.join("a.txt"), "what stands in it").expect("written");
    let transport = program("node", &[&script, &root.display().to_string()]);
    let tools = Tools::start(&settings([server("files", transport)]));
    let content = text(&tools, "files__read_text_file", path("a.txt")).await;
    assert!(content.contains("what stands in it"), "{content}");
    let listed = text(&tools, "files__list_directory", path("")).await;
    assert!(listed.contains("a.txt"), "{listed}");
    let outside = call(&tools, "files__read_text_file", json!({ "path": "/etc/passwd" })).await;
    let outside = outside.expect("a result");
    assert!(outside.failed && !said(&outside).contains("root:"), "{outside:?}");
    let write = tools.find(&Person::nobody(), "files__write_file").expect("it is there");
    assert_eq!(write.leave, anteroom::tools::Leave::Ask);
    tools.close().await;
}

#[tokio::test]
async fn resources_become_files_and_prompts_text() {
    let Some(script) = installed("server-everything") else {
        return;
    };
    let tools = Tools::start(&settings([server("s", program("node", &[&script, "stdio"]))]));
    let all = tools.resources("s", &Asker::default()).await.expect("a list");
    let page = all.listed.iter().find(|one| one.uri.ends_with(".md")).expect("a page");
    let file = tools
        .read("s", &Wanted::Listed(page.uri.clone()), &Asker::default())
        .await;
    let file = file.expect("a file");
    assert!(
        file.name.starts_with("s – ") && file.name.ends_with(".md"),
        "{}",
        file.name
    );
    assert!(
        std::str::from_utf8(&file.content).is_ok_and(|text| text.contains('#')),
        "{file:?}"
    );
    let text = all
        .templates
        .iter()
        .find(|one| one.uri.contains("/text/"))
        .expect("a template");
    let wanted = Wanted::Filled {
        template: text.uri.clone(),
        values: [(text.variables[0].clone(), "1".to_owned())].into(),
    };
    let file = tools.read("s", &wanted, &Asker::default()).await.expect("a file");
    assert!(!file.content.is_empty(), "{file:?}");
    let elsewhere = Wanted::Listed("file:///etc/passwd".to_owned());
    assert_eq!(
        tools.read("s", &elsewhere, &Asker::default()).await,
        Err(ToolError::NotThere)
    );
    let prompts = tools.prompts("s", &Asker::default()).await.expect("a list");
    let plain = prompts.iter().find(|one| one.arguments.is_empty()).expect("one");
    let said = tools
        .prompt("s", &plain.key, [].into(), &Asker::default())
        .await
        .expect("a text");
    assert!(!said.text.is_empty(), "{said:?}");
    let asks = prompts
        .iter()
        .find(|one| one.arguments.iter().any(|argument| argument.required));
    let asks = asks.expect("one");
    let arguments = asks
        .arguments
        .iter()
        .map(|argument| (argument.key.clone(), "Paris".to_owned()));
    let said = tools
        .prompt("s", &asks.key, arguments.collect(), &Asker::default())
        .await;
    assert!(said.as_ref().is_ok_and(|said| said.text.contains("Paris")), "{said:?}");
    let without = tools.prompt("s", &asks.key, [].into(), &Asker::default()).await;
    assert!(
        matches!(without, Err(ToolError::BadArguments(_) | ToolError::Refused(_))),
        "{without:?}"
    );
    tools.close().await;
}
