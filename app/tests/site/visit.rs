//! What a first visit is sent. The files are weighed when they are built (`cargo xtask build --release`).

use std::io::Read as _;

use anteroom::language::Words;
use flate2::read::GzDecoder;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_ENCODING, VARY};

use crate::support::Site;

/// Most that the page itself may be of a first visit's 350 KB, with its headers, in bytes, and most that the words of its language may be.
/// `xtask/src/budget.rs` leaves them so much.
const PAGE: usize = 5_700;
const WORDS: usize = 11_000;

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
async fn a_page_names_the_words_of_its_language_which_are_small_and_kept() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    for (accepted, greeting) in [("en-GB", "Come in."), ("ru, en;q=0.5", "Входите.")] {
        let page = browser.get("/").header(ACCEPT_LANGUAGE, accepted);
        let page = browser.ask(page.header(ACCEPT_ENCODING, "identity")).await.text;
        let language = &accepted[..2];
        assert!(page.contains(&format!("<html lang=\"{language}\"")), "{page}");
        let start = page.find(&format!("/pkg/words-{language}.")).expect("its words");
        let address = page[start..].split('"').next().expect("an address");
        let words = browser
            .get(address)
            .header(ACCEPT_ENCODING, "gzip")
            .send()
            .await
            .expect("an answer");
        assert!(
            words.headers()[CACHE_CONTROL]
                .to_str()
                .expect("text")
                .contains("immutable")
        );
        let body = words.bytes().await.expect("a body");
        assert!(body.len() <= WORDS, "{} bytes", body.len());
        let mut text = String::new();
        GzDecoder::new(body.as_ref()).read_to_string(&mut text).expect("gzip");
        let table: Words = serde_json::from_str(&text).expect("a table");
        assert_eq!(table.say("welcome", &[]), greeting);
    }
}

#[tokio::test]
async fn only_pages_are_compressed_on_the_way() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let overview = browser.post("/api/overview").header(ACCEPT_ENCODING, "gzip");
    let overview = overview.send().await.expect("an answer");
    assert_eq!(overview.headers().get(CONTENT_ENCODING), None);
}
