//! Answers that use tools: rounds, leave, what fails, and what survives the end of the server.

mod ends;
mod site;

use bytes::Bytes;
use serde_json::json;

use self::site::{Model, Site, calls, says};
use super::*;
use crate::{
    agents::{Message, Part},
    client::ToolLeave,
    conversations::toolbox::CallFault,
    tools::{Content, Leave, ToolOutput},
    wire::{Reason, StepAnswer, StepContent, StepState, StepView, ToolFault, TurnState},
};

fn states(turn: &TurnView) -> Vec<StepState> {
    turn.steps.iter().map(|step| step.state.clone()).collect()
}

fn text(step: &StepView) -> String {
    let texts = step.content.iter().filter_map(|content| match content {
        StepContent::Text(text) => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

/// A PNG of one pixel.
const PIXEL: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 1, 0, 0, 0, 1, 8,
    6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89,
];

#[tokio::test]
async fn an_answer_goes_on_with_what_its_tools_have_returned() {
    let model = Model::script(|round, _| match round {
        0 => vec![
            says("Let me look."),
            calls("a", "read", r#"{"path":"x"}"#),
            calls("b", "read", r#"{"path":"y"}"#),
        ],
        1 => vec![calls("c", "read", r#"{"path":"z"}"#)],
        _ => vec![says("There it is.")],
    });
    let site = Site::of(model, &[]).await;
    site.tools.tool("read", Leave::Allow, true);
    let client = site.visitor();
    let turn = site.answered(&client, "Where is it?").await;

    assert_eq!(
        (&turn.state, turn.answer.as_str()),
        (&TurnState::Done, "Let me look.\n\nThere it is.")
    );
    assert_eq!(states(&turn), [StepState::Done, StepState::Done, StepState::Done]);
    assert_eq!(
        turn.steps
            .iter()
            .map(|step| (step.round, step.after))
            .collect::<Vec<_>>(),
        [(0, 1), (0, 1), (1, 1)]
    );
    assert_eq!(turn.blocks.len(), 2, "what is said in two rounds is two paragraphs");
    let told: Vec<_> = turn.steps.iter().map(text).collect();
    assert_eq!(
        told,
        [r#"{"path":"x"}"#, r#"{"path":"y"}"#, r#"{"path":"z"}"#],
        "in the order of the calls"
    );
    let usage = turn.usage.expect("counted");
    assert_eq!((usage.input, usage.output), (Some(30), Some(6)), "all rounds together");

    let asked = site.model.asked();
    assert_eq!(asked.len(), 3);
    let last = &asked[2].messages;
    let shape: Vec<_> = last
        .iter()
        .map(|message| (message.calls.len(), message.results.len()))
        .collect();
    assert_eq!(shape, [(0, 0), (2, 0), (0, 2), (1, 0), (0, 1)]);
    assert_eq!(
        (last[1].text.as_str(), last[1].calls[0].id.as_str()),
        ("Let me look.", "a")
    );
    assert_eq!(
        (last[2].results[1].id.as_str(), last[2].results[1].failed),
        ("b", false)
    );
    assert!(asked.iter().all(|question| question.tools.len() == 1));

    // A later question has all of it, too.
    let next = SendRequest {
        conversation: Some(turn.conversation),
        ..asks("And now?", &[])
    };
    site.model.begin_anew();
    client.send(next).await.expect("accepted");
    site.ends(&client, turn.conversation).await;
    let asked = site.model.asked();
    assert_eq!(asked[0].messages[..5], last[..5]);
    assert_eq!(
        asked[0].messages[5],
        Message::said(crate::wire::Role::Agent, "There it is.".into())
    );
}

#[tokio::test]
async fn who_is_asked_for_leave_holds_no_slot_and_nobody_else_can_give_it() {
    let site = Site::of(
        Model::one_call("write", r#"{"path":"x"}"#),
        &[("CHAT_CONCURRENCY_LIMIT", "1")],
    )
    .await;
    site.tools.tool("write", Leave::Ask, false);
    let (client, other) = (site.visitor(), site.visitor());
    let asking = site.asks_for_leave(&client, "Write it.").await;
    assert_eq!(states(&asking), [StepState::Asks]);
    let listed = client.conversations(None).await.expect("read").conversations;
    assert!(listed[0].asks && listed[0].busy);
    let status = client.status();
    assert_eq!(
        (status.running, status.places),
        (1, vec![]),
        "it is being answered, and stands in no line"
    );

    // The only slot is somebody else's meanwhile.
    site.model.begin_anew_with(|_, _| vec![says("At once.")]);
    assert_eq!(site.answered(&other, "Hello.").await.answer, "At once.");

    for wrong in [
        other.answer_step(asking.id, 0, StepAnswer::Once).await,
        client.answer_step(asking.id, 1, StepAnswer::Once).await,
        client.answer_step(TurnId::new(), 0, StepAnswer::Once).await,
    ] {
        assert_eq!(wrong.expect_err("nobody asked for that").reason(), Reason::StepOver);
    }
    assert_eq!(site.tools.calls(), 0);
    site.model.begin_anew_with(|_, _| vec![says("Written.")]);
    client
        .answer_step(asking.id, 0, StepAnswer::Once)
        .await
        .expect("in force");
    let turn = site.ends(&client, asking.conversation).await;
    assert_eq!(
        (turn.answer.as_str(), states(&turn)),
        ("Written.", vec![StepState::Done])
    );
    assert_eq!(site.tools.calls(), 1);
    let again = client.answer_step(asking.id, 0, StepAnswer::No).await;
    assert_eq!(again.expect_err("it is over").reason(), Reason::StepOver);
}

#[tokio::test]
async fn leave_for_a_conversation_is_for_that_and_for_the_tool_as_it_is() {
    let site = Site::of(Model::one_call("write", r#"{"path":"x"}"#), &[]).await;
    site.tools.tool("write", Leave::Ask, false);
    let client = site.visitor();
    let asking = site.asks_for_leave(&client, "Write it.").await;
    client
        .answer_step(asking.id, 0, StepAnswer::Conversation)
        .await
        .expect("in force");
    let first = site.ends(&client, asking.conversation).await;
    assert_eq!(states(&first), [StepState::Done]);

    let again = |text: &str| SendRequest {
        conversation: Some(first.conversation),
        ..asks(text, &[])
    };
    site.model.begin_anew();
    client.send(again("Once more.")).await.expect("accepted");
    assert_eq!(states(&site.ends(&client, first.conversation).await), [StepState::Done]);

    // Another conversation asks, and so does this one once the tool has changed.
    site.model.begin_anew();
    let elsewhere = site.asks_for_leave(&client, "Write it here, too.").await;
    client
        .answer_step(elsewhere.id, 0, StepAnswer::Never)
        .await
        .expect("in force");
    let refused = site.ends(&client, elsewhere.conversation).await;
    assert_eq!(states(&refused), [StepState::Denied]);
    site.tools.change("write");
    site.model.begin_anew();
    client.send(again("And once more.")).await.expect("accepted");
    site.until_asks(&client, first.conversation).await;

    // What was refused for good is not asked for again, as long as it is the same.
    site.model.begin_anew();
    let asking = site.asks_for_leave(&client, "And here?").await;
    client
        .answer_step(asking.id, 0, StepAnswer::Never)
        .await
        .expect("in force");
    site.ends(&client, asking.conversation).await;
    site.model.begin_anew();
    let next = SendRequest {
        conversation: Some(asking.conversation),
        ..asks("Really?", &[])
    };
    client.send(next).await.expect("accepted");
    assert_eq!(
        states(&site.ends(&client, asking.conversation).await),
        [StepState::Denied]
    );
}

#[tokio::test]
async fn what_was_said_for_a_conversation_holds_over_a_crash_until_it_is_taken_back() {
    for (answer, state, allowed) in [
        (StepAnswer::Never, StepState::Denied, false),
        (StepAnswer::Conversation, StepState::Done, true),
    ] {
        let mut site = Site::of(Model::one_call("write", r#"{"path":"x"}"#), &[]).await;
        site.tools.tool("write", Leave::Ask, false);
        let (client, other) = (site.visitor(), site.visitor());
        let asking = site.asks_for_leave(&client, "Write it.").await;
        let conversation = asking.conversation;
        let again = || SendRequest {
            conversation: Some(conversation),
            ..asks("Once more.", &[])
        };
        client.answer_step(asking.id, 0, answer).await.expect("in force");
        assert_eq!(
            states(&site.ends(&client, conversation).await),
            std::slice::from_ref(&state)
        );
        let told = |site: &Site| {
            let asked = site.model.asked();
            let results = &asked.last().expect("asked").messages.last().expect("a message").results;
            results[0].content.contains("not allowed in this conversation")
        };
        assert_eq!(told(&site), !allowed);

        site.restart(true).await;
        let (client, other) = (site.same(&client), site.same(&other));
        site.model.begin_anew();
        client.send(again()).await.expect("accepted");
        assert_eq!(states(&site.ends(&client, conversation).await), [state]);
        assert_eq!(told(&site), !allowed);

        let said = ToolLeave {
            key: "files/write".into(),
            server: "files".into(),
            tool: "write".into(),
            allowed,
        };
        assert_eq!(client.leaves(conversation).await.expect("read"), [said]);
        let strange = other.leaves(conversation).await.expect_err("it is not theirs");
        assert_eq!(strange.reason(), Reason::ConversationUnavailable);
        for (who, forgotten) in [(&other, false), (&client, true), (&client, false)] {
            let taken = who.forget_leave(conversation, "files/write").await;
            assert_eq!(taken.expect("stored"), forgotten);
        }
        assert_eq!(client.leaves(conversation).await.expect("read"), []);
        site.model.begin_anew();
        client.send(again()).await.expect("accepted");
        site.until_asks(&client, conversation).await;
    }
}

#[tokio::test]
async fn what_fails_is_a_result_and_not_the_end() {
    let site = Site::of(
        Model::script(|round, _| match round {
            0 => vec![
                calls("1", "nothing", "{}"),
                calls("2", "read", "{"),
                calls("3", "read", "{}"),
                calls("4", "breaks", r#"{"path":"x"}"#),
                calls("5", "panics", r#"{"path":"x"}"#),
                calls("6", "fails", r#"{"path":"x"}"#),
                calls("7", "denied", r#"{"path":"x"}"#),
            ],
            _ => vec![says("None of it works.")],
        }),
        &[],
    )
    .await;
    for tool in ["read", "breaks", "panics", "fails"] {
        site.tools.tool(tool, Leave::Allow, true);
    }
    site.tools.tool("denied", Leave::Deny, true);
    site.tools.returns("breaks", |_| {
        Err(CallFault {
            fault: ToolFault::TimedOut,
            said: "It took too long.".into(),
        })
    });
    site.tools.returns("panics", |_| panic!("on purpose"));
    site.tools.returns("fails", |_| {
        Ok(ToolOutput {
            content: vec![Content::Text("No such file.".into())],
            failed: true,
        })
    });
    let client = site.visitor();
    let turn = site.answered(&client, "Try.").await;
    assert_eq!(
        (&turn.state, turn.answer.as_str()),
        (&TurnState::Done, "None of it works.")
    );
    let failed = |fault| StepState::Failed { fault };
    assert_eq!(
        states(&turn),
        [
            failed(ToolFault::Gone),
            failed(ToolFault::Arguments),
            failed(ToolFault::Arguments),
            failed(ToolFault::TimedOut),
            failed(ToolFault::Invalid),
            failed(ToolFault::Itself),
            StepState::Denied,
        ]
    );
    let asked = site.model.asked();
    let results = &asked[1].messages.last().expect("the results").results;
    assert!(
        results.iter().all(|result| result.failed && !result.content.is_empty()),
        "{results:?}"
    );
    assert_eq!(results[5].content, "No such file.");
    assert_eq!(asked[0].tools.len(), 4, "what nobody may use is not offered");
    // What it had written for the tools comes back in a form that every server takes.
    let called = &asked[1].messages[1].calls;
    assert_eq!(
        (called[1].arguments.as_str(), called[3].arguments.as_str()),
        ("{}", r#"{"path":"x"}"#)
    );
}

#[tokio::test]
async fn a_tool_that_has_changed_while_leave_was_asked_for_is_not_used() {
    let site = Site::of(Model::one_call("write", r#"{"path":"x"}"#), &[]).await;
    site.tools.tool("write", Leave::Ask, false);
    let client = site.visitor();
    let asking = site.asks_for_leave(&client, "Write it.").await;
    site.tools.change("write");
    client
        .answer_step(asking.id, 0, StepAnswer::Conversation)
        .await
        .expect("in force");
    let turn = site.ends(&client, asking.conversation).await;
    let changed = StepState::Failed {
        fault: ToolFault::Changed,
    };
    assert_eq!((states(&turn), site.tools.calls()), (vec![changed], 0));
    assert!(text(&turn.steps[0]).contains("has changed"), "{turn:?}");
    // What was said was said of the tool that it was.
    site.model.begin_anew();
    let next = SendRequest {
        conversation: Some(asking.conversation),
        ..asks("Once more.", &[])
    };
    client.send(next).await.expect("accepted");
    site.until_asks(&client, asking.conversation).await;
}

#[tokio::test]
async fn what_a_model_has_thought_before_a_call_is_told_to_the_same_model_again() {
    let model = Model::script(|round, _| match (round, calls("a", "read", r#"{"path":"x"}"#)) {
        (0, Part::ToolCall(call)) => vec![Part::ToolCall(crate::agents::ToolCall {
            thoughts: Some("Hm.".into()),
            ..call
        })],
        _ => vec![says("Done.")],
    });
    let mut site = Site::of(model, &[]).await;
    site.tools.tool("read", Leave::Allow, true);
    let client = site.visitor();
    let turn = site.answered(&client, "Read it.").await;
    let thoughts = |question: &Question| {
        let calls = question.messages.iter().flat_map(|message| &message.calls);
        calls.map(|call| call.thoughts.clone()).collect::<Vec<_>>()
    };
    assert_eq!(thoughts(&site.model.asked()[1]), [Some("Hm.".into())]);
    // In later turns, too, and after a crash.
    site.restart(true).await;
    let client = site.same(&client);
    let next = || SendRequest {
        conversation: Some(turn.conversation),
        ..asks("And now?", &[])
    };
    site.model.begin_anew_with(|_, _| vec![says("Well.")]);
    client.send(next()).await.expect("accepted");
    site.ends(&client, turn.conversation).await;
    assert_eq!(thoughts(&site.model.asked()[0]), [Some("Hm.".into())]);
    // Another model has thought otherwise.
    let stored = site.engine.store().turn(client.principal().owner(), turn.id).await;
    let mut stored = stored.expect("read").expect("there").turn;
    stored.model = "other@cpu".into();
    site.engine.store().update(stored).await.expect("stored");
    site.model.begin_anew();
    client.send(next()).await.expect("accepted");
    site.ends(&client, turn.conversation).await;
    assert_eq!(thoughts(&site.model.asked()[0]), [None]);
}

#[tokio::test]
async fn rounds_have_an_end_that_the_model_is_told() {
    let model = Model::script(|_, question| match question.tools.is_empty() {
        true => vec![says("Enough.")],
        false => vec![calls("a", "read", r#"{"path":"x"}"#)],
    });
    let site = Site::of(model, &[("TOOL_MAX_ROUNDS", "2")]).await;
    site.tools.tool("read", Leave::Allow, true);
    let client = site.visitor();
    let turn = site.answered(&client, "For ever.").await;
    assert_eq!((turn.answer.as_str(), turn.steps.len()), ("Enough.", 2));
    let asked = site.model.asked();
    assert_eq!(asked.len(), 3);
    let last = &asked[2];
    assert!(
        last.messages
            .iter()
            .all(|message| message.calls.is_empty() && message.results.is_empty())
    );
    let told = &last.messages.last().expect("a message").text;
    assert!(
        told.contains("{\"path\":\"x\"}") && told.contains("No tools can be used any more"),
        "{told}"
    );
}

#[tokio::test]
async fn what_is_not_offered_cannot_be_called() {
    let site = Site::of(Model::one_call("read", r#"{"path":"x"}"#), &[]).await;
    site.tools.tool("read", Leave::Allow, true);
    let client = site.visitor();
    let request = SendRequest {
        choice: Some(Choice {
            without_tools: true,
            ..Choice::default()
        }),
        ..asks("Read it.", &[])
    };
    let sent = client.send(request).await.expect("accepted");
    let turn = site.ends(&client, sent.conversation).await;
    assert!(matches!(turn.state, TurnState::Failed { .. }), "{:?}", turn.state);
    assert_eq!((turn.steps.len(), site.tools.calls()), (0, 0));
}

#[tokio::test]
async fn pictures_are_files_of_their_owner_for_as_long_as_the_answer_is_there() {
    let site = Site::of(Model::one_call("draw", r#"{"path":"x"}"#), &[]).await;
    site.tools.tool("draw", Leave::Allow, true);
    site.tools.returns("draw", |_| {
        let picture = |bytes: &'static [u8]| Content::Picture {
            mime: "image/png".into(),
            bytes: Bytes::from_static(bytes),
        };
        Ok(ToolOutput {
            content: vec![
                picture(PIXEL),
                picture(b"no picture at all"),
                Content::Link {
                    uri: "https://example.org/".into(),
                    name: "more".into(),
                },
                Content::Text("x".repeat(100 * 1024)),
            ],
            failed: false,
        })
    });
    let client = site.visitor();
    let turn = site.answered(&client, "Draw.").await;
    let [
        StepContent::Picture { file, mime },
        StepContent::Text(none),
        StepContent::Link { .. },
        StepContent::Text(long),
        StepContent::Text(cut),
    ] = &turn.steps[0].content[..]
    else {
        panic!("{:?}", turn.steps[0].content.len());
    };
    assert_eq!(mime, "image/png");
    assert!(
        none.contains("left out") && cut.contains("left out") && long.len() <= 64 * 1024,
        "{none} {cut}"
    );
    assert!(client.file(*file).await.expect("read").is_some());
    assert!(site.visitor().file(*file).await.expect("read").is_none());
    assert_eq!(
        site.model.asked()[1].messages[2].results[0].images.len(),
        1,
        "the model sees it, too"
    );

    // A copy of the conversation keeps it, and so does what is saved and read again.
    let branch = client.branch(turn.id).await.expect("made");
    let (_, saved) = client
        .export(turn.conversation, crate::conversations::Export::Json)
        .await
        .expect("read")
        .expect("there");
    let imported = client.import(saved.as_bytes()).await.expect("made");
    for copy in [branch, imported] {
        let copied = turn_of(&client, copy).await;
        assert_eq!(
            (&copied.steps[0].content, &copied.answer),
            (&turn.steps[0].content, &turn.answer)
        );
    }
    client.delete(turn.conversation).await.expect("deleted");
    let purged = site.engine.store().purge(u64::MAX, None).await.expect("purged");
    assert!(!purged.files.contains(file), "others have it");
    for copy in [branch, imported] {
        client.delete(copy).await.expect("deleted");
    }
    let purged = site.engine.store().purge(u64::MAX, None).await.expect("purged");
    assert!(purged.files.contains(file));
}

#[tokio::test]
async fn an_answer_with_tools_is_kept_for_nobody() {
    let settings = [("ANSWER_CACHE_SIZE", "1MB"), ("ANSWER_CACHE_ANY_TEMPERATURE", "true")];
    let site = Site::of(Model::script(|_, _| vec![says("Hm.")]), &settings).await;
    site.tools.tool("read", Leave::Allow, true);
    let client = site.visitor();
    for _ in 0..2 {
        site.answered(&client, "The same.").await;
    }
    assert_eq!(site.model.asked().len(), 2);
    assert_eq!(site.engine.conversations().answer_figures().entries, 0);
}

#[tokio::test]
async fn who_waits_for_a_server_of_tools_is_told_so() {
    let site = Site::of(Model::script(|_, _| vec![says("Hm.")]), &[]).await;
    site.tools.tool("read", Leave::Allow, true);
    site.tools.connect_slowly(true);
    let client = site.visitor();
    let sent = client.send(asks("Hello.", &[])).await.expect("accepted");
    site.until_step(&client, sent.conversation, &StepState::Connects).await;
    assert_eq!(turn_of(&client, sent.conversation).await.steps[0].server, "files");
    site.tools.connect_slowly(false);
    let turn = site.ends(&client, sent.conversation).await;
    assert_eq!((turn.steps.len(), turn.answer.as_str()), (0, "Hm."));
    let stored = site.engine.store().turn(client.principal().owner(), sent.turn).await;
    assert_eq!(stored.expect("read").expect("there").turn.steps, []);
}

#[tokio::test]
async fn a_saved_conversation_says_which_tools_were_used() {
    let site = Site::of(Model::one_call("read", r#"{"path":"x"}"#), &[]).await;
    site.tools.tool("read", Leave::Allow, true);
    let client = site.visitor();
    let turn = site.answered(&client, "Read it.").await;
    let english = crate::conversations::Export::Markdown(crate::language::Language::English);
    let (_, saved) = client
        .export(turn.conversation, english)
        .await
        .expect("read")
        .expect("there");
    let tool = saved.find("> *used the tool “read” of files*").expect("the tool");
    assert!(tool < saved.find("Done.").expect("the answer"), "{saved}");
    let (_, saved) = client
        .export(turn.conversation, crate::conversations::Export::Json)
        .await
        .expect("read")
        .expect("there");
    let saved: serde_json::Value = serde_json::from_str(&saved).expect("JSON");
    assert_eq!(saved["turns"][0]["steps"][0]["tool"], json!("read"));
    // Not found by what a tool has returned.
    let found = client.search("path").await.expect("searched");
    assert_eq!(found.found.len(), 0);
}

#[test]
fn a_part_that_is_a_call_is_one() {
    let Part::ToolCall(call) = calls("a", "read", "{}") else {
        panic!()
    };
    assert_eq!(call.name, "files__read");
}
