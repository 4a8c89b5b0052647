//! Model servers that are odd: what a page and a program see of each, that nothing stays taken, and that nobody else notices.

use std::time::Duration;

use anteroom::wire::{Reason, Sent, TurnState, TurnView};
use serde_json::{Value, json};

use crate::{
    pools::{CPU, GPU, LARGE, Pooled, ask},
    support::{
        Browser, answer_of,
        program::{Program, Whole, saying, streaming},
        soon,
    },
};

/// An odd server with a model of its own, beside a sound one with another.
async fn beside_a_sound_one(settings: &[(&str, &str)]) -> (Pooled, Browser, Program) {
    let settings = [&[LARGE], settings].concat();
    let pooled = Pooled::start(&[("one", GPU), ("small", CPU)], &settings).await;
    let browser = pooled.site.browser().await;
    let program = Program::new(pooled.site.addr);
    (pooled, browser, program)
}

pub(crate) fn of_large(mut body: Value) -> Value {
    body["model"] = json!("large@gpu");
    body
}

async fn on_a_page(browser: &Browser, text: &str) -> TurnView {
    let sent = browser.send(text).await;
    answer_of(browser, sent.turn).await
}

async fn in_a_program(program: &Program, text: &str) -> Whole {
    program.ask(program.chat(&of_large(saying(text)))).await
}

impl Pooled {
    /// Somebody else is answered at once by another model, whatever the odd one does.
    pub(crate) async fn nobody_else_notices(&self) {
        let other = self.site.browser().await;
        let sent: Sent = other.try_send(&ask("and I?", "small@small")).await.json();
        assert_eq!(answer_of(&other, sent.turn).await.state, TurnState::Done);
    }

    /// Nothing is taken any more, and no request is left at any server.
    pub(crate) async fn nothing_stays_taken(&self) {
        self.site.until_load(0, 0).await;
        assert_eq!(self.site.engine.queue().parked(), 0);
        soon("the end of every request", self.fleet.until(|record| record.now() == 0)).await;
    }
}

#[tokio::test]
async fn one_that_sends_byte_by_byte_is_read_as_any_other() {
    let (pooled, browser, program) = beside_a_sound_one(&[]).await;
    let one = pooled.server("one");
    let sound = on_a_page(&browser, "[[tokens=3]] Grüße 🦀").await;
    one.set("fault", "drip:1").expect("set");
    let dripped = on_a_page(&browser, "[[tokens=3]] Grüße 🦀").await;
    assert_eq!((dripped.state, &dripped.answer), (TurnState::Done, &sound.answer));
    let whole = in_a_program(&program, "[[tokens=3]] Grüße 🦀").await;
    assert_eq!(whole.content(), sound.answer);
    let body = of_large(streaming("[[tokens=3]] Grüße 🦀"));
    let mut stream = program.stream(program.chat(&body)).await;
    assert_eq!(stream.content().await, sound.answer);
    pooled.nothing_stays_taken().await;
}

/// Signs of life, and not a word: silence would end sooner, but this ends, too.
#[tokio::test]
async fn one_that_sends_a_byte_a_second_is_given_up_when_the_time_for_an_answer_is_over() {
    let settings = [
        ("CHAT_TIMEOUT", "1.5"),
        ("MODEL_STALL_TIMEOUT", "1.2"),
        ("MODEL_RETRIES", "0"),
    ];
    let (pooled, browser, program) = beside_a_sound_one(&settings).await;
    pooled.server("one").set("fault", "drip").expect("set");
    let sent = browser.send("hello").await;
    pooled.server("one").until(|record| record.now == 1).await;
    pooled.nobody_else_notices().await;
    let turn = answer_of(&browser, sent.turn).await;
    assert_eq!(
        (turn.state, turn.answer.as_str()),
        (
            TurnState::Expired {
                reason: Reason::TooSlow { seconds: 1 }
            },
            ""
        )
    );
    let late = in_a_program(&program, "hello").await;
    assert_eq!((late.status.as_u16(), &late.error()["code"]), (504, &json!("timeout")));
    pooled.nothing_stays_taken().await;
}

#[tokio::test]
async fn one_that_gives_itself_another_name_is_called_by_its_own() {
    let (pooled, browser, program) = beside_a_sound_one(&[]).await;
    pooled.server("one").set("called", "gpt-imaginary").expect("set");
    let turn = on_a_page(&browser, "who are you?").await;
    assert_eq!((turn.state, turn.model.as_str()), (TurnState::Done, "large@gpu"));
    let whole = in_a_program(&program, "who are you?").await;
    assert_eq!(whole.json["model"], "large@gpu");
    let mut stream = program.stream(program.chat(&of_large(streaming("who are you?")))).await;
    for event in stream.rest().await {
        assert_eq!(event["model"], "large@gpu", "{event}");
    }
    assert!(!stream.raw.contains("gpt-imaginary"), "{}", stream.raw);
    pooled.nothing_stays_taken().await;
}

#[tokio::test]
async fn one_that_calls_itself_unwell_and_answers_is_asked_and_one_that_is_well_and_fails_is_not() {
    let (pooled, browser, program) = beside_a_sound_one(&[("MODEL_OUTAGE_WAIT", "0")]).await;
    let one = pooled.server("one");
    one.set("unwell", "true").expect("set");
    assert_eq!(on_a_page(&browser, "how are you?").await.state, TurnState::Done);
    assert!(!in_a_program(&program, "how are you?").await.content().is_empty());
    one.set("unwell", "false").expect("set");
    one.set("fault", "status:500").expect("set");
    for _ in 0..2 {
        assert!(matches!(
            on_a_page(&browser, "and now?").await.state,
            TurnState::Failed { .. }
        ));
    }
    assert!(in_a_program(&program, "and now?").await.status.is_server_error());
    pooled.nobody_else_notices().await;
    pooled.nothing_stays_taken().await;
}

#[tokio::test]
async fn one_that_is_loading_its_model_is_waited_for() {
    let (pooled, browser, program) = beside_a_sound_one(&[]).await;
    let one = pooled.server("one");
    one.set("first", "1").expect("set");
    one.set("fault", "loading").expect("set");
    let sent = browser.send("hello").await;
    let mut feed = browser.feed().await;
    feed.until("word of what is waited for", |feed| {
        let mut places = feed.status.places.iter();
        places.any(|place| {
            let reason = place.trouble.as_ref().map(|trouble| &trouble.reason);
            reason == Some(&Reason::WaitOverloaded)
        })
    })
    .await;
    pooled.nobody_else_notices().await;
    let turn = answer_of(&browser, sent.turn).await;
    assert_eq!(turn.state, TurnState::Done, "{turn:?}");
    // Turned anew, the spell begins anew.
    one.set("fault", "loading").expect("set");
    let whole = in_a_program(&program, "hello, too").await;
    assert!(whole.content().contains("hello, too"));
    assert_eq!(one.record().of("hello").count(), 2);
    pooled.nothing_stays_taken().await;
}

#[tokio::test]
async fn one_that_refuses_for_ever_ends_in_a_sentence_and_is_hardly_asked() {
    let (pooled, browser, program) = beside_a_sound_one(&[("MODEL_OUTAGE_WAIT", "2")]).await;
    let one = pooled.server("one");
    one.set("retry_after", "none").expect("set");
    one.set("fault", "status:429").expect("set");
    let sent = browser.send("hello").await;
    one.until(|record| record.requests.len() == 1).await;
    pooled.nobody_else_notices().await;
    let turn = answer_of(&browser, sent.turn).await;
    assert_eq!(
        turn.state,
        TurnState::Failed {
            reason: Reason::ModelRateLimited
        }
    );
    let refused = in_a_program(&program, "hello").await;
    assert_eq!(refused.status.as_u16(), 503, "{refused:?}");
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    refused.error();
    // A second, then two: however many ask, it is left alone for longer each time.
    assert!(one.record().requests.len() <= 4, "{:?}", one.record());
    pooled.nothing_stays_taken().await;
    one.set("fault", "none").expect("set");
    let patient = tokio::time::timeout(Duration::from_secs(60), on_a_page(&browser, "and now?"));
    assert_eq!(patient.await.expect("it is tried again").state, TurnState::Done);
}
