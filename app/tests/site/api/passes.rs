//! Links to a program's conversations: for people, to watch, and with no way to anything else.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{chat::refused, keyed, keyed_as};
use crate::{
    along::{Guest, follow, open, page, press, text, until},
    support::{Site, program::Program, soon},
};

/// A conversation, and where its links are.
async fn talk(program: &Program, message: &str) -> String {
    let said = program.ask(program.post("/api/v1/conversations", &json!({ "message": message })));
    let said = said.await;
    assert_eq!(said.status, StatusCode::OK, "{said:?}");
    format!(
        "/api/v1/conversations/{}/passes",
        said.json["conversation"].as_str().expect("an id")
    )
}

async fn made(program: &Program, links: &str, body: &Value) -> Value {
    let made = program.ask(program.post(links, body)).await;
    assert_eq!(made.status, StatusCode::OK, "{made:?}");
    made.json
}

async fn out(program: &Program, links: &str) -> Value {
    program.ask(program.get(links)).await.json["passes"].clone()
}

/// Opens a link in a browser.
async fn opened(site: &Site, link: &Value) -> Guest {
    open(site, link["path"].as_str().expect("a path")).await
}

#[tokio::test]
async fn a_conversation_is_watched_by_a_link_until_that_is_revoked() {
    let site = Site::start(&[]).await;
    let program = keyed(&site).await;
    let links = talk(&program, "marmalade").await;
    assert_eq!(out(&program, &links).await, json!([]));
    let link = made(&program, &links, &json!({ "good_for": "hour" })).await;
    let time = |of: &Value, name: &str| of[name].as_u64().expect("a time");
    assert_eq!(time(&link, "expires_at") - time(&link, "created_at"), 3_600_000);
    let mut listed = out(&program, &links).await;
    assert_eq!((&listed[0]["id"], &listed[0]["opened_at"]), (&link["id"], &Value::Null));
    assert_eq!(listed[0]["path"], Value::Null, "where it leads is told once");

    let guest = opened(&site, &link).await;
    let (status, shown) = text(page(&site, &guest.path, &guest.cookie)).await;
    assert!(status == StatusCode::OK && shown.contains("marmalade"), "{shown}");
    let path = link["path"].as_str().expect("a path");
    assert_eq!(press(&site, path, "", "").await.status(), StatusCode::GONE, "once");
    listed = out(&program, &links).await;
    assert!(listed[0]["opened_at"].is_u64(), "{listed}");
    // It lets nobody in anywhere else.
    let request = Program::new(site.addr).get(&links).header("cookie", &guest.cookie);
    assert_eq!(
        request.send().await.expect("an answer").status(),
        StatusCode::UNAUTHORIZED
    );

    let mut feed = follow(&site, &guest).await;
    until(&mut feed, "marmalade").await;
    let revoke = || program.delete(&format!("{links}/{}", link["id"].as_str().expect("an id")));
    assert_eq!(
        revoke().send().await.expect("an answer").status(),
        StatusCode::NO_CONTENT
    );
    until(&mut feed, "event: end").await;
    let (status, shown) = text(page(&site, &guest.path, &guest.cookie)).await;
    assert!(status == StatusCode::GONE && !shown.contains("marmalade"), "{shown}");
    assert_eq!(refused(&program.ask(revoke()).await), (404, "pass_gone"));
    assert_eq!(out(&program, &links).await, json!([]));
}

#[tokio::test]
async fn links_are_bounded_for_watching_alone_and_can_be_switched_off() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    let links = talk(&program, "x").await;
    // One that made a browser be the program is not to be had.
    for wrong in [
        json!({ "kind": "move" }),
        json!({ "good_for": "year" }),
        json!({ "good_for": 60 }),
    ] {
        let reply = program.ask(program.post(&links, &wrong)).await;
        assert_eq!(refused(&reply), (400, "request_invalid"), "{wrong}");
    }
    let day = made(&program, &links, &json!({})).await;
    let other = talk(&program, "y").await;
    let elsewhere = format!("{other}/{}", day["id"].as_str().expect("an id"));
    assert_eq!(
        refused(&program.ask(program.delete(&elsewhere)).await),
        (404, "pass_gone")
    );
    for _ in 1..20 {
        made(&program, &links, &json!({ "good_for": "week" })).await;
    }
    let many = program.ask(program.post(&links, &json!({}))).await;
    assert_eq!(refused(&many), (409, "too_many_passes"));
    made(&program, &other, &json!({})).await;

    let off = Site::start(&[("TAKE_ALONG", "false")]).await;
    let program = Program::new(off.addr);
    let links = talk(&program, "x").await;
    let none = program.ask(program.post(&links, &json!({}))).await;
    assert_eq!(refused(&none), (404, "passes_off"));
}

#[tokio::test]
async fn a_link_ends_with_the_key_that_made_it() {
    let site = Site::start(&[]).await;
    let local = Program::new(site.addr);
    let links = talk(&local, "thimble").await;
    let (used, unused) = (
        made(&local, &links, &json!({})).await,
        made(&local, &links, &json!({})).await,
    );
    let guest = opened(&site, &used).await;
    let mut feed = follow(&site, &guest).await;
    until(&mut feed, "thimble").await;
    // From the first key on, programs of this machine are let in no more, so that none could revoke it.
    let (id, program) = keyed_as(&site, anteroom::accounts::Scopes::WORK, "first").await;
    until(&mut feed, "event: end").await;
    let gone = async |guest: &Guest| text(page(&site, &guest.path, &guest.cookie)).await.0;
    assert_eq!(gone(&guest).await, StatusCode::GONE);
    let path = unused["path"].as_str().expect("a path");
    assert_eq!(press(&site, path, "", "").await.status(), StatusCode::GONE);

    let links = talk(&program, "thimble").await;
    let link = made(&program, &links, &json!({})).await;
    let guest = opened(&site, &link).await;
    let mut feed = follow(&site, &guest).await;
    until(&mut feed, "thimble").await;
    let revoked = site.engine.store().revoke_key(id, 2).await;
    assert_eq!(revoked, Ok(true));
    until(&mut feed, "event: end").await;
    assert_eq!(gone(&guest).await, StatusCode::GONE);
}

#[tokio::test]
async fn who_watches_sees_a_programs_message_wait() {
    let site = Site::start(&[("CHAT_CONCURRENCY_LIMIT", "1")]).await;
    let program = Program::new(site.addr);
    let links = talk(&program, "before").await;
    let guest = opened(&site, &made(&program, &links, &json!({})).await).await;
    site.model.hold(true);
    let other = site.browser().await;
    other.send("The browser's").await;
    site.until_load(1, 0).await;
    let turns = links.replace("/passes", "/turns");
    let sent = program.ask(program.post(&turns, &json!({ "message": "pumpernickel", "wait": false })));
    assert_eq!(sent.await.status, StatusCode::ACCEPTED);
    let (_, shown) = text(page(&site, &guest.path, &guest.cookie)).await;
    assert!(
        shown.contains("pumpernickel") && shown.contains("along-place lit"),
        "{shown}"
    );
    site.model.hold(false);
    soon("both answers", site.until_load(0, 0)).await;
}
