//! Leave: who gives it, for what, and until when.

use super::*;

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
