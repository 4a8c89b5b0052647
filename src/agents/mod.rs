//! The agent: the partner of one session.
//!
//! `demo` is the model that is built in; `providers` speaks to model servers; [`factory()`] chooses by the settings.

mod attached;
mod demo;
mod factory;
mod part;
mod providers;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use thiserror::Error;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub use self::{
    attached::{Attached, attach, detach},
    factory::{FactoryError, factory},
    part::{Notice, Part},
    providers::{Transcript, transcript},
};
use crate::wire::{Incomplete, LineView, Role, SettingRow, Usage};

/// One message of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who said it.
    pub role: Role,
    /// What was said; the text of text files is part of it already.
    pub text: String,
    /// Pictures that came with it.
    pub images: Vec<Image>,
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
}

/// What an agent is asked: the history of one conversation, the new message last.
#[derive(Clone, Debug)]
pub struct Question {
    /// At least one message; the last one is the user's.
    pub messages: Vec<Message>,
}

/// Why there is no (whole) answer. `Display` is a sentence for the person: what happened and what to do.
/// Details for the operator go to the log, never a key or a message's text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AgentError {
    /// No connection.
    #[error("The model server cannot be reached. It may be starting or stopped; try again in a moment.")]
    Unreachable,
    /// 429.
    #[error("The model server is receiving too many requests. Wait a little, then try again.")]
    RateLimited {
        /// What it asked for.
        retry_after: Option<Duration>,
    },
    /// 401, 403.
    #[error("The model server refused Anteroom's key. Whoever runs this site has to check it.")]
    Unauthorized,
    /// 404 for the model.
    #[error("The model server does not know the model {model}. Whoever runs this site has to check MODEL.")]
    UnknownModel {
        /// As configured.
        model: String,
    },
    /// 3xx.
    #[error(
        "The model server's address only leads elsewhere. Whoever runs this site has to set {variable} to where the model server \
         itself is; the server's log names it."
    )]
    Redirected {
        /// The setting with the address.
        variable: &'static str,
    },
    /// Any other 4xx.
    #[error("The model server did not accept this message (status {status}). A shorter or simpler one may work.")]
    Rejected {
        /// The HTTP status.
        status: u16,
    },
    /// 5xx.
    #[error("The model server had a fault of its own (status {status}). Try again in a moment.")]
    ServerFault {
        /// The HTTP status.
        status: u16,
    },
    /// It stopped sending.
    #[error("The model server went silent in the middle of its work. Try again.")]
    Stalled,
    /// The connection closed before the end.
    #[error("The connection to the model server broke off before the answer was complete. Try again.")]
    CutOff,
    /// What it sent makes no sense.
    #[error(
        "The model server sent something that is not an answer. Try again; if it stays so, tell whoever runs this site."
    )]
    InvalidResponse,
    /// The model said that it was done, and had said nothing.
    #[error("The model gave an empty answer. Ask again, perhaps in other words.")]
    Empty,
    /// The model has used up the longest answer it may write before its first word.
    #[error(
        "The model reached the longest answer it may write before it had said anything: it may have thought for too long. \
         Ask for less at once, or try again."
    )]
    Spent,
    /// A filter let nothing through.
    #[error("The model server's filter let no answer to this through. Put the question in other words.")]
    Filtered,
    /// Pictures for a model that does not see.
    #[error("This model cannot look at pictures. Send the message without them.")]
    VisionUnsupported,
}

impl AgentError {
    /// Why there is nothing to read, of a model that ended without saying anything.
    #[must_use]
    pub const fn of_silence(incomplete: Option<Incomplete>) -> Self {
        match incomplete {
            Some(Incomplete::Length) => Self::Spent,
            Some(Incomplete::Filter) => Self::Filtered,
            Some(Incomplete::Other) | None => Self::Empty,
        }
    }
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
    /// Answers, putting the answer into `parts` as it is made. Returns soon after `cancel` (or after the reader of
    /// `parts` has gone), having closed the request to the model server; what was put in until then stands.
    ///
    /// # Errors
    /// [`AgentError`], which the agent has logged. Parts may have been put in before it.
    async fn answer(&self, question: Question, parts: Parts, cancel: CancellationToken)
    -> Result<Answered, AgentError>;
}

/// What an agent may ask of the server that it answers for.
pub trait AgentContext: Send + Sync {
    /// The line of `chat`, now.
    fn chat_line(&self) -> LineView;
    /// The settings in force, secrets hidden.
    fn settings(&self) -> Vec<SettingRow>;
}

/// Makes an agent for a session's first message.
pub trait AgentFactory: Send + Sync {
    /// The model that its agents use, as people should see it.
    fn model(&self) -> String;
    /// A new agent.
    fn agent(&self) -> Arc<dyn Agent>;
}
