//! The history in the shape that every model server takes.

use crate::{agents::Message, wire::Role};

/// Drops what says nothing, joins what one side said in a row, and lets the person speak first: some servers refuse
/// anything else, and a stopped or failed turn leaves such gaps.
pub(super) fn tidy(messages: &[Message]) -> Vec<Message> {
    let mut tidy: Vec<Message> = Vec::with_capacity(messages.len());
    for message in messages {
        if message.text.trim().is_empty() && message.images.is_empty() {
            continue;
        }
        match tidy.last_mut() {
            None if message.role == Role::Agent => {}
            Some(last) if last.role == message.role => {
                if !last.text.is_empty() && !message.text.is_empty() {
                    last.text.push_str("\n\n");
                }
                last.text.push_str(&message.text);
                last.images.extend_from_slice(&message.images);
            }
            _ => tidy.push(message.clone()),
        }
    }
    tidy
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(role: Role, text: &str) -> Message {
        Message::said(role, text.to_owned())
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
}
