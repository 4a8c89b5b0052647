//! Which models a server has, what they are called, and how they reason.

use anteroom_loopback::{Config, Ending, Loopback};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{ask, ask_for, deltas, get, post};

async fn with(knobs: &[(&str, &str)]) -> Loopback {
    let loopback = Loopback::start(Config::default()).await.unwrap();
    for (name, value) in knobs {
        loopback.set(name, value).unwrap();
    }
    loopback
}

async fn listed(loopback: &Loopback) -> Vec<Value> {
    let list: Value = get(format!("{}/models", loopback.base_url()))
        .await
        .json()
        .await
        .unwrap();
    list["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn it_lists_its_models_and_has_no_others() {
    let loopback = with(&[("models", "small,large"), ("context", "8192")]).await;
    let list = listed(&loopback).await;
    let names: Vec<_> = list.iter().map(|model| model["id"].as_str().unwrap()).collect();
    assert_eq!(
        (names, &list[0]["max_model_len"]),
        (vec!["small", "large"], &json!(8192))
    );
    let asked = |model: &'static str| {
        let url = loopback.base_url();
        async move { ask_for(&url, model, "q").await.unwrap() }
    };
    assert_eq!(asked("large").await.status(), StatusCode::OK);
    let refused = asked("huge").await;
    assert_eq!(refused.status(), StatusCode::NOT_FOUND);
    let body: Value = refused.json().await.unwrap();
    assert_eq!(body["error"]["code"], "model_not_found");
    assert_eq!(loopback.record().requests[1].ending, Some(Ending::Refused));

    loopback.set("models", "huge").unwrap();
    assert_eq!(asked("huge").await.status(), StatusCode::OK);
    assert_eq!(asked("large").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn told_of_no_models_it_takes_any() {
    let loopback = with(&[]).await;
    assert_eq!(listed(&loopback).await[0]["id"], "loopback");
    assert_eq!(ask(&loopback, "q").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_prompt_may_be_too_long_for_it() {
    let loopback = with(&[("context", "4")]).await;
    // Two words are the system message's.
    assert_eq!(ask(&loopback, "two words").await.status(), StatusCode::OK);
    let refused = ask(&loopback, "these are three").await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    let body: Value = refused.json().await.unwrap();
    assert_eq!(body["error"]["code"], "context_length_exceeded");
}

#[tokio::test]
async fn it_may_say_that_another_model_has_answered() {
    let loopback = with(&[("called", "other")]).await;
    let body = ask(&loopback, "q").await.text().await.unwrap();
    let first: Value = serde_json::from_str(body.lines().next().unwrap().strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!(first["model"], "other");
    assert_eq!(loopback.record().requests[0].model, "m");
}

#[tokio::test]
async fn reasoning_comes_in_deltas_of_its_own() {
    let loopback = with(&[("reasoning", "2"), ("tokens", "2")]).await;
    let body = ask(&loopback, "why?").await.text().await.unwrap();
    assert_eq!(
        deltas(&body, "reasoning_content"),
        ["Thinking about: why?\n\n", "thought1 "]
    );
    assert_eq!(deltas(&body, "content"), ["Answer to: why?\n\n", "word1 "]);
    assert!(body.find("reasoning_content") < body.find("Answer to"));
    assert_eq!(loopback.record().requests[0].pieces, 4);

    let request = json!({ "model": "m", "messages": [{ "role": "user", "content": "why?" }] });
    let url = format!("{}/chat/completions", loopback.base_url());
    let whole: Value = post(url, request).await.json().await.unwrap();
    let message = &whole["choices"][0]["message"];
    assert_eq!(message["reasoning_content"], "Thinking about: why?\n\nthought1 ");
    assert_eq!(message["content"], "Answer to: why?\n\nword1 ");
}

#[tokio::test]
async fn long_prompts_take_longer() {
    let loopback = with(&[("prefill", "10ms"), ("first_token", "10ms")]).await;
    // With the system message five words. A lower bound only: a slow machine may take longer, never less.
    ask(&loopback, "three more words").await.text().await.unwrap();
    let request = &loopback.record().requests[0];
    assert!(request.first_piece.unwrap() - request.began >= 60.0);
}
