//! What the agent is asked: the conversation so far, the new message last.

use tracing::warn;

use super::Turns;
use crate::{
    agents::{Attached, Image, Message, Question, attach},
    store::{StoreError, TurnRecord},
    wire::{FileKind, Role},
};

/// Most bytes of text that the files of one message add to it. Models have an end, too.
const MAX_ATTACHED: usize = 256 * 1024;

impl Turns {
    /// The history of a turn's conversation, up to the turn and with its message last.
    pub(super) async fn question(&self, turn: &TurnRecord) -> Result<Question, StoreError> {
        let mut messages = Vec::new();
        for earlier in self.parts.store.turns(turn.session, turn.conversation).await? {
            if earlier.id == turn.id {
                break;
            }
            // A message that got no answer at all would make two of the user's stand beside each other, which some
            // models refuse.
            if earlier.state.is_over() && !earlier.answer.is_empty() {
                messages.push(self.message(&earlier).await);
                messages.push(Message {
                    role: Role::Agent,
                    text: earlier.answer,
                    images: Vec::new(),
                });
            }
        }
        messages.push(self.message(turn).await);
        Ok(Question { messages })
    }

    /// A turn's message with its files: the text of text files joins it, pictures come along.
    async fn message(&self, turn: &TurnRecord) -> Message {
        let mut texts = Vec::new();
        let mut images = Vec::new();
        let mut room = MAX_ATTACHED;
        for file in &turn.files {
            match self.parts.vault.read(file.id).await {
                Ok(bytes) if file.kind == FileKind::Image => {
                    images.push(Image {
                        name: file.name.clone(),
                        mime: file.mime.clone(),
                        bytes: bytes.into(),
                    });
                }
                Ok(bytes) => {
                    let text = cut(String::from_utf8_lossy(&bytes).into_owned(), room);
                    room = room.saturating_sub(text.len());
                    texts.push(Attached {
                        name: file.name.clone(),
                        text,
                    });
                }
                // The answer is better given without the file than not at all, and the agent is told.
                Err(error) => {
                    warn!(file = %file.id, %error, "a file of this turn cannot be read");
                    texts.push(Attached {
                        name: file.name.clone(),
                        text: "(this file cannot be read any more)".into(),
                    });
                }
            }
        }
        Message {
            role: Role::User,
            text: attach(&turn.message, &texts),
            images,
        }
    }
}

/// At most `room` bytes of a text, whole characters only, and a notice where that is not all.
fn cut(mut text: String, room: usize) -> String {
    if text.len() > room {
        let left_out = text.len() - text.floor_char_boundary(room);
        text.truncate(text.floor_char_boundary(room));
        text.push_str(&format!(
            "\n(the rest of this file, {left_out} bytes, does not fit into the message)"
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_are_cut_between_characters_and_say_so() {
        assert_eq!(cut("short".into(), 5), "short");
        let cut = cut("aüü".into(), 2);
        assert!(cut.starts_with("a\n(the rest of this file, 4 bytes,"), "{cut}");
    }
}
