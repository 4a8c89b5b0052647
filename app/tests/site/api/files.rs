//! Files of programs' messages: taken in, sent along, read back, and nobody else's.

use anteroom_loopback::Fleet;
use reqwest::{Body, StatusCode};
use serde_json::{Value, json};

use super::{chat::refused, keyed};
use crate::{
    files::PIXEL,
    papers::{long, pdf},
    support::{Nodes, Site, program::Program},
};

const FILES: &str = "/api/v1/files";

async fn uploaded(program: &Program, name: &str, content: impl Into<Body>) -> Value {
    let taken = program
        .ask(program.send(&format!("{FILES}?name={name}"), content))
        .await;
    assert_eq!(taken.status, StatusCode::OK, "{taken:?}");
    taken.json
}

async fn given(program: &Program, path: &str) -> (String, Vec<u8>) {
    let answer = program.get(path).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    let kind = answer.headers()["content-type"].to_str().expect("text").to_owned();
    (kind, answer.bytes().await.expect("a body").to_vec())
}

fn path_of(file: &Value) -> String {
    format!("{FILES}/{}", file["id"].as_str().expect("an id"))
}

#[tokio::test]
async fn an_answer_says_what_of_a_long_document_was_read_for_it() {
    let fleet = Fleet::start(["small".to_owned()]).await.expect("a free port");
    let folder = tempfile::tempdir().expect("a folder");
    let backends = folder.path().join("backends.toml");
    let server = fleet.servers()[0].backend_toml("models = [\"small\"]\ncontext = 8000");
    std::fs::write(&backends, server).expect("written");
    let backends = backends.display().to_string();
    let site = Site::start(&[("BACKENDS_FILE", &backends), ("MODEL", "small@small")]).await;
    let program = Program::new(site.addr);
    let report = uploaded(&program, "long.pdf", long(214)).await;
    let body = json!({ "message": "Where is zebra177 spoken of?", "files": [report["id"]] });
    let turn = program.ask(program.post("/api/v1/conversations", &body)).await.json;
    let read = turn["notices"][0]["excerpt"]["read"].as_u64().expect("how much");
    assert!((1..10).contains(&read), "{turn}");
    let notice = json!({ "excerpt": { "name": "long.pdf", "unit": "pages", "read": read, "of": 214 } });
    assert_eq!(turn["notices"], json!([notice]), "{turn}");
}

#[tokio::test]
async fn a_form_is_no_file() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    let form = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nhello\r\n--x--\r\n";
    for kind in ["multipart/form-data; boundary=x", "Multipart/Form-Data; boundary=x"] {
        let sent = program
            .send(&format!("{FILES}?name=a.txt"), form)
            .header("content-type", kind);
        let reply = program.ask(sent).await;
        assert_eq!(refused(&reply), (415, "request_invalid"));
        let said = reply.json["message"].as_str().expect("a sentence");
        assert!(said.contains("--data-binary"), "{said}");
    }
}

#[tokio::test]
async fn files_come_with_a_message_and_are_read_back() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    let notes = uploaded(&program, "notes.md", "# Remember the milk\n").await;
    let pixel = uploaded(&program, "pixel.png", PIXEL.to_vec()).await;
    assert_eq!((&notes["kind"], &notes["name"]), (&json!("text"), &json!("notes.md")));
    assert_eq!((&pixel["kind"], &pixel["mime"]), (&json!("image"), &json!("image/png")));
    let body = json!({ "message": "What is in these?", "files": [notes["id"], pixel["id"]] });
    let ask = || {
        program
            .post("/api/v1/conversations", &body)
            .header("idempotency-key", "k")
    };
    let turn = program.ask(ask()).await;
    assert_eq!(turn.json["state"], "done", "{turn:?}");
    assert_eq!(turn.json["files"], json!([notes, pixel]));
    {
        let record = site.model.record();
        let asked = &record.requests[0];
        assert!(asked.question.contains("Remember the milk"), "{asked:?}");
        assert_eq!(asked.images, 1);
    }
    let others = json!({ "message": "What is in these?", "files": [notes["id"]] });
    let others = program
        .post("/api/v1/conversations", &others)
        .header("idempotency-key", "k");
    assert_eq!(refused(&program.ask(others).await).0, 422, "another message");
    assert_eq!(program.ask(ask()).await.json, turn.json);
    let (kind, content) = given(&program, &path_of(&pixel)).await;
    assert_eq!((kind.as_str(), content.as_slice()), ("image/png", PIXEL));
    let (kind, content) = given(&program, &path_of(&notes)).await;
    assert!(kind.starts_with("text/plain"), "{kind}");
    assert_eq!(content, b"# Remember the milk\n");
    // In a message of its own, without words.
    let path = format!(
        "/api/v1/conversations/{}/turns",
        turn.json["conversation"].as_str().expect("an id")
    );
    let alone = json!({ "message": "", "files": [notes["id"]] });
    assert_eq!(program.ask(program.post(&path, &alone)).await.json["state"], "done");
}

#[tokio::test]
async fn a_document_is_read_into_text() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    let report = pdf(&["The first word is tea.".to_owned()]);
    let report = uploaded(&program, "report.pdf", report).await;
    assert_eq!(
        (&report["kind"], &report["paper"]["parts"]),
        (&json!("document"), &json!(1))
    );
    let (kind, text) = given(&program, &format!("{}/text", path_of(&report))).await;
    assert!(kind.starts_with("text/plain"), "{kind}");
    let text = String::from_utf8(text).expect("text");
    assert!(text.contains("The first word is tea."), "{text}");
    // What is no document has no text of its own.
    let notes = uploaded(&program, "notes.md", "plain").await;
    let none = program.ask(program.get(&format!("{}/text", path_of(&notes)))).await;
    assert_eq!(refused(&none), (404, "file_gone"));
}

#[tokio::test]
async fn bad_files_are_refused_and_nobody_has_anothers() {
    let site = Site::start(&[("MAX_UPLOAD_SIZE", "100KB")]).await;
    let (one, other) = (keyed(&site).await, keyed(&site).await);
    for (name, content, status) in [
        ("empty.txt", Vec::new(), 400),
        ("program.png", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec(), 415),
        ("large.txt", vec![b'x'; 200_000], 413),
    ] {
        let taken = one.ask(one.send(&format!("{FILES}?name={name}"), content)).await;
        assert_eq!(refused(&taken).0, status, "{name}");
    }
    let odd = one.ask(one.send(&format!("{FILES}?nme=x"), "x")).await;
    assert_eq!(refused(&odd), (400, "request_invalid"));
    let file = uploaded(&one, "mine.txt", "nobody else's").await;
    let browser = site.browser().await;
    let theirs = browser.uploaded("theirs.txt", "the browser's").await;
    for path in [
        path_of(&file),
        format!("{}/text", path_of(&file)),
        format!("{FILES}/{}", theirs.id),
        format!("{FILES}/x"),
    ] {
        assert_eq!(
            refused(&other.ask(other.get(&path)).await),
            (404, "file_gone"),
            "{path}"
        );
    }
    let body = json!({ "message": "What is in it?", "files": [file["id"]] });
    let stolen = other.ask(other.post("/api/v1/conversations", &body)).await;
    assert_eq!(refused(&stolen), (400, "attachment_gone"));
    let at_the_pages = browser.get(&format!("/files/{}", file["id"].as_str().expect("an id")));
    assert_eq!(browser.ask(at_the_pages).await.status, StatusCode::NOT_FOUND);
    assert_eq!(given(&one, &path_of(&file)).await.1, b"nobody else's");
}

#[tokio::test]
async fn a_file_goes_to_the_home_of_its_key_through_whichever_door_it_comes() {
    let nodes = Nodes::start(2, &[]).await;
    // Programs of a door's machine are one owner, at home at one of the two.
    let [here, there] = [0, 1].map(|node| Program::new(nodes.site(node).addr));
    let file = uploaded(&here, "notes.md", "# Remember the milk\n").await;
    for program in [&here, &there] {
        assert_eq!(given(program, &path_of(&file)).await.1, b"# Remember the milk\n");
    }
}
