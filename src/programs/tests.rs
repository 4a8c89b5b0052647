//! How a repeated request finds its own, and what is kept for it; what is read of a request.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::{Instant, advance};
use uuid::Uuid;

use super::{
    Again, Done, Follower, ProgramFault, Request, Step,
    job::Job,
    registry::{Found, Registry},
};
use crate::{
    agents::Door,
    queue::{EventIndex, EventPolicy, Owner, Policy, Queue},
    wire::Usage,
};

const KEEP: Option<Duration> = Some(Duration::from_secs(120));
const ANNA: Owner = Owner(1);
const BERT: Owner = Owner(2);

struct Place {
    registry: Arc<Registry>,
    queue: Queue,
}

impl Place {
    fn new() -> Self {
        Self {
            registry: Arc::default(),
            queue: Queue::new(Policy::new([EventPolicy::new("chat", 1)]), Arc::new(())),
        }
    }

    fn ask(&self, owner: Owner, again: Option<Again>, streams: bool) -> Found {
        let new = |again| Job::new(Uuid::now_v7(), owner, streams, again, self.queue.clone());
        self.registry.find_or_enter(owner, again, KEEP, new)
    }

    fn new_one(&self, owner: Owner, again: Option<Again>, streams: bool) -> (Arc<Job>, Follower) {
        match self.ask(owner, again, streams) {
            Found::New(job, follower) => (job, follower),
            Found::Known(_) | Found::OtherBody => panic!("it is new"),
        }
    }

    fn known(&self, owner: Owner, again: Option<Again>) -> Option<Follower> {
        match self.ask(owner, again, false) {
            Found::Known(follower) => Some(follower),
            Found::New(..) | Found::OtherBody => None,
        }
    }

    fn answer(&self, job: &Job, bytes: usize) {
        let last = Bytes::from(vec![b'x'; bytes]);
        job.over(Ok(Done {
            last,
            usage: Usage::default(),
        }));
        self.registry.over(job);
    }
}

/// A request of this body, as OpenAI's clients send it the first time and then again.
fn tried(body: u8, repeats: bool) -> Option<Again> {
    Some(Again {
        key: None,
        resumes: false,
        repeats,
        hash: [body; 32],
    })
}

fn keyed(key: &str, body: u8) -> Option<Again> {
    Some(Again {
        key: Some(key.to_owned()),
        resumes: false,
        repeats: false,
        hash: [body; 32],
    })
}

/// Counts how often it is woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn whoever_waits_for_the_answer_alone_is_woken_for_nothing_else() {
    let place = Place::new();
    for heeds in [true, false] {
        let (job, mut follower) = place.new_one(ANNA, None, true);
        if !heeds {
            follower.heed_no_start();
        }
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        let mut next = Box::pin(follower.next());
        assert!(next.as_mut().poll(&mut context).is_pending());
        let joined = place.queue.join(EventIndex(0), ANNA, Instant::now());
        let mut ticket = joined.expect("there is room");
        let permit = ticket.granted().expect("there is a slot");
        job.placed(ticket.id(), true);
        assert_eq!(woken.0.load(Ordering::Relaxed), usize::from(heeds));
        if heeds {
            assert_eq!(next.as_mut().poll(&mut context), Poll::Ready(Step::Started));
            drop(next);
            next = Box::pin(follower.next());
            assert!(next.as_mut().poll(&mut context).is_pending());
        }
        let events = Bytes::from_static(b"data: 1\n\n");
        assert!(job.put(events.clone()));
        assert_eq!(next.as_mut().poll(&mut context), Poll::Ready(Step::Events(events)));
        assert_eq!(woken.0.load(Ordering::Relaxed), 1 + usize::from(heeds));
        drop((next, permit));
    }
    // Whoever has to wait hears of it in any case.
    let (job, mut follower) = place.new_one(ANNA, None, true);
    follower.heed_no_start();
    let first = place.queue.join(EventIndex(0), ANNA, Instant::now());
    let second = place.queue.join(EventIndex(0), ANNA, Instant::now());
    let (_first, second) = (first.expect("there is room"), second.expect("there is room"));
    job.placed(second.id(), false);
    assert_eq!(follower.next().await, Step::Waiting);
    job.started();
    assert_eq!(follower.next().await, Step::Started);
}

#[tokio::test]
async fn a_retry_finds_what_its_program_has_left() {
    let place = Place::new();
    let (job, first) = place.new_one(ANNA, tried(1, false), false);
    assert!(place.known(ANNA, tried(1, true)).is_none(), "its program is there");
    drop(first);
    assert!(!job.cancelled().is_cancelled(), "it may come back");
    assert!(place.known(BERT, tried(1, true)).is_none(), "another's");
    assert!(place.known(ANNA, tried(2, true)).is_none(), "another body");
    assert!(place.known(ANNA, tried(1, false)).is_none(), "a first try");
    let retry = place.known(ANNA, tried(1, true)).expect("its own");
    assert_eq!(retry.id(), job.id());
}

#[tokio::test]
async fn whoever_does_not_come_back_is_ended_as_it_goes() {
    let place = Place::new();
    let (job, follower) = place.new_one(ANNA, None, false);
    drop(follower);
    assert!(job.cancelled().is_cancelled());
    // Nobody asks for the rest of a stream.
    let (job, mut follower) = place.new_one(ANNA, tried(1, false), true);
    assert!(job.put(Bytes::from_static(b"data: 1\n\n")));
    assert!(matches!(follower.next().await, Step::Events(_)));
    drop(follower);
    assert!(job.cancelled().is_cancelled());
    assert!(place.known(ANNA, tried(1, true)).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_job_is_forsaken_after_a_while_without_followers() {
    let place = Place::new();
    let (job, follower) = place.new_one(ANNA, tried(1, false), false);
    let forsaken = tokio::spawn({
        let job = Arc::clone(&job);
        async move { job.forsaken(|| KEEP).await }
    });
    drop(follower);
    advance(Duration::from_secs(100)).await;
    let back = place.known(ANNA, tried(1, true)).expect("it is waited for");
    advance(Duration::from_secs(100)).await;
    tokio::task::yield_now().await;
    assert!(!forsaken.is_finished(), "its program has come back");
    drop(back);
    forsaken.await.expect("it is given up at last");
}

#[tokio::test]
async fn a_key_is_one_request_and_one_body() {
    let place = Place::new();
    let (job, mut first) = place.new_one(ANNA, keyed("k", 1), false);
    assert_eq!(place.known(ANNA, keyed("k", 1)).expect("the same").id(), job.id());
    assert!(matches!(place.ask(ANNA, keyed("k", 2), false), Found::OtherBody));
    assert!(place.known(BERT, keyed("k", 1)).is_none());
    place.answer(&job, 10);
    assert!(matches!(first.next().await, Step::Over(Ok(_))));
    assert!(
        place.known(ANNA, keyed("k", 1)).is_some(),
        "also when it has been given"
    );
    let (failed, _follower) = place.new_one(ANNA, keyed("f", 1), false);
    failed.over(Err(ProgramFault::Mistake));
    place.registry.over(&failed);
    assert!(
        place.known(ANNA, keyed("f", 1)).is_none(),
        "what has failed is asked anew"
    );
}

#[tokio::test(start_paused = true)]
async fn answers_are_kept_for_a_while_and_within_a_bound() {
    let place = Place::new();
    let leave = |body: u8, bytes| {
        let (job, follower) = place.new_one(ANNA, tried(body, false), false);
        drop(follower);
        place.answer(&job, bytes);
    };
    leave(1, 10);
    advance(Duration::from_secs(119)).await;
    leave(2, 10);
    assert!(place.known(ANNA, tried(1, true)).is_some());
    advance(Duration::from_secs(1)).await;
    assert!(place.known(ANNA, tried(1, true)).is_none(), "it has become too old");
    assert!(place.known(ANNA, tried(2, true)).is_some());
    // Two of these do not fit; the older one goes.
    let half = 40 * 1024 * 1024;
    leave(3, half);
    leave(4, half);
    assert!(place.known(ANNA, tried(3, true)).is_none());
    assert!(place.known(ANNA, tried(4, true)).is_some());
}

#[tokio::test]
async fn what_was_taken_by_one_is_no_other_ones() {
    let place = Place::new();
    let (job, mut follower) = place.new_one(ANNA, tried(1, false), false);
    place.answer(&job, 10);
    assert!(matches!(follower.next().await, Step::Over(Ok(_))));
    drop(follower);
    assert!(place.known(ANNA, tried(1, true)).is_none());
}

impl Place {
    /// One that somebody keeps.
    fn kept_one(&self) -> Arc<Job> {
        Job::kept(Uuid::now_v7(), ANNA, true, self.queue.clone())
    }
}

#[tokio::test]
async fn one_that_is_kept_goes_on_without_followers_and_for_them_once_its_owner_has_ended_it() {
    let place = Place::new();
    let job = place.kept_one();
    drop(job.share(&place.registry).expect("it goes on"));
    assert!(!job.cancelled().is_cancelled(), "somebody keeps it");
    let mut other = job.share(&place.registry).expect("it goes on");
    let events = Bytes::from_static(b"data: 1\n\n");
    assert!(job.put(events.clone()));
    assert_eq!(job.look(0, 0).events.first(), Some(&events));
    job.cancel();
    let look = job.look(0, 0);
    assert!(look.over && look.events.is_empty(), "{look:?}");
    assert!(!job.cancelled().is_cancelled());
    assert_eq!(other.next().await, Step::Events(events));
    // Nothing goes on from what it has been told.
    job.begin_again();
    assert_eq!(other.next().await, Step::Over(Err(ProgramFault::Moved)));
    let mut late = job.share(&place.registry).expect("it goes on");
    drop(other);
    let anew = Bytes::from_static(b"data: 2\n\n");
    assert!(job.put(anew.clone()));
    assert_eq!(late.next().await, Step::Events(anew));
    drop(late);
    assert!(job.cancelled().is_cancelled(), "nobody wants it any more");
}

#[tokio::test]
async fn who_follows_one_that_is_kept_need_not_wait_until_its_end_is_stored() {
    let place = Place::new();
    let job = place.kept_one();
    let mut other = job.share(&place.registry).expect("it goes on");
    job.answered(Ok(Done {
        last: Bytes::new(),
        usage: Usage::default(),
    }));
    assert!(matches!(other.next().await, Step::Over(Ok(_))));
    assert!(!job.look(0, 0).over, "for whoever keeps it, it is not over yet");
    let failed = place.kept_one();
    failed.answered(Err(ProgramFault::Mistake));
    assert!(failed.has_failed() && failed.share(&place.registry).is_none());
}

fn read(body: &Value) -> Request {
    Request::read(Door::Chat, Bytes::from(body.to_string())).expect("a request")
}

#[test]
fn all_but_the_model_is_passed_on_as_it_was_written() {
    let written =
        r#"{"n": 1.50, "model": "a\"b", "messages": [{"content" :"é\u00e9"}], "big": 123456789012345678901234567890}"#;
    let request = Request::read(Door::Chat, Bytes::from(written)).expect("a request");
    assert_eq!(request.called, "a\"b");
    let sent = request.to("c\"d");
    let sent = std::str::from_utf8(&sent).expect("text");
    for kept in [
        r#""n":1.50"#,
        r#"[{"content" :"é\u00e9"}]"#,
        r#""big":123456789012345678901234567890"#,
    ] {
        assert!(sent.contains(kept), "{sent}");
    }
    let sent: Value = serde_json::from_str(sent).expect("JSON");
    assert_eq!(sent["model"], "c\"d");
}

#[test]
fn a_stream_is_asked_for_its_usage_whatever_else_is_wanted() {
    let messages = json!([{ "role": "user", "content": "x" }]);
    for (options, usage) in [
        (json!(null), false),
        (json!({ "other": 1 }), false),
        (json!({ "include_usage": false }), false),
        (json!({ "include_usage": true }), true),
    ] {
        let body = json!({ "model": "m", "messages": messages, "stream": true, "stream_options": options });
        let request = read(&body);
        assert_eq!((request.streams, request.usage), (true, usage), "{options}");
        let sent: Value = serde_json::from_slice(&request.to("m")).expect("JSON");
        assert_eq!(sent["stream_options"]["include_usage"], true);
        assert_eq!(sent["stream_options"]["other"], options["other"]);
    }
    let whole = read(&json!({ "model": "m", "messages": messages, "stream_options": null }));
    assert!(!whole.streams);
}

#[test]
fn a_chat_becomes_a_question() {
    let request = read(&json!({
        "model": "m", "temperature": 0.5, "max_tokens": 7, "top_p": 1,
        "messages": [
            { "role": "system", "content": "Be kind." },
            { "role": "developer", "content": [{ "type": "text", "text": "Be brief." }] },
            { "role": "user", "content": [
                { "type": "text", "text": "Look:" },
                { "type": "image_url", "image_url": { "url": "data:image/png;base64,AAEC" } },
            ] },
            { "role": "assistant", "content": "Yes.", "tool_calls": null },
            { "role": "user", "content": "Sure?" },
        ],
    }));
    let (messages, parameters) = request.question().expect("a question");
    assert_eq!(parameters.system.as_deref(), Some("Be kind.\n\nBe brief."));
    assert_eq!(
        (parameters.temperature, parameters.max_tokens, parameters.whole),
        (Some(0.5), Some(7), true)
    );
    assert_eq!((messages.len(), messages[0].text.as_str()), (3, "Look:"));
    assert_eq!(
        (messages[0].images[0].mime.as_str(), &messages[0].images[0].bytes[..]),
        ("image/png", &[0, 1, 2][..])
    );
    for (message, param) in [
        (json!({ "role": "tool", "content": "x" }), "messages.[0].role"),
        (json!({ "role": "assistant", "content": "x" }), "messages"),
        (
            json!({ "role": "assistant", "tool_calls": [{}] }),
            "messages.[0].tool_calls",
        ),
        (
            json!({ "role": "user", "content": [{ "type": "input_audio" }] }),
            "messages.[0].content.[0].type",
        ),
        (
            json!({ "role": "user", "content": [{ "type": "image_url", "image_url": { "url": "https://x/y.png" } }] }),
            "messages.[0].content.[0].image_url.url",
        ),
    ] {
        let refused = read(&json!({ "model": "m", "messages": [message] })).question();
        assert_eq!(refused.expect_err("refused").param.as_deref(), Some(param));
    }
}
