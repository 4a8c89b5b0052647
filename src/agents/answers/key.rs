//! What makes two questions the same.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::{
    agents::{Image, Message, Parameters, Question, ToolCall, ToolResult, ToolSpec},
    queue::Owner,
    wire::Role,
};

/// Stands for a question: two have the same only if the model would read the same, is to answer in the same way, and the answer is for the
/// same people. A hash of all that, so that it keeps nothing that was said.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AnswerKey {
    hash: [u8; 32],
    shared: bool,
}

impl AnswerKey {
    /// Of a question of this owner; `None`: of everybody. Where it is to be answered does not matter. Reads all of its text and pictures.
    #[must_use]
    pub fn of(question: &Question, owner: Option<Owner>) -> Self {
        let mut hash = Hash(Sha256::new());
        hash.option(owner.map(|owner| owner.0.to_le_bytes()));
        hash.bytes(question.model.to_string().as_bytes());
        let Parameters {
            system,
            temperature,
            max_tokens,
            // An answer that is kept is one to the history as it was asked.
            whole: _,
        } = &question.parameters;
        hash.option(system.as_deref());
        // The two zeros are the same temperature.
        hash.option(temperature.map(|temperature| (temperature + 0.0).to_le_bytes()));
        hash.option(max_tokens.map(u32::to_le_bytes));
        hash.count(question.messages.len());
        for message in &question.messages {
            let Message {
                role,
                text,
                images,
                calls,
                results,
            } = message;
            hash.bytes(match role {
                Role::User => b"user",
                Role::Agent => b"agent",
            });
            hash.bytes(text.as_bytes());
            hash.images(images);
            hash.count(calls.len());
            for call in calls {
                let ToolCall {
                    id,
                    name,
                    arguments,
                    opaque,
                    thoughts,
                } = call;
                for piece in [id, name, arguments] {
                    hash.bytes(piece.as_bytes());
                }
                hash.option(opaque.as_deref());
                hash.option(thoughts.as_deref());
            }
            hash.count(results.len());
            for result in results {
                let ToolResult {
                    id,
                    name,
                    content,
                    images,
                    failed,
                } = result;
                for piece in [id, name, content] {
                    hash.bytes(piece.as_bytes());
                }
                hash.images(images);
                hash.count(usize::from(*failed));
            }
        }
        hash.count(question.tools.len());
        for ToolSpec {
            name,
            description,
            schema,
        } in &*question.tools
        {
            for piece in [name, description, &schema.to_string()] {
                hash.bytes(piece.as_bytes());
            }
        }
        Self {
            hash: hash.0.finalize().into(),
            shared: owner.is_none(),
        }
    }

    /// Of a request that is passed on as it is, in these pieces. No question of the other kind has the same.
    #[must_use]
    pub fn of_pieces(pieces: &[&[u8]], owner: Option<Owner>) -> Self {
        let mut hash = Hash(Sha256::new());
        hash.bytes(b"as it is");
        hash.option(owner.map(|owner| owner.0.to_le_bytes()));
        pieces.iter().for_each(|piece| hash.bytes(piece));
        Self {
            hash: hash.0.finalize().into(),
            shared: owner.is_none(),
        }
    }

    /// Whether its answer is for everybody.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        self.shared
    }
}

impl fmt::Debug for AnswerKey {
    /// A few digits tell keys apart in a test; whoever has all of them could try out what was asked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second, ..] = self.hash;
        write!(f, "a-{first:02x}{second:02x}")
    }
}

/// Every piece goes in after its length, so that no two rows of pieces read the same.
struct Hash(Sha256);

impl Hash {
    fn count(&mut self, count: usize) {
        self.0.update((count as u64).to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.update(bytes);
    }

    fn images(&mut self, images: &[Image]) {
        self.count(images.len());
        for Image { name, mime, bytes, .. } in images {
            self.bytes(name.as_bytes());
            self.bytes(mime.as_bytes());
            self.bytes(bytes);
        }
    }

    fn option(&mut self, piece: Option<impl AsRef<[u8]>>) {
        self.count(usize::from(piece.is_some()));
        if let Some(piece) = piece {
            self.bytes(piece.as_ref());
        }
    }
}
