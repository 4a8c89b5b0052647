use super::*;

const HASH: &str = "0123456789abcdef";

fn files(names: &[(&str, u64)]) -> Files {
    Files::new(names.iter().enumerate().map(|(i, (name, modified))| Source {
        name: (*name).to_owned(),
        sha256: [u8::try_from(i).unwrap(); 32],
        modified: *modified,
        body: Bytes::from((*name).to_owned()),
    }))
}

fn built_by_xtask() -> Files {
    let names: Vec<String> = ["js", "wasm", "css"]
        .iter()
        .flat_map(|ending| ["", ".br", ".gz"].map(|form| format!("pkg/anteroom.{HASH}.{ending}{form}")))
        .chain([
            "favicon.ico".to_owned(),
            "site.webmanifest".to_owned(),
            "icon.svg".to_owned(),
        ])
        .collect();
    files(&names.iter().map(|name| (name.as_str(), 1)).collect::<Vec<_>>())
}

fn headers(pairs: &[(header::HeaderName, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()))
        .collect()
}

async fn body(response: Response) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn urls_are_found_with_hashes_and_without() {
    let hashed = built_by_xtask();
    for extension in ["js", "wasm", "css"] {
        assert_eq!(
            hashed.newest("anteroom", extension),
            format!("/pkg/anteroom.{HASH}.{extension}")
        );
    }

    let leptos = files(&[
        ("pkg/anteroom.js", 1),
        ("pkg/anteroom_bg.wasm", 1),
        ("pkg/anteroom.css", 1),
    ]);
    assert_eq!(leptos.newest("anteroom", "js"), "/pkg/anteroom.js");
    assert_eq!(leptos.newest("anteroom", "wasm"), "/pkg/anteroom_bg.wasm");
    assert_eq!(leptos.newest("anteroom", "css"), "/pkg/anteroom.css");

    // The sheet of the tabs is another one, which is not taken for the app's.
    let tabs = format!("pkg/tabs.{HASH}.css");
    let both = files(&[("pkg/anteroom.css", 1), (&tabs, 2)]);
    assert_eq!(both.newest("anteroom", "css"), "/pkg/anteroom.css");
    assert_eq!(both.newest("tabs", "css"), format!("/{tabs}"));
}

#[test]
fn of_two_builds_the_newer_is_served() {
    let hashed = format!("pkg/anteroom.{HASH}.js");
    assert_eq!(
        files(&[("pkg/anteroom.js", 2), (&hashed, 1)]).newest("anteroom", "js"),
        "/pkg/anteroom.js"
    );
    assert_eq!(
        files(&[("pkg/anteroom.js", 1), (&hashed, 2)]).newest("anteroom", "js"),
        format!("/{hashed}")
    );
}

#[test]
fn other_files_are_not_taken_for_the_app() {
    let files = files(&[("pkg/anteroom-extra.js", 9), ("pkg/snippets/a/inline0.js", 9)]);
    assert_eq!(files.newest("anteroom", "js"), "/pkg/anteroom.js");
}

#[test]
fn a_hash_is_told_from_a_word() {
    assert!(has_hash("/pkg/anteroom.0123456789abcdef.js"));
    assert!(!has_hash("/pkg/anteroom.js"));
    assert!(!has_hash("/pkg/anteroom.0123456789abcde.js"));
    assert!(!has_hash("/pkg/anteroom.0123456789abcdeX.js"));
    assert!(!has_hash("/0123456789abcdef"));
}

#[tokio::test]
async fn the_compressed_form_has_the_plain_ones_type_and_a_tag_of_its_own() {
    let files = built_by_xtask();
    let path = format!("/pkg/anteroom.{HASH}.wasm");
    let plain = files.answer(&path, &HeaderMap::new());
    let brotli = files.answer(&path, &headers(&[(header::ACCEPT_ENCODING, "gzip, br")]));
    for response in [&plain, &brotli] {
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/wasm");
        assert_eq!(response.headers()[header::CACHE_CONTROL], FOREVER);
        assert_eq!(response.headers()[header::VARY], "accept-encoding");
        assert_eq!(response.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    }
    assert_eq!(plain.headers().get(header::CONTENT_ENCODING), None);
    assert_eq!(brotli.headers()[header::CONTENT_ENCODING], "br");
    assert_ne!(plain.headers()[header::ETAG], brotli.headers()[header::ETAG]);
    assert_eq!(body(brotli).await, format!("pkg/anteroom.{HASH}.wasm.br"));
}

#[test]
fn types_are_those_that_browsers_insist_on() {
    assert_eq!(mime("/pkg/a.js"), "text/javascript; charset=utf-8");
    assert_eq!(mime("/pkg/a.wasm"), "application/wasm");
    assert_eq!(mime("/pkg/a.css"), "text/css; charset=utf-8");
    assert_eq!(mime("/icon.svg"), "image/svg+xml");
    assert_eq!(mime("/site.webmanifest"), "application/manifest+json");
    assert_eq!(mime("/what"), "application/octet-stream");
}

#[tokio::test]
async fn a_file_without_a_hash_is_asked_for_anew_and_not_sent_twice() {
    let files = built_by_xtask();
    let first = files.answer("/icon.svg", &HeaderMap::new());
    assert_eq!(first.status(), StatusCode::OK);
    assert_eq!(first.headers()[header::CACHE_CONTROL], REVALIDATE);
    assert_eq!(first.headers().get(header::VARY), None);
    let tag = first.headers()[header::ETAG].to_str().unwrap().to_owned();

    for condition in [tag.clone(), format!("\"other\", W/{tag}"), "*".to_owned()] {
        let again = files.answer("/icon.svg", &headers(&[(header::IF_NONE_MATCH, &condition)]));
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{condition}");
        assert_eq!(again.headers()[header::ETAG].to_str().unwrap(), tag);
        assert_eq!(body(again).await, "");
    }
    let changed = files.answer("/icon.svg", &headers(&[(header::IF_NONE_MATCH, "\"other\"")]));
    assert_eq!(changed.status(), StatusCode::OK);
}

#[test]
fn what_is_not_in_the_site_is_not_found() {
    let files = built_by_xtask();
    let brotli = format!("/pkg/anteroom.{HASH}.js.br");
    for path in ["/pkg/none.js", "/pkg/../icon.svg", "/pkg/", brotli.as_str()] {
        let response = files.answer(path, &HeaderMap::new());
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(response.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    }
}

#[tokio::test]
async fn the_router_answers_head_without_a_body() {
    use tower::ServiceExt as _;
    let request = axum::http::Request::head("/pkg/none.js").body(Body::empty()).unwrap();
    let response = router::<()>().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(body(response).await, "");
}
