//! The server ends and starts again: what was accepted is still there, in its place.

use std::time::Duration;

use anteroom::{
    queue::LeaveReason,
    wire::{Event, FeedMessage, Reason, RefreshKind, TurnState},
};

use crate::support::{Browser, Site, request};

/// The same browser, at the server's new address.
fn again(browser: &Browser, site: &Site) -> Browser {
    Browser {
        addr: site.addr,
        ..browser.clone()
    }
}

#[tokio::test]
async fn who_waits_is_back_in_place_and_what_ran_runs_again() {
    let mut site = Site::start(&[("CHAT_CONCURRENCY_LIMIT", "1")]).await;
    site.model.hold(true);
    let (one, other) = (site.browser().await, site.browser().await);
    let running = one.send("first").await;
    let mut waiting = Vec::new();
    for (browser, text) in [(&one, "second"), (&one, "third"), (&other, "fourth"), (&one, "fifth")] {
        waiting.push(browser.send(text).await);
    }
    let mut feed = one.feed().await;
    feed.until("a part of the answer", |feed| {
        feed.turns
            .get(&running.turn)
            .is_some_and(|turn| !turn.blocks.is_empty())
    })
    .await;
    // Fair: the other browser's first comes after this one's first that waits.
    let order = [0, 2, 1, 3].map(|at: usize| waiting[at].turn);

    site.restart(Duration::ZERO).await;
    let (one, other) = (again(&one, &site), again(&other, &site));
    assert_eq!(site.load(), (1, 4));
    let mut feed = one.feed_after(feed.position).await;
    assert!(!feed.resumed, "the page learns that it has to begin anew");
    let view = one.conversation(running.conversation).await.expect("it is there");
    assert_eq!(view.turns.len(), 1);
    assert_eq!(view.turns[0].state, TurnState::Running);
    let mut others = other.feed().await;
    for (place, turn) in order.iter().enumerate() {
        let feed = if *turn == waiting[2].turn {
            &mut others
        } else {
            &mut feed
        };
        feed.until_position(*turn, place as u64 + 1).await;
    }
    site.model.hold(false);
    for sent in waiting.iter().chain([&running]) {
        let (browser, feed) = if sent.turn == waiting[2].turn {
            (&other, &mut others)
        } else {
            (&one, &mut feed)
        };
        assert_eq!(feed.over(sent.turn).await.state, TurnState::Done);
        let view = browser.conversation(sent.conversation).await.expect("it is there");
        assert_eq!(view.turns.len(), 1);
        assert_eq!(
            view.turns[0].answer.matches("Answer to").count(),
            1,
            "no half answer beside the new one"
        );
    }
    let begun: Vec<_> = site
        .model
        .record()
        .requests
        .into_iter()
        .map(|request| request.question)
        .collect();
    assert_eq!(begun, ["first", "first", "second", "fourth", "third", "fifth"]);
}

#[tokio::test]
async fn a_cancel_before_the_restart_moves_nobody_back_after_it() {
    let mut site = Site::start(&[("CHAT_CONCURRENCY_LIMIT", "1")]).await;
    site.model.hold(true);
    let (one, other) = (site.browser().await, site.browser().await);
    one.send("runs").await;
    site.until_load(1, 0).await;
    let [first, second] = [one.send("first").await, one.send("second").await];
    let others = other.send("other's").await;
    let mut feed = one.feed().await;
    feed.until_position(second.turn, 3).await;
    assert!(one.cancel(first.turn).await);
    feed.until_position(second.turn, 1).await;
    feed.over(first.turn).await;

    site.restart(Duration::ZERO).await;
    let (one, other) = (again(&one, &site), again(&other, &site));
    one.feed().await.until_position(second.turn, 1).await;
    other.feed().await.until_position(others.turn, 2).await;
    site.model.hold(false);
}

/// Everything in one line, its only slot taken.
async fn one_line() -> (Site, Browser, Browser) {
    let site = Site::start(&[("ENABLE_CONCURRENT_PROCESSING", "false")]).await;
    site.model.hold(true);
    let (one, other) = (site.browser().await, site.browser().await);
    one.send("runs").await;
    site.until_load(1, 0).await;
    (site, one, other)
}

/// The only waiting ticket of an event leaves the line, as if it had waited too long.
fn expire(site: &Site, browser: &Browser, event: Event) {
    let id = site.engine.jar().session(&browser.cookie).expect("its cookie");
    let session = site.engine.sessions().find(id).expect("it is in memory");
    let mut tickets = session.tickets().into_iter();
    let (ticket, ..) = tickets.find(|(_, its, _)| *its == event).expect("it waits");
    assert!(site.engine.queue().leave(ticket, LeaveReason::Expired));
}

#[tokio::test]
async fn a_refresh_that_left_before_the_restart_moves_nobody_back_after_it() {
    let (mut site, one, other) = one_line().await;
    let mut feed = one.feed().await;
    one.refresh(RefreshKind::Stats).await;
    site.until_load(1, 1).await;
    let mine = one.send("behind the refresh").await;
    let others = other.send("other's").await;
    feed.until_position(mine.turn, 3).await;
    expire(&site, &one, Event::StatsRefresh);
    while !matches!(feed.next().await, FeedMessage::RefreshRefused { .. }) {}

    site.restart(Duration::ZERO).await;
    let (one, other) = (again(&one, &site), again(&other, &site));
    one.feed().await.until_position(mine.turn, 1).await;
    other.feed().await.until_position(others.turn, 2).await;
    site.model.hold(false);
}

#[tokio::test]
async fn an_upload_that_left_before_the_restart_moves_nobody_back_after_it() {
    for hangs_up in [false, true] {
        let (mut site, one, other) = one_line().await;
        let mut feed = one.feed().await;
        let uploading = tokio::spawn({
            let one = one.clone();
            async move { one.upload("notes.txt", "some notes").await }
        });
        site.until_load(1, 1).await;
        let mine = one.send("behind the upload").await;
        let others = other.send("other's").await;
        feed.until_position(mine.turn, 3).await;
        if hangs_up {
            uploading.abort();
        } else {
            expire(&site, &one, Event::FileUpload);
            assert_eq!(uploading.await.expect("answered").status, 503);
        }
        feed.until_position(mine.turn, 1).await;

        site.restart(Duration::ZERO).await;
        let (one, other) = (again(&one, &site), again(&other, &site));
        one.feed().await.until_position(mine.turn, 1).await;
        other.feed().await.until_position(others.turn, 2).await;
        site.model.hold(false);
    }
}

#[tokio::test]
async fn a_longest_wait_goes_on_while_the_server_is_away() {
    let mut site = Site::start(&[("CHAT_CONCURRENCY_LIMIT", "1"), ("QUEUE_MAX_WAIT", "300")]).await;
    site.model.hold(true);
    let browser = site.browser().await;
    browser.send("runs").await;
    site.until_load(1, 0).await;
    let late = browser.send("is too late").await;
    site.engine.shutdown(Duration::ZERO).await;
    // Ten minutes pass.
    let passed = "UPDATE turns SET accepted_at = accepted_at - 600000 WHERE message = 'is too late'";
    crate::support::edit(site.data(), passed).await;
    site.restart(Duration::ZERO).await;
    let browser = again(&browser, &site);
    let over = browser.feed().await.over(late.turn).await;
    assert!(matches!(over.state, TurnState::Expired { .. }), "{:?}", over.state);
    site.model.hold(false);
}

#[tokio::test]
async fn a_conversation_goes_on_with_its_history() {
    let mut site = Site::start(&[]).await;
    let browser = site.browser().await;
    let first = browser.send("one").await;
    let file = browser.uploaded("notes.txt", "some notes").await;
    let mut feed = browser.feed().await;
    feed.over(first.turn).await;
    site.restart(Duration::ZERO).await;
    let browser = again(&browser, &site);
    assert_eq!(
        browser
            .conversation(first.conversation)
            .await
            .expect("it is there")
            .turns[0]
            .message,
        "one"
    );
    let second = browser.send_with(Some(first.conversation), "two", vec![file.id]).await;
    let over = browser.feed().await.over(second.turn).await;
    assert_eq!(over.state, TurnState::Done);
    assert_eq!(over.parent, Some(first.turn));
    let record = site.model.record();
    let asked = record.requests.last().expect("a request");
    assert!(
        asked.messages >= 3,
        "the first message and its answer come along: {asked:?}"
    );
    assert!(asked.question.contains("some notes"), "and so does the file: {asked:?}");
}

#[tokio::test]
async fn a_turn_that_takes_the_server_down_each_time_is_given_up() {
    let mut site = Site::start(&[]).await;
    site.model.hold(true);
    let browser = site.browser().await;
    let sent = browser.send("poison").await;
    // Ten planned restarts are no fault of its own.
    for _ in 0..10 {
        site.model.until(|record| record.now == 1).await;
        site.restart(Duration::ZERO).await;
    }
    site.model.until(|record| record.now == 1).await;
    site.engine.shutdown(Duration::ZERO).await;
    // As ten crashes would leave it.
    crate::support::edit(site.data(), "UPDATE turns SET attempts = 10").await;
    site.restart(Duration::ZERO).await;
    assert_eq!(site.load(), (0, 0));
    let view = again(&browser, &site)
        .conversation(sent.conversation)
        .await
        .expect("it is there");
    assert!(
        matches!(
            &view.turns[0].state,
            TurnState::Failed {
                reason: Reason::GivenUp
            }
        ),
        "{view:?}"
    );
    // Its owner may think otherwise.
    site.model.hold(false);
    let browser = again(&browser, &site);
    let reply = browser.again(sent.turn, anteroom::wire::TurnId::new()).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(
        browser
            .feed()
            .await
            .until_state(sent.turn, |state| *state == TurnState::Done)
            .await
            .state,
        TurnState::Done
    );
}

#[tokio::test]
async fn sending_again_after_a_restart_makes_no_second_turn() {
    let mut site = Site::start(&[]).await;
    let browser = site.browser().await;
    let message = request(None, "once", Vec::new());
    let first: anteroom::wire::Sent = browser.try_send(&message).await.json();
    browser.feed().await.over(first.turn).await;
    site.restart(Duration::ZERO).await;
    let browser = again(&browser, &site);
    let second: anteroom::wire::Sent = browser.try_send(&message).await.json();
    assert_eq!(second.conversation, first.conversation);
    assert_eq!(site.model.record().requests.len(), 1);
}
