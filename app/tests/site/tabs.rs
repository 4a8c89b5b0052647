//! The stats and the logs tab, which the server draws for each page.

use anteroom::wire::RefreshKind;

use crate::support::{Feed, Nodes, Site};

#[tokio::test]
async fn each_page_is_brought_a_tab_in_its_own_language_through_whatever_door() {
    let nodes = Nodes::start(2, &[]).await;
    let browser = nodes.site(0).browser().await;
    let elsewhere = nodes.through(1, &browser);
    let mut pages = Vec::new();
    for (door, language, head) in [
        (&browser, "ru", "Пределы"),
        (&browser, "en", "Limits"),
        (&elsewhere, "ru", "Пределы"),
        // None that is known: as its browser would be answered, which asks for none here.
        (&elsewhere, "tlh", "Limits"),
    ] {
        pages.push((Feed::open_in(door, language).await.expect("a feed"), head));
    }
    browser.refresh(RefreshKind::Stats).await;
    for (feed, head) in &mut pages {
        let drawn = feed.stats().await;
        let limits = drawn.of_class("panel")[0].elements("h2")[0].text();
        assert_eq!(limits, *head);
        assert_eq!(drawn.rows("stats-row").len(), 5);
    }
}

#[tokio::test]
async fn what_has_not_changed_is_not_brought_again() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let mut feed = browser.feed().await;
    let kind = RefreshKind::Logs;
    browser.refresh(kind).await;
    let drawn = feed.drawn(kind).await.expect("the first is brought");
    assert!(
        drawn.html.contains("No message of this browser was answered"),
        "{}",
        drawn.html
    );
    browser.refresh(kind).await;
    assert!(feed.drawn(kind).await.is_none(), "the page has it");
    // Another page has nothing yet.
    let mut other = browser.feed().await;
    browser.refresh(kind).await;
    assert!(feed.drawn(kind).await.is_none());
    assert_eq!(other.drawn(kind).await.expect("its first").html, drawn.html);
}

#[tokio::test]
async fn a_tab_names_the_style_sheet_that_it_needs() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let mut feed = browser.feed().await;
    browser.refresh(RefreshKind::Stats).await;
    let drawn = feed.stats().await;
    let links = drawn.sheets();
    assert!(
        matches!(&links[..], [link] if link.starts_with("/pkg/tabs.")),
        "{links:?}"
    );
}
