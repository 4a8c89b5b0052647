//! Words that are made to be taken for HTML, in every place that shows them.

use reqwest::header;

use crate::support::{Html, Site};

/// Titles that would close the element they stand in, or begin another.
const TITLES: [&str; 4] = [
    "What does </title> do in HTML?",
    "</title><meta http-equiv=refresh content=\"0;url=https://evil.example\">",
    "</title></head><body><form method=post action=/api/forget><button>Go on</button></form>",
    "</title><script>alert(1)</script>",
];

#[tokio::test]
async fn a_title_is_words_on_its_page() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let sent = browser.send("hello").await;
    browser.feed().await.over(sent.turn).await;
    let id = sent.conversation.to_string();
    let page = async || {
        let page = browser
            .get(&format!("/c/{id}"))
            .header(header::ACCEPT, "text/html")
            .header(header::ACCEPT_ENCODING, "identity");
        Html::read(&browser.ask(page).await.text)
    };
    let plain = page().await;
    assert_eq!(plain.text("title"), "hello · Anteroom");
    for title in TITLES {
        let renamed = browser.call("rename", &[("conversation", &id), ("title", title)]).await;
        assert_eq!(renamed.status, 200, "{renamed:?}");
        let hostile = page().await;
        assert_eq!(hostile.text("title"), format!("{title} · Anteroom"));
        assert_eq!(hostile.shape, plain.shape, "{title}");
    }
}
