//! The document of the API.

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
