//! Round after round, until nothing is called any more; and calls that are too much.

use super::*;

/// Asks until nothing is called any more, as a turn does; what each round said and called.
async fn rounds(talker: &Talker, mut question: Question) -> Vec<(String, Vec<ToolCall>)> {
    let mut rounds = Vec::new();
    loop {
        let (heard, outcome) = parts(talker, question.clone()).await;
        outcome.unwrap();
        let (mut text, mut calls) = (String::new(), Vec::new());
        for part in heard {
            match part {
                Part::Text(piece) => text.push_str(&piece),
                Part::ToolCall(call) => calls.push(call),
                part => panic!("{part:?}"),
            }
        }
        rounds.push((text.clone(), calls.clone()));
        if calls.is_empty() {
            return rounds;
        }
        let results = calls.iter().map(|call| ToolResult {
            name: call.name.clone(),
            ..returned(&call.id, &format!("{} of {}", call.name, call.arguments))
        });
        let results = Message {
            results: results.collect(),
            ..said(Role::User, "")
        };
        question.messages.extend([
            Message {
                calls,
                ..said(Role::Agent, &text)
            },
            results,
        ]);
    }
}

#[tokio::test]
async fn a_turn_goes_through_its_rounds() {
    let loopback = Loopback::start(Config::default()).await.unwrap();
    let talker = agent_at("m@openai", &loopback.base_url());
    let asked =
        "[[before=2]] use tool add with {\"x\": \"\u{1f600}\"} and use tool nope; then use tool add with {broken";
    let rounds = rounds(&talker, offering(vec![said(Role::User, asked)])).await;
    let called: Vec<Vec<_>> = rounds
        .iter()
        .map(|(_, calls)| calls.iter().map(|call| (&*call.name, &*call.arguments)).collect())
        .collect();
    assert_eq!(
        called,
        [
            vec![("add", "{\"x\": \"\u{1f600}\"}"), ("nope", "{}")],
            vec![("add", "{broken")],
            vec![],
        ]
    );
    assert_eq!(rounds[0].0, "before1 before2 ");
    let last = &rounds[2].0;
    assert!(
        last.contains("nope returned: nope of {}") && last.ends_with("add returned: add of {broken\n\n"),
        "{last}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_demo_model_uses_a_tool_and_says_what_it_returned() {
    let talker = agent(&[("DEMO_SPEED", "100000")]);
    let rounds = rounds(
        &talker,
        offering(vec![said(Role::User, "use the tool add with {\"x\": 2}")]),
    )
    .await;
    assert_eq!(rounds.len(), 2);
    let (before, calls) = &rounds[0];
    assert_eq!(*calls, [called("call_1", "{\"x\": 2}")]);
    assert!(before.contains("`add`"), "{before}");
    assert!(rounds[1].0.contains("add of {\"x\": 2}"), "{}", rounds[1].0);
    let (heard, _) = parts(&talker, question("use the tool add with {\"x\": 2}")).await;
    assert!(
        heard.iter().all(|part| matches!(part, Part::Text(_))),
        "none is on offer: {heard:?}"
    );
}

#[tokio::test]
async fn calls_beyond_all_bounds_are_a_fault_by_name() {
    let long = json!([{ "index": 0, "id": "a", "function": { "name": "add", "arguments": "x".repeat(300 * 1024) } }]);
    let many: Vec<_> = (0..65)
        .map(|at| json!({ "index": at, "id": at.to_string(), "function": { "name": "add", "arguments": "{}" } }))
        .collect();
    for calls in [long, json!(many)] {
        let stub = Stub::streaming("text/event-stream", openai_answer(&calls, "tool_calls")).await;
        let (heard, outcome) = parts(&agent_at("m@openai", &stub.url), offering(vec![said(Role::User, "q")])).await;
        assert_eq!((heard, outcome), (vec![], Err(AgentError::CallsTooLarge)));
    }
}
