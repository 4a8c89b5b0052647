//! The line: who waits where, who starts when.

use anteroom::wire::{FeedPosition, TurnState};

use crate::support::{Feed, Site, answer_of};

#[tokio::test]
async fn eight_browsers_share_two_slots() {
    let site = Site::start(&[("CHAT_CONCURRENCY_LIMIT", "2"), ("MAX_RUNNING", "none")]).await;
    site.model.hold(true);
    let mut people = Vec::new();
    for number in 1..=8 {
        let browser = site.browser().await;
        let mut feed = browser.feed().await;
        let sent = browser.send(&format!("question {number}")).await;
        let place = (number > 2).then(|| number - 2);
        assert_eq!(
            sent.place.as_ref().map(|place| place.position),
            place,
            "browser {number}"
        );
        match place {
            Some(place) => feed.until_position(sent.turn, place).await,
            None => drop(feed.until_state(sent.turn, |state| *state == TurnState::Running).await),
        }
        people.push((browser, feed, sent));
    }
    site.until_load(2, 6).await;
    let status = &people[7].1.status;
    let line = status.line().expect("a line");
    assert_eq!((line.running, line.limit, line.waiting), (2, Some(2), 6));

    // The fourth in line (question 6) cancels: those behind move up though nobody has finished.
    let (browser, feed, sent) = &mut people[5];
    assert!(browser.cancel(sent.turn).await);
    assert_eq!(feed.over(sent.turn).await.state, TurnState::Cancelled);
    for (index, position) in [(2, 1), (3, 2), (4, 3), (6, 4), (7, 5)] {
        let (_, feed, sent) = &mut people[index];
        feed.until_position(sent.turn, position).await;
    }

    // The last one reloads: another feed from the page's own position, and the place is kept.
    let (browser, feed, sent) = people.pop().expect("eight");
    drop(feed);
    let view = browser.conversation(sent.conversation).await.expect("the conversation");
    assert_eq!(view.turns[0].state, TurnState::Waiting);
    let mut feed = browser.feed_after(view.feed).await;
    assert!(feed.resumed);
    feed.until_position(sent.turn, 5).await;
    people.push((browser, feed, sent));

    site.model.hold(false);
    for (number, (_, feed, sent)) in people.iter_mut().enumerate() {
        let turn = feed.over(sent.turn).await;
        if number == 5 {
            continue;
        }
        assert_eq!(turn.state, TurnState::Done);
        assert!(
            turn.answer.contains(&format!("question {}", number + 1)),
            "{}",
            turn.answer
        );
        let shown = feed.positions.get(&sent.turn).cloned().unwrap_or_default();
        assert!(
            shown.windows(2).all(|pair| pair[0] > pair[1]),
            "positions only fall: {shown:?}"
        );
    }
    assert_eq!(site.model.record().max, 2, "never a third request at once");
    assert_eq!(site.load(), (0, 0));
}

#[tokio::test]
async fn a_burst_of_one_browser_delays_newcomers_by_one_each() {
    let site = Site::start(&[("CHAT_CONCURRENCY_LIMIT", "1")]).await;
    site.model.hold(true);
    let first = site.browser().await;
    let running = first.send("already running").await;
    let busy = site.browser().await;
    for number in 1..=5 {
        busy.send(&format!("burst {number}")).await;
    }
    let mut newcomers = Vec::new();
    for number in 1..=3 {
        let newcomer = site.browser().await;
        newcomers.push((newcomer.send(&format!("newcomer {number}")).await, newcomer));
    }
    site.model.hold(false);
    for (sent, browser) in &newcomers {
        answer_of(browser, sent.turn).await;
    }
    answer_of(&first, running.turn).await;
    soon_idle(&site).await;
    let record = site.model.record();
    let order: Vec<&str> = record
        .requests
        .iter()
        .map(|request| request.question.as_str())
        .collect();
    let started = |question: &str| order.iter().position(|asked| *asked == question).expect("it was asked");
    for number in 1..=3 {
        let before = order[..started(&format!("newcomer {number}"))].iter();
        let bursts = before.filter(|question| question.starts_with("burst")).count();
        assert!(
            bursts <= 1,
            "newcomer {number} waited for {bursts} of the burst: {order:?}"
        );
    }
}

#[tokio::test]
async fn a_fifo_line_starts_in_order_of_arrival() {
    let site = Site::start(&[("CHAT_CONCURRENCY_LIMIT", "1"), ("QUEUE_ORDER", "fifo")]).await;
    site.model.hold(true);
    let (one, other) = (site.browser().await, site.browser().await);
    for question in ["a", "b", "c"] {
        one.send(question).await;
    }
    let last = other.send("d").await;
    assert_eq!(last.place.expect("it waits").position, 3);
    site.model.hold(false);
    answer_of(&other, last.turn).await;
    let record = site.model.record();
    let order: Vec<&str> = record
        .requests
        .iter()
        .map(|request| request.question.as_str())
        .collect();
    assert_eq!(order, ["a", "b", "c", "d"]);
}

#[tokio::test]
async fn a_page_that_nobody_has_used_yet_shows_the_line() {
    let site = Site::start(&[("CHAT_CONCURRENCY_LIMIT", "1")]).await;
    site.model.hold(true);
    let looker = site.browser().await;
    let mut feed: Feed = looker
        .feed_after(FeedPosition {
            epoch: uuid::Uuid::nil(),
            number: 0,
        })
        .await;
    assert!(feed.resumed, "nothing has happened that could be missed");
    let (one, other) = (site.browser().await, site.browser().await);
    one.send("first").await;
    other.send("second").await;
    feed.until("a busy line", |feed| {
        feed.status
            .line()
            .is_some_and(|line| (line.running, line.waiting) == (1, 1))
    })
    .await;
    assert!(feed.status.places.is_empty(), "no place of anybody else's is shown");
}

async fn soon_idle(site: &Site) {
    site.until_load(0, 0).await;
}
