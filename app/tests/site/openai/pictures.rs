//! Pictures in requests of programs: they arrive at a model that sees, and are refused by one that does not.

use anteroom_loopback::Fleet;
use serde_json::{Value, json};

use crate::support::{
    Site,
    program::{Program, Whole, saying},
};

/// The smallest GIF there is.
const PICTURE: &str = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";

fn picture(model: &str, text: &str) -> Value {
    json!({ "model": model, "messages": [{ "role": "user", "content": [
        { "type": "text", "text": text },
        { "type": "image_url", "image_url": { "url": PICTURE, "detail": "low" } },
    ] }] })
}

/// The same, as a stream where that is wanted.
fn asking(model: &str, streams: bool) -> Value {
    let mut body = picture(model, "What is in it?");
    body["stream"] = json!(streams);
    body
}

fn is_refused(refused: &Whole) {
    let error = refused.error();
    assert_eq!(
        (refused.status.as_u16(), &error["type"], &error["param"]),
        (400, &json!("invalid_request_error"), &json!("messages")),
        "{refused:?}"
    );
    assert!(
        error["message"].as_str().is_some_and(|said| said.contains("pictures")),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_model_that_sees_gets_pictures_as_they_were_sent() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    let told = program
        .ask(program.chat(&picture("loopback@openai", "[[reply=request]] What is in it?")))
        .await;
    let arrived: Value = serde_json::from_str(told.content()).expect("JSON");
    assert_eq!(
        arrived["messages"][0]["content"][1]["image_url"],
        json!({ "url": PICTURE, "detail": "low" })
    );
    let mut stream = program.stream(program.chat(&asking("loopback@openai", true))).await;
    assert!(!stream.content().await.is_empty());
    // OpenAI's newer way to ask says the same in other words.
    let newer = json!({ "model": "loopback@openai", "input": [{ "role": "user", "content": [
        { "type": "input_text", "text": "What is in it?" },
        { "type": "input_image", "image_url": PICTURE },
    ] }] });
    let newer = program.ask(program.post("/v1/responses", &newer)).await;
    assert_eq!(newer.status.as_u16(), 200, "{newer:?}");
    let record = site.model.record();
    let images: Vec<_> = record.requests.iter().map(|request| request.images).collect();
    assert_eq!(images, [1, 1, 1]);
}

#[tokio::test]
async fn a_model_that_turns_out_to_be_blind_refuses_them() {
    let site = Site::start(&[]).await;
    site.model.set("vision", "false").expect("set");
    let program = Program::new(site.addr);
    for streams in [false, true] {
        is_refused(&program.ask(program.chat(&asking("loopback@openai", streams))).await);
    }
    assert_eq!(site.model.record().requests.len(), 2, "nothing is tried again");
    // It is the question's fault, not the server's: that stays in service.
    assert!(!program.ask(program.chat(&saying("Well?"))).await.content().is_empty());
}

#[tokio::test]
async fn a_model_that_is_known_to_be_blind_is_not_asked() {
    let fleet = Fleet::start(["eyeless".to_owned()]).await.expect("a free port");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("backends.toml");
    let more = "models = [\"eyeless\"]\nvision = false";
    std::fs::write(&file, fleet.servers()[0].backend_toml(more)).expect("written");
    let file = file.display().to_string();
    let site = Site::start(&[("BACKENDS_FILE", &file), ("MODEL", "eyeless@eyeless")]).await;
    let program = Program::new(site.addr);
    for streams in [false, true] {
        is_refused(&program.ask(program.chat(&asking("eyeless@eyeless", streams))).await);
    }
    assert!(fleet.servers()[0].record().requests.is_empty());
    let words = json!({ "model": "eyeless@eyeless", "messages": [{ "role": "user", "content": "Well?" }] });
    assert!(!program.ask(program.chat(&words)).await.content().is_empty());
}
