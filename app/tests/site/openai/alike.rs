//! Requests that are alike: answered before, or at the same time.

use anteroom_loopback::Ending;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::{
    api::keyed,
    support::{
        Site,
        program::{Program, content_of, saying, streaming},
    },
};

const ON: (&str, &str) = ("ANSWER_CACHE_SIZE", "1MB");
const CACHE: &str = "x-anteroom-cache";

/// A request that always has the same answer.
fn certain(mut body: Value) -> Value {
    body["temperature"] = json!(0);
    body
}

/// What an answer says, and where it is said to come from.
async fn read(program: &Program, request: RequestBuilder, streams: bool) -> (String, Option<String>) {
    if streams {
        let mut stream = program.stream(request).await;
        let cache = stream.header(CACHE).map(str::to_owned);
        (stream.content().await, cache)
    } else {
        let whole = program.ask(request).await;
        (whole.content().to_owned(), whole.header(CACHE).map(str::to_owned))
    }
}

fn asked(site: &Site, question: &str) -> usize {
    site.model.record().of(question).count()
}

#[tokio::test]
async fn what_was_answered_before_is_given_again_without_a_slot_to_its_owner_alone() {
    let site = Site::start(&[ON, ("QUEUE_MAX_SIZE", "1")]).await;
    let (program, other) = (keyed(&site).await, keyed(&site).await);
    for (streams, body) in [(false, saying("Is it?")), (true, streaming("Is it?"))] {
        let body = certain(body);
        let before = asked(&site, "Is it?");
        let (first, cache) = read(&program, program.chat(&body), streams).await;
        assert_eq!(cache, None);
        site.model.hold(true);
        let busy = site.browser().await;
        for _ in 0..2 {
            busy.send("[[tokens=1]] busy").await;
        }
        site.until_load(1, 1).await;
        let given = read(&program, program.chat(&body), streams).await;
        assert_eq!(given, (first.clone(), Some("kept".to_owned())));
        site.model.hold(false);
        site.until_load(0, 0).await;
        assert_eq!(asked(&site, "Is it?"), before + 1);
        // Another's is another, and so is one that wants to be asked.
        assert_eq!(read(&other, other.chat(&body), streams).await.1, None);
        for said in ["no-cache", "max-age=0, no-store"] {
            let fresh = program.chat(&body).header("cache-control", said);
            assert_eq!(read(&program, fresh, streams).await.1, None, "{said}");
        }
        assert_eq!(asked(&site, "Is it?"), before + 4);
        // Of a temperature that is not said, answers differ.
        let mut warm = body.clone();
        warm["temperature"] = json!(0.7);
        for _ in 0..2 {
            assert_eq!(read(&program, program.chat(&warm), streams).await.1, None);
        }
    }
    let cut = certain(saying("[[finish=length]] Cut?"));
    for _ in 0..2 {
        let whole = program.ask(program.chat(&cut)).await;
        assert_eq!(whole.header(CACHE), None, "one that was cut is not kept");
    }
    // In a form of our own it says so, too.
    let body = json!({ "message": "Is it so?", "temperature": 0 });
    for cached in [json!(null), json!("kept")] {
        let answer = program.ask(program.post("/api/v1/chat", &body)).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json["cached"]),
            (200, &cached),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn anothers_answer_is_given_only_where_it_is_shared() {
    let site = Site::start(&[ON, ("ANSWER_CACHE_SHARED", "true")]).await;
    let (program, other) = (keyed(&site).await, keyed(&site).await);
    let body = certain(saying("Is it?"));
    assert_eq!(read(&program, program.chat(&body), false).await.1, None);
    assert_eq!(read(&other, other.chat(&body), false).await.1.as_deref(), Some("kept"));
    assert_eq!(asked(&site, "Is it?"), 1);
}

#[tokio::test]
async fn who_asks_what_is_being_answered_has_what_was_said_and_the_rest_as_it_comes() {
    let site = Site::start(&[ON]).await;
    let program = Program::new(site.addr);
    let body = certain(streaming("[[gate=rest after=2 tokens=6]] Is it?"));
    let mut first = program.stream(program.chat(&body)).await;
    let begun = first.data().await.expect("it begins");
    let mut second = program.stream(program.chat(&body)).await;
    assert_eq!(second.header(CACHE), Some("shared"));
    assert_eq!(second.data().await.as_ref(), Some(&begun));
    assert_eq!(
        (site.load(), site.engine.queue().parked()),
        ((1, 0), 1),
        "it has no slot"
    );
    site.model.open("rest");
    let (one, two) = tokio::join!(first.rest(), second.rest());
    assert_eq!(one, two);
    assert!(content_of(&one).len() > 10, "{one:?}");
    site.until_load(0, 0).await;
    assert_eq!(asked(&site, "Is it?"), 1);
}

#[tokio::test]
async fn an_answer_goes_on_without_the_one_who_asked_first_and_ends_with_the_last() {
    let site = Site::start(&[ON]).await;
    let program = Program::new(site.addr);
    let asks = |text: &str| {
        let body = json!({ "message": text, "temperature": 0 });
        program.post("/api/v1/chat/stream", &body)
    };
    let text = "[[gate=rest after=1 tokens=6]] Is it?";
    let mut first = program.stream(asks(text)).await;
    let started = first.event().await.expect("it starts");
    let others = [program.stream(asks(text)).await, program.stream(asks(text)).await];
    assert!(others.iter().all(|other| other.header(CACHE) == Some("shared")));
    // One that is ended for its program, and one that hangs up.
    let end = program.delete(&format!("/api/v1/chat/{}", started.request()));
    assert_eq!(end.send().await.expect("an answer").status().as_u16(), 204);
    let ended = first.events().await;
    assert_eq!(ended.last().expect("its end").name, "error", "{ended:?}");
    let again = program.delete(&format!("/api/v1/chat/{}", started.request()));
    assert_eq!(
        again.send().await.expect("an answer").status().as_u16(),
        404,
        "it is over for it"
    );
    let [gone, mut stays] = others.map(Some);
    drop(gone);
    assert_eq!(site.load(), (1, 0), "the slot is the answer's");
    site.model.open("rest");
    let events = stays.take().expect("it is there").events().await;
    let done = events.last().expect("its end");
    assert_eq!(
        (done.name.as_str(), &done.data["cached"]),
        ("done", &json!("shared")),
        "{events:?}"
    );
    site.until_load(0, 0).await;
    assert_eq!(asked(&site, "Is it?"), 1);

    // With the last who wants it, the model is asked no more.
    let text = "[[gate=never after=1 tokens=6]] And now?";
    let both = [program.stream(asks(text)).await, program.stream(asks(text)).await];
    site.until_load(1, 0).await;
    drop(both);
    site.until_load(0, 0).await;
    site.model
        .until(|record| {
            record
                .of("And now?")
                .all(|request| request.ending == Some(Ending::ClientGone))
        })
        .await;
    assert_eq!((asked(&site, "And now?"), site.engine.queue().parked()), (1, 0));
}

#[tokio::test]
async fn of_one_that_fails_the_others_are_asked_themselves_unless_they_have_had_its_beginning() {
    let site = Site::start(&[ON, ("MODEL_RETRIES", "0")]).await;
    let program = Program::new(site.addr);
    let body = certain(saying("[[gate=rest fault=close times=1 tokens=3]] Is it?"));
    let ask = || program.ask(program.chat(&body));
    let opens = async {
        site.until_load(1, 0).await;
        let mut changes = site.engine.queue().changes();
        while site.engine.queue().parked() < 1 {
            changes.changed().await;
        }
        site.model.open("rest");
    };
    let (first, second, ()) = tokio::join!(ask(), ask(), opens);
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 502], "only the one that was asked meets the fault");
    assert_eq!(asked(&site, "Is it?"), 2);

    let body = certain(streaming("[[gate=then after=2 fault=close:3 tokens=6]] And now?"));
    let mut first = program.stream(program.chat(&body)).await;
    first.data().await.expect("it begins");
    let mut second = program.stream(program.chat(&body)).await;
    second.data().await.expect("it is told what was said");
    site.model.open("then");
    for stream in [&mut first, &mut second] {
        let mut last = Value::Null;
        while let Some(data) = stream.data().await {
            last = serde_json::from_str(&data).expect("JSON");
        }
        assert!(last["error"]["message"].is_string(), "{last}");
    }
    site.until_load(0, 0).await;
    assert_eq!(asked(&site, "And now?"), 1);
}

#[tokio::test]
async fn vectors_are_given_again_and_shared_as_answers_are() {
    let site = Site::start(&[ON, ("QUEUE_MAX_SIZE", "1"), ("MODEL_RETRIES", "0")]).await;
    let (program, other) = (keyed(&site).await, keyed(&site).await);
    let vectors = |program: &Program, first: &str| {
        let body = json!({ "model": "loopback@openai", "input": [first, "blue"] });
        program.post("/v1/embeddings", &body)
    };
    let first = program.ask(vectors(&program, "red")).await;
    assert_eq!((first.status.as_u16(), first.header(CACHE)), (200, None), "{first:?}");
    site.model.hold(true);
    let busy = site.browser().await;
    for _ in 0..2 {
        busy.send("[[tokens=1]] busy").await;
    }
    site.until_load(1, 1).await;
    let given = program.ask(vectors(&program, "red")).await;
    assert_eq!((given.header(CACHE), &given.json), (Some("kept"), &first.json));
    site.model.hold(false);
    site.until_load(0, 0).await;
    assert_eq!(asked(&site, "red"), 1);
    assert_eq!(other.ask(vectors(&other, "red")).await.header(CACHE), None);
    let fresh = vectors(&program, "red").header("cache-control", "no-cache");
    assert_eq!(program.ask(fresh).await.header(CACHE), None);
    assert_eq!(asked(&site, "red"), 3);

    let opens = async {
        let mut changes = site.engine.queue().changes();
        while (site.load(), site.engine.queue().parked()) != ((1, 0), 1) {
            changes.changed().await;
        }
        site.model.open("green");
    };
    let text = "[[gate=green]] green";
    let both = [vectors(&program, text), vectors(&program, text)];
    let [one, two] = both.map(|request| program.ask(request));
    let (one, two, ()) = tokio::join!(one, two, opens);
    assert_eq!(one.json, two.json);
    let mut sources = [one.header(CACHE), two.header(CACHE)];
    sources.sort_unstable();
    assert_eq!(sources, [None, Some("shared")]);
    assert_eq!(asked(&site, "green"), 1);

    // What came to nothing is asked anew.
    let failing = "[[fault=status:500 times=1]] pink";
    assert!(program.ask(vectors(&program, failing)).await.status.is_server_error());
    let well = program.ask(vectors(&program, failing)).await;
    assert_eq!((well.status.as_u16(), well.header(CACHE)), (200, None), "{well:?}");
}
