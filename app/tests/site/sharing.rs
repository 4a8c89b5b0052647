//! Limits that are shared, the master switches, and the names of old.

use anteroom::wire::{Event, FeedMessage, Reason, RefreshKind, TurnState};
use reqwest::StatusCode;

use crate::{
    drawn::Drawn,
    support::{Site, answer_of, request},
};

#[tokio::test]
async fn with_concurrency_off_everything_shares_one_line() {
    let site = Site::start(&[
        ("ENABLE_CONCURRENT_PROCESSING", "false"),
        ("CHAT_CONCURRENCY_LIMIT", "3"),
    ])
    .await;
    site.model.hold(true);
    let (one, other) = (site.browser().await, site.browser().await);
    let running = one.send("holds the only slot").await;
    let mut feed = other.feed().await;
    other.refresh(RefreshKind::Stats).await;
    other.refresh(RefreshKind::Logs).await;
    let waiting = other.send("waits behind both").await;
    feed.until("three places in one line", |feed| feed.status.places.len() == 3)
        .await;
    let places: Vec<(Event, u64)> = feed
        .status
        .places
        .iter()
        .map(|place| (place.event, place.position))
        .collect();
    assert_eq!(
        places,
        [(Event::StatsRefresh, 1), (Event::LogsRefresh, 2), (Event::Chat, 3)]
    );
    assert_eq!(site.engine.queue().lines().len(), 1);

    site.model.hold(false);
    let mut came = Vec::new();
    while came.len() < 2 {
        match feed.next().await {
            FeedMessage::Drawn { refresh, html } => {
                if refresh == RefreshKind::Stats {
                    let stats = Drawn::read(&html.expect("it has not come before"));
                    assert_eq!(stats.rows("stats-row").len(), 1);
                }
                came.push(refresh);
            }
            FeedMessage::RefreshRefused { reason, .. } => panic!("{reason:?}"),
            _ => {}
        }
    }
    assert_eq!(came, [RefreshKind::Stats, RefreshKind::Logs]);
    assert_eq!(feed.over(waiting.turn).await.state, TurnState::Done);
    assert_eq!(answer_of(&one, running.turn).await.state, TurnState::Done);
    assert_eq!(site.model.record().max, 1);
}

#[tokio::test]
async fn without_a_queue_the_third_is_told_busy_at_once() {
    let site = Site::start(&[("ENABLE_QUEUE", "false"), ("CHAT_CONCURRENCY_LIMIT", "2")]).await;
    site.model.hold(true);
    let mut running = Vec::new();
    for question in ["first", "second"] {
        let browser = site.browser().await;
        running.push((browser.send(question).await, browser));
    }
    let third = site.browser().await;
    let refused = third.try_send(&request(None, "third", Vec::new())).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.retry_after.is_some(), "{refused:?}");
    assert_eq!(refused.reason(), Reason::Busy);
    assert!(
        third.overview().await["conversations"]["conversations"]
            .as_array()
            .expect("a list")
            .is_empty(),
        "nothing was kept of it"
    );

    site.model.hold(false);
    for (sent, browser) in running {
        assert_eq!(answer_of(&browser, sent.turn).await.state, TurnState::Done);
    }
    site.until_load(0, 0).await;
    let sent = third.send("third, once more").await;
    assert_eq!(answer_of(&third, sent.turn).await.state, TurnState::Done);
}

#[tokio::test]
async fn events_with_one_id_share_the_lower_limit() {
    let site = Site::start(&[
        ("CHAT_CONCURRENCY_LIMIT", "4"),
        ("CHAT_CONCURRENCY_ID", "gpu"),
        ("FILE_CONCURRENCY_LIMIT", "1"),
        ("FILE_CONCURRENCY_ID", "gpu"),
    ])
    .await;
    let line = site
        .engine
        .queue()
        .lines()
        .into_iter()
        .find(|line| line.name == "gpu")
        .expect("the shared limit");
    assert_eq!((line.limit, line.events.len()), (Some(1), 2));
    site.model.hold(true);
    let browser = site.browser().await;
    let mut feed = browser.feed().await;
    let sent = browser.send("holds the gpu").await;
    let uploading = tokio::spawn({
        let browser = browser.clone();
        async move { browser.upload("notes.md", "# Notes\n").await }
    });
    feed.until("the upload's place", |feed| {
        feed.status
            .places
            .iter()
            .any(|place| (place.event, place.position) == (Event::FileUpload, 1))
    })
    .await;
    assert!(!uploading.is_finished());
    site.model.hold(false);
    let uploaded = uploading.await.expect("uploaded");
    assert_eq!(uploaded.status, StatusCode::OK, "{uploaded:?}");
    assert_eq!(feed.over(sent.turn).await.state, TurnState::Done);
}

#[tokio::test]
async fn a_deployments_old_names_work() {
    let site = Site::start(&[("GRADIO_CONCURRENCY_LIMIT", "2"), ("GRADIO_MAX_THREADS", "7")]).await;
    assert_eq!(site.engine.settings().policy.max_running, Some(7));
    assert_eq!(site.engine.queue().lines()[0].limit, Some(2));
}

#[tokio::test]
async fn a_line_has_an_end() {
    let site = Site::start(&[
        ("CHAT_CONCURRENCY_LIMIT", "1"),
        ("QUEUE_MAX_SIZE", "3"),
        ("QUEUE_MAX_WAITING_PER_SESSION", "2"),
    ])
    .await;
    site.model.hold(true);
    let (one, other) = (site.browser().await, site.browser().await);
    for question in ["runs", "waits", "waits too"] {
        one.send(question).await;
    }
    let own = one
        .try_send(&request(None, "one too many of its own", Vec::new()))
        .await;
    assert_eq!(
        (own.status, own.retry_after.is_some()),
        (StatusCode::TOO_MANY_REQUESTS, true),
        "{own:?}"
    );
    other.send("the last that fits").await;
    let full = other.try_send(&request(None, "no room", Vec::new())).await;
    assert_eq!(
        (full.status, full.retry_after.is_some()),
        (StatusCode::TOO_MANY_REQUESTS, true),
        "{full:?}"
    );
    assert_eq!(site.load(), (1, 3));
}
