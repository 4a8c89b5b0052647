//! What the agent is asked: the conversation so far, the new message last.

use tracing::warn;

use super::Turns;
use crate::{
    agents::{Image, Message, Question},
    files,
    store::{StoreError, TurnRecord},
    wire::{FileKind, Role},
};

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
                messages.push(Message { role: Role::Agent, text: earlier.answer, images: Vec::new() });
            }
        }
        messages.push(self.message(turn).await);
        Ok(Question { messages })
    }

    /// A turn's message with its files: the text of text files joins it, pictures come along.
    async fn message(&self, turn: &TurnRecord) -> Message {
        let mut texts = Vec::new();
        let mut images = Vec::new();
        for file in &turn.files {
            match self.parts.vault.read(file.id).await {
                Ok(bytes) if file.kind == FileKind::Image => {
                    images.push(Image { name: file.name.clone(), mime: file.mime.clone(), bytes });
                }
                Ok(bytes) => texts.push((file.clone(), String::from_utf8_lossy(&bytes).into_owned())),
                // The answer is better given without the file than not at all, and the agent is told.
                Err(error) => {
                    warn!(file = %file.id, %error, "a file of this turn cannot be read");
                    texts.push((file.clone(), "(this file cannot be read any more)".into()));
                }
            }
        }
        Message { role: Role::User, text: files::into_message(&turn.message, &texts), images }
    }
}
