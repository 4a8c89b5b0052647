//! The document of the API.

use std::process::Command;

use serde_json::Value;

use crate::{
    installed::{program, skip},
    support::{Site, program::Program},
};

#[tokio::test]
async fn the_document_is_there_for_everybody() {
    let site = Site::start(&[]).await;
    let asker = Program::new(site.addr);
    let elsewhere = asker.get("/api/v1/openapi.json").header("x-forwarded-for", "192.0.2.1");
    let document: Value = asker.ask(elsewhere).await.json;
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
    let Some(schemathesis) = program("schemathesis", "schemathesis") else {
        return skip(REQUIRED, "Schemathesis");
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
