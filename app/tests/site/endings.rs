//! However a turn ends, its slot is free afterwards.

use std::{convert::Infallible, sync::Arc};

use anteroom::{
    agents::{Agent, AgentError, AgentFactory, Answered, Part, Parts, Question},
    wire::{Reason, TurnState},
};
use anteroom_loopback::Ending;
use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::support::{Site, answer_of, soon};

#[tokio::test]
async fn a_stopped_turn_frees_its_slot_and_keeps_what_was_written() {
    let site = Site::start(&[("CHAT_CONCURRENCY_LIMIT", "1")]).await;
    let browser = site.browser().await;
    let mut feed = browser.feed().await;
    let sent = browser.send("long story [[tokens=1000 gate=middle after=5]]").await;
    feed.until("a part of the answer", |feed| {
        feed.turns.get(&sent.turn).is_some_and(|turn| !turn.blocks.is_empty())
    })
    .await;
    let next = browser.send("next").await;
    assert!(browser.cancel(sent.turn).await);
    let stopped = feed.over(sent.turn).await;
    assert_eq!(stopped.state, TurnState::Cancelled);
    assert!(stopped.answer.contains("long story"), "{stopped:?}");
    assert!(!browser.cancel(sent.turn).await, "it is over");
    assert_eq!(feed.over(next.turn).await.state, TurnState::Done);
    site.until_load(0, 0).await;
    soon("the upstream request's end", site.model.until(|record| record.now == 0)).await;
    let record = site.model.record();
    let asked = record
        .requests
        .iter()
        .find(|request| request.question.contains("long story"))
        .expect("it was asked");
    assert_eq!(asked.ending, Some(Ending::ClientGone));
}

#[tokio::test]
async fn a_turn_that_takes_too_long_is_stopped() {
    let site = Site::start(&[("CHAT_CONCURRENCY_LIMIT", "1"), ("CHAT_TIMEOUT", "1")]).await;
    let browser = site.browser().await;
    let sent = browser.send("for ever [[gate=never after=2]]").await;
    let turn = answer_of(&browser, sent.turn).await;
    let TurnState::Expired { reason } = turn.state else {
        panic!("{:?}", turn.state)
    };
    assert_eq!(reason, Reason::TooSlow { seconds: 1 });
    assert!(!turn.answer.is_empty());
    site.until_load(0, 0).await;
}

#[tokio::test]
async fn a_turn_that_waits_too_long_leaves_the_line() {
    let site = Site::start(&[("CHAT_CONCURRENCY_LIMIT", "1"), ("QUEUE_MAX_WAIT", "1")]).await;
    site.model.hold(true);
    let browser = site.browser().await;
    browser.send("holds the slot").await;
    let sent = browser.send("waits").await;
    let turn = answer_of(&browser, sent.turn).await;
    assert!(matches!(turn.state, TurnState::Expired { .. }), "{:?}", turn.state);
    assert_eq!(site.load(), (1, 0));
}

#[tokio::test]
async fn a_vanished_browser_leaves_the_line_and_what_runs_is_finished() {
    let site = Site::start(&[("CHAT_CONCURRENCY_LIMIT", "1"), ("QUEUE_ABANDON_AFTER", "1")]).await;
    site.model.hold(true);
    let (gone, stays) = (site.browser().await, site.browser().await);
    let mut feed = stays.feed().await;
    let page = gone.feed().await;
    let running = gone.send("runs").await;
    let waiting = gone.send("waits").await;
    let behind = stays.send("waits behind").await;
    feed.until_position(behind.turn, 1 + 1).await;
    drop(page);
    // Its waiting ticket leaves, and the one behind moves up though nobody has finished.
    feed.until_position(behind.turn, 1).await;
    site.model.hold(false);
    assert_eq!(feed.over(behind.turn).await.state, TurnState::Done);
    let view = gone.conversation(running.conversation).await.expect("it is kept");
    assert_eq!(view.turns[0].state, TurnState::Done, "what ran was finished and stored");
    let view = gone.conversation(waiting.conversation).await.expect("it is kept");
    assert!(
        matches!(view.turns[0].state, TurnState::Expired { .. }),
        "{:?}",
        view.turns[0].state
    );
    site.until_load(0, 0).await;
}

#[tokio::test]
async fn a_panic_in_an_agent_frees_its_slot_and_is_told_as_a_sentence() {
    let site = Site::start_with(&[("CHAT_CONCURRENCY_LIMIT", "1")], |_, _| {
        Ok::<_, Infallible>(Arc::new(Clumsy) as _)
    })
    .await;
    let (one, other) = (site.browser().await, site.browser().await);
    let panics = one.send("panic").await;
    let turn = answer_of(&one, panics.turn).await;
    let TurnState::Failed { reason } = &turn.state else {
        panic!("{:?}", turn.state)
    };
    assert_eq!(*reason, Reason::Mistake);
    let early = one.send("panic at once").await;
    assert!(matches!(
        answer_of(&one, early.turn).await.state,
        TurnState::Failed { .. }
    ));
    site.until_load(0, 0).await;
    let sent = other.send("hello").await;
    assert_eq!(
        answer_of(&other, sent.turn).await.state,
        TurnState::Done,
        "everybody else is undisturbed"
    );
    // The same session can go on, too.
    let sent = one.send("hello").await;
    assert_eq!(answer_of(&one, sent.turn).await.state, TurnState::Done);
}

/// An agent that panics when asked to.
struct Clumsy;

#[async_trait]
impl Agent for Clumsy {
    async fn answer(&self, question: Question, parts: Parts, _: CancellationToken) -> Result<Answered, AgentError> {
        let text = &question.messages.last().expect("a message").text;
        assert_ne!(text, "panic at once", "clumsy");
        parts.send(Part::Text("A beginning".to_owned())).await.expect("read");
        assert_ne!(text, "panic", "clumsy");
        Ok(Answered::default())
    }
}

impl AgentFactory for Clumsy {
    fn model(&self) -> String {
        "clumsy@test".into()
    }

    fn agent(&self) -> Arc<dyn Agent> {
        Arc::new(Self)
    }
}
