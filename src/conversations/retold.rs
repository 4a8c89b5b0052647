//! What a model is told of an answer that used tools: as it was, round by round.

use serde_json::Value;

use crate::{
    agents::{Message, ToolCall, ToolResult},
    store::{ToolStep, TurnRecord},
    wire::{Role, StepContent, StepState},
};

/// Said by the model in place of an answer that has ended with calls.
const ENDED: &str = "(The answer has ended here.)";
/// Most of a name that a model has made up.
const MAX_NAME: usize = 64;

/// A round that has ended with calls.
pub(super) struct Round<'a> {
    /// What was said in it.
    pub(super) said: &'a str,
    /// What was called at its end.
    pub(super) steps: &'a [ToolStep],
}

/// The rounds of an answer, and what was said after the last of them.
pub(super) fn rounds(turn: &TurnRecord) -> (Vec<Round<'_>>, &str) {
    let (mut rounds, mut from) = (Vec::new(), 0);
    for steps in turn.steps.chunk_by(|one, next| one.round == next.round) {
        let until = steps[0].said;
        let said = turn.answer.get(from..until).unwrap_or_default();
        from = until.max(from);
        rounds.push(Round {
            said: said.trim_matches('\n'),
            steps,
        });
    }
    (
        rounds,
        turn.answer.get(from..).unwrap_or_default().trim_start_matches('\n'),
    )
}

impl Round<'_> {
    /// The answer of the round and the results of its calls.
    pub(super) fn messages(&self, results: Vec<ToolResult>) -> [Message; 2] {
        let said = Message {
            calls: self.steps.iter().map(call).collect(),
            ..Message::said(Role::Agent, self.said.to_owned())
        };
        let came = Message {
            results,
            ..Message::said(Role::User, String::new())
        };
        [said, came]
    }
}

/// What was said at the end of an answer that is over.
pub(super) fn last(said: &str) -> Message {
    let said = if said.trim().is_empty() { ENDED } else { said };
    Message::said(Role::Agent, said.to_owned())
}

/// The text of what a tool has returned.
pub(super) fn text(step: &ToolStep) -> String {
    let parts = step.content.iter().map(|content| match content {
        StepContent::Text(text) => text.clone(),
        StepContent::Picture { .. } => "(a picture)".to_owned(),
        StepContent::Link { uri, name } if name.is_empty() => uri.clone(),
        StepContent::Link { uri, name } => format!("{name}: {uri}"),
    });
    let text = parts.collect::<Vec<_>>().join("\n\n");
    match (&step.state, text.is_empty()) {
        (StepState::Done, true) => "(nothing)".to_owned(),
        _ => text,
    }
}

/// Whether a model is told that it has come to nothing.
pub(super) fn has_failed(step: &ToolStep) -> bool {
    step.state != StepState::Done
}

fn call(step: &ToolStep) -> ToolCall {
    ToolCall {
        id: step.call.clone(),
        name: step.name.clone(),
        arguments: object(&step.arguments).to_owned(),
        opaque: step.opaque.clone(),
        thoughts: step.thoughts.clone(),
    }
}

/// Arguments in a form that every server takes back.
fn object(arguments: &str) -> &str {
    match serde_json::from_str(arguments) {
        Ok(Value::Object(_)) => arguments,
        _ => "{}",
    }
}

/// A model's name for a tool, in a form that every server takes back.
pub(super) fn callable(name: &str) -> String {
    let known = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    let name: String = name.chars().take(MAX_NAME).collect();
    match name.is_empty() {
        true => "_".to_owned(),
        false => name.replace(|letter| !known(letter), "_"),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::live_steps::tests::asking, *};
    use crate::store::testing::{Talk, an_owner, answered};

    fn step(round: u32, said: usize, call: &str, content: &str) -> ToolStep {
        ToolStep {
            call: call.to_owned(),
            round,
            said,
            state: StepState::Done,
            content: vec![StepContent::Text(content.to_owned())],
            ..asking("read", "1")
        }
    }

    fn turn() -> TurnRecord {
        let talk = Talk::new(an_owner(), "t");
        let mut turn = answered(talk.turn(None, "q"), "First.\n\nThen.\n\nLast.");
        turn.steps = vec![
            step(0, 6, "a", "one"),
            step(0, 6, "b", "two"),
            step(1, 6, "c", "three"),
            step(2, 13, "d", ""),
        ];
        turn
    }

    fn told() -> Vec<Message> {
        let turn = turn();
        let (rounds, rest) = rounds(&turn);
        let results = |round: &Round<'_>| {
            let each = round.steps.iter().map(|step| ToolResult {
                id: step.call.clone(),
                name: step.name.clone(),
                content: text(step),
                failed: has_failed(step),
                ..ToolResult::default()
            });
            each.collect()
        };
        let mut told: Vec<_> = rounds.iter().flat_map(|round| round.messages(results(round))).collect();
        told.push(last(rest));
        told
    }

    #[test]
    fn an_answer_is_told_again_round_by_round() {
        let told = told();
        let said: Vec<_> = told.iter().map(|message| message.text.as_str()).collect();
        assert_eq!(said, ["First.", "", "", "", "Then.", "", "Last."]);
        let calls: Vec<usize> = told.iter().map(|message| message.calls.len()).collect();
        assert_eq!(calls, [2, 0, 1, 0, 1, 0, 0]);
        let results: Vec<Vec<&str>> = told
            .iter()
            .map(|message| message.results.iter().map(|result| result.content.as_str()).collect())
            .collect();
        assert_eq!(results[1], ["one", "two"]);
        assert_eq!(results[3], ["three"]);
        assert_eq!(results[5], ["(nothing)"]);
    }

    #[test]
    fn what_is_given_back_every_server_takes() {
        for (name, given) in [("files__read", "files__read"), ("a b/ü", "a_b__"), ("", "_")] {
            assert_eq!(callable(name), given);
        }
        assert_eq!(callable(&"x".repeat(100)).len(), MAX_NAME);
        for (written, given) in [("{\"a\":1}", "{\"a\":1}"), ("[1]", "{}"), ("{", "{}"), ("", "{}")] {
            assert_eq!(object(written), given);
        }
        assert_eq!(last(" \n").text, ENDED);
    }
}
