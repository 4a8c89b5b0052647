//! The history in the shape that every model server takes.

use std::collections::HashSet;

use super::calls::made;
use crate::{
    agents::{Message, ToolCall, ToolResult},
    wire::Role,
};

/// The longest name of a tool, and the longest id of a call, that every server takes.
const MOST_NAME: usize = 64;
const MOST_ID: usize = 40;

/// Drops what says nothing, joins what one side said in a row, and lets the person speak first: some servers refuse
/// anything else, and a stopped or failed turn leaves such gaps. Calls and results are whole pairs, in the same order.
pub(super) fn tidy(messages: &[Message]) -> Vec<Message> {
    let mut tidy: Vec<Message> = Vec::with_capacity(messages.len());
    for message in paired(messages) {
        if message.is_blank() {
            continue;
        }
        match tidy.last_mut() {
            None if message.role == Role::Agent => {}
            // What comes after calls are their results, and only there, so those are never joined to anything before them.
            Some(last) if last.role == message.role => {
                if !last.text.is_empty() && !message.text.is_empty() {
                    last.text.push_str("\n\n");
                }
                last.text.push_str(&message.text);
                last.images.extend(message.images);
                last.calls = message.calls;
            }
            _ => tidy.push(message),
        }
    }
    tidy
}

/// The same messages with those calls that have a result, and those results that have a call: servers refuse the others.
fn paired(messages: &[Message]) -> Vec<Message> {
    let mut messages = messages.to_vec();
    let mut given = HashSet::new();
    // A call of an answer that is left out has no result, nor has the last message's.
    let begins = messages
        .iter()
        .position(|message| message.role == Role::User && says(message));
    let mut calls = Vec::new();
    for at in 0..messages.len() {
        let results = std::mem::take(&mut messages[at].results);
        if messages[at].role == Role::User {
            let pairs = pairs(std::mem::take(&mut calls), results, &mut given);
            if let Some((asked, answered)) = pairs {
                messages[at - 1].calls = asked;
                messages[at].results = answered;
            }
        }
        calls = std::mem::take(&mut messages[at].calls);
        if messages[at].role != Role::Agent || begins.is_none_or(|begins| at < begins) {
            calls.clear();
        }
    }
    messages
}

fn says(message: &Message) -> bool {
    !message.text.trim().is_empty() || !message.images.is_empty()
}

type Pairs = (Vec<ToolCall>, Vec<ToolResult>);

/// The pairs of one answer, with names and ids that every server takes and that are nobody else's in the conversation. `None`: there are none.
fn pairs(calls: Vec<ToolCall>, mut results: Vec<ToolResult>, given: &mut HashSet<String>) -> Option<Pairs> {
    let mut pairs: Pairs = Default::default();
    for mut call in calls {
        let Some(at) = results.iter().position(|result| result.id == call.id) else {
            continue;
        };
        let mut result = results.swap_remove(at);
        call.name = name(&call.name);
        result.name.clone_from(&call.name);
        let mut number = 0;
        while !is_fit(&call.id) || given.contains(&call.id) {
            number += 1;
            call.id = made(number);
        }
        result.id.clone_from(&call.id);
        given.insert(call.id.clone());
        pairs.0.push(call);
        pairs.1.push(result);
    }
    (!pairs.0.is_empty()).then_some(pairs)
}

fn is_fit(id: &str) -> bool {
    (1..=MOST_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A name as every server takes it: a model may have made one up that none does.
fn name(told: &str) -> String {
    let fit = |c: char| {
        if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') {
            c
        } else {
            '_'
        }
    };
    let name: String = told.chars().map(fit).take(MOST_NAME).collect();
    if name.is_empty() { "tool".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(role: Role, text: &str) -> Message {
        Message::said(role, text.to_owned())
    }

    fn call(id: &str, name: &str) -> ToolCall {
        ToolCall {
            id: id.to_owned(),
            name: name.to_owned(),
            arguments: "{}".to_owned(),
            opaque: None,
            thoughts: None,
        }
    }

    fn result(id: &str, name: &str) -> ToolResult {
        ToolResult {
            id: id.to_owned(),
            name: name.to_owned(),
            content: format!("of {id}"),
            ..ToolResult::default()
        }
    }

    fn calls(text: &str, calls: &[ToolCall]) -> Message {
        Message {
            calls: calls.to_vec(),
            ..said(Role::Agent, text)
        }
    }

    fn results(results: &[ToolResult]) -> Message {
        Message {
            results: results.to_vec(),
            ..said(Role::User, "")
        }
    }

    #[test]
    fn sides_take_turns_and_the_person_begins() {
        let messages = vec![
            said(Role::Agent, "hello"),
            said(Role::User, "one"),
            said(Role::Agent, " "),
            said(Role::User, "two"),
            said(Role::Agent, "answer"),
            said(Role::User, "three"),
        ];
        let expected = vec![
            said(Role::User, "one\n\ntwo"),
            said(Role::Agent, "answer"),
            said(Role::User, "three"),
        ];
        assert_eq!(tidy(&messages), expected);
    }

    #[test]
    fn calls_and_their_results_stay_in_order_and_what_is_said_after_them_joins_them() {
        let messages = vec![
            said(Role::User, "one"),
            calls("", &[call("a", "add"), call("b", "sub")]),
            results(&[result("b", "sub"), result("a", "add")]),
            calls("More.", &[call("c", "add")]),
            results(&[result("c", "add")]),
            said(Role::User, "stop that"),
        ];
        let mut last = results(&[result("c", "add")]);
        last.text = "stop that".to_owned();
        let expected = vec![
            said(Role::User, "one"),
            calls("", &[call("a", "add"), call("b", "sub")]),
            results(&[result("a", "add"), result("b", "sub")]),
            calls("More.", &[call("c", "add")]),
            last,
        ];
        assert_eq!(tidy(&messages), expected);
    }

    #[test]
    fn what_is_no_whole_pair_is_left_out() {
        let messages = vec![
            calls("", &[call("z", "add")]),
            results(&[result("z", "add")]),
            said(Role::User, "one"),
            calls("Well.", &[call("a", "add"), call("b", "add"), call("a", "add")]),
            results(&[result("b", "add"), result("x", "add"), result("b", "add")]),
            calls("", &[call("c", "add")]),
            said(Role::User, "two"),
            calls("", &[call("d", "add")]),
        ];
        let mut last = results(&[result("b", "add")]);
        last.text = "two".to_owned();
        let expected = vec![said(Role::User, "one"), calls("Well.", &[call("b", "add")]), last];
        assert_eq!(tidy(&messages), expected);
    }

    #[test]
    fn ids_are_told_apart_over_the_whole_conversation_and_made_up_names_are_fit() {
        let long = "x".repeat(100);
        let mut messages = vec![said(Role::User, "one")];
        for (id, name) in [("a", "add"), ("a", "no such tool!"), (&long, ""), ("made00001", &long)] {
            messages.extend([calls("", &[call(id, name)]), results(&[result(id, name)])]);
        }
        let tidy = tidy(&messages);
        let told: Vec<_> = tidy.iter().flat_map(|message| &message.calls).collect();
        let told: Vec<_> = told.iter().map(|call| (&*call.id, &*call.name)).collect();
        let longest = "x".repeat(MOST_NAME);
        let expected = [
            ("a", "add"),
            ("made00001", "no_such_tool_"),
            ("made00002", "tool"),
            ("made00003", &longest),
        ];
        assert_eq!(told, expected);
        let answered: Vec<_> = tidy.iter().flat_map(|message| &message.results).collect();
        let answered: Vec<_> = answered.iter().map(|result| (&*result.id, &*result.name)).collect();
        assert_eq!(answered, expected);
    }

    proptest! {
        #[test]
        fn whatever_there_was_sides_take_turns_and_pairs_are_whole(
            messages in proptest::collection::vec(
                (any::<bool>(), "[a ]{0,2}", proptest::collection::vec("[ab]", 0..3), proptest::collection::vec("[ab]", 0..3)),
                0..12,
            ),
        ) {
            let messages: Vec<_> = messages
                .into_iter()
                .map(|(person, text, calls, results)| Message {
                    calls: calls.iter().map(|id| call(id, "add")).collect(),
                    results: results.iter().map(|id| result(id, "add")).collect(),
                    ..said(if person { Role::User } else { Role::Agent }, &text)
                })
                .collect();
            let tidy = tidy(&messages);
            let mut seen = HashSet::new();
            for (at, message) in tidy.iter().enumerate() {
                prop_assert!(!message.is_blank());
                let expected = if at % 2 == 0 { Role::User } else { Role::Agent };
                prop_assert_eq!(message.role, expected);
                let asked: Vec<_> = message.calls.iter().map(|call| &call.id).collect();
                let answered: Vec<_> = tidy.get(at + 1).into_iter().flat_map(|next| &next.results).map(|result| &result.id).collect();
                prop_assert_eq!(&asked, &answered);
                for id in asked {
                    prop_assert!(seen.insert(id.clone()));
                }
            }
        }
    }
}
