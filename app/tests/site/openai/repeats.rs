//! A program that asks again keeps its place, and gets the answer from its beginning.

use reqwest::RequestBuilder;
use serde_json::json;

use crate::support::{
    Site,
    program::{Program, saying, streaming},
    soon,
};

/// How many tries there were before this one, as OpenAI's own clients say.
const TRIES: &str = "x-stainless-retry-count";
const KEY: &str = "idempotency-key";

/// A site with one slot, which somebody has.
async fn busy(settings: &[(&str, &str)]) -> (Site, Program) {
    let site = Site::start(settings).await;
    site.model.hold(true);
    site.browser().await.send("The first").await;
    site.until_load(1, 0).await;
    soon("the model", site.model.until(|record| record.now == 1)).await;
    let program = Program::new(site.addr);
    (site, program)
}

/// Asks, and goes once the request has been seen by the site.
async fn ask_and_go(site: &Site, request: RequestBuilder, load: (usize, usize)) {
    let asked = tokio::spawn(async move {
        let response = request.send().await.expect("an answer");
        // Held open, as one that reads slowly does.
        let _open = response;
        std::future::pending::<()>().await;
    });
    site.until_load(load.0, load.1).await;
    asked.abort();
    let _ = asked.await;
}

async fn asked(site: &Site, question: &str) -> usize {
    site.model.record().of(question).count()
}

#[tokio::test]
async fn a_retry_of_a_client_keeps_its_place() {
    for body in [saying("The second"), streaming("The second")] {
        let (site, program) = busy(&[]).await;
        ask_and_go(&site, program.chat(&body).header(TRIES, "0"), (1, 1)).await;
        let other = site.browser().await;
        other.send("The third").await;
        // It waits on, though its client has gone: those behind it are where they were.
        site.until_load(1, 2).await;
        let retry = program.chat(&body).header(TRIES, "1");
        let content = if body["stream"] == true {
            let mut stream = program.stream(retry).await;
            assert_eq!(stream.header("x-anteroom-position"), Some("1"));
            // The retry is no ticket of its own.
            assert_eq!(site.load(), (1, 2));
            site.model.hold(false);
            stream.content().await
        } else {
            let answered = tokio::spawn({
                let program = program.clone();
                async move { program.ask(retry).await.content().to_owned() }
            });
            site.model.hold(false);
            soon("the answer", answered).await.expect("an answer")
        };
        assert!(content.starts_with("Answer to: The second"), "{content}");
        site.until_load(0, 0).await;
        assert_eq!(asked(&site, "The second").await, 1);
    }
}

#[tokio::test]
async fn first_requests_that_are_alike_stay_two() {
    let site = Site::start(&[("CHAT_CONCURRENCY_LIMIT", "2")]).await;
    let program = Program::new(site.addr);
    let body = saying("Alike");
    let ask = || program.ask(program.chat(&body).header(TRIES, "0"));
    let (one, two) = tokio::join!(ask(), ask());
    assert_ne!(one.json["id"], two.json["id"]);
    // Nor is a retry another's, whose program has its answer or still waits for it.
    let third = program.ask(program.chat(&body).header(TRIES, "1")).await;
    assert_eq!(asked(&site, "Alike").await, 3);
    assert_ne!(third.json["id"], one.json["id"]);
    site.model.hold(true);
    let held = saying("Held");
    let [first, second] = ["0", "1"].map(|tries| program.ask(program.chat(&held).header(TRIES, tries)));
    let release = async {
        soon("the model", site.model.until(|record| record.now == 2)).await;
        site.model.hold(false);
    };
    let (first, second, ()) = tokio::join!(first, second, release);
    assert_ne!(first.json["id"], second.json["id"]);
    assert_eq!(asked(&site, "Held").await, 2);
}

#[tokio::test]
async fn a_request_with_a_key_is_the_same_whenever_it_is_repeated() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    let ask = |text: &str| program.ask(program.chat(&saying(text)).header(KEY, "k-1"));
    let (one, two) = tokio::join!(ask("Once"), ask("Once"));
    let three = ask("Once").await;
    assert_eq!(one.json, two.json);
    assert_eq!(one.json, three.json);
    assert_eq!(asked(&site, "Once").await, 1);
    let other = ask("Otherwise").await;
    assert_eq!(
        (other.status.as_u16(), &other.error()["code"]),
        (422, &json!("idempotency_key_reused"))
    );
    let long = program
        .ask(program.chat(&saying("x")).header(KEY, "x".repeat(256)))
        .await;
    assert_eq!(long.status.as_u16(), 400);
    let another = program.ask(program.chat(&saying("Once")).header(KEY, "k-2")).await;
    assert_ne!(another.json["id"], one.json["id"]);
}

#[tokio::test]
async fn what_has_failed_is_asked_anew() {
    let site = Site::start(&[("MODEL_RETRIES", "0")]).await;
    let program = Program::new(site.addr);
    let body = saying("Once more [[fault=status:500 times=1]]");
    let failed = program.ask(program.chat(&body).header(KEY, "k")).await;
    assert_eq!(failed.status.as_u16(), 502);
    let retry = program
        .ask(program.chat(&body).header(KEY, "k").header(TRIES, "1"))
        .await;
    assert!(retry.content().starts_with("Answer to: Once more"));
}

#[tokio::test]
async fn an_answer_that_nobody_was_there_for_is_kept() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    let body = saying("Kept [[hold=true]]");
    ask_and_go(&site, program.chat(&body).header(TRIES, "0"), (1, 0)).await;
    soon("the model", site.model.until(|record| record.now == 1)).await;
    site.model.hold(false);
    site.until_load(0, 0).await;
    let retry = program.ask(program.chat(&body).header(TRIES, "1")).await;
    assert!(retry.content().starts_with("Answer to: Kept"));
    assert_eq!(asked(&site, "Kept").await, 1);
}

#[tokio::test]
async fn a_stream_that_has_begun_is_not_waited_for() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    let request = program.chat(&streaming("Begun [[hold=true]]")).header(TRIES, "0");
    let mut stream = program.stream(request).await;
    assert!(stream.data().await.is_some());
    site.until_load(1, 0).await;
    drop(stream);
    site.until_load(0, 0).await;
    soon("the model", site.model.until(|record| record.now == 0)).await;
}

#[tokio::test]
async fn who_does_not_come_back_is_given_up() {
    let (site, program) = busy(&[("QUEUE_ABANDON_AFTER", "1")]).await;
    ask_and_go(&site, program.chat(&streaming("The second")).header(TRIES, "0"), (1, 1)).await;
    // Its place is given up after a second. (What a browser has running is not.)
    site.until_load(1, 0).await;
    assert_eq!(asked(&site, "The second").await, 0);
}

#[tokio::test]
async fn a_stream_that_was_named_begins_again_where_the_first_was_broken_off() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    let request = || program.chat(&streaming("Named [[hold=true]]")).header(KEY, "night");
    let mut stream = program.stream(request()).await;
    let first = stream.data().await.expect("its beginning");
    drop(stream);
    let mut again = program.stream(request()).await;
    assert_eq!(again.data().await.as_ref(), Some(&first), "from its beginning");
    site.model.hold(false);
    assert!(!again.rest().await.is_empty());
    assert_eq!(asked(&site, "Named").await, 1);
}
