//! Answers that use tools: rounds, leave, what fails, and what survives the end of the server.

mod ends;
mod leave;
mod results;
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
