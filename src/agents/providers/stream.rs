//! What one attempt has been told so far.

use super::{
    Fault,
    calls::Calls,
    opening::Opening,
    text::{Delta, Joiner},
};
use crate::{
    agents::{AgentError, Part},
    wire::{Incomplete, Usage},
};

/// What one attempt has been told so far.
#[derive(Clone, Debug, Default)]
pub(in crate::agents) struct StreamState {
    /// What has not been passed on yet.
    parts: Vec<Part>,
    /// Put together what deltas have cut.
    text: Joiner,
    reasoning: Joiner,
    opening: Opening,
    /// What its server wants to have back with calls.
    kept: Option<Kept>,
    /// What the model wants used.
    pub(super) calls: Calls,
    /// Tokens, as far as they were told.
    pub(in crate::agents) usage: Usage,
    /// The model has said that its answer has ended.
    pub(super) finished: bool,
    /// Why it has ended, where that was not its own end.
    pub(in crate::agents) incomplete: Option<Incomplete>,
    /// Nothing more will come.
    pub(super) over: bool,
}

/// The most that is kept of thoughts, in bytes. Longer ones are not given back at all: half of them would be others.
const MOST_KEPT: usize = 512 * 1024;

/// Thoughts that are put together to be given back.
#[derive(Clone, Debug, Default)]
struct Kept {
    text: String,
    joiner: Joiner,
    is_too_long: bool,
}

impl Kept {
    fn add(&mut self, delta: &Delta) {
        self.is_too_long |= self.text.len() + delta.0.len() > MOST_KEPT;
        if !self.is_too_long {
            self.joiner.push(&delta.0, &mut self.text);
        }
    }

    fn finish(mut self) -> Option<String> {
        self.joiner.finish(&mut self.text);
        (!self.is_too_long).then_some(self.text)
    }
}

impl StreamState {
    /// Adds what the model says next.
    pub(super) fn say(&mut self, delta: &Delta) {
        if delta.0.is_empty() {
            return;
        }
        self.end_thought();
        let mut piece = String::new();
        self.text.push(&delta.0, &mut piece);
        let split = self.opening.take(piece);
        self.put_both(split);
    }

    fn put_both(&mut self, (thought, said): (String, String)) {
        self.put(Part::Reasoning(thought));
        self.put(Part::Text(said));
    }

    /// Adds what the model thinks next.
    pub(super) fn think(&mut self, delta: &Delta) {
        let mut piece = String::new();
        self.reasoning.push(&delta.0, &mut piece);
        self.put(Part::Reasoning(piece));
    }

    /// Keeps what the model thinks for the calls of this answer: the server wants it back with them. One that says nothing wants that back, too.
    pub(super) fn keep_thought(&mut self, delta: &Delta) {
        self.kept.get_or_insert_default().add(delta);
    }

    fn end_thought(&mut self) {
        let mut rest = String::new();
        self.reasoning.finish(&mut rest);
        self.put(Part::Reasoning(rest));
    }

    fn put(&mut self, part: Part) {
        match (self.parts.last_mut(), part) {
            (_, Part::Text(piece) | Part::Reasoning(piece)) if piece.is_empty() => {}
            (Some(Part::Text(text)), Part::Text(piece)) | (Some(Part::Reasoning(text)), Part::Reasoning(piece)) => {
                text.push_str(&piece);
            }
            (_, part) => self.parts.push(part),
        }
    }

    /// Calls are whole at the end of an answer, and not before. One that ended before its time may lack some, or the end of the last.
    fn put_calls(&mut self) {
        let mut calls = std::mem::take(&mut self.calls).finish();
        if let Some(first) = calls.first_mut() {
            first.thoughts = self.kept.take().and_then(Kept::finish);
        }
        if self.incomplete.is_none() {
            self.parts.extend(calls.into_iter().map(Part::ToolCall));
        }
    }

    /// Hands out what has not been passed on yet, in the order in which it came.
    pub(super) fn take_parts(&mut self) -> Vec<Part> {
        std::mem::take(&mut self.parts)
    }

    /// The model has said why its answer ends. The first to tell of an end before its time is right.
    pub(super) fn finish(&mut self, incomplete: Option<Incomplete>) {
        self.finished = true;
        self.incomplete = self.incomplete.or(incomplete);
    }

    /// How the answer has ended, if it has, after the latest bytes came to `outcome`; `ended`: there will be no more.
    pub(super) fn end(&mut self, outcome: Result<(), Fault>, ended: bool) -> Option<Result<(), Fault>> {
        // After the answer's end only its usage is missing, which is not worth a fault.
        if self.over || (self.finished && (ended || outcome.is_err())) {
            self.end_thought();
            let mut rest = String::new();
            self.text.finish(&mut rest);
            let split = self.opening.take(rest);
            self.put_both(split);
            let rest = self.opening.finish();
            self.put_both(rest);
            self.put_calls();
            return Some(Ok(()));
        }
        outcome.err().map(Err)
    }

    /// Why there is no answer, when the model has ended without a word.
    pub(super) const fn silence(&self) -> AgentError {
        AgentError::of_silence(self.incomplete)
    }
}
