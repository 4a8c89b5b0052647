//! What a first visit is sent. The files are weighed when they are built (`cargo xtask build --release`).

use std::io::Read as _;

use flate2::read::GzDecoder;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, VARY};

use crate::support::Site;

/// Most that the page itself may be of a first visit's 350 KB, with its headers, in bytes; `xtask/src/budget.rs` leaves it so much.
const PAGE: usize = 10_000;

#[tokio::test]
async fn a_page_is_sent_compressed_and_small() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let ask = |encoding| {
        let page = browser.get("/").header(ACCEPT, "text/html");
        page.header(ACCEPT_ENCODING, encoding).send()
    };
    let plain = ask("identity").await.expect("a page");
    assert_eq!(plain.headers().get(CONTENT_ENCODING), None);

    let page = ask("gzip, deflate, br, zstd").await.expect("a page");
    let headers = page.headers().clone();
    assert_eq!(headers[CONTENT_ENCODING], "gzip");
    assert_eq!(headers[VARY], "accept-encoding");
    let head: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum();
    let body = page.bytes().await.expect("a body");
    assert!(body.len() + head <= PAGE, "{} bytes, {head} of headers", body.len());
    let mut text = String::new();
    GzDecoder::new(body.as_ref())
        .read_to_string(&mut text)
        .expect("the whole page in gzip");
    assert!(
        text.starts_with("<!DOCTYPE html>") && text.contains("</html>"),
        "{text}"
    );
}

#[tokio::test]
async fn only_pages_are_compressed_on_the_way() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let overview = browser.post("/api/overview").header(ACCEPT_ENCODING, "gzip");
    let overview = overview.send().await.expect("an answer");
    assert_eq!(overview.headers().get(CONTENT_ENCODING), None);
}
