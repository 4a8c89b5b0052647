//! What the agent is asked: the conversation so far, the new message last.

use std::sync::Arc;

use tracing::warn;

use super::{Conversations, TurnTask, pictures, retold};
use crate::{
    agents::{Attached, Image, Message, Parameters, Question, ToolResult, ToolSpec, attach},
    papers,
    queue::BackendIndex,
    settings::ModelName,
    store::{StoreError, ToolStep, TurnRecord},
    wire::{FileKind, FileView, Paper, PaperUnit, Role, StepContent, TurnNotice, is_blank},
};

/// Most bytes of text that files add to one question, its history included. Models have an end, too.
const MAX_TEXT: u64 = 512 * 1024;
/// Most bytes of pictures likewise.
const MAX_PICTURES: u64 = 48 * 1024 * 1024;

/// Most bytes of what was said before that go into a question, whole turns, the newest first. More than models take; those
/// that take less say so themselves.
const MAX_HISTORY: usize = 1024 * 1024;
/// Turns that are read at a time.
const STEPS: usize = 100;

/// Of what a model can read at once, so many of so many parts are for files: the rest is for what was said.
const FOR_FILES: (u64, u64) = (3, 4);
/// Said to a model that has used tools in as many rounds as it may.
const NO_MORE_TOOLS: &str = "(No tools can be used any more for this answer. Answer now, with what is there.)";

/// What may still be added to a question.
pub(super) struct Room {
    text: u64,
    pub(super) pictures: u64,
    /// Whether its model is known to see: then pictures go along that nobody has sent as such.
    pub(super) sees: bool,
    /// How many of those.
    pub(super) found: usize,
    /// What of documents did not fit, and what of their pictures went along.
    pub(super) notices: Vec<TurnNotice>,
}

impl Conversations {
    /// The history of a turn's conversation, up to the turn and with its message last. The files of the newest
    /// messages come first where there is not room for all. Of a turn that has used tools, what it has said so far and what came of them
    /// stands behind that. With it, which documents are not all of themselves in it.
    pub(super) async fn question(
        &self,
        task: &TurnTask,
        backend: Option<BackendIndex>,
        tools: Arc<[ToolSpec]>,
    ) -> Result<(Question, Vec<TurnNotice>), StoreError> {
        let turn = &task.turn;
        let asked = turn.message.as_str();
        let mut turns = self.history(turn).await?;
        // A message that got no answer at all would make two of the user's stand beside each other, which some
        // models refuse.
        turns.retain(|earlier| earlier.state.is_over() && !(earlier.answer.is_empty() && earlier.steps.is_empty()));
        let mut room = Room {
            text: self.room(task, backend),
            pictures: MAX_PICTURES,
            sees: ModelName::of_id(&turn.model).is_some_and(|model| self.deps.backends.sees(&model)),
            found: pictures::MOST,
            notices: Vec::new(),
        };
        let (mut messages, _) = self.rounds(turn, turn, &mut room).await;
        messages.push(self.message(turn, asked, &mut room).await);
        for earlier in turns.into_iter().rev() {
            let (rounds, said) = self.rounds(turn, &earlier, &mut room).await;
            messages.push(retold::last(&said));
            messages.extend(rounds);
            messages.push(self.message(&earlier, asked, &mut room).await);
        }
        messages.reverse();
        let settings = self.deps.settings.borrow();
        let mut question = Question {
            messages,
            model: ModelName::of_id(&turn.model).unwrap_or_else(|| settings.catalog.default.clone()),
            backend: backend.unwrap_or(BackendIndex(0)),
            parameters: Parameters {
                system: system(settings.system_prompt.as_deref(), &task.choice.instructions),
                temperature: task.choice.temperature,
                max_tokens: task.choice.max_tokens,
                whole: false,
            },
            tools,
        };
        // Not every server takes calls in a conversation that has no tools.
        if question.tools.is_empty() && question.has_tools() {
            question.leave_tools_out();
        }
        if let Some(results) = question.messages.last_mut().filter(|_| self.is_last_round(task)) {
            results.text += &format!("\n\n{NO_MORE_TOOLS}");
        }
        Ok((question, room.notices))
    }

    /// How many bytes of text files may add to a turn's question.
    fn room(&self, task: &TurnTask, backend: Option<BackendIndex>) -> u64 {
        let model = ModelName::of_id(&task.turn.model);
        let room = model.zip(backend).and_then(|(model, backend)| {
            let max_tokens = task.choice.max_tokens;
            self.deps.backends.room(&model, backend, max_tokens)
        });
        let Some(room) = room else { return MAX_TEXT };
        let said = task.turn.message.len() + task.choice.instructions.len();
        let (parts, of) = FOR_FILES;
        MAX_TEXT.min(room.saturating_sub(said as u64) / of * parts)
    }

    /// The newest turns that lead to a turn, oldest first, as far as [`MAX_HISTORY`] goes.
    async fn history(&self, turn: &TurnRecord) -> Result<Vec<TurnRecord>, StoreError> {
        let (mut turns, mut room, mut next) = (Vec::new(), MAX_HISTORY, turn.parent);
        while let Some(last) = next {
            let steps = self.path(turn.owner, last, STEPS).await?;
            next = steps.first().and_then(|step| step.turn.parent);
            for step in steps.into_iter().rev() {
                let Some(left) = room.checked_sub(bytes(&step.turn)) else {
                    next = None;
                    break;
                };
                room = left;
                turns.push(step.turn);
            }
        }
        turns.reverse();
        Ok(turns)
    }

    /// The rounds of an answer that have ended with calls, the last message first, and what was said after them. What its model has thought is told to
    /// the model of the turn `asked` where that is the same one.
    async fn rounds(&self, asked: &TurnRecord, turn: &TurnRecord, room: &mut Room) -> (Vec<Message>, String) {
        let (rounds, said) = retold::rounds(turn);
        let mut messages = Vec::new();
        for round in rounds.iter().rev() {
            let mut results = Vec::new();
            for step in round.steps {
                results.push(self.result(step, room).await);
            }
            let mut round = round.messages(results);
            if turn.model != asked.model {
                for call in round.iter_mut().flat_map(|message| &mut message.calls) {
                    call.thoughts = None;
                }
            }
            messages.extend(round.into_iter().rev());
        }
        (messages, said.to_owned())
    }

    /// What came of a step, with its pictures as far as there is room for them.
    async fn result(&self, step: &ToolStep, room: &mut Room) -> ToolResult {
        let mut images = Vec::new();
        for content in &step.content {
            let StepContent::Picture { file, mime } = content else {
                continue;
            };
            match self.deps.vault.read(*file, room.pictures.saturating_add(1)).await {
                Ok(bytes) if bytes.len() as u64 <= room.pictures => {
                    room.pictures -= bytes.len() as u64;
                    images.push(Image {
                        name: step.name.clone(),
                        mime: mime.clone(),
                        bytes: bytes.into(),
                        found: true,
                    });
                }
                Ok(_) => {}
                Err(error) => warn!(%file, %error, "a picture of a tool cannot be read"),
            }
        }
        ToolResult {
            id: step.call.clone(),
            name: step.name.clone(),
            content: retold::text(step),
            images,
            failed: retold::has_failed(step),
        }
    }

    /// A turn's message with its files: the text of text files and documents joins it, pictures come along. `asked` is what is to be answered.
    async fn message(&self, turn: &TurnRecord, asked: &str, room: &mut Room) -> Message {
        let mut texts = Vec::new();
        let mut images = Vec::new();
        let mut documents = turn.files.iter().filter(|file| file.paper.is_some()).count() as u64;
        for file in &turn.files {
            if let Some(paper) = file.paper {
                // Each may have as much as the others of its message.
                let share = room.text / documents.max(1);
                documents = documents.saturating_sub(1);
                let asked = format!("{asked} {}", turn.message);
                let mut read = self.document(file, paper, &asked, share, room).await;
                let (pictures, said) = self.pictures_of(file, paper, room).await;
                read.text.push_str(&said);
                texts.push(read);
                images.extend(pictures);
                continue;
            }
            let left_out = |why: &str| Attached {
                name: file.name.clone(),
                text: format!("({why})"),
            };
            let limit = match file.kind {
                FileKind::Image if file.size > room.pictures => {
                    texts.push(left_out(
                        "this picture is left out: there are too many in this conversation",
                    ));
                    continue;
                }
                FileKind::Image => file.size,
                FileKind::Text | FileKind::Document => room.text,
            };
            match self.deps.vault.read(file.id, limit).await {
                Ok(bytes) if file.kind == FileKind::Image => {
                    room.pictures -= limit;
                    images.push(Image {
                        name: file.name.clone(),
                        mime: file.mime.clone(),
                        bytes: bytes.into(),
                        found: false,
                    });
                }
                Ok(bytes) => {
                    room.text -= bytes.len() as u64;
                    texts.push(Attached {
                        name: file.name.clone(),
                        text: readable(&bytes, file.size),
                    });
                }
                // The answer is better given without the file than not at all, and the agent is told.
                Err(error) => {
                    warn!(file = %file.id, %error, "a file of this turn cannot be read");
                    texts.push(left_out("this file cannot be read any more"));
                }
            }
        }
        Message {
            images,
            ..Message::said(Role::User, attach(&turn.message, &texts))
        }
    }

    /// What of a document goes into a question: all of it, or so many bytes that are about what is asked.
    async fn document(&self, file: &FileView, paper: Paper, asked: &str, share: u64, room: &mut Room) -> Attached {
        let text = match self.deps.vault.text(file.id).await {
            Ok(text) => text,
            Err(error) => {
                warn!(file = %file.id, %error, "what was read of a document of this turn is not there");
                return Attached {
                    name: file.name.clone(),
                    text: "(this file cannot be read any more)".to_owned(),
                };
            }
        };
        let share = usize::try_from(share).unwrap_or(usize::MAX);
        let excerpt = papers::excerpt(&text, asked, share).await;
        room.text = room.text.saturating_sub(excerpt.text.len() as u64);
        if !excerpt.whole {
            room.notices.push(TurnNotice::Excerpt {
                name: file.name.clone(),
                unit: paper.unit,
                read: excerpt.read,
                of: excerpt.of,
            });
        }
        let mut text = excerpt.text;
        text.push_str(&left_out(paper));
        Attached {
            name: file.name.clone(),
            text,
        }
    }
}

/// Bytes of all that a model is told of a turn, but for its files.
fn bytes(turn: &TurnRecord) -> usize {
    let thoughts = |step: &ToolStep| step.thoughts.as_ref().map_or(0, String::len);
    let steps = turn.steps.iter().map(|step| step.bytes() + thoughts(step));
    turn.message.len() + turn.answer.len() + steps.sum::<usize>()
}

/// What the operator has every conversation begin with, then what its owner has written for this one.
fn system(operator: Option<&str>, owner: &str) -> Option<String> {
    let said: Vec<_> = operator
        .into_iter()
        .chain([owner])
        .filter(|text| !is_blank(text))
        .collect();
    (!said.is_empty()).then(|| said.join("\n\n"))
}

/// What a model has to know of a document that was not read whole.
fn left_out(paper: Paper) -> String {
    let mut said = String::new();
    if paper.left_out > 0 {
        let unit = match paper.unit {
            PaperUnit::Pages => "pages",
            PaperUnit::Sheets => "sheets",
            PaperUnit::Chapters => "chapters",
            PaperUnit::Whole => "parts",
        };
        said.push_str(&format!(
            "\n(the last {} {unit} of this file could not be read)",
            paper.left_out
        ));
    }
    if paper.cut {
        said.push_str("\n(this file is longer than what could be read of it)");
    }
    said
}

/// The text of a file of which these are the first bytes, and a notice where they are not all of its `size`.
fn readable(bytes: &[u8], size: u64) -> String {
    let left_out = size.saturating_sub(bytes.len() as u64);
    if left_out == 0 {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    // The cut may go through a character.
    let whole = match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => &bytes[..error.valid_up_to()],
        _ => bytes,
    };
    let text = String::from_utf8_lossy(whole);
    format!("{text}\n(the rest of this file, {left_out} bytes, does not fit into the message)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_file_ends_with_a_whole_character_and_says_so() {
        assert_eq!(readable(b"short", 5), "short");
        let cut = readable("a\u{fc}\u{fc}".as_bytes().split_at(4).0, 10);
        assert_eq!(
            cut,
            "a\u{fc}\n(the rest of this file, 6 bytes, does not fit into the message)"
        );
    }
}
