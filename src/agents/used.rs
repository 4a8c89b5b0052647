//! Tools that were used, for a model that takes none, and pictures that were found, for one that sees nothing: the same in words.

use super::{Message, Question};

impl Question {
    /// Takes the tools away, and has words stand for what was done with them.
    pub(crate) fn leave_tools_out(&mut self) {
        self.tools = [].into();
        for message in &mut self.messages {
            for call in message.calls.drain(..) {
                say(
                    &mut message.text,
                    &format!(
                        "(I used the tool `{}` with these arguments: {})",
                        call.name, call.arguments
                    ),
                );
            }
            for mut result in std::mem::take(&mut message.results) {
                let did = if result.failed { "failed" } else { "returned this" };
                say(
                    &mut message.text,
                    &format!("(The tool `{}` {did}:)\n{}", result.name, result.content),
                );
                message.images.append(&mut result.images);
            }
        }
    }

    /// Whether the model would be told of tools.
    pub(crate) fn has_tools(&self) -> bool {
        !self.tools.is_empty() || self.messages.iter().any(|message| !message.calls.is_empty())
    }

    /// Has words stand for the pictures that tools returned, and that stand in documents. `false`: there are none.
    pub(super) fn leave_found_pictures_out(&mut self) -> bool {
        let mut found = false;
        for message in &mut self.messages {
            let before = message.images.len();
            message.images.retain(|image| !image.found);
            if message.images.len() < before {
                found = true;
                say(
                    &mut message.text,
                    &format!(
                        "(Pictures of its files that are not shown to you after all, as you see none: {})",
                        before - message.images.len()
                    ),
                );
            }
        }
        for result in self.messages.iter_mut().flat_map(|message| &mut message.results) {
            for image in result.images.drain(..) {
                found = true;
                say(
                    &mut result.content,
                    &format!("(It also returned the picture {}, which you cannot see.)", image.name),
                );
            }
        }
        found
    }

    /// Whether there is a picture of the person's.
    pub(super) fn has_own_pictures(&self) -> bool {
        let mut images = self.messages.iter().flat_map(|message| &message.images);
        images.any(|image| !image.found)
    }
}

/// As a paragraph of its own.
fn say(text: &mut String, more: &str) {
    if !text.is_empty() {
        text.push_str("\n\n");
    }
    text.push_str(more);
}

impl Message {
    /// Whether it says nothing, and nothing came of it.
    pub(super) fn is_blank(&self) -> bool {
        self.text.trim().is_empty() && self.images.is_empty() && self.calls.is_empty() && self.results.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        agents::{
            ToolCall, ToolResult, ToolSpec,
            tests::{picture, question},
        },
        wire::Role,
    };

    fn used() -> Question {
        let mut question = question("add 1 and 2");
        question.tools = [ToolSpec {
            name: "add".to_owned(),
            description: String::new(),
            schema: serde_json::json!({}),
        }]
        .into();
        let call = ToolCall {
            id: "a".to_owned(),
            name: "add".to_owned(),
            arguments: "{\"x\":1}".to_owned(),
            opaque: None,
            thoughts: None,
        };
        question.messages.push(Message {
            calls: vec![call],
            ..Message::said(Role::Agent, "Let me see.".to_owned())
        });
        let result = ToolResult {
            id: "a".to_owned(),
            name: "add".to_owned(),
            content: "3".to_owned(),
            images: vec![picture("sum.png")],
            failed: false,
        };
        question.messages.push(Message {
            results: vec![result],
            ..Message::said(Role::User, String::new())
        });
        question
    }

    #[test]
    fn words_say_what_was_done() {
        let mut question = used();
        assert!(question.has_tools());
        question.leave_tools_out();
        assert!(!question.has_tools() && question.messages.iter().all(|message| message.results.is_empty()));
        let texts: Vec<_> = question.messages.iter().map(|message| &*message.text).collect();
        assert_eq!(
            texts,
            [
                "add 1 and 2",
                "Let me see.\n\n(I used the tool `add` with these arguments: {\"x\":1})",
                "(The tool `add` returned this:)\n3",
            ]
        );
        assert_eq!(question.messages[2].images, [picture("sum.png")]);
    }

    #[test]
    fn words_stand_for_pictures_that_tools_returned() {
        let mut question = used();
        assert!(!question.has_own_pictures());
        assert!(question.leave_found_pictures_out());
        let result = &question.messages[2].results[0];
        assert_eq!(
            (&*result.content, result.images.len()),
            ("3\n\n(It also returned the picture sum.png, which you cannot see.)", 0)
        );
        assert!(!question.leave_found_pictures_out());
    }
}
