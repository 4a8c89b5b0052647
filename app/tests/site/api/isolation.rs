//! Nobody reaches what is another's: another key's, a browser's, that of the programs of this machine.

use anteroom::accounts::{
    KeyId, Scopes,
    keys::{KeyRecord, Token},
    rates::KeyRates,
};
use serde_json::json;

use super::chat::refused;
use crate::support::{Site, answer_of, program::Program, soon};

/// A program with a key of its own.
pub(crate) async fn keyed(site: &Site) -> Program {
    keyed_for(site, Scopes::WORK).await
}

/// A program whose key lets it do this.
pub(crate) async fn keyed_for(site: &Site, scopes: Scopes) -> Program {
    Program::new(site.addr).with_key(&key_for(site, scopes).await)
}

/// A key that lets its program do this.
pub(crate) async fn key_for(site: &Site, scopes: Scopes) -> String {
    key_as(site, scopes, &uuid::Uuid::new_v4().simple().to_string()).await.1
}

/// A program whose key is called so and lets it do this, and the key's id.
pub(crate) async fn keyed_as(site: &Site, scopes: Scopes, name: &str) -> (KeyId, Program) {
    let (id, token) = key_as(site, scopes, name).await;
    (id, Program::new(site.addr).with_key(&token))
}

async fn key_as(site: &Site, scopes: Scopes, name: &str) -> (KeyId, String) {
    let id = KeyId(uuid::Uuid::new_v4());
    let token = Token::random(id);
    let key = KeyRecord {
        id,
        name: name.to_owned(),
        scopes,
        digest: token.digest(),
        created_at: 1,
        expires_at: None,
        revoked_at: None,
        rates: KeyRates::default(),
    };
    assert_eq!(site.engine.store().add_key(key).await, Ok(true));
    soon("the site to hear of its key", async {
        while site.engine.keys().find(id).is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
    .await;
    (id, token.reveal().to_owned())
}

#[tokio::test]
async fn what_is_anothers_is_not_found() {
    let site = Site::start(&[("CHAT_CONCURRENCY_LIMIT", "2")]).await;
    let (one, other) = (keyed(&site).await, keyed(&site).await);
    let browser = site.browser().await;
    let theirs = browser.send("The browser's").await;
    answer_of(&browser, theirs.turn).await;
    let ours = one
        .ask(one.post("/api/v1/conversations", &json!({ "message": "The key's" })))
        .await
        .json;
    site.model.hold(true);
    let body = json!({ "message": "Runs" });
    let mut stream = one
        .stream(one.post("/api/v1/chat/stream", &body).header("idempotency-key", "k"))
        .await;
    let started = stream.event().await.expect("it starts");
    let (ours_turn, ours) = (
        ours["id"].as_str().expect("an id"),
        ours["conversation"].as_str().expect("an id"),
    );
    let link = format!("/api/v1/conversations/{ours}/passes");
    let made = one.ask(one.post(&link, &json!({}))).await.json;
    let pass = made["id"].as_str().expect("an id");
    for (conversation, turn) in [
        (ours.to_owned(), ours_turn.to_owned()),
        (theirs.conversation.to_string(), theirs.turn.to_string()),
    ] {
        let path = format!("/api/v1/conversations/{conversation}");
        let message = json!({ "message": "Let me in" });
        for request in [
            other.get(&path),
            other.get(&format!("{path}/turns")),
            other.get(&format!("{path}/turns/{turn}")),
            other.get(&format!("{path}/turns?before={turn}")),
            other.get(&format!("{path}/export")),
            other.post(&format!("{path}/turns"), &message),
            other.patch(&path, &json!({ "title": "Mine" })),
            other.delete(&path),
            other.delete(&format!("{path}/turns/{turn}")),
            other.get(&format!("{path}/passes")),
            other.post(&format!("{path}/passes"), &json!({})),
            other.delete(&format!("{path}/passes/{pass}")),
            other.get(&format!("{path}/leaves")),
            other.delete(&format!("{path}/leaves/t/write")),
        ] {
            let request = request.header("cookie", "session=whatever");
            assert_eq!(refused(&other.ask(request).await).0, 404);
        }
    }
    let running = format!("/api/v1/chat/{}", started.request());
    assert_eq!(refused(&other.ask(other.delete(&running)).await), (404, "request_gone"));
    let last = format!("{}-2", started.request());
    let stolen = other.post("/api/v1/chat/stream", &body).header("last-event-id", last);
    assert_eq!(refused(&other.ask(stolen).await), (410, "request_gone"));
    // The same name of another key is another request.
    let mut same = other
        .stream(other.post("/api/v1/chat/stream", &body).header("idempotency-key", "k"))
        .await;
    assert_ne!(same.event().await.expect("it starts").request(), started.request());
    for path in ["/api/v1/conversations", "/api/v1/conversations/search?q=e"] {
        let seen = other.ask(other.get(path)).await.json.to_string();
        assert!(!seen.contains(ours) && !seen.contains("browser"), "{seen}");
    }
    let queue = other.ask(other.get("/api/v1/queue")).await.json;
    assert_eq!(queue["places"], json!([]), "{queue}");
    // And it is all still there.
    let links = one.ask(one.get(&link)).await.json;
    assert_eq!(links["passes"][0]["id"], made["id"], "{links}");
    let kept = one.ask(one.get(&format!("/api/v1/conversations/{ours}"))).await.json;
    assert_eq!(kept["turns"][0]["message"], "The key's");
    assert!(browser.conversation(theirs.conversation).await.is_some());
    assert!(browser.ask(browser.get(&running)).await.status.is_client_error());
}
