//! Everything of a program, deleted: by whoever means it, and nothing of anybody else's.

use anteroom::accounts::{Scope, Scopes};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{chat::refused, keyed, keyed_for};
use crate::{
    support::{Site, program::Program},
    tasks::{accepted, over},
};

const FORGET: &str = "/api/v1/forget";
const LIST: &str = "/api/v1/conversations";

async fn confirmation(program: &Program) -> Value {
    let asked = program.ask(program.get(FORGET)).await;
    assert_eq!(asked.status, StatusCode::OK, "{asked:?}");
    asked.json
}

/// How many conversations and tasks there are.
async fn has(program: &Program) -> [usize; 2] {
    let mut counts = [0; 2];
    for (count, (path, name)) in counts
        .iter_mut()
        .zip([(LIST, "conversations"), ("/api/v1/tasks", "tasks")])
    {
        let list = program.ask(program.get(path)).await.json;
        *count = list[name].as_array().expect("a list").len();
    }
    counts
}

#[tokio::test]
async fn everything_is_deleted_by_whoever_means_it() {
    let site = Site::start(&[("CHAT_CONCURRENCY_LIMIT", "1")]).await;
    let (program, other) = (keyed(&site).await, keyed(&site).await);
    let mut files = Vec::new();
    for who in [&program, &other] {
        let task = accepted(who, &json!({ "message": "A task" })).await.remove(0);
        over(who, &task).await;
        let file = who.ask(who.send("/api/v1/files?name=a.txt", "A file")).await.json;
        let body = json!({ "message": "Read it", "files": [file["id"]] });
        let said = who.ask(who.post(LIST, &body)).await;
        assert_eq!(said.status, StatusCode::OK, "{said:?}");
        files.push(format!("/api/v1/files/{}", file["id"].as_str().expect("an id")));
    }
    // What runs and what waits goes, too.
    site.model.hold(true);
    for message in ["Runs", "Waits"] {
        let body = json!({ "message": message, "wait": false });
        assert_eq!(
            program.ask(program.post(LIST, &body)).await.status,
            StatusCode::ACCEPTED
        );
    }
    accepted(&program, &json!({ "message": "Waits as well" })).await;
    site.until_load(1, 2).await;

    let (own, others) = (confirmation(&program).await, confirmation(&other).await);
    assert_ne!(own, others);
    for (body, reason) in [
        (&others, (403, "forget_unconfirmed")),
        (&json!({ "confirmation": "" }), (403, "forget_unconfirmed")),
        (&json!({}), (400, "request_invalid")),
    ] {
        assert_eq!(refused(&program.ask(program.post(FORGET, body)).await), reason);
    }
    assert_eq!(has(&program).await, [3, 2]);
    let forgotten = program.post(FORGET, &own).send().await.expect("an answer");
    assert_eq!(forgotten.status(), StatusCode::NO_CONTENT);
    assert_eq!(has(&program).await, [0, 0]);
    site.until_load(0, 0).await;
    let gone = program.ask(program.get(&files[0])).await;
    assert_eq!(refused(&gone), (404, "file_gone"));
    assert_eq!(has(&other).await, [1, 1]);
    assert!(
        other
            .get(&files[1])
            .send()
            .await
            .expect("an answer")
            .status()
            .is_success()
    );
    // The key begins anew.
    site.model.hold(false);
    let said = program.ask(program.post(LIST, &json!({ "message": "Again" }))).await;
    assert_eq!(
        (said.status, &said.json["state"]),
        (StatusCode::OK, &json!("done")),
        "{said:?}"
    );
    assert_eq!(confirmation(&program).await, own);
}

#[tokio::test]
async fn it_takes_a_key_that_may_do_both() {
    let site = Site::start(&[]).await;
    for (scopes, lacks) in [
        ([Scope::Chat, Scope::Read], "tasks"),
        ([Scope::Tasks, Scope::Read], "chat"),
    ] {
        let program = keyed_for(&site, scopes.into_iter().fold(Scopes::NONE, Scopes::with)).await;
        let own = confirmation(&program).await;
        let reply = program.ask(program.post(FORGET, &own)).await;
        assert_eq!(refused(&reply), (403, "key_may_not"));
        assert_eq!(reply.json["reason"]["name"], lacks);
    }
}
