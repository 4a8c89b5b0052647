//! Conversations, as programs have them.

use serde_json::{Value, json};

use super::chat::refused;
use crate::support::{
    Site,
    program::{Program, Whole},
    soon,
};

const LIST: &str = "/api/v1/conversations";

async fn say(program: &Program, path: &str, body: &Value) -> Whole {
    program.ask(program.post(path, body)).await
}

#[tokio::test]
async fn a_conversation_is_begun_and_goes_on() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    let body = json!({ "message": "Hello [[tokens=2]]", "system": "Be kind.", "temperature": 0.5 });
    let first = say(&program, LIST, &body).await;
    assert_eq!(first.status.as_u16(), 200, "{first:?}");
    assert_eq!(
        (&first.json["state"], &first.json["answer"]),
        (&json!("done"), &json!("Answer to: Hello\n\nword1 "))
    );
    let path = format!("{LIST}/{}", first.json["conversation"].as_str().expect("an id"));
    let body = json!({ "message": "[[reply=request]] And now?" });
    let second = say(&program, &format!("{path}/turns"), &body).await;
    assert_eq!(
        (second.status.as_u16(), &second.json["parent"]),
        (200, &first.json["id"]),
        "{second:?}"
    );
    let asked: Value = serde_json::from_str(second.json["answer"].as_str().expect("a text")).expect("JSON");
    assert_eq!(asked["messages"][0]["content"], "Be kind.", "what was chosen stays");
    assert_eq!(asked["messages"].as_array().map(Vec::len), Some(4), "{asked}");

    let view = program.ask(program.get(&path)).await.json;
    assert_eq!(
        (&view["system"], &view["busy"], &view["earlier"]),
        (&json!("Be kind."), &json!(false), &json!(false))
    );
    assert_eq!(view["turns"], json!([first.json, second.json]));
    let turn = second.json["id"].as_str().expect("an id");
    assert_eq!(
        program.ask(program.get(&format!("{path}/turns/{turn}"))).await.json,
        second.json
    );
    let before = program
        .ask(program.get(&format!("{path}/turns?before={turn}")))
        .await
        .json;
    assert_eq!(before, json!({ "turns": [first.json], "earlier": false }));
    assert_eq!(
        program.ask(program.get(&format!("{path}/turns"))).await.json["turns"],
        view["turns"]
    );
}

#[tokio::test]
async fn conversations_are_listed_found_renamed_exported_and_deleted() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    for message in ["About apples", "About pears"] {
        say(&program, LIST, &json!({ "message": message })).await;
    }
    let list = program.ask(program.get(LIST)).await.json;
    let titles: Vec<_> = list["conversations"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| &one["title"])
        .collect();
    assert_eq!(titles, ["About pears", "About apples"]);
    assert_eq!(list["more"], false);
    let newest = list["conversations"][0]["id"].as_str().expect("an id");
    let after = program.ask(program.get(&format!("{LIST}?after={newest}"))).await.json;
    assert_eq!(after["conversations"], json!([list["conversations"][1]]));
    let found = program.ask(program.get(&format!("{LIST}/search?q=APPLES"))).await.json;
    assert_eq!(found["found"].as_array().map(Vec::len), Some(1), "{found}");
    assert_eq!(found["found"][0]["conversation"]["title"], "About apples");

    let path = format!("{LIST}/{newest}");
    let renamed = program
        .patch(&path, &json!({ "title": "Fruit" }))
        .send()
        .await
        .expect("an answer");
    assert_eq!(renamed.status().as_u16(), 204);
    let blank = program.ask(program.patch(&path, &json!({ "title": " " }))).await;
    assert_eq!(refused(&blank), (400, "no_title"));
    let export = program.ask(program.get(&format!("{path}/export"))).await.json;
    assert_eq!(
        (&export["title"], &export["turns"][0]["message"]),
        (&json!("Fruit"), &json!("About pears"))
    );
    let markdown = program
        .get(&format!("{path}/export?format=markdown"))
        .send()
        .await
        .expect("an answer");
    assert!(markdown.text().await.expect("text").starts_with("# Fruit\n"));
    let deleted = program.delete(&path).send().await.expect("an answer");
    assert_eq!(deleted.status().as_u16(), 204);
    assert_eq!(
        refused(&program.ask(program.get(&path)).await),
        (404, "conversation_gone")
    );
    assert_eq!(refused(&program.ask(program.delete(&path)).await).0, 404);
}

#[tokio::test]
async fn a_conversation_is_pinned_and_archived_and_a_message_brings_it_back() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    let mut paths = Vec::new();
    for message in ["apples", "pears", "plums"] {
        let said = say(&program, LIST, &json!({ "message": message })).await;
        paths.push(format!("{LIST}/{}", said.json["conversation"].as_str().expect("an id")));
    }
    let lines = async || {
        let list = program.ask(program.get(LIST)).await.json;
        let list = list["conversations"].as_array().expect("a list").clone();
        let line = |one: Value| json!([one["title"], one["pinned"], one["archived"]]);
        Value::from(list.into_iter().map(line).collect::<Vec<_>>())
    };
    let change = async |path: &str, change: Value| {
        let changed = program.patch(path, &change).send().await;
        changed.expect("an answer").status()
    };
    assert_eq!(
        lines().await,
        json!([
            ["plums", false, false],
            ["pears", false, false],
            ["apples", false, false]
        ])
    );
    for (path, to) in [
        (&paths[0], json!({ "pinned": true, "title": "Apples" })),
        (&paths[2], json!({ "archived": true })),
        (&paths[1], json!({})),
    ] {
        assert_eq!(change(path, to).await.as_u16(), 204);
    }
    let listed = json!([["Apples", true, false], ["pears", false, false], ["plums", false, true]]);
    assert_eq!(lines().await, listed);
    // What cannot be done as a whole, or is not there, changes nothing.
    for wrong in [
        json!({ "title": " ", "pinned": false }),
        json!({ "pinned": "no" }),
        json!({ "pin": true }),
    ] {
        assert!(change(&paths[0], wrong).await.is_client_error());
    }
    let nowhere = format!("{LIST}/{}", uuid::Uuid::nil());
    let gone = program.ask(program.patch(&nowhere, &json!({}))).await;
    assert_eq!(refused(&gone), (404, "conversation_unavailable"));
    assert_eq!(lines().await, listed);
    let found = program.ask(program.get(&format!("{LIST}/search?q=plums"))).await.json;
    assert_eq!(found["found"][0]["conversation"]["archived"], true, "{found}");
    let export = program.ask(program.get(&format!("{}/export", paths[2]))).await.json;
    assert_eq!((&export["pinned"], &export["archived"]), (&json!(false), &json!(true)));

    let again = say(
        &program,
        &format!("{}/turns", paths[2]),
        &json!({ "message": "and now?" }),
    )
    .await;
    assert_eq!(again.status.as_u16(), 200, "{again:?}");
    let listed = json!([
        ["Apples", true, false],
        ["plums", false, false],
        ["pears", false, false]
    ]);
    assert_eq!(lines().await, listed);
    let view = program.ask(program.get(&paths[0])).await.json;
    assert_eq!((&view["pinned"], &view["archived"]), (&json!(true), &json!(false)));
}

#[tokio::test]
async fn a_message_that_is_sent_again_is_the_same_one() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    let ask = |body: &Value| program.post(LIST, body).header("idempotency-key", "first");
    let body = json!({ "message": "Once" });
    let first = program.ask(ask(&body)).await;
    let again = program.ask(ask(&body)).await;
    assert_eq!(first.json, again.json);
    assert_eq!(site.model.record().of("Once").count(), 1);
    assert_eq!(
        refused(&program.ask(ask(&json!({ "message": "Twice" }))).await),
        (422, "request_invalid")
    );
    // Within another conversation the same name is another message's.
    let other = say(&program, LIST, &json!({ "message": "Other" })).await.json;
    let path = |turn: &Value| format!("{LIST}/{}", turn["conversation"].as_str().expect("an id"));
    let there = program
        .post(&format!("{}/turns", path(&other)), &body)
        .header("idempotency-key", "first");
    let there = program.ask(there).await;
    assert_eq!(
        (&there.json["state"], &there.json["parent"]),
        (&json!("done"), &other["id"]),
        "{there:?}"
    );
    // One that was deleted and is sent again is whole, and goes on.
    let deleted = program.delete(&path(&first.json)).send().await.expect("an answer");
    assert_eq!(deleted.status().as_u16(), 204);
    let back = program.ask(ask(&body)).await;
    assert_eq!(
        (back.status.as_u16(), &back.json["conversation"]),
        (200, &first.json["conversation"]),
        "{back:?}"
    );
    let next = say(
        &program,
        &format!("{}/turns", path(&back.json)),
        &json!({ "message": "And on" }),
    )
    .await;
    assert_eq!(
        (next.status.as_u16(), &next.json["parent"]),
        (200, &back.json["id"]),
        "{next:?}"
    );
}

#[tokio::test]
async fn a_message_may_be_waited_for_later_or_ended() {
    let site = Site::start(&[]).await;
    site.model.hold(true);
    let program = Program::new(site.addr);
    let sent = say(&program, LIST, &json!({ "message": "Slow", "wait": false })).await;
    assert_eq!(
        (sent.status.as_u16(), &sent.json["place"]),
        (202, &Value::Null),
        "{sent:?}"
    );
    let path = format!("{LIST}/{}/turns", sent.json["conversation"].as_str().expect("an id"));
    let busy = say(&program, &path, &json!({ "message": "Too soon" })).await;
    assert_eq!(refused(&busy), (409, "conversation_busy"));
    let turn = format!("{path}/{}", sent.json["turn"].as_str().expect("an id"));
    assert_eq!(program.ask(program.get(&turn)).await.json["state"], "running");
    let waits = say(&program, LIST, &json!({ "message": "Waits", "wait": false })).await;
    assert_eq!(waits.json["place"]["position"], 1, "{waits:?}");
    assert_eq!(
        program.delete(&turn).send().await.expect("an answer").status().as_u16(),
        204
    );
    soon("the end of the turn", async {
        while program.ask(program.get(&turn)).await.json["state"] != "cancelled" {
            tokio::task::yield_now().await;
        }
    })
    .await;
    site.model.hold(false);
    let again = program.delete(&turn).send().await.expect("an answer");
    assert_eq!(again.status().as_u16(), 204, "what is over has ended");
}

#[tokio::test]
async fn bad_messages_are_refused() {
    let site = Site::start(&[]).await;
    let program = Program::new(site.addr);
    for (body, status, code) in [
        (json!({ "message": "" }), 400, "empty_message"),
        (json!({}), 400, "request_invalid"),
        (json!({ "message": "x", "waits": true }), 400, "request_invalid"),
        (json!({ "message": "x", "temperature": 7 }), 400, "no_temperature"),
        (json!({ "message": "x", "model": "none" }), 404, "model_not_offered"),
        (json!({ "message": "x".repeat(70_000) }), 413, "message_too_long"),
    ] {
        assert_eq!(refused(&say(&program, LIST, &body).await), (status, code));
    }
    for path in ["x", "0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f"] {
        let nowhere = say(&program, &format!("{LIST}/{path}/turns"), &json!({ "message": "x" })).await;
        assert_eq!(refused(&nowhere), (404, "conversation_gone"));
    }
    let odd = program.ask(program.get(&format!("{LIST}?after=x"))).await;
    assert_eq!(refused(&odd), (400, "request_invalid"));
}

#[tokio::test]
async fn whoever_waits_for_a_message_that_is_deleted_is_told() {
    let site = Site::start(&[]).await;
    site.model.hold(true);
    let program = Program::new(site.addr);
    let waiting = tokio::spawn({
        let program = program.clone();
        async move { say(&program, LIST, &json!({ "message": "Slow" })).await }
    });
    site.until_load(1, 0).await;
    let list = soon("the conversation", async {
        loop {
            let list = program.ask(program.get(LIST)).await.json;
            if list["conversations"][0]["id"].is_string() {
                return list;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    let id = list["conversations"][0]["id"].as_str().expect("an id");
    let deleted = program.delete(&format!("{LIST}/{id}")).send().await.expect("an answer");
    assert_eq!(deleted.status().as_u16(), 204);
    let told = soon("an answer", waiting).await.expect("an answer");
    assert_eq!(refused(&told), (404, "message_gone"));
    site.model.hold(false);
    site.until_load(0, 0).await;
}
