//! Programs in the line: their places, what they are told of them, and what becomes of those who go.

use std::time::Duration;

use anteroom_loopback::Ending;
use reqwest::RequestBuilder;
use serde_json::json;

use crate::{
    api::keyed,
    support::{
        Browser, Site,
        program::{Program, all, saying, streaming},
        request, soon,
    },
};

/// A site with one slot, which somebody has.
async fn busy(settings: &[(&str, &str)]) -> (Site, Program, Browser) {
    let site = Site::start(settings).await;
    site.model.hold(true);
    let browser = site.browser().await;
    browser.send("The first").await;
    site.until_load(1, 0).await;
    soon("the model", site.model.until(|record| record.now == 1)).await;
    (site, Program::new(site_addr(&browser)), browser)
}

fn site_addr(browser: &Browser) -> std::net::SocketAddr {
    browser.addr
}

#[tokio::test]
async fn a_stream_says_where_it_stands_in_lines_of_comment() {
    let (site, program, _browser) = busy(&[]).await;
    let mut stream = program.stream(program.chat(&streaming("The second"))).await;
    assert_eq!(stream.header("x-anteroom-position"), Some("1"));
    assert_eq!(stream.header("x-anteroom-waiting"), Some("1"));
    let comment = stream.comment().await.expect("a comment");
    assert!(comment.starts_with("position=1"), "{comment}");
    // People and programs see the same line.
    let person = site.browser().await;
    person.send("The third").await;
    site.until_load(1, 2).await;
    site.model.hold(false);
    assert!(stream.content().await.starts_with("Answer to: The second"));
    let blank_after_comment = stream.raw.lines().collect::<Vec<_>>();
    for pair in blank_after_comment.windows(2) {
        assert!(!(pair[0].starts_with(':') && pair[1].is_empty()), "{}", stream.raw);
    }
    assert!(
        !stream.raw.starts_with('\n') && !stream.raw.contains("\n\n\n"),
        "{}",
        stream.raw
    );
    let questions: Vec<_> = site
        .model
        .record()
        .requests
        .iter()
        .map(|request| request.question.clone())
        .collect();
    assert_eq!(questions[..2], ["The first", "The second"]);
}

#[tokio::test]
async fn an_answer_in_one_body_says_where_it_stood() {
    let (site, program, _browser) = busy(&[]).await;
    let waiting = tokio::spawn({
        let program = program.clone();
        async move { program.ask(program.chat(&saying("The second"))).await }
    });
    site.until_load(1, 1).await;
    site.model.hold(false);
    let whole = soon("the answer", waiting).await.expect("an answer");
    assert!(whole.content().starts_with("Answer to: The second"));
    assert_eq!(whole.header("x-anteroom-position"), Some("1"));
}

#[tokio::test]
async fn a_full_line_is_said_with_when_to_come_again() {
    let (site, program, _browser) = busy(&[("QUEUE_MAX_SIZE", "1")]).await;
    let _waits = program.stream(program.chat(&streaming("The second"))).await;
    site.until_load(1, 1).await;
    for body in [saying("The third"), streaming("The third")] {
        let refused = program.ask(program.chat(&body)).await;
        assert_eq!(refused.status.as_u16(), 429, "{refused:?}");
        assert_eq!(refused.error()["code"], "rate_limit_exceeded");
        assert_eq!(refused.header("x-should-retry"), Some("true"));
        let seconds: u64 = refused.header("retry-after").expect("a time").parse().expect("seconds");
        assert!((1..=120).contains(&seconds), "{seconds}");
    }
}

/// What a page and programs are told at the same moment, each by its status and whether it says when to come again.
async fn told(site: &Site, program: &Program) -> Vec<(u16, bool)> {
    let page = site.browser().await;
    let page = page.try_send(&request(None, "No room", Vec::new())).await;
    let mut told = vec![(page.status.as_u16(), page.retry_after.is_some())];
    for asked in [
        program.chat(&saying("No room")),
        program.chat(&streaming("No room")),
        program.post(
            "/v1/responses",
            &json!({ "model": "loopback@openai", "input": "No room" }),
        ),
        program.post("/api/v1/chat", &json!({ "message": "No room" })),
        program.post("/api/v1/chat/stream", &json!({ "message": "No room" })),
        program.post("/api/v1/conversations", &json!({ "message": "No room" })),
    ] {
        let refused = program.ask(asked).await;
        told.push((refused.status.as_u16(), refused.header("retry-after").is_some()));
    }
    told
}

#[tokio::test]
async fn a_line_without_room_is_the_same_to_pages_and_programs() {
    let (site, program, browser) = busy(&[("QUEUE_MAX_SIZE", "1")]).await;
    browser.send("The second").await;
    site.until_load(1, 1).await;
    for told in told(&site, &program).await {
        assert_eq!(told, (429, true));
    }
    let (site, program, _browser) = busy(&[("ENABLE_QUEUE", "false")]).await;
    for told in told(&site, &program).await {
        assert_eq!(told, (503, true));
    }
}

#[tokio::test]
async fn a_key_has_as_much_waiting_as_one_may() {
    let (site, program, _browser) = busy(&[("QUEUE_MAX_WAITING_PER_SESSION", "1")]).await;
    let _waits = program.stream(program.chat(&streaming("The second"))).await;
    site.until_load(1, 1).await;
    let refused = program.ask(program.chat(&saying("The third"))).await;
    assert_eq!(refused.status.as_u16(), 429, "{refused:?}");
}

#[tokio::test]
async fn whoever_goes_frees_its_place_at_once() {
    let (site, program, _browser) = busy(&[]).await;
    let waits = program.stream(program.chat(&streaming("The second"))).await;
    let whole = tokio::spawn(program.chat(&saying("The third")).send());
    site.until_load(1, 2).await;
    drop(waits);
    site.until_load(1, 1).await;
    whole.abort();
    site.until_load(1, 0).await;
    site.model.hold(false);
    site.until_load(0, 0).await;
    assert_eq!(site.model.record().requests.len(), 1, "neither was asked");
}

#[tokio::test]
async fn whoever_goes_frees_its_slot_at_once() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    for body in [streaming("Long [[hold=true]]"), saying("Long [[hold=true]]")] {
        let asked = tokio::spawn({
            let request = program.chat(&body);
            async move {
                let mut response = request.send().await.expect("an answer");
                while response.chunk().await.expect("a part").is_some() {}
            }
        });
        site.until_load(1, 0).await;
        soon("the model", site.model.until(|record| record.now == 1)).await;
        asked.abort();
        site.until_load(0, 0).await;
        soon("the model", site.model.until(|record| record.now == 0)).await;
    }
    let record = site.model.record();
    assert!(
        record
            .requests
            .iter()
            .all(|request| request.ending == Some(Ending::ClientGone)),
        "{record:?}"
    );
}

#[tokio::test]
async fn programs_and_people_take_turns() {
    let (site, program, browser) = busy(&[]).await;
    // A burst by one key delays nobody else by more than one a round.
    let burst = ["one", "two", "three"].map(|text| program.chat(&streaming(text)));
    let burst = all(burst.map(|request| program.stream(request))).await;
    site.until_load(1, 3).await;
    let sent = browser
        .try_send(&crate::support::request(None, "Mine", Vec::new()))
        .await;
    assert!(sent.status.is_success());
    site.until_load(1, 4).await;
    site.model.hold(false);
    let contents = all(burst
        .into_iter()
        .map(|mut stream| async move { stream.content().await }))
    .await;
    assert_eq!(contents.len(), 3);
    site.until_load(0, 0).await;
    let questions: Vec<_> = site
        .model
        .record()
        .requests
        .iter()
        .map(|request| request.question.clone())
        .collect();
    let mine = questions
        .iter()
        .position(|question| question == "Mine")
        .expect("it was asked");
    assert!(mine <= 2, "{questions:?}");
}

#[tokio::test]
async fn what_waits_or_takes_too_long_is_ended() {
    let (site, program, _browser) = busy(&[("QUEUE_MAX_WAIT", "0.2")]).await;
    let refused = program.ask(program.chat(&saying("The second"))).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.error()["code"]),
        (503, &json!("queue_wait_exceeded"))
    );
    let mut stream = program.stream(program.chat(&streaming("The third"))).await;
    let error: serde_json::Value = serde_json::from_str(&stream.data().await.expect("an error")).expect("JSON");
    assert_eq!(error["error"]["code"], "queue_wait_exceeded");
    assert_eq!(stream.data().await, None);
    drop(site);
    let site = Site::start(&[("CHAT_TIMEOUT", "0.2")]).await;
    let program = Program::new(site.addr);
    let slow = program.ask(program.chat(&saying("Long [[hold=true]]"))).await;
    assert_eq!(
        (slow.status.as_u16(), slow.header("x-should-retry")),
        (504, Some("false")),
        "{slow:?}"
    );
    site.until_load(0, 0).await;
}

#[tokio::test]
async fn who_waits_is_told_that_the_server_ends() {
    let (mut site, program, _browser) = busy(&[]).await;
    let whole = tokio::spawn({
        let program = program.clone();
        async move {
            program
                .ask(
                    program
                        .chat(&saying("The second"))
                        .header("x-stainless-retry-count", "0"),
                )
                .await
        }
    });
    let mut stream = program.stream(program.chat(&streaming("The third"))).await;
    site.until_load(1, 2).await;
    site.restart(Duration::from_millis(100)).await;
    let refused = whole.await.expect("an answer");
    assert_eq!(
        (refused.status.as_u16(), refused.header("x-should-retry")),
        (503, Some("true")),
        "{refused:?}"
    );
    let error: serde_json::Value = serde_json::from_str(&stream.data().await.expect("an error")).expect("JSON");
    assert!(
        error["error"]["message"].as_str().expect("words").contains("restarted"),
        "{error}"
    );
}

#[tokio::test]
async fn what_answers_take_counts_for_their_key() {
    let site = Site::start(&[("KEY_TOKENS_PER_MINUTE", "10")]).await;
    let program = Program::new(site.addr);
    let body = streaming("one two three [[tokens=9]]");
    let first = program.stream(program.chat(&body)).await.rest().await;
    assert!(!first.is_empty());
    let refused = program.ask(program.chat(&body)).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.error()["code"]),
        (429, &json!("rate_limit_exceeded"))
    );
    let seconds: u64 = refused.header("retry-after").expect("a time").parse().expect("seconds");
    assert!((1..=120).contains(&seconds), "{seconds}");
    assert_eq!(site.model.record().requests.len(), 1);
}

#[tokio::test]
async fn so_does_what_was_broken_off() {
    let site = Site::start(&[("KEY_TOKENS_PER_MINUTE", "10")]).await;
    let program = Program::new(site.addr);
    let mut stream = program
        .stream(program.chat(&streaming("one two three [[hold=true]]")))
        .await;
    assert!(stream.data().await.is_some());
    drop(stream);
    site.until_load(0, 0).await;
    let refused = program.ask(program.chat(&saying("And now?"))).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.error()["code"]),
        (429, &json!("rate_limit_exceeded"))
    );
}

#[tokio::test]
async fn what_answers_take_counts_for_the_address_that_has_asked_for_them() {
    let site = Site::start(&[("ADDRESS_TOKENS_PER_MINUTE", "2"), ("TRUSTED_PROXIES", "127.0.0.1")]).await;
    let (one, other) = (keyed(&site).await, keyed(&site).await);
    let say = "one two three [[tokens=9]]";
    let message = json!({ "message": say });
    let from = |request: RequestBuilder, address: &str| request.header("x-forwarded-for", address.to_owned());
    let look = |program: &Program, address: &str| from(program.get("/api/v1/key"), address);
    // A request, a message of a conversation and a task, each from an address of its own.
    let asked = one
        .stream(from(one.chat(&streaming(say)), "192.0.2.1"))
        .await
        .rest()
        .await;
    assert!(!asked.is_empty());
    let turn = one
        .ask(from(one.post("/api/v1/conversations", &message), "192.0.2.2"))
        .await;
    assert_eq!(turn.json["state"], "done", "{turn:?}");
    let task = one.ask(from(one.post("/api/v1/tasks", &message), "2001:db8::3")).await;
    let task = format!("/api/v1/tasks/{}", task.json["id"].as_str().expect("an id"));
    soon("the task", async {
        while one.ask(from(one.get(&task), "192.0.2.9")).await.json["state"] != "done" {
            tokio::task::yield_now().await;
        }
    })
    .await;
    for address in ["192.0.2.1", "192.0.2.2", "2001:db8::7"] {
        let refused = other.ask(look(&other, address)).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.json["reason"]["code"]),
            (429, &json!("address_too_many_tokens")),
            "{address}: {refused:?}"
        );
        let refused = other.ask(from(other.chat(&saying(say)), address)).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.error()["code"]),
            (429, &json!("rate_limit_exceeded")),
            "{address}"
        );
    }
    let free = one.ask(look(&one, "192.0.2.8")).await;
    assert_eq!(free.status.as_u16(), 200, "the key itself owes nothing: {free:?}");
    assert_eq!(site.model.record().requests.len(), 3);
}
