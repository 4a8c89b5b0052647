//! The feed: reloads, second tabs and lost connections miss nothing and repeat nothing.

use anteroom::{
    markdown,
    wire::{Event, FeedMessage, FeedPosition, Reason, RefreshKind, TurnState},
};

use crate::support::{Site, soon};

#[tokio::test]
async fn a_page_that_reloads_in_the_middle_of_an_answer_misses_nothing() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let mut feed = browser.feed().await;
    let sent = browser.send("story [[tokens=60 gate=middle after=20]]").await;
    feed.until("a part of the answer", |feed| {
        feed.turns
            .get(&sent.turn)
            .is_some_and(|turn| turn.blocks.concat().contains("word15"))
    })
    .await;
    let before = feed.position;
    drop(feed);

    // The page as the server renders it on reload has the part, and its feed goes on from there.
    let view = browser.conversation(sent.conversation).await.expect("the conversation");
    assert_eq!(view.turns[0].state, TurnState::Running);
    assert!(view.turns[0].blocks.concat().contains("word15"));
    let mut reloaded = browser.feed_after(view.feed).await;
    reloaded.turns.insert(sent.turn, view.turns[0].clone());
    // A page that only lost its connection goes on from what it had seen.
    let mut resumed = browser.feed_after(before).await;
    assert!(reloaded.resumed && resumed.resumed);
    resumed.turns.insert(sent.turn, view.turns[0].clone());

    site.model.open("middle");
    let (one, other) = (reloaded.over(sent.turn).await, resumed.over(sent.turn).await);
    assert_eq!(one, other, "both show the same");
    assert_eq!(one.state, TurnState::Done);
    assert_eq!(one.blocks, markdown::render(&one.answer));
    assert!(resumed.numbers.iter().all(|number| *number > before.number));
    assert!(resumed.numbers.is_sorted());
}

#[tokio::test]
async fn all_tabs_of_a_browser_show_the_same() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let mut tabs = Vec::new();
    for _ in 0..7 {
        tabs.push(browser.feed().await);
    }
    let sent = browser.send("for everyone [[reply=markdown]]").await;
    let first = tabs[0].over(sent.turn).await;
    assert_eq!(first.state, TurnState::Done);
    for tab in &mut tabs {
        assert_eq!(tab.over(sent.turn).await, first);
    }
    assert_eq!(site.engine.sessions().len(), 1);
    assert_eq!(site.engine.feeds().open(), 7);
}

#[tokio::test]
async fn a_position_of_another_journal_is_not_resumed() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let sent = browser.send("hello").await;
    browser.feed().await.until("nothing", |_| true).await;
    let elsewhere = FeedPosition {
        epoch: uuid::Uuid::from_u128(7),
        number: 1,
    };
    let feed = browser.feed_after(elsewhere).await;
    assert!(!feed.resumed);
    assert_ne!(feed.position.epoch, elsewhere.epoch);
    let _ = sent;
}

#[tokio::test]
async fn frames_from_the_page_are_of_no_use_and_do_no_harm() {
    use futures_util::SinkExt as _;
    use tokio_tungstenite::{
        connect_async,
        tungstenite::{Message, client::IntoClientRequest as _, http::HeaderValue},
    };

    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let connect = || async {
        let mut request = format!("ws://{}/feed", browser.addr)
            .into_client_request()
            .expect("a request");
        request
            .headers_mut()
            .insert("cookie", HeaderValue::from_str(&browser.cookie).expect("a header"));
        connect_async(request).await.expect("a feed").0
    };
    let mut chatty = connect().await;
    for message in ["", "{}", "{\"kind\":\"status\"}", "\u{0}"] {
        chatty.send(Message::text(message)).await.expect("sent");
    }
    let mut loud = connect().await;
    // Far over what a page may send: the server hangs up.
    let _ = loud.send(Message::text("x".repeat(1 << 20))).await;
    soon("the loud page's end", async {
        while site.engine.feeds().open() > 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let mut feed = browser.feed().await;
    let sent = browser.send("and now?").await;
    assert_eq!(feed.over(sent.turn).await.state, TurnState::Done);
}

#[tokio::test]
async fn a_place_is_shown_at_once_however_seldom_the_rest_is_told() {
    let site = Site::start(&[
        ("CHAT_CONCURRENCY_ID", "gpu"),
        ("LOGS_CONCURRENCY_ID", "gpu"),
        ("DEFAULT_CONCURRENCY_LIMIT", "1"),
        ("QUEUE_STATUS_UPDATE_RATE", "60"),
    ])
    .await;
    site.model.hold(true);
    let (browser, other) = (site.browser().await, site.browser().await);
    let mut feed = browser.feed().await;
    other.send("runs").await;
    site.until_load(1, 0).await;
    for waiting in 1..=3 {
        other.send("waits").await;
        site.until_load(1, waiting).await;
    }
    // By now the feed has seen changes of the line that it may tell in a minute.
    let sent = browser.send("mine").await;
    feed.until("the message's place", |feed| feed.position_of(sent.turn).is_some())
        .await;
    browser.refresh(RefreshKind::Logs).await;
    feed.until("the refresh's place", |feed| {
        let places = &feed.status.places;
        places.iter().any(|place| place.event == Event::LogsRefresh)
    })
    .await;
    assert_eq!(feed.pings, 0, "not only with a heartbeat");
}

#[tokio::test]
async fn a_refresh_that_nobody_was_there_to_hear_of_is_told_to_the_next_feed() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    for kind in [RefreshKind::Stats, RefreshKind::Logs] {
        browser.refresh(kind).await;
    }
    site.until_load(0, 0).await;
    let mut feed = browser.feed().await;
    let mut told = Vec::new();
    while told.len() < 2 {
        told.push(match feed.next().await {
            FeedMessage::RefreshRefused { refresh, reason } => {
                assert_eq!(reason, Reason::RefreshMissed);
                refresh
            }
            // It came between the end of its work and the telling.
            FeedMessage::Drawn { refresh, .. } => refresh,
            _ => continue,
        });
    }
    assert!(
        told.contains(&RefreshKind::Stats) && told.contains(&RefreshKind::Logs),
        "{told:?}"
    );
}
