//! A model server with faults: a sentence for the one concerned, a free slot, everybody else undisturbed.

use anteroom::{
    accounts::Role,
    wire::{Reason, Sent, TurnState, TurnView},
};
use reqwest::StatusCode;

use crate::support::{Browser, Site, answer_of, edit, english, request};

const BROKEN: &str = "CREATE TRIGGER broken BEFORE INSERT ON turns BEGIN SELECT RAISE(ABORT, 'broken'); END";
const MENDED: &str = "DROP TRIGGER broken";

async fn failed(browser: &Browser, question: &str) -> TurnView {
    let sent = browser.send(question).await;
    let turn = answer_of(browser, sent.turn).await;
    let TurnState::Failed { reason } = &turn.state else {
        panic!("{question}: {:?}", turn.state)
    };
    let sentence = english(reason);
    assert!(sentence.ends_with('.') && sentence.len() > 30, "a sentence: {sentence}");
    turn
}

#[tokio::test]
async fn every_fault_becomes_a_sentence_and_frees_the_slot() {
    let site = Site::start(&[
        ("CHAT_CONCURRENCY_LIMIT", "1"),
        ("MODEL_RETRIES", "0"),
        ("MODEL_STALL_TIMEOUT", "1"),
        ("MODEL_OUTAGE_WAIT", "5"),
    ])
    .await;
    let (unlucky, other) = (site.browser().await, site.browser().await);
    for fault in FAULTS {
        failed(&unlucky, &format!("unlucky [[fault={fault}]]")).await;
        let sent = other.send("and I?").await;
        assert_eq!(
            answer_of(&other, sent.turn).await.state,
            TurnState::Done,
            "after {fault}"
        );
    }
    site.until_load(0, 0).await;
}

const FAULTS: [&str; 13] = [
    "status:307",
    "status:400",
    "status:401",
    "status:404",
    "status:429",
    "status:500",
    "hang",
    "stall:3",
    "close:3",
    "end:3",
    "error:3",
    "garbage",
    "empty",
];

#[tokio::test]
async fn a_server_that_is_not_there_is_told_so() {
    let site = Site::start(&[("OPENAI_BASE_URL", "http://127.0.0.1:9/v1"), ("MODEL_OUTAGE_WAIT", "0")]).await;
    let turn = failed(&site.browser().await, "hello").await;
    assert!(
        matches!(
            &turn.state,
            TurnState::Failed {
                reason: Reason::ModelUnreachable
            }
        ),
        "{:?}",
        turn.state
    );
}

#[tokio::test]
async fn a_redirect_is_told_with_what_to_set_and_without_where_it_leads() {
    let site = Site::start(&[]).await;
    let turn = failed(&site.browser().await, "hello [[fault=status:307]]").await;
    let TurnState::Failed { reason } = &turn.state else {
        panic!("{:?}", turn.state)
    };
    let sentence = english(reason);
    assert!(
        sentence.contains("leads elsewhere") && sentence.contains("OPENAI_BASE_URL"),
        "{sentence}"
    );
    assert!(!sentence.contains("elsewhere.invalid"), "{sentence}");
    assert_eq!(site.model.record().requests.len(), 1, "asking again changes nothing");
}

#[tokio::test]
async fn what_is_safe_to_retry_is_retried_and_what_failed_can_be_asked_again() {
    let site = Site::start(&[("MODEL_RETRIES", "1")]).await;
    let browser = site.browser().await;
    let sent = browser.send("twice [[fault=status:500 times=1]]").await;
    assert_eq!(answer_of(&browser, sent.turn).await.state, TurnState::Done);

    let turn = failed(&browser, "thrice [[fault=status:500 times=2]]").await;
    let again = browser.again(turn.id, anteroom::wire::TurnId::new()).await;
    assert_eq!(again.status, StatusCode::OK, "{again:?}");
    let turn = answer_of(&browser, turn.id).await;
    assert_eq!(turn.state, TurnState::Done);
    assert!(turn.answer.contains("thrice"), "{turn:?}");
    let view = browser.conversation(turn.conversation).await.expect("it is there");
    assert_eq!(view.turns.len(), 1, "one message, one answer");
}

#[tokio::test]
async fn what_cannot_be_stored_is_not_accepted_and_its_answer_is_stopped() {
    let site = Site::start(&[("CHAT_CONCURRENCY_LIMIT", "1")]).await;
    let browser = site.browser().await;
    let mut feed = browser.feed().await;
    edit(site.data(), BROKEN).await;
    site.model.hold(true);
    let request = request(None, "kept or not?", Vec::new());
    let reply = browser.try_send(&request).await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{reply:?}");
    site.until_load(0, 0).await;
    site.model.until(|record| record.now == 0).await;

    edit(site.data(), MENDED).await;
    site.model.hold(false);
    let other = browser.send("another").await;
    feed.over(other.turn).await;
    assert!(
        !feed.turns.contains_key(&request.turn),
        "its pages have not heard of it"
    );
    let reply = browser.try_send(&request).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    let sent: Sent = reply.json();
    assert_eq!(feed.over(request.turn).await.state, TurnState::Done);
    let shown = browser.conversation(sent.conversation).await.expect("it is there");
    assert_eq!(shown.turns.len(), 1);
}

#[tokio::test]
async fn what_was_not_accepted_is_no_answer_that_failed() {
    let site = Site::start(&[("CHAT_CONCURRENCY_LIMIT", "1")]).await;
    let (unlucky, other) = (site.browser().await, site.browser().await);
    site.model.hold(true);
    let refused = || async {
        edit(site.data(), BROKEN).await;
        let reply = unlucky.try_send(&request(None, "kept or not?", Vec::new())).await;
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{reply:?}");
        edit(site.data(), MENDED).await;
    };
    // Once with a slot, and once in the line.
    refused().await;
    site.until_load(0, 0).await;
    let sent = other.send("this one is kept").await;
    site.until_load(1, 0).await;
    refused().await;
    site.until_load(1, 0).await;
    site.model.hold(false);
    assert_eq!(answer_of(&other, sent.turn).await.state, TurnState::Done);

    let limits = site.engine.stats_view(Role::Visitor).limits;
    let chat = limits.iter().find(|row| row.name == "chat").expect("the limit");
    let counts = chat.counts.as_ref().expect("a limit counts");
    let counted = (counts.done, counts.failed, counts.cancelled, counts.refused);
    assert_eq!(counted, (1, 0, 0, 2), "done, failed, cancelled, refused");
}
