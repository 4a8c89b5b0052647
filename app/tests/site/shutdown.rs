//! The end of the server.

use std::time::Duration;

use anteroom::wire::{Reason, TurnState};
use reqwest::StatusCode;

use crate::support::{Site, request, soon};

#[tokio::test]
async fn what_runs_may_finish_and_nobody_is_let_in() {
    let site = Site::start(&[("CHAT_CONCURRENCY_LIMIT", "1")]).await;
    let browser = site.browser().await;
    let mut feed = browser.feed().await;
    let running = browser.send("runs [[gate=end]]").await;
    feed.until_state(running.turn, |state| *state == TurnState::Running)
        .await;
    let waiting = browser.send("waits").await;
    let engine = site.engine.clone();
    let ending = tokio::spawn(async move { engine.shutdown(Duration::from_secs(3600)).await });
    soon("the line to be closed", async {
        while !site.engine.is_closing() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let late = browser.try_send(&request(None, "late", Vec::new())).await;
    assert_eq!(late.status, StatusCode::SERVICE_UNAVAILABLE, "{late:?}");
    // The page sends it again by itself: it sees no status, only why it was refused.
    assert_eq!(late.reason(), Reason::Restarting);
    assert_eq!(
        browser.ask(browser.get("/health")).await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    site.model.open("end");
    assert_eq!(feed.over(running.turn).await.state, TurnState::Done);
    assert_eq!(
        feed.closed().await,
        Some(1012),
        "the page is told that the server restarts"
    );
    assert_eq!(
        feed.turns[&waiting.turn].state,
        TurnState::Waiting,
        "it waits on, for the next start"
    );
    soon("the end", ending).await.expect("a good end");
}

#[tokio::test]
async fn what_runs_too_long_is_stopped_when_the_grace_is_over() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let mut feed = browser.feed().await;
    let running = browser.send("runs for ever [[gate=never after=3]]").await;
    feed.until("a part of the answer", |feed| {
        feed.turns
            .get(&running.turn)
            .is_some_and(|turn| !turn.blocks.is_empty())
    })
    .await;
    let engine = site.engine.clone();
    let ending = tokio::spawn(async move { engine.shutdown(Duration::from_millis(50)).await });
    assert_eq!(feed.closed().await, Some(1012));
    soon("the end", ending).await.expect("a good end");
    assert_eq!(site.load(), (0, 0));
    let stored = site.engine.store().unfinished().await;
    assert!(stored.is_err(), "the store is closed");
}
