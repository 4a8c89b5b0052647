//! What programs do with turns that are there, as the pages do: other answers and versions, edits, messages behind others, branches.

use serde_json::{Value, json};

use super::{chat::refused, keyed};
use crate::support::{
    Site,
    program::{Program, Whole},
    soon,
};

const LIST: &str = "/api/v1/conversations";

async fn said(program: &Program, path: &str, body: &Value) -> Whole {
    let said = program.ask(program.post(path, body)).await;
    assert_eq!(said.status.as_u16(), 200, "{said:?}");
    said
}

/// The status of what answers without a body.
async fn status(request: reqwest::RequestBuilder) -> u16 {
    request.send().await.expect("an answer").status().as_u16()
}

fn path_of(turn: &Value) -> String {
    format!("{LIST}/{}", turn["conversation"].as_str().expect("an id"))
}

fn turn_path(turn: &Value) -> String {
    format!("{}/turns/{}", path_of(turn), turn["id"].as_str().expect("an id"))
}

async fn ids(program: &Program, path: &str) -> Vec<Value> {
    let view = program.ask(program.get(path)).await.json;
    let turns = view["turns"].as_array().expect("turns").iter();
    turns.map(|turn| turn["id"].clone()).collect()
}

#[tokio::test]
async fn a_turn_is_answered_again_and_each_version_can_be_shown() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    let first = said(&program, LIST, &json!({ "message": "Hello" })).await.json;
    let path = path_of(&first);
    assert_eq!(
        first["versions"],
        json!({ "number": 1, "count": 1, "earlier": null, "later": null })
    );
    let again = || {
        let again = program.post(&format!("{}/again", turn_path(&first)), &json!({}));
        again.header("idempotency-key", "once more")
    };
    let second = program.ask(again()).await;
    assert_eq!(second.status.as_u16(), 200, "{second:?}");
    let second = second.json;
    assert_eq!(
        (&second["message"], &second["state"], &second["parent"]),
        (&json!("Hello"), &json!("done"), &Value::Null)
    );
    assert_ne!(second["id"], first["id"]);
    assert_eq!(
        second["versions"],
        json!({ "number": 2, "count": 2, "earlier": first["id"], "later": null })
    );
    assert_eq!(
        program.ask(again()).await.json,
        second,
        "asked again, it is the same one"
    );
    assert_eq!(site.model.record().of("Hello").count(), 2);
    assert_eq!(ids(&program, &path).await, [second["id"].clone()]);
    // Without a body, and without waiting for it.
    let third = program
        .ask(program.post(&format!("{}/again", turn_path(&first)), &json!({ "wait": false })))
        .await;
    assert_eq!(third.status.as_u16(), 202, "{third:?}");
    let third = json!({ "id": third.json["turn"], "conversation": third.json["conversation"] });
    soon("the third answer", async {
        while program.ask(program.get(&turn_path(&third))).await.json["state"] != "done" {
            tokio::task::yield_now().await;
        }
    })
    .await;

    assert_eq!(
        status(program.post(&format!("{}/show", turn_path(&first)), &json!({}))).await,
        204
    );
    assert_eq!(ids(&program, &path).await, [first["id"].clone()]);
    let next = said(&program, &format!("{path}/turns"), &json!({ "message": "And now?" }))
        .await
        .json;
    assert_eq!(next["parent"], first["id"], "it follows what is shown");
    let kept = program.ask(program.get(&turn_path(&first))).await.json;
    assert_eq!(
        (&kept["answer"], &kept["versions"]["count"], &kept["versions"]["later"]),
        (&first["answer"], &json!(3), &second["id"])
    );

    // Edited, and sent again in its place.
    let edited = json!({ "message": "Hello there", "instead_of": first["id"] });
    let edited = said(&program, &format!("{path}/turns"), &edited).await.json;
    assert_eq!(
        (&edited["parent"], &edited["versions"]["number"]),
        (&Value::Null, &json!(4)),
        "{edited}"
    );
    assert_eq!(ids(&program, &path).await, [edited["id"].clone()]);
    let nothing_yet = program.post(LIST, &json!({ "message": "x", "instead_of": first["id"] }));
    assert_eq!(refused(&program.ask(nothing_yet).await), (400, "request_invalid"));
    // Of another conversation it is no version.
    let other = said(&program, LIST, &json!({ "message": "Other" })).await.json;
    let astray = program.post(
        &format!("{}/turns", path_of(&other)),
        &json!({ "message": "x", "instead_of": first["id"] }),
    );
    assert_eq!(refused(&program.ask(astray).await), (404, "message_gone"));
    let astray = format!(
        "{}/turns/{}/again",
        path_of(&other),
        first["id"].as_str().expect("an id")
    );
    let astray = program.ask(program.post(&astray, &json!({}))).await;
    assert_eq!(refused(&astray), (404, "message_gone"));
}

#[tokio::test]
async fn what_is_answered_now_is_not_answered_again_and_what_came_to_nothing_is_in_its_place() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    site.model.hold(true);
    let sent = program
        .ask(program.post(LIST, &json!({ "message": "[[after=0]] Slow", "wait": false })))
        .await
        .json;
    let turn = json!({ "id": sent["turn"], "conversation": sent["conversation"] });
    site.until_load(1, 0).await;
    let again = || program.post(&format!("{}/again", turn_path(&turn)), &json!({}));
    assert_eq!(refused(&program.ask(again()).await), (409, "conversation_busy"));
    let rating = program.post(&format!("{}/rating", turn_path(&turn)), &json!({ "good": true }));
    assert_eq!(refused(&program.ask(rating).await).0, 404, "there is no answer yet");
    assert_eq!(status(program.delete(&turn_path(&turn))).await, 204);
    site.until_load(0, 0).await;
    site.model.hold(false);
    soon("its end", async {
        while program.ask(program.get(&turn_path(&turn))).await.json["state"] != "cancelled" {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let answered = program.ask(again()).await;
    assert_eq!(
        (&answered.json["id"], &answered.json["state"]),
        (&turn["id"], &json!("done")),
        "{answered:?}"
    );
}

#[tokio::test]
async fn messages_stand_behind_one_that_is_answered_and_can_still_be_changed() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    site.model.hold(true);
    let first = program
        .ask(program.post(LIST, &json!({ "message": "First", "wait": false })))
        .await
        .json;
    assert_eq!(first["behind"], false);
    let path = path_of(&first);
    site.until_load(1, 0).await;
    let behind = async |message: &str, key: &str| {
        let body = json!({ "message": message, "behind": true });
        let request = program.post(&format!("{path}/turns"), &body);
        program.ask(request.header("idempotency-key", key)).await
    };
    let mut sent = Vec::new();
    for message in ["Second", "Third"] {
        let told = behind(message, message).await;
        assert_eq!(
            (told.status.as_u16(), &told.json["behind"], &told.json["place"]),
            (202, &json!(true), &Value::Null),
            "{told:?}"
        );
        assert_eq!(
            behind(message, message).await.json,
            told.json,
            "sent again, it is the same one"
        );
        sent.push(json!({ "id": told.json["turn"], "conversation": told.json["conversation"] }));
    }
    assert_eq!(refused(&behind("Another", "Second").await).0, 422, "its name is taken");
    let stands = async || {
        let view = program.ask(program.get(&path)).await.json;
        let behind = view["behind"].as_array().expect("a list").clone();
        behind.into_iter().map(|one| one["message"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(stands().await, ["Second", "Third"]);
    let reword = |turn: &Value, message: &str| program.patch(&turn_path(turn), &json!({ "message": message }));
    assert_eq!(status(reword(&sent[0], "Second, in other words")).await, 204);
    assert_eq!(
        refused(&program.ask(reword(&sent[0], " ")).await),
        (400, "empty_message")
    );
    assert_eq!(status(program.delete(&turn_path(&sent[1]))).await, 204);
    assert_eq!(stands().await, ["Second, in other words"]);
    assert_eq!(
        refused(&program.ask(program.delete(&turn_path(&sent[1]))).await),
        (404, "message_gone")
    );
    // What is answered already says what it said.
    let running = json!({ "id": first["turn"], "conversation": first["conversation"] });
    assert_eq!(
        refused(&program.ask(reword(&running, "x")).await),
        (409, "message_begun")
    );

    site.model.hold(false);
    soon("the answer to what stood behind", async {
        while program.ask(program.get(&turn_path(&sent[0]))).await.json["state"] != "done" {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let turn = program.ask(program.get(&turn_path(&sent[0]))).await.json;
    assert_eq!(
        (&turn["message"], &turn["parent"]),
        (&json!("Second, in other words"), &first["turn"])
    );
    assert_eq!(stands().await, Vec::<Value>::new());
    assert_eq!(status(program.post(&format!("{path}/release"), &json!({}))).await, 204);
}

#[tokio::test]
async fn what_is_held_behind_a_message_that_was_ended_goes_on_when_it_may() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    site.model.hold(true);
    let first = program
        .ask(program.post(LIST, &json!({ "message": "First", "wait": false })))
        .await
        .json;
    let path = path_of(&first);
    site.until_load(1, 0).await;
    let body = json!({ "message": "Second", "behind": true });
    let second = program.ask(program.post(&format!("{path}/turns"), &body)).await.json;
    let first = json!({ "id": first["turn"], "conversation": first["conversation"] });
    assert_eq!(status(program.delete(&turn_path(&first))).await, 204);
    soon("it to be held", async {
        while program.ask(program.get(&path)).await.json["behind"][0]["held"].is_null() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    site.model.hold(false);
    assert_eq!(status(program.post(&format!("{path}/release"), &json!({}))).await, 204);
    let second = json!({ "id": second["turn"], "conversation": second["conversation"] });
    soon("the second answer", async {
        while program.ask(program.get(&turn_path(&second))).await.json["state"] != "done" {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn conversations_are_branched_rated_exported_imported_brought_back_and_answered_otherwise() {
    let site = Site::start(&[("MODELS", "demo@builtin")]).await;
    let program = Program::new(site.addr);
    let first = said(&program, LIST, &json!({ "message": "One" })).await.json;
    let path = path_of(&first);
    let second = said(&program, &format!("{path}/turns"), &json!({ "message": "Two" }))
        .await
        .json;
    let branch = said(&program, &format!("{}/branch", turn_path(&first)), &json!({}))
        .await
        .json;
    assert_ne!(branch["conversation"], first["conversation"]);
    let branched = program.ask(program.get(&path_of(&branch))).await.json;
    let messages: Vec<_> = branched["turns"]
        .as_array()
        .expect("turns")
        .iter()
        .map(|turn| &turn["message"])
        .collect();
    assert_eq!(messages, ["One"]);

    let rate = |good: Value| program.post(&format!("{}/rating", turn_path(&second)), &json!({ "good": good }));
    for good in [json!(false), json!(true)] {
        assert_eq!(status(rate(good.clone())).await, 204);
        assert_eq!(program.ask(program.get(&turn_path(&second))).await.json["good"], good);
    }
    let export = program.ask(program.get(&format!("{path}/export"))).await.json;
    let imported = said(&program, &format!("{LIST}/import"), &export).await.json;
    let copy = program.ask(program.get(&path_of(&imported))).await.json;
    assert_eq!(copy["turns"].as_array().map(Vec::len), Some(2), "{copy}");
    assert_eq!(copy["turns"][1]["answer"], second["answer"]);
    let nonsense = program.post(&format!("{LIST}/import"), &json!({ "turns": 7 }));
    assert_eq!(refused(&program.ask(nonsense).await), (400, "not_an_export"));

    assert_eq!(status(program.delete(&path)).await, 204);
    let restore = || program.post(&format!("{path}/restore"), &json!({}));
    assert_eq!(status(restore()).await, 204);
    assert_eq!(ids(&program, &path).await, [first["id"].clone(), second["id"].clone()]);

    // Who answers, and how.
    let choose = async |change: Value| status(program.patch(&path, &change)).await;
    let change =
        json!({ "model": "demo@builtin", "system": "Be brief.", "temperature": 0.5, "max_tokens": 50, "tools": false });
    assert_eq!(choose(change).await, 204);
    let view = program.ask(program.get(&path)).await.json;
    assert_eq!(
        (
            &view["model"],
            &view["system"],
            &view["temperature"],
            &view["max_tokens"],
            &view["tools"]
        ),
        (
            &json!("demo@builtin"),
            &json!("Be brief."),
            &json!(0.5),
            &json!(50),
            &json!(false)
        )
    );
    // What is not named stays; null is the site's.
    assert_eq!(
        choose(json!({ "model": null, "max_tokens": null, "title": "Chosen" })).await,
        204
    );
    let view = program.ask(program.get(&path)).await.json;
    assert_eq!(
        (&view["model"], &view["system"], &view["max_tokens"], &view["title"]),
        (&Value::Null, &json!("Be brief."), &Value::Null, &json!("Chosen"))
    );
    let wrong = program.patch(&path, &json!({ "title": "Not so", "model": "none" }));
    assert_eq!(refused(&program.ask(wrong).await), (404, "model_not_offered"));
    assert_eq!(
        program.ask(program.get(&path)).await.json["title"],
        "Chosen",
        "nothing of it has changed"
    );
}

#[tokio::test]
async fn nobody_does_any_of_it_with_what_is_anothers() {
    let site = Site::start(&[]).await;
    let (one, other) = (keyed(&site).await, keyed(&site).await);
    let ours = said(&one, LIST, &json!({ "message": "The key's" })).await.json;
    let (path, turn) = (path_of(&ours), turn_path(&ours));
    let none = json!({});
    for request in [
        other.post(&format!("{turn}/again"), &none),
        other.post(&format!("{turn}/show"), &none),
        other.post(&format!("{turn}/branch"), &none),
        other.post(&format!("{turn}/rating"), &json!({ "good": false })),
        other.patch(&turn, &json!({ "message": "x" })),
        other.patch(&path, &json!({ "system": "x" })),
        other.post(&format!("{path}/release"), &none),
        other.post(&format!("{path}/turns"), &json!({ "message": "x", "behind": true })),
        other.post(
            &format!("{path}/turns"),
            &json!({ "message": "x", "instead_of": ours["id"] }),
        ),
    ] {
        assert_eq!(refused(&other.ask(request).await).0, 404);
    }
    // Nor brings it back: it is not theirs to find.
    assert_eq!(status(one.delete(&path)).await, 204);
    assert_eq!(
        refused(&other.ask(other.post(&format!("{path}/restore"), &none)).await).0,
        404
    );
    assert_eq!(status(one.post(&format!("{path}/restore"), &none)).await, 204);
    let kept = one.ask(one.get(&turn)).await.json;
    assert_eq!(kept, ours);
}
