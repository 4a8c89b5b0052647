//! What is for Python: run by it, with a key of the server that it asks.

use std::process::Command;

use super::{Way, of};
use crate::{
    Served,
    installed::{program, skip},
    process::GIVE_UP,
    run,
};

/// Set to anything in the environment, the test fails where OpenAI's client is not installed.
const REQUIRED: &str = "ANTEROOM_TEST_REQUIRE_OPENAI";

/// Makes a key, which the server knows by the time that this is over.
async fn key(served: &Served) -> String {
    let mut add = served.anteroom(&["key", "add", "a reader"]);
    add.env("DATA_DIR", served.folder.path()).env("MODEL", "demo@builtin");
    let (code, said, complaint) = run(add).await;
    assert_eq!(code, Some(0), "{complaint}");
    let key = said.lines().next().expect("a line").to_owned();
    let known = async {
        loop {
            let look = served.site.http.get(format!("{}/api/v1/key", served.site.url));
            let look = look.bearer_auth(&key).send().await.expect("an answer");
            let me: serde_json::Value = look.json().await.expect("JSON");
            if me["name"] == "a reader" {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(GIVE_UP, known)
        .await
        .expect("the server hears of it");
    key
}

#[tokio::test]
async fn every_program_of_the_documents_works() {
    let blocks = of(Way::Python);
    let Some(python) = program("openai", "python") else {
        return skip(REQUIRED, "OpenAI's client for Python");
    };
    let served = Served::start().await;
    let key = key(&served).await;
    for block in blocks {
        let here = block
            .text
            .replace("http://127.0.0.1:3000", &served.site.url)
            .replace("llama3.2@ollama", "loopback@openai")
            .replace("anteroom_…", &key);
        let mut command = Command::new(&python);
        command
            .args(["-c", &here])
            .current_dir(served.folder.path())
            .env("NO_PROXY", "127.0.0.1");
        let (code, out, complaint) = run(command).await;
        assert_eq!(code, Some(0), "{block:#?}\n{out}\n{complaint}");
        assert!(out.contains("Answer to: "), "{block:#?}\n{out}");
    }
    let asked = served.model.record().requests.len();
    assert!(asked > 0, "the model was asked");
}
