//! The document of the API.

use std::{io::Write as _, process::Command};

use serde_json::Value;

use crate::support::{Site, program::Program};

#[tokio::test]
async fn the_document_is_there_for_everybody() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    let elsewhere = program
        .get("/api/v1/openapi.json")
        .header("x-forwarded-for", "192.0.2.1");
    let document: Value = program.ask(elsewhere).await.json;
    assert!(
        document["openapi"]
            .as_str()
            .is_some_and(|version| version.starts_with("3.1")),
        "{document}"
    );
    for (path, method) in [
        ("/api/v1/chat", "post"),
        ("/api/v1/queue", "get"),
        ("/v1/chat/completions", "post"),
    ] {
        let operation = &document["paths"][path][method];
        assert!(operation["responses"]["200"].is_object(), "{path}");
        assert!(operation["responses"]["401"].is_object(), "{path}");
    }
}

/// Set to anything in the environment, the test fails where Schemathesis is not installed.
const REQUIRED: &str = "ANTEROOM_TEST_REQUIRE_SCHEMATHESIS";

#[tokio::test]
async fn whatever_is_asked_is_answered_as_described() {
    let test = std::env::current_exe().expect("the test's own file");
    // In the folder of what is built, which this test is built into as well.
    let mut installed = test
        .ancestors()
        .map(|folder| folder.join("xtask/schemathesis/bin/schemathesis"));
    let Some(schemathesis) = installed.find(|program| program.is_file()) else {
        let required = std::env::var_os(REQUIRED).is_some_and(|value| !value.is_empty());
        assert!(!required, "{REQUIRED} is set, and Schemathesis is not installed here");
        // Not by `eprintln!`: of a test that passes, the harness would keep it to itself.
        let _ = writeln!(
            std::io::stderr(),
            "skipped: whatever_is_asked_is_answered_as_described: Schemathesis is not installed"
        );
        return;
    };
    let site = Site::start(&[("MODELS", "text-embedding-x@openai")]).await;
    site.model.set("tokens", "2").expect("a knob");
    let checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
    let mut command = Command::new(schemathesis);
    command
        .arg("run")
        .arg(format!("http://{}/api/v1/openapi.json", site.addr))
        .args([
            "--checks",
            checks,
            "--phases",
            "examples,coverage,fuzzing",
            "--max-examples",
            "10",
        ])
        // The same requests each time.
        .args([
            "--seed",
            "1",
            "--continue-on-failure",
            "--no-color",
            "--warnings",
            "off",
        ])
        .current_dir(site.data())
        .env("NO_PROXY", "127.0.0.1");
    let ran = tokio::task::spawn_blocking(move || command.output())
        .await
        .expect("it ran");
    let ran = ran.expect("it can be run");
    let [out, err] = [&ran.stdout, &ran.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(ran.status.success(), "{out}{err}");
    assert!(out.contains("Tested: "), "{out}");
}
