//! The wire formats: what each kind of model server is asked, and how its answer reads.

mod anthropic;
mod gemini;
mod ollama;
mod openai;

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    Broken, Fault,
    frames::{Frame, Framing},
    text::{Delta, Joiner},
};
use crate::{
    agents::{AgentError, Image, Message},
    settings::Provider,
    wire::{Incomplete, Usage},
};

/// One kind of model server.
pub(super) trait Format: Send + Sync {
    /// How the frames of its answer are separated.
    fn framing(&self) -> Framing;
    /// The request's body. `history` is tidy.
    fn body(&self, model: &str, system: Option<&str>, history: &[Message]) -> Value;
    /// Adds what a frame says to what was heard.
    fn read(&self, frame: Frame<'_>, heard: &mut Heard) -> Result<(), Fault>;
}

/// What one attempt has heard so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard {
    /// Text that has not been passed on yet.
    pub(super) text: String,
    /// Puts together what deltas have cut.
    joiner: Joiner,
    /// Tokens, as far as they were told.
    pub(super) usage: Usage,
    /// The model has said that its answer has ended.
    pub(super) finished: bool,
    /// Why it has ended, where that was not its own end.
    pub(super) incomplete: Option<Incomplete>,
    /// Nothing more will come.
    pub(super) over: bool,
}

impl Heard {
    /// Adds what the model says next.
    fn say(&mut self, delta: &Delta) {
        self.joiner.push(&delta.0, &mut self.text);
    }

    /// The model has said why its answer ends. The first to tell of an end before its time is right.
    fn finish(&mut self, incomplete: Option<Incomplete>) {
        self.finished = true;
        self.incomplete = self.incomplete.or(incomplete);
    }

    /// How the answer has ended, if it has, after the latest bytes came to `outcome`; `ended`: there will be no more.
    pub(super) fn end(&mut self, outcome: Result<(), Fault>, ended: bool) -> Option<Result<(), Fault>> {
        // After the answer's end only its usage is missing, which is not worth a fault.
        if self.over || (self.finished && (ended || outcome.is_err())) {
            self.joiner.finish(&mut self.text);
            return Some(Ok(()));
        }
        outcome.err().map(Err)
    }

    /// Why there is no answer, when the model has ended without a word.
    pub(super) const fn silence(&self) -> AgentError {
        AgentError::of_silence(self.incomplete)
    }
}

/// The format of a provider that has one.
pub(super) fn of(provider: Provider) -> Option<Box<dyn Format>> {
    match provider {
        Provider::Builtin => None,
        Provider::OpenAi => Some(Box::new(openai::OpenAi)),
        Provider::Ollama => Some(Box::new(ollama::Ollama)),
        Provider::Anthropic => Some(Box::new(anthropic::Anthropic)),
        Provider::Gemini => Some(Box::new(gemini::Gemini)),
    }
}

/// Reads a frame's JSON. Bytes that are no text are read in any string that is a [`Delta`] or of no use; those elsewhere are
/// replaced.
fn parse<T: DeserializeOwned>(frame: Frame<'_>) -> Result<T, Broken> {
    let read = serde_json::from_slice(frame.data);
    let read = read.or_else(|fault| match String::from_utf8_lossy(frame.data) {
        Cow::Borrowed(_) => Err(fault),
        Cow::Owned(replaced) => serde_json::from_str(&replaced),
    });
    read.map_err(|_| Broken)
}

fn base64(image: &Image) -> String {
    STANDARD.encode(&image.bytes)
}

/// What is said before a picture. One picture needs no name; several do, so that the person can tell them apart.
fn caption(message: &Message, image: &Image) -> Option<String> {
    (message.images.len() > 1).then(|| format!("Picture {}:", image.name))
}
