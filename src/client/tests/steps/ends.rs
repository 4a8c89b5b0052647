//! What becomes of uses of tools when their turn is ended, and when the server ends.

use super::*;

#[tokio::test]
async fn a_turn_is_ended_in_every_state_of_its_tools() {
    for (leave, hangs, state) in [
        (Leave::Ask, false, StepState::Asks),
        (Leave::Allow, true, StepState::Runs),
    ] {
        let site = Site::of(Model::one_call("write", r#"{"path":"x"}"#), &[]).await;
        site.tools.tool("write", leave, false);
        site.tools.hang(hangs);
        let client = site.visitor();
        let sent = client.send(asks("Write it.", &[])).await.expect("accepted");
        site.until_step(&client, sent.conversation, &state).await;
        assert!(client.cancel(sent.turn));
        let turn = site.ends(&client, sent.conversation).await;
        assert_eq!(
            (&turn.state, states(&turn)),
            (&TurnState::Cancelled, vec![StepState::Stopped])
        );
        assert_eq!(turn.steps[0].server, "files");
        site.until_nothing_runs().await;
        // The conversation is free again.
        site.tools.hang(false);
        site.model.begin_anew_with(|_, _| vec![says("Fine.")]);
        let next = SendRequest {
            conversation: Some(sent.conversation),
            ..asks("Never mind.", &[])
        };
        client.send(next).await.expect("accepted");
        assert_eq!(site.ends(&client, sent.conversation).await.answer, "Fine.");
        let told = &site.model.asked()[0].messages;
        assert_eq!(
            told.len(),
            5,
            "the question, the call, what became of it, the end of the answer, the new one"
        );
        assert!(told[2].results[0].failed);
    }
}

#[tokio::test]
async fn one_use_of_a_tool_is_stopped_alone() {
    let model = Model::script(|round, _| match round {
        0 => vec![
            calls("a", "write", r#"{"path":"x"}"#),
            calls("b", "read", r#"{"path":"y"}"#),
        ],
        _ => vec![says("So be it.")],
    });
    let site = Site::of(model, &[("DEFAULT_CONCURRENCY_LIMIT", "5")]).await;
    site.tools.tool("write", Leave::Allow, false);
    site.tools.tool("read", Leave::Allow, true);
    site.tools.hang(true);
    let client = site.visitor();
    let sent = client.send(asks("Both.", &[])).await.expect("accepted");
    site.until_step(&client, sent.conversation, &StepState::Runs).await;
    client
        .answer_step(sent.turn, 0, StepAnswer::Stop)
        .await
        .expect("stopped");
    site.tools.hang(false);
    let turn = site.ends(&client, sent.conversation).await;
    assert_eq!(
        (turn.answer.as_str(), states(&turn)),
        ("So be it.", vec![StepState::Stopped, StepState::Done])
    );
    site.until_nothing_runs().await;
}

#[tokio::test]
async fn leave_is_asked_for_over_a_restart() {
    let mut site = Site::of(Model::one_call("write", r#"{"path":"x"}"#), &[]).await;
    site.tools.tool("write", Leave::Ask, false);
    let client = site.visitor();
    let asking = site.asks_for_leave(&client, "Write it.").await;
    for crash in [false, true] {
        site.restart(crash).await;
        let client = site.same(&client);
        site.until_asks(&client, asking.conversation).await;
        let turn = turn_of(&client, asking.conversation).await;
        assert_eq!(
            (&turn.state, states(&turn)),
            (&TurnState::Running, vec![StepState::Asks])
        );
    }
    let client = site.same(&client);
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
    assert_eq!(
        (site.tools.calls(), site.model.asked().len()),
        (1, 1),
        "nothing is done twice"
    );
}

#[tokio::test]
async fn leave_can_be_given_as_soon_as_the_server_is_there_again() {
    // So much of it that it is shown a while after its turn is taken up.
    let code = format!(
        "```rust\n{}```\n",
        "fn f(x: u8) -> u8 { x.wrapping_add(1) }\n".repeat(4_000)
    );
    let model = Model::script(move |round, _| match round {
        0 => vec![says(&code), site::calls("a", "write", r#"{"path":"x"}"#)],
        _ => vec![says("Written.")],
    });
    for (answer, state) in [
        (StepAnswer::Once, StepState::Done),
        (StepAnswer::Stop, StepState::Stopped),
    ] {
        let mut site = Site::of(Arc::clone(&model), &[]).await;
        site.tools.tool("write", Leave::Ask, false);
        site.model.begin_anew();
        let client = site.visitor();
        let asking = site.asks_for_leave(&client, "Write it.").await;
        site.restart(true).await;
        let client = site.same(&client);
        client.answer_step(asking.id, 0, answer).await.expect("in force");
        let none = client
            .answer_step(asking.id, 1, answer)
            .await
            .expect_err("there is one");
        assert_eq!(none.reason(), Reason::StepOver);
        let turn = site.ends(&client, asking.conversation).await;
        assert_eq!((&turn.state, states(&turn)), (&TurnState::Done, vec![state]));
    }
}

/// As it is for a moment at the node where a session comes to be at home when its own has died: what is stored waits for leave, and nobody here has
/// its turn yet.
#[tokio::test]
async fn leave_can_be_given_before_a_turn_of_another_node_is_taken_up() {
    for (answer, state) in [
        (StepAnswer::Once, StepState::Done),
        (StepAnswer::Stop, StepState::Stopped),
    ] {
        let site = Site::of(Model::one_call("write", r#"{"path":"x"}"#), &[]).await;
        site.tools.tool("write", Leave::Allow, false);
        let client = site.visitor();
        let turn = site.answered(&client, "Write it.").await;
        let over = client.answer_step(turn.id, 0, answer).await.expect_err("it is over");
        assert_eq!(over.reason(), Reason::StepOver);
        let (owner, store) = (client.principal().owner(), site.engine.store());
        let mut stored = store.turn(owner, turn.id).await.expect("read").expect("there").turn;
        stored.state = TurnState::Running;
        (stored.answer, stored.ended_at) = (String::new(), None);
        stored.steps[0].state = StepState::Asks;
        stored.steps[0].ended_at = None;
        store.update(stored).await.expect("stored");
        let none = client.answer_step(turn.id, 1, answer).await.expect_err("there is one");
        assert_eq!(none.reason(), Reason::StepOver);

        let answering = client.answer_step(turn.id, 0, answer);
        let taken_up = async { client.rooms().resume(site.engine.sessions()).await };
        let (answered, resumed) = tokio::join!(biased; answering, taken_up);
        assert_eq!(resumed, Ok(1));
        answered.expect("in force");
        let turn = site.ends(&client, turn.conversation).await;
        assert_eq!((&turn.state, states(&turn)), (&TurnState::Done, vec![state]));
    }
}

#[tokio::test]
async fn what_ran_when_the_server_ended_is_done_again_only_where_that_does_no_harm() {
    for (repeatable, state, calls) in [
        (true, StepState::Done, 2),
        (
            false,
            StepState::Failed {
                fault: ToolFault::Unknown,
            },
            1,
        ),
    ] {
        let model = Model::script(|round, _| match round {
            0 => vec![
                says("First."),
                site::calls("a", "quick", r#"{"path":"x"}"#),
                site::calls("b", "slow", r#"{"path":"y"}"#),
            ],
            _ => vec![says("Last.")],
        });
        let mut site = Site::of(model, &[("DEFAULT_CONCURRENCY_LIMIT", "5")]).await;
        site.tools.tool("quick", Leave::Allow, true);
        site.tools.tool("slow", Leave::Allow, repeatable);
        site.tools.hang_only("slow");
        let client = site.visitor();
        let sent = client.send(asks("Both.", &[])).await.expect("accepted");
        let both = [StepState::Done, StepState::Runs];
        let (client_ref, tools) = (&client, &site.tools);
        // It is said to run once that is being noted, and called once it is.
        until(client_ref, "one of two", async || {
            states(&turn_of(client_ref, sent.conversation).await) == both && tools.calls_of("slow") == 1
        })
        .await;
        site.restart(true).await;
        site.tools.hang(false);
        let client = site.same(&client);
        let turn = site.ends(&client, sent.conversation).await;
        assert_eq!(states(&turn), [StepState::Done, state]);
        assert_eq!((turn.answer.as_str(), turn.blocks.len()), ("First.\n\nLast.", 2));
        assert_eq!((site.tools.calls_of("quick"), site.tools.calls_of("slow")), (1, calls));
        assert_eq!(site.model.asked().len(), 2, "the first round is not asked for again");
    }
}

#[tokio::test]
async fn what_runs_at_an_orderly_end_has_its_time_and_the_rest_follows_later() {
    let mut site = Site::of(Model::one_call("write", r#"{"path":"x"}"#), &[]).await;
    site.tools.tool("write", Leave::Allow, false);
    site.tools.hang(true);
    let client = site.visitor();
    let sent = client.send(asks("Write it.", &[])).await.expect("accepted");
    site.until_step(&client, sent.conversation, &StepState::Runs).await;
    let ending = tokio::spawn({
        let engine = Arc::clone(&site.engine);
        async move { engine.shutdown(Duration::from_secs(60)).await }
    });
    while !site.engine.is_closing() {
        tokio::task::yield_now().await;
    }
    site.tools.hang(false);
    ending.await.expect("it ends");
    site.start_again().await;
    let client = site.same(&client);
    let turn = site.ends(&client, sent.conversation).await;
    assert_eq!((turn.answer.as_str(), states(&turn)), ("Done.", vec![StepState::Done]));
    assert_eq!(site.tools.calls(), 1);
}
