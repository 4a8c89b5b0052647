//! The same question on several pages at the same time, in front of real model servers.

use anteroom::wire::{Choice, Sent, TurnNotice, TurnState};
use anteroom_loopback::Ending;

use crate::{
    pools::{CPU, GPU, LARGE, Pooled, ask},
    support::answer_of,
};

const ON: (&str, &str) = ("ANSWER_CACHE_SIZE", "1MB");

/// A question that always has the same answer.
fn certain(text: &str) -> anteroom::wire::SendRequest {
    let mut request = ask(text, "large@gpu");
    request.choice.get_or_insert_default().temperature = Some(0.0);
    request
}

#[tokio::test]
async fn one_request_answers_all_who_ask_the_same_and_goes_on_without_the_first() {
    let pooled = Pooled::start(&[("one", GPU)], &[LARGE, ON]).await;
    let (site, one) = (&pooled.site, pooled.server("one"));
    let browser = site.browser().await;
    let text = "[[gate=rest after=2 tokens=6]] Is it?";
    let mut sent: Vec<Sent> = Vec::new();
    for _ in 0..3 {
        sent.push(browser.try_send(&certain(text)).await.json());
    }
    one.until(|record| record.requests.first().is_some_and(|request| request.pieces == 2))
        .await;
    site.until_load(1, 0).await;
    let mut feed = browser.feed().await;
    feed.until("what has been said so far", |feed| {
        let said = |sent: &Sent| feed.turns.get(&sent.turn).is_some_and(|turn| !turn.blocks.is_empty());
        sent[1..].iter().all(said)
    })
    .await;
    assert!(browser.cancel(sent[0].turn).await);
    let cancelled = answer_of(&browser, sent[0].turn).await;
    assert_eq!(cancelled.state, TurnState::Cancelled);
    assert_eq!(site.load(), (1, 0), "the slot is the answer's");
    one.open("rest");
    for sent in &sent[1..] {
        let turn = answer_of(&browser, sent.turn).await;
        assert_eq!(turn.state, TurnState::Done, "{turn:?}");
        assert!(turn.notices.contains(&TurnNotice::Shared), "{turn:?}");
        assert!(turn.answer.starts_with(&cancelled.answer) && turn.answer.len() > cancelled.answer.len());
    }
    site.until_load(0, 0).await;
    let record = one.record();
    assert_eq!(
        (record.requests.len(), record.requests[0].ending),
        (1, Some(Ending::Complete))
    );
}

#[tokio::test]
async fn who_reads_along_and_chooses_another_model_is_asked_itself() {
    let pooled = Pooled::start(&[("one", GPU), ("small", CPU)], &[LARGE, ON]).await;
    let (site, one) = (&pooled.site, pooled.server("one"));
    one.hold(true);
    let browser = site.browser().await;
    let first: Sent = browser.try_send(&certain("Is it?")).await.json();
    one.until(|record| record.now == 1).await;
    let second: Sent = browser.try_send(&certain("Is it?")).await.json();
    assert_eq!((site.load(), site.engine.queue().parked()), ((1, 0), 1));
    let choice = Choice {
        model: Some("small@small".to_owned()),
        temperature: Some(0.0),
        ..Choice::default()
    };
    let choice = serde_json::json!({ "conversation": second.conversation, "choice": choice });
    let call = browser.post("/api/choose").header("content-type", "application/json");
    assert_eq!(browser.ask(call.body(choice.to_string())).await.status, 200);
    let turn = answer_of(&browser, second.turn).await;
    assert_eq!((turn.state, turn.model.as_str()), (TurnState::Done, "small@small"));
    assert!(!turn.notices.contains(&TurnNotice::Shared), "{:?}", turn.notices);
    one.hold(false);
    assert_eq!(answer_of(&browser, first.turn).await.state, TurnState::Done);
    site.until_load(0, 0).await;
    assert_eq!(one.record().requests.len(), 1);
}
