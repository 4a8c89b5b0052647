//! Tasks that are alike, and requests that are like them.

use anteroom_loopback::Ending;

use super::{following::Events, *};
use crate::{api::key_for, support::program::content_of};

const ON: (&str, &str) = ("ANSWER_CACHE_SIZE", "1MB");
const BUSY: &[(&str, &str)] = &[ON, ("CHAT_CONCURRENCY_LIMIT", "1"), ("MODEL_RETRIES", "0")];

/// A task that always has the same answer.
fn certain(text: &str) -> Value {
    json!({ "request": { "messages": [{ "role": "user", "content": text }], "temperature": 0 } })
}

async fn until_parked(site: &Site, load: (usize, usize), parked: usize) {
    let mut changes = site.engine.queue().changes();
    soon("one that is asked for the others", async {
        while (site.load(), site.engine.queue().parked()) != (load, parked) {
            changes.changed().await;
        }
    })
    .await;
}

#[tokio::test]
async fn one_is_asked_for_all_and_what_was_answered_needs_no_slot() {
    let mut site = Site::start(BUSY).await;
    let key = key_for(&site, Scopes::WORK).await;
    let (first, other) = (Program::new(site.addr).with_key(&key), keyed(&site).await);
    site.model.hold(true);
    let task = certain("Is it?");
    let ids = accepted(&first, &json!({ "tasks": [&task, &task, &task] })).await;
    until_parked(&site, (1, 0), 2).await;
    for id in &ids {
        until(&first, id, |task| task["state"] == "running").await;
    }
    site.model.hold(false);
    let mut answers = Vec::new();
    for (id, cached) in ids.iter().zip([json!(null), json!("shared"), json!("shared")]) {
        let task = over(&first, id).await;
        assert_eq!((&task["state"], &task["cached"]), (&json!("done"), &cached), "{task}");
        assert!(said(&task).contains("Is it?"), "{task}");
        assert_eq!(task["result"]["x-anteroom-cache"], json!(null), "{task}");
        answers.push((task["result"].clone(), task["usage"].clone()));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(asked(&site), ["Is it?"]);

    // While the line stands still.
    site.model.hold(true);
    let busy = site.browser().await;
    busy.send("busy").await;
    site.until_load(1, 0).await;
    let id = accepted(&first, &task).await.remove(0);
    let given = over(&first, &id).await;
    assert_eq!(
        (&given["state"], &given["cached"]),
        (&json!("done"), &json!("kept")),
        "{given}"
    );
    assert_eq!((&given["result"], &given["usage"]), (&answers[0].0, &answers[0].1));
    assert_eq!((site.load(), site.engine.queue().parked()), ((1, 0), 0));
    site.model.hold(false);
    // Another's is another; and what may have many answers is asked each time.
    let warm = json!({ "message": "How warm?" });
    for (program, task) in [(&other, &task), (&first, &warm), (&first, &warm)] {
        let id = accepted(program, task).await.remove(0);
        let task = over(program, &id).await;
        assert_eq!(
            (&task["state"], &task["cached"]),
            (&json!("done"), &json!(null)),
            "{task}"
        );
    }
    let asked = asked(&site);
    let count = |text: &str| asked.iter().filter(|question| *question == text).count();
    assert_eq!((count("Is it?"), count("How warm?")), (2, 2));

    // Where an answer comes from is kept with it.
    site.restart(Duration::ZERO).await;
    let first = Program::new(site.addr).with_key(&key);
    assert_eq!(look(&first, &id).await, given);
}

#[tokio::test]
async fn a_task_that_is_cancelled_is_answered_for_those_that_are_like_it_programs_included() {
    let site = Site::start(BUSY).await;
    let program = keyed(&site).await;
    let text = "[[gate=rest after=2 tokens=6]] Is it?";
    let task = certain(text);
    let ids = accepted(&program, &json!({ "tasks": [&task, &task] })).await;
    until_parked(&site, (1, 0), 1).await;
    // As tasks are asked: as a stream that tells its usage.
    let mut body = task["request"].clone();
    body["model"] = json!("loopback@openai");
    body["stream"] = json!(true);
    body["stream_options"] = json!({ "include_usage": true });
    let mut gone = program.stream(program.chat(&body)).await;
    let mut stays = program.stream(program.chat(&body)).await;
    for stream in [&mut gone, &mut stays] {
        assert_eq!(stream.header("x-anteroom-cache"), Some("shared"));
        stream.data().await.expect("what was said so far");
    }
    // A program that goes ends nobody's task.
    drop(gone);
    until_parked(&site, (1, 0), 2).await;
    let path = format!("/api/v1/tasks/{}", ids[0]);
    let cancelled = program.ask(program.delete(&path)).await;
    assert_eq!(cancelled.json["state"], "cancelled", "{cancelled:?}");
    assert_eq!(site.load(), (1, 0), "the slot is the answer's");
    site.model.open("rest");
    let other = over(&program, &ids[1]).await;
    assert_eq!(
        (&other["state"], &other["cached"]),
        (&json!("done"), &json!("shared")),
        "{other}"
    );
    let rest = content_of(&stays.rest().await);
    assert!(said(&other).ends_with(&rest) && !rest.is_empty(), "{rest}");
    assert_eq!(look(&program, &ids[0]).await["state"], "cancelled");
    site.until_load(0, 0).await;
    let record = site.model.record();
    let endings: Vec<_> = record.requests.iter().map(|request| request.ending).collect();
    assert_eq!(
        (endings, site.engine.queue().parked()),
        (vec![Some(Ending::Complete)], 0)
    );
}

#[tokio::test]
async fn of_one_that_fails_the_others_are_asked_themselves_and_followed_from_their_beginning() {
    let site = Site::start(BUSY).await;
    let program = keyed(&site).await;
    let task = certain("[[gate=rest after=2 fault=close:3 times=1 tokens=6]] Is it?");
    let ids = accepted(&program, &json!({ "tasks": [&task, &task] })).await;
    until_parked(&site, (1, 0), 1).await;
    let mut events = Events::open(&program, &format!("/api/v1/tasks/{}/stream", ids[1]), None).await;
    site.model.open("rest");
    let failed = over(&program, &ids[0]).await;
    assert_eq!(failed["state"], "failed", "{failed}");
    let mut text = String::new();
    let done = loop {
        let (kind, _, data) = events.next().await.expect("it goes on");
        match kind.as_str() {
            "part" => text.push_str(data["choices"][0]["delta"]["content"].as_str().unwrap_or_default()),
            "done" => break data,
            "position" | "started" => {}
            other => panic!("{other}: {data}"),
        }
    };
    assert_eq!(text, said(&done));
    let task = look(&program, &ids[1]).await;
    assert_eq!(
        (&task["state"], &task["cached"], &task["attempts"]),
        (&json!("done"), &json!(null), &json!(1)),
        "{task}"
    );
    assert_eq!(asked(&site), ["Is it?", "Is it?"]);
}
