//! Titles that the model makes, in slots that nobody needs.

use anteroom::wire::TurnState;
use anteroom_loopback::{Ending, Record};
use reqwest::StatusCode;

use crate::support::{Browser, Site, answer_of};

/// Gates are opened once; a message with one of its own does not stand at that of all others.
const PASSES: &str = "[[gate=open]]";
/// What the model makes of a request for a title.
const MADE: &str = "Answer to: Write a title for this conversation: at most six…";

async fn site(settings: &[(&str, &str)]) -> Site {
    let settings: Vec<_> = [("TITLES", "model"), ("CHAT_CONCURRENCY_LIMIT", "1")]
        .into_iter()
        .chain(settings.iter().copied())
        .collect();
    let site = Site::start(&settings).await;
    site.model.open("open");
    site
}

/// From now on every request for a title stands at a gate.
fn hold_titles(site: &Site) {
    // The first piece is the whole line.
    site.model.set("after", "0").expect("a number");
    site.model.set("gate", "titles").expect("a gate");
}

fn is_title(question: &str) -> bool {
    question.starts_with("Write a title")
}

async fn title_is_asked_for(site: &Site) {
    let asked = |record: &Record| {
        let last = record.requests.last();
        last.is_some_and(|last| is_title(&last.question) && last.ending.is_none())
    };
    crate::support::soon("a request for a title", site.model.until(asked)).await;
}

async fn rename(browser: &Browser, id: anteroom::wire::ConversationId, title: &str) {
    let reply = browser
        .call("rename", &[("conversation", &id.to_string()), ("title", title)])
        .await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
}

#[tokio::test]
async fn the_first_answer_gives_a_conversation_its_title_and_no_later_one() {
    let site = site(&[]).await;
    let browser = site.browser().await;
    let mut feed = browser.feed().await;
    let sent = browser.send("apples are red").await;
    feed.until("the title that is made of the first words", |feed| {
        feed.conversations
            .get(&sent.conversation)
            .is_some_and(|title| title == "apples are red")
    })
    .await;
    feed.until("the model's", |feed| {
        feed.conversations
            .get(&sent.conversation)
            .is_some_and(|title| title == MADE)
    })
    .await;
    let asked = site.model.record().requests[1].clone();
    assert_eq!((asked.messages, asked.system), (3, None));
    let second = browser
        .send_with(Some(sent.conversation), "and pears?", Vec::new())
        .await;
    feed.over(second.turn).await;
    let line = browser
        .conversation(sent.conversation)
        .await
        .expect("it is there")
        .summary;
    assert_eq!(line.title, MADE);
    let record = site.model.record();
    assert_eq!(
        record
            .requests
            .iter()
            .filter(|request| is_title(&request.question))
            .count(),
        1
    );
    assert_eq!(record.max, 1);
}

#[tokio::test]
async fn a_title_gives_way_at_once_and_the_model_never_sees_two() {
    let site = site(&[]).await;
    let (first, second) = (site.browser().await, site.browser().await);
    hold_titles(&site);
    let sent = first.send(&format!("{PASSES} apples")).await;
    assert_eq!(answer_of(&first, sent.turn).await.state, TurnState::Done);
    title_is_asked_for(&site).await;
    // The slot is in use, and for everybody it is free.
    assert_eq!(site.load(), (0, 0));
    let next = second.send(&format!("{PASSES} pears")).await;
    assert_eq!(next.place, None, "it does not wait");
    assert_eq!(answer_of(&second, next.turn).await.state, TurnState::Done);
    // It is tried again once nobody needs the slot; the second conversation waits for its turn.
    title_is_asked_for(&site).await;
    let feeds = [
        (first.feed().await, sent.conversation),
        (second.feed().await, next.conversation),
    ];
    site.model.open("titles");
    for (mut feed, id) in feeds {
        feed.until("its title", |feed| {
            feed.conversations.get(&id).is_some_and(|title| title == MADE)
        })
        .await;
    }
    let record = site.model.record();
    assert_eq!(record.max, 1, "{:#?}", record.requests);
    let asked: Vec<_> = record.requests.iter().map(|one| is_title(&one.question)).collect();
    assert_eq!(
        asked,
        [false, true, false, true, true],
        "each at the right time, and one again"
    );
    let given_up = &record.requests[1];
    assert_eq!(
        (given_up.ending, given_up.pieces),
        (Some(Ending::ClientGone), 0),
        "{given_up:#?}"
    );
}

#[tokio::test]
async fn a_title_that_somebody_gave_stays() {
    let site = site(&[]).await;
    let browser = site.browser().await;
    hold_titles(&site);
    let sent = browser.send(&format!("{PASSES} apples")).await;
    answer_of(&browser, sent.turn).await;
    title_is_asked_for(&site).await;
    let made = browser
        .conversation(sent.conversation)
        .await
        .expect("there")
        .summary
        .title;
    // Also the same one again: that was said by somebody, too.
    rename(&browser, sent.conversation, &made).await;
    let gone = |record: &Record| record.now == 0;
    crate::support::soon("nobody to wait for a title any more", site.model.until(gone)).await;
    site.model.open("titles");
    let second = browser.send(&format!("{PASSES} pears")).await;
    answer_of(&browser, second.turn).await;
    let line = browser.conversation(sent.conversation).await.expect("there").summary;
    assert_eq!(line.title, made);
    // Renamed before its first answer, a conversation is not asked about.
    site.model.hold(true);
    let third = browser.send(&format!("{PASSES} plums")).await;
    rename(&browser, third.conversation, "Mine").await;
    site.model.hold(false);
    answer_of(&browser, third.turn).await;
    let asked = site.model.record().requests.len();
    let last = browser
        .send_with(Some(third.conversation), &format!("{PASSES} go on"), Vec::new())
        .await;
    answer_of(&browser, last.turn).await;
    let requests = site.model.record().requests[asked..].to_vec();
    assert!(
        requests.iter().filter(|one| is_title(&one.question)).count() <= 1,
        "that of the second one"
    );
    let line = browser.conversation(third.conversation).await.expect("there").summary;
    assert_eq!(line.title, "Mine");
}

#[tokio::test]
async fn unless_told_no_model_is_asked_for_titles() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let sent = browser.send("apples. And pears").await;
    answer_of(&browser, sent.turn).await;
    let more = browser.send_with(Some(sent.conversation), "and now?", Vec::new()).await;
    answer_of(&browser, more.turn).await;
    assert!(site.model.record().requests.iter().all(|one| !is_title(&one.question)));
}
