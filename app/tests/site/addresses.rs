//! Who asks for a page, and how: programs that accept anything, addresses with a slash too many.

use reqwest::{Client, Method, Response, StatusCode, header, redirect};

use crate::support::{Browser, Site};

/// A request by somebody without a cookie, who follows nothing.
async fn look(browser: &Browser, method: Method, path: &str, accept: Option<&str>) -> Response {
    let client = Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .build()
        .expect("a client");
    let request = client.request(method, format!("http://{}{path}", browser.addr));
    let request = match accept {
        Some(accept) => request.header(header::ACCEPT, accept),
        None => request,
    };
    request.send().await.expect("an answer")
}

fn cookies(response: &Response) -> usize {
    response.headers().get_all(header::SET_COOKIE).iter().count()
}

#[tokio::test]
async fn whoever_asks_for_a_page_gets_it_whatever_they_accept() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    for accept in [None, Some("*/*"), Some("application/json"), Some("text/html,*/*;q=0.8")] {
        for path in [
            "/",
            "/stats",
            "/logs",
            "/data",
            "/c/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f",
        ] {
            for method in [Method::GET, Method::HEAD] {
                let page = look(&browser, method.clone(), path, accept).await;
                let what = format!("{method} {path} {accept:?}");
                assert_eq!(page.status(), StatusCode::OK, "{what}");
                assert_eq!(
                    page.headers()[header::CONTENT_TYPE],
                    "text/html; charset=utf-8",
                    "{what}"
                );
                assert_eq!(page.headers()[header::CACHE_CONTROL], "no-store", "{what}");
                assert_eq!(cookies(&page), 1, "{what}");
                let text = page.text().await.expect("a body");
                assert_eq!(text.contains("</html>"), method == Method::GET, "{what}");
            }
        }
    }
    assert!(site.engine.sessions().is_empty(), "looking makes no session");
}

#[tokio::test]
async fn only_a_page_gives_a_cookie() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    for path in [
        "/nowhere.png",
        "/icon.svg",
        "/files/x",
        "/export/x.md",
        "/feed",
        "/health",
        "/stats/",
    ] {
        let answer = look(&browser, Method::GET, path, None).await;
        assert_eq!(cookies(&answer), 0, "{path}: {answer:?}");
    }
    for path in ["/api/overview", "/api/send_form", "/api/forget"] {
        let answer = look(&browser, Method::POST, path, Some("text/html")).await;
        assert!(answer.status().is_client_error(), "{path}: {answer:?}");
        assert_eq!(cookies(&answer), 0, "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn behind_https_no_other_host_can_set_a_cookie_that_anything_depends_on() {
    let key = "the-key-of-the-operator";
    let site = Site::start(&[("SECURE_COOKIES", "true"), ("OPERATOR_KEY", key)]).await;
    let browser = site.browser().await;
    let mut names = Vec::new();
    for (method, path) in [
        (Method::GET, "/".to_owned()),
        (Method::GET, format!("/operator?key={key}")),
        (Method::POST, "/language?to=ru&back=/".to_owned()),
    ] {
        let answer = look(&browser, method, &path, Some("text/html")).await;
        for cookie in answer.headers().get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().expect("text");
            let (name, rest) = cookie.split_once('=').expect("a pair");
            assert!(cookie.contains("; Secure") && cookie.contains("Path=/"), "{cookie}");
            assert!(!rest.to_ascii_lowercase().contains("domain"), "{cookie}");
            names.push(name.to_owned());
        }
    }
    names.sort();
    names.dedup();
    // Of the language nothing depends on but words.
    assert_eq!(names, ["__Host-anteroom", "__Host-anteroom_operator", "language"]);
    // And the browser is who it was.
    let sent = browser.send("hello").await;
    assert!(browser.conversation(sent.conversation).await.is_some());
}

#[tokio::test]
async fn a_slash_behind_the_address_leads_to_the_page() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    for (path, leads_to) in [
        ("/stats/", "/stats"),
        ("/logs//?x=%2F&y", "/logs?x=%2F&y"),
        ("/data/", "/data"),
        (
            "/c/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f/",
            "/c/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f",
        ),
        ("//", "/"),
    ] {
        for method in [Method::GET, Method::HEAD] {
            let answer = look(&browser, method, path, Some("text/html")).await;
            assert_eq!(answer.status(), StatusCode::PERMANENT_REDIRECT, "{path}");
            assert_eq!(answer.headers()[header::LOCATION], leads_to, "{path}");
        }
    }
    for path in [
        "//evil.example/",
        "//evil.example/stats/",
        "/%5Cevil.example/",
        "/nowhere/",
        "/c/",
    ] {
        let answer = look(&browser, Method::GET, path, Some("text/html")).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        assert!(!answer.headers().contains_key(header::LOCATION), "{path}");
    }
}
