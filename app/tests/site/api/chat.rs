//! Questions and whole answers.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    Site,
    program::{Program, Whole},
    soon,
};

/// The code of a refusal, whose sentence is there.
pub(super) fn refused(whole: &Whole) -> (u16, &str) {
    assert!(
        whole.json["message"]
            .as_str()
            .is_some_and(|message| !message.is_empty()),
        "{whole:?}"
    );
    (
        whole.status.as_u16(),
        whole.json["reason"]["code"].as_str().expect("a code"),
    )
}

#[tokio::test]
async fn a_question_is_answered() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    for path in ["/api/v1/chat", "/chat"] {
        let body = json!({ "message": "Hello [[tokens=3 reasoning=2]]" });
        let answer = program.ask(program.post(path, &body)).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert_eq!(answer.json["text"], "Answer to: Hello\n\nword1 word2 ");
        assert_eq!(answer.json["model"], "loopback@openai");
        assert_eq!(answer.json["finish"], "stop");
        assert!(
            answer.json["reasoning"]
                .as_str()
                .is_some_and(|thoughts| !thoughts.is_empty())
        );
        assert_eq!(answer.json["usage"]["output"], 5, "thoughts count too");
        assert_eq!(answer.header("x-anteroom-position"), Some("0"));
    }
}

#[tokio::test]
async fn what_is_asked_reaches_the_model() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    let body = json!({
        "messages": [
            { "role": "user", "content": "One" },
            { "role": "assistant", "content": "Two" },
            { "role": "user", "content": "[[reply=request]] Three" },
        ],
        "model": "loopback",
        "system": "Be kind.",
        "temperature": 0.5,
        "max_tokens": 7,
    });
    let answer = program.ask(program.post("/api/v1/chat", &body)).await;
    assert_eq!(answer.json["model"], "loopback", "as it was called: {answer:?}");
    let asked: Value = serde_json::from_str(answer.json["text"].as_str().expect("a text")).expect("JSON");
    assert_eq!(asked["messages"][0], json!({ "role": "system", "content": "Be kind." }));
    assert_eq!(
        asked["messages"][3],
        json!({ "role": "user", "content": "[[reply=request]] Three" })
    );
    assert_eq!((&asked["temperature"], &asked["max_tokens"]), (&json!(0.5), &json!(7)));
}

#[tokio::test]
async fn the_demo_model_answers_too() {
    let site = Site::start(&[("MODEL", "demo@builtin")]).await;
    let program = Program::new(site.addr);
    let answer = program
        .ask(program.post("/api/v1/chat", &json!({ "message": "2+2", "max_tokens": 50 })))
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.json["model"], "demo@builtin");
    assert!(answer.json["text"].as_str().is_some_and(|text| !text.is_empty()));
}

#[tokio::test]
async fn what_cannot_be_taken_is_refused_with_what_is_wrong() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    for path in ["/api/v1/chat", "/api/v1/chat/stream"] {
        for (body, status) in [
            (json!({}), 400),
            (json!({ "message": "" }), 400),
            (json!({ "message": " \u{200b}" }), 400),
            (json!({ "message": 1 }), 400),
            (json!({ "messages": [] }), 400),
            (json!({ "message": "x", "messages": [] }), 400),
            (json!({ "messages": [{ "role": "assistant", "content": "x" }] }), 400),
            (json!({ "message": "x", "temperature": 3 }), 400),
            (json!({ "message": "x", "max_tokens": 0 }), 400),
            (json!({ "message": "x", "max_token": 1 }), 400),
        ] {
            let whole = program.ask(program.post(path, &body)).await;
            assert_eq!(refused(&whole), (status, "request_invalid"), "{body}");
        }
        let unknown = json!({ "message": "x", "model": "none" });
        let ask = |language| program.post(path, &unknown).header("accept-language", language);
        for (language, said) in [("en", "not offered here"), ("ru", "здесь нет")] {
            let unknown = program.ask(ask(language)).await;
            assert_eq!(refused(&unknown), (404, "model_not_offered"));
            let message = unknown.json["message"].as_str().expect("a sentence");
            assert!(
                message.contains(said) && message.contains("GET /api/v1/models"),
                "{message}"
            );
        }
        let odd = program
            .post(path, &json!({ "message": "x" }))
            .header("idempotency-key", "");
        assert_eq!(refused(&program.ask(odd).await), (400, "request_invalid"));
        let get = program.ask(program.get(path)).await;
        assert_eq!(refused(&get).0, 405);
    }
    let nowhere = program.ask(program.get("/api/v1/nothing")).await;
    assert_eq!(refused(&nowhere), (404, "request_invalid"));
    let said = nowhere.json["message"].as_str().expect("a sentence");
    assert!(
        said.contains("no GET /api/v1/nothing"),
        "it says nothing of pages: {said}"
    );
    assert!(site.model.record().requests.is_empty());
    assert_eq!(site.load(), (0, 0));
}

#[tokio::test]
async fn faults_have_the_status_that_says_whose_they_are() {
    let site = Site::start(&[("MODEL_RETRIES", "0")]).await;
    let program = Program::new(site.addr);
    for (fault, status, code) in [
        ("status:500", 502, "model_fault"),
        ("status:401", 502, "model_unauthorized"),
    ] {
        let body = json!({ "message": format!("Hello [[fault={fault}]]") });
        let whole = program.ask(program.post("/api/v1/chat", &body)).await;
        assert_eq!(refused(&whole), (status, code), "{whole:?}");
    }
}

#[tokio::test]
async fn a_request_that_is_repeated_keeps_its_place_and_its_answer() {
    let site = Site::start(&[]).await;
    site.model.hold(true);
    site.browser().await.send("The first").await;
    site.until_load(1, 0).await;
    let program = Program::new(site.addr);
    let body = json!({ "message": "The second" });
    let ask = || program.post("/api/v1/chat", &body).header("idempotency-key", "one");
    let gone = tokio::spawn({
        let request = ask();
        async move { request.send().await }
    });
    site.until_load(1, 1).await;
    gone.abort();
    let _ = gone.await;
    let again = tokio::spawn({
        let (program, request) = (program.clone(), ask());
        async move { program.ask(request).await }
    });
    // A place of its own would make two of them.
    let other = site.browser().await;
    other.send("The third").await;
    site.until_load(1, 2).await;
    site.model.hold(false);
    let answer = soon("the answer", again).await.expect("an answer");
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.header("x-anteroom-position"), Some("1"));
    assert!(
        answer.json["text"]
            .as_str()
            .expect("a text")
            .starts_with("Answer to: The second")
    );
    let known = program.ask(ask()).await;
    assert_eq!(
        (&known.json["id"], &known.json["text"]),
        (&answer.json["id"], &answer.json["text"])
    );
    assert_eq!(site.model.record().of("The second").count(), 1);
    let other = program.post("/api/v1/chat", &json!({ "message": "Another" }));
    let other = program.ask(other.header("idempotency-key", "one")).await;
    assert_eq!(refused(&other), (422, "request_invalid"));
}
