//! The agent: the partner of one session.
//!
//! `demo` is the model that is built in; `providers` speaks to model servers; [`Backends`] knows them all, which are in
//! service, and what to do when one is not; `asking` has one of them answer; `answers` keeps what was answered for a while.

mod answers;
mod asking;
mod attached;
mod backends;
mod demo;
mod error;
mod factory;
mod part;
mod providers;
mod relaying;
#[cfg(test)]
mod tests;
mod tool;
mod used;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub use self::{
    answers::{AnswerFigures, AnswerKey, KeptAnswer, KeptAnswers},
    attached::{Attached, attach, detach},
    backends::{
        BackendFigures, Backends, Consumption, Durations, Figures, Health, ModelFigures, Offered, Revision, Spread,
        Tries, Trouble, Verdict,
    },
    error::AgentError,
    factory::{FactoryError, factory},
    part::{Notice, Part},
    providers::{Door, Relayed, Transcript, model_names, transcript},
    relaying::{RelayFault, RelayRequest},
    tool::{ToolCall, ToolResult, ToolSpec},
};
use crate::{
    queue::{BackendIndex, PoolIndex},
    settings::ModelName,
    wire::{Incomplete, LineView, ModelInfo, Role, SettingRow, Usage},
};

/// One message of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who said it.
    pub role: Role,
    /// What was said; the text of text files is part of it already.
    pub text: String,
    /// Pictures that came with it.
    pub images: Vec<Image>,
    /// Of an answer: the tools that the model wanted used after it had said that.
    pub calls: Vec<ToolCall>,
    /// In place of something that a person said: what came of the calls of the message before, each of them once.
    pub results: Vec<ToolResult>,
}

impl Message {
    /// Words alone.
    #[must_use]
    pub const fn said(role: Role, text: String) -> Self {
        Self {
            role,
            text,
            images: Vec::new(),
            calls: Vec::new(),
            results: Vec::new(),
        }
    }

    /// Whether there is anything to see in it.
    fn has_images(&self) -> bool {
        !self.images.is_empty() || self.results.iter().any(|result| !result.images.is_empty())
    }
}

/// A picture for a model that sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its name, for the model.
    pub name: String,
    /// Its MIME type.
    pub mime: String,
    /// Its bytes.
    pub bytes: Bytes,
    /// Nobody has sent it as such: a tool has returned it, or it stands in a document. A model that does not see is asked without it.
    pub found: bool,
}

/// What an agent is asked: the history of one conversation, the new message last.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// At least one message; the last one is the user's, or the results of what the answer before it called.
    pub messages: Vec<Message>,
    /// Who is to answer.
    pub model: ModelName,
    /// Where: the back end of the permit.
    pub backend: BackendIndex,
    /// How.
    pub parameters: Parameters,
    /// What it may have used meanwhile. An answer may then end with [`Part::ToolCall`]s, and goes on with another question that has them and their
    /// results at its end.
    pub tools: Arc<[ToolSpec]>,
}

/// What the person, or the site, wants of an answer beside the message. What is `None` is the model server's to choose.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters {
    /// Said to the model before the conversation.
    pub system: Option<String>,
    /// How freely it picks its words: 0 is the most likely ones.
    pub temperature: Option<f32>,
    /// Longest answer, in tokens.
    pub max_tokens: Option<u32>,
    /// Nothing of the history may be left out: what is longer than the model can read is refused.
    pub whole: bool,
}

/// How an answer ended, when it did not fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// Tokens taken.
    pub usage: Usage,
    /// Why the answer has ended, where that was not its own end.
    pub incomplete: Option<Incomplete>,
}

/// Where an agent puts its answer, part by part. Bounded: a slow reader slows the agent down.
pub type Parts = mpsc::Sender<Part>;

/// The partner of one session.
#[async_trait]
pub trait Agent: Send + Sync {
    /// Asks once, putting the answer into `parts` as it is made. Returns soon after `cancel` (or after the reader of
    /// `parts` has gone), having closed the request to the model server; what was put in until then stands. Dropping it does the same.
    ///
    /// # Errors
    /// [`AgentError`], which the agent has logged. Parts may have been put in before it. Whether to ask again, and where, is
    /// [`Backends::verdict`]'s to say.
    async fn answer(&self, question: Question, parts: Parts, cancel: CancellationToken)
    -> Result<Answered, AgentError>;
}

/// What an agent may ask of the server that it answers for.
pub trait AgentContext: Send + Sync {
    /// The line of `chat` in which tickets for this model wait, now.
    fn chat_line(&self, model: &ModelName) -> LineView;
    /// The settings in force, secrets hidden.
    fn settings(&self) -> Vec<SettingRow>;
    /// Every back end.
    fn backends(&self) -> Arc<Backends>;
}

/// Makes an agent for a session's first message.
pub trait AgentFactory: Send + Sync {
    /// The model that a new conversation starts with, as people should see it.
    fn model(&self) -> String;
    /// The models that a conversation may choose from, the one that it starts with first: unless told, there is one.
    fn models(&self) -> Vec<ModelInfo> {
        vec![ModelInfo {
            id: self.model(),
            ..ModelInfo::default()
        }]
    }
    /// The pool whose line a question to this model waits in; `None`: nobody has ever heard of it. Unless told, every model has the first one.
    fn pool(&self, _model: &str) -> Option<PoolIndex> {
        Some(PoolIndex(0))
    }
    /// A new agent.
    fn agent(&self) -> Arc<dyn Agent>;
}
