//! Tools that an answer calls: by the words of the message, or because all answers do.

use serde_json::Value;

use crate::{
    knobs::{Directed, Reply},
    reply::{Of, Piece},
    request::ChatRequest,
};

/// What begins a call in a message.
const USE: &str = "use tool ";
/// What stands before its arguments.
const WITH: &str = "with ";
/// What stands between two rounds.
const THEN: &str = "then";
/// Characters of arguments in a piece.
const PIECE: usize = 12;

/// A call to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Call {
    name: String,
    /// In pieces.
    arguments: Vec<String>,
}

/// The pieces of an answer that calls tools, or says what came of those that a message has named. `None`: it does neither.
pub(crate) fn pieces(directed: &Directed, request: &ChatRequest) -> Option<Vec<Piece>> {
    let first = request.tools().next()?;
    let calls = if directed.knobs.reply == Reply::Tool {
        let question = Value::from(directed.rest.trim()).to_string();
        vec![Call {
            name: first.to_owned(),
            arguments: vec!["{\"question\":".to_owned(), question, "}".to_owned()],
        }]
    } else {
        let mut rounds = rounds(&directed.rest);
        if rounds.is_empty() {
            return None;
        }
        if request.rounds() >= rounds.len() {
            return Some(told(directed, request));
        }
        rounds.swap_remove(request.rounds())
    };
    let before = (1..=directed.knobs.before).map(|number| Piece::text(format!("before{number} ")));
    let called = calls.into_iter().enumerate().flat_map(|(index, call)| {
        let begins = Piece {
            text: String::new(),
            of: Of::Call {
                index,
                name: Some(call.name),
            },
        };
        let of = Of::Call { index, name: None };
        let arguments = call
            .arguments
            .into_iter()
            .map(move |text| Piece { text, of: of.clone() });
        std::iter::once(begins).chain(arguments)
    });
    Some(before.chain(called).collect())
}

/// What came of all calls.
fn told(directed: &Directed, request: &ChatRequest) -> Vec<Piece> {
    let first = format!("Answer to: {}\n\n", directed.rest.trim());
    let results = request
        .results()
        .map(|(name, content)| format!("{name} returned: {content}\n\n"));
    std::iter::once(first).chain(results).map(Piece::text).collect()
}

/// The calls that a message asks for, those of each round together.
fn rounds(message: &str) -> Vec<Vec<Call>> {
    let mut rounds: Vec<Vec<Call>> = Vec::new();
    let mut rest = message;
    while let Some((before, after)) = rest.split_once(USE) {
        let ends = |c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-');
        let end = after.find(ends).unwrap_or(after.len());
        let (name, after) = after.split_at(end);
        let (arguments, after) = match after.trim_start().strip_prefix(WITH) {
            Some(after) => arguments(after),
            None => ("{}", after),
        };
        let call = Call {
            name: name.to_owned(),
            arguments: cut(arguments),
        };
        match rounds.last_mut() {
            Some(round) if !before.contains(THEN) => round.push(call),
            _ => rounds.push(vec![call]),
        }
        rest = after;
    }
    rounds
}

/// The JSON at the beginning of a text, and what is behind it. Where there is none, the line is taken as it is.
fn arguments(text: &str) -> (&str, &str) {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let end = match values.next() {
        Some(Ok(_)) => values.byte_offset(),
        _ => text.find('\n').unwrap_or(text.len()),
    };
    text.split_at(end)
}

fn cut(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    chars.chunks(PIECE).map(String::from_iter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(message: &str) -> Vec<Vec<(String, String)>> {
        let round = |round: Vec<Call>| {
            round
                .into_iter()
                .map(|call| (call.name, call.arguments.concat()))
                .collect()
        };
        rounds(message).into_iter().map(round).collect()
    }

    #[test]
    fn a_message_names_the_calls_of_each_round() {
        let pair = |name: &str, arguments: &str| (name.to_owned(), arguments.to_owned());
        assert_eq!(told("what tool do I use?"), Vec::<Vec<_>>::new());
        assert_eq!(told("use tool now"), [[pair("now", "{}")]]);
        assert_eq!(
            told("Please use tool add with {\"x\": {\"y\": \"} then\"}} and use tool now, then use tool sub with [1]."),
            [
                vec![pair("add", "{\"x\": {\"y\": \"} then\"}}"), pair("now", "{}")],
                vec![pair("sub", "[1]")],
            ]
        );
        assert_eq!(
            told("use tool add with {\"x\": \nuse tool now"),
            [[pair("add", "{\"x\": "), pair("now", "{}")]]
        );
    }
}
