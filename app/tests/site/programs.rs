//! Programs with keys, over whichever door they come.

use std::time::Duration;

use anteroom::{
    accounts::{
        keys::{Desk, Made},
        rates::KeyRates,
    },
    settings::Settings,
};
use reqwest::{Client, Response, StatusCode, header};
use serde_json::Value;

use crate::support::{Nodes, Site, soon};

fn client() -> Client {
    anteroom::tls::install();
    Client::builder().no_proxy().build().expect("a client")
}

async fn ask(site: &Site, key: Option<&Made>) -> Response {
    let request = client().get(format!("http://{}/api/v1/key", site.addr));
    let request = match key {
        Some(key) => request.bearer_auth(key.token.reveal()),
        None => request,
    };
    request.send().await.expect("an answer")
}

async fn made(site: &Site, name: &str) -> Made {
    made_with(site, name, "chat,tasks,read").await
}

async fn made_with(site: &Site, name: &str, scopes: &str) -> Made {
    let scopes = scopes.parse().expect("scopes");
    let loaded = Settings::load(site.variables(), None).expect("good settings");
    let mut desk = Desk::open(&loaded.settings).await.expect("opened beside the server");
    let made = desk.add(name, scopes, None, KeyRates::default()).await.expect("made");
    desk.close().await;
    soon("the server knows the key", async {
        while site.engine.keys().find(made.key.id).is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    made
}

#[tokio::test]
async fn a_site_lets_programs_of_its_machine_in_until_there_is_a_key() {
    let site = Site::start(&[]).await;
    let local = ask(&site, None).await;
    assert_eq!(local.status(), StatusCode::OK);
    for name in ["set-cookie", "ratelimit"] {
        assert!(!local.headers().contains_key(name), "{name}");
    }
    let key = made(&site, "bot").await;
    let nobody = ask(&site, None).await;
    assert_eq!(nobody.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(nobody.headers()[header::WWW_AUTHENTICATE], "Bearer");
    let refused: Value = nobody.json().await.expect("JSON");
    assert_eq!(refused["reason"]["code"], "no_key");
    let me: Value = ask(&site, Some(&key)).await.json().await.expect("JSON");
    assert_eq!(me["name"], "bot");
    // A browser is none of them, nor they one.
    let browser = site.browser().await;
    let with_cookie = browser.ask(browser.get("/api/v1/key")).await;
    assert_eq!(with_cookie.status, StatusCode::UNAUTHORIZED);
    let overview = client().post(format!("http://{}/api/overview", site.addr));
    let overview = overview
        .bearer_auth(key.token.reveal())
        .send()
        .await
        .expect("an answer");
    assert_eq!(overview.status(), StatusCode::UNAUTHORIZED);
    let page = client()
        .get(format!("http://{}/", site.addr))
        .bearer_auth(key.token.reveal());
    let page = page.header(header::ACCEPT, "text/html").send().await.expect("a page");
    assert_eq!(page.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_key_is_counted_once_through_whichever_door_it_comes() {
    let nodes = Nodes::start(3, &[("KEY_REQUESTS_PER_MINUTE", "2")]).await;
    // These nodes have no database in common: the door knows the key, and its home has only the door's word.
    let key = made(nodes.site(1), "bot").await;
    for left in [1, 0] {
        let response = ask(nodes.site(1), Some(&key)).await;
        assert_eq!(response.status(), StatusCode::OK);
        let standing = response.headers()["ratelimit"].to_str().expect("text").to_owned();
        assert!(
            standing.starts_with(&format!("\"key-requests\";r={left};")),
            "{standing}"
        );
        let me: Value = response.json().await.expect("JSON");
        assert_eq!(me["id"], key.key.id.0.to_string());
        assert_eq!(me["name"], Value::Null, "the home answers");
    }
    let refused = ask(nodes.site(1), Some(&key)).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.headers().contains_key(header::RETRY_AFTER));
    let refused: Value = refused.json().await.expect("JSON");
    assert_eq!(refused["reason"]["code"], "key_too_many_requests");
    // Who has no key is refused at the door, and is no program of the home's machine because the door is.
    assert_eq!(ask(nodes.site(1), None).await.status(), StatusCode::UNAUTHORIZED);
    // Programs of a door's machine are one owner, and at home somewhere, too.
    let local = ask(nodes.site(2), None).await;
    assert_eq!(local.status(), StatusCode::OK);
    let standing = local.headers()["ratelimit"].to_str().expect("text");
    assert!(standing.starts_with("\"key-requests\";r=1;"), "{standing}");
}

#[tokio::test]
async fn the_figures_are_for_keys_alone_where_they_shall_be() {
    let site = Site::start(&[("METRICS_NEED_KEY", "true")]).await;
    let figures = async |key: Option<&Made>| {
        let request = client().get(format!("http://{}/metrics", site.addr));
        let request = match key {
            Some(key) => request.bearer_auth(key.token.reveal()),
            None => request,
        };
        let response = request.send().await.expect("an answer");
        (response.status(), response.text().await.expect("text"))
    };
    assert_eq!(
        figures(None).await.0,
        StatusCode::FORBIDDEN,
        "not even for programs of this machine"
    );
    let (worker, watcher) = (
        made(&site, "worker").await,
        made_with(&site, "watcher", "metrics").await,
    );
    assert_eq!(figures(None).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(figures(Some(&worker)).await.0, StatusCode::FORBIDDEN);
    let (status, text) = figures(Some(&watcher)).await;
    assert_eq!(status, StatusCode::OK);
    assert!(text.contains("# TYPE"), "{text}");
    let open = Site::start(&[]).await;
    made(&open, "bot").await;
    let anybody = client().get(format!("http://{}/metrics", open.addr)).send().await;
    assert_eq!(anybody.expect("an answer").status(), StatusCode::OK);
}
