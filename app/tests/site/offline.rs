//! What makes the site an app: its manifests, the service worker's script, and whose a page is.

use reqwest::{StatusCode, header};
use serde_json::Value;

use crate::support::{Browser, Site};

/// The page at a path, and whose it says to be.
async fn page(browser: &Browser, path: &str, language: &str) -> (String, String) {
    let page = browser
        .get(path)
        .header(header::ACCEPT, "text/html")
        .header(header::ACCEPT_LANGUAGE, language)
        .header(header::ACCEPT_ENCODING, "identity");
    let page = page.send().await.expect("a page");
    let reader = page.headers()["anteroom-reader"].to_str().expect("text").to_owned();
    (page.text().await.expect("a body"), reader)
}

#[tokio::test]
async fn each_page_names_the_manifest_of_its_language() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    for (language, described) in [
        ("en", "A fair line in front of a language model."),
        ("ru", "Честная очередь к языковой модели."),
    ] {
        let address = format!("/manifest-{language}.webmanifest");
        let (page, _) = page(&browser, "/", language).await;
        assert!(
            page.contains(&format!("<link rel=\"manifest\" href=\"{address}\"")),
            "{page}"
        );
        let answer = browser.get(&address).send().await.expect("an answer");
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/manifest+json");
        let manifest: Value = answer.json().await.expect("JSON");
        assert_eq!(manifest["lang"], language);
        assert_eq!(manifest["description"], described);
    }
}

#[tokio::test]
async fn the_worker_asks_this_site_alone_and_is_asked_for_anew() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let ask = || browser.get("/worker.js");
    let answer = ask().send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    let headers = answer.headers().clone();
    assert_eq!(headers[header::CONTENT_TYPE], "text/javascript; charset=utf-8");
    assert_eq!(headers[header::CACHE_CONTROL], "no-cache");
    assert_eq!(
        headers[header::CONTENT_SECURITY_POLICY],
        "default-src 'none'; connect-src 'self'"
    );
    assert_eq!(headers.get(header::SET_COOKIE), None);
    let again = ask().header(header::IF_NONE_MATCH, &headers[header::ETAG]);
    let again = again.send().await.expect("an answer");
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn a_page_says_whose_it_is_until_they_are_somebody_else() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let (html, reader) = page(&browser, "/", "en").await;
    assert_eq!(reader.len(), 16, "{reader}");
    assert!(html.contains(&format!("data-reader=\"{reader}\"")), "{html}");
    let id = browser.send("hello").await.conversation;
    for path in [&format!("/c/{id}"), "/data", "/stats"] {
        assert_eq!(page(&browser, path, "ru").await.1, reader, "{path}");
    }
    // Another one's page is somebody else's, and what they do not have is marked as gone.
    let other = site.browser().await;
    let (_, gone) = page(&other, &format!("/c/{id}"), "en").await;
    let (_, theirs) = page(&other, "/", "en").await;
    assert_ne!(theirs, reader);
    assert_eq!(gone, format!("{theirs} gone"));
}
