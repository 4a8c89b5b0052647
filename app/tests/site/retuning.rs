//! The settings change while the server runs.

use std::time::Duration;

use anteroom::{settings::Settings, wire::RefreshKind};

use crate::{
    drawn::Drawn,
    support::{Browser, Site},
};

/// Edits the settings as a new text of `.env` would.
async fn edit(site: &Site, dotenv: &str) {
    site.engine.retune(Settings::load(site.variables(), Some(dotenv))).await;
}

async fn stats(browser: &Browser) -> Drawn {
    let mut feed = browser.feed().await;
    browser.refresh(RefreshKind::Stats).await;
    feed.stats().await
}

#[tokio::test]
async fn growing_starts_more_at_once_and_shrinking_ends_nobody() {
    let site = Site::start(&[]).await;
    edit(&site, "CHAT_CONCURRENCY_LIMIT=2").await;
    site.model.hold(true);
    let browsers = [site.browser().await, site.browser().await];
    let mut sent = Vec::new();
    for number in 0..12 {
        sent.push(browsers[number % 2].send(&format!("message {number}")).await);
    }
    site.until_load(2, 10).await;
    let mut feed = browsers[0].feed().await;
    feed.until_position(sent[10].turn, 9).await;
    edit(&site, "CHAT_CONCURRENCY_LIMIT=4").await;
    assert_eq!(site.load(), (4, 8), "in force when it returns");
    feed.until_position(sent[10].turn, 7).await;
    site.model.until(|record| record.now == 4).await;

    edit(&site, "CHAT_CONCURRENCY_LIMIT=1\nQUEUE_ORDER=fifo").await;
    assert_eq!(site.load(), (4, 8), "those who run go on");
    for left in [3, 2, 1] {
        site.model.release_one();
        site.until_load(left, 8).await;
    }
    site.model.release_one();
    site.until_load(1, 7).await;
    site.model.hold(false);
    for (number, sent) in sent.iter().enumerate() {
        let over = browsers[number % 2].feed().await.over(sent.turn).await;
        assert!(
            over.answer.contains(&format!("message {number}")),
            "nobody was lost: {over:?}"
        );
    }
}

#[tokio::test]
async fn a_new_order_is_the_order_after_a_restart_too() {
    let mut site = Site::start(&[("CHAT_CONCURRENCY_LIMIT", "1"), ("QUEUE_ORDER", "fifo")]).await;
    site.model.hold(true);
    let (one, other) = (site.browser().await, site.browser().await);
    one.send("runs").await;
    site.until_load(1, 0).await;
    for text in ["one 1", "one 2", "one 3"] {
        one.send(text).await;
    }
    other.send("other 1").await;
    site.engine
        .retune(Settings::load(
            site.variables_but("QUEUE_ORDER"),
            Some("QUEUE_ORDER=fair"),
        ))
        .await;
    site.set_variable("QUEUE_ORDER", "fair");
    site.restart(Duration::ZERO).await;
    site.until_load(1, 4).await;
    site.model.hold(false);
    site.until_load(0, 0).await;
    let begun: Vec<_> = site
        .model
        .record()
        .requests
        .into_iter()
        .map(|request| request.question)
        .collect();
    assert_eq!(begun, ["runs", "runs", "one 1", "other 1", "one 2", "one 3"]);
}

#[tokio::test]
async fn a_bad_edit_changes_nothing_and_is_told_until_it_is_mended() {
    let site = Site::start(&[("SITE_ADDR", "127.0.0.1:3000"), ("QUEUE_MAX_SIZE", "7")]).await;
    let browser = site.browser().await;
    let changed = |view: &Drawn| view.one("settings-changed").text();
    let never = "As they were at the start. An edit of .env takes effect at once.";
    assert_eq!(changed(&stats(&browser).await), never);
    edit(&site, "CHAT_CONCURRENCY_LIMIT=2").await;
    edit(
        &site,
        "CHAT_CONCURRENCY_LIMIT=3\nCHAT_TIMEUOT=5\nFILE_CONCURRENCY_LIMIT=0",
    )
    .await;
    let view = stats(&browser).await;
    assert!(changed(&view).starts_with("Last changed "), "{}", changed(&view));
    let bad = view.one("bad-edit").text();
    assert!(
        bad.contains("did you mean CHAT_TIMEOUT") && bad.contains("FILE_CONCURRENCY_LIMIT"),
        "{bad}"
    );
    assert_eq!(
        view.setting("CHAT_CONCURRENCY_LIMIT").0,
        "2",
        "nothing has changed, the good lines neither"
    );

    edit(
        &site,
        "CHAT_CONCURRENCY_LIMIT=3\nSITE_ADDR=127.0.0.1:4000\nQUEUE_MAX_SIZE=9\nDATA_DIR=elsewhere",
    )
    .await;
    let view = stats(&browser).await;
    assert!(view.all("bad-edit").is_empty(), "it is mended");
    assert_eq!(view.setting("CHAT_CONCURRENCY_LIMIT").0, "3");
    let (_, note) = view.setting("QUEUE_MAX_SIZE");
    assert_eq!(note, "the environment wins over .env line 3");
    assert_eq!(view.rows("stats-row")[0].cell("Running"), "0 of 3");
}
