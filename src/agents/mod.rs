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
use crate::wire::{Incomplete, LineView, ModelInfo, Reason, Role, SettingRow, Usage};

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

/// Why there is no (whole) answer. `Display` is for the log, and names no key and nothing of a message; a person is told
/// [`AgentError::reason`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AgentError {
    /// No connection.
    #[error("the model server cannot be reached")]
    Unreachable,
    /// 429.
    #[error("the model server gets too many requests")]
    RateLimited {
        /// What it asked for.
        retry_after: Option<Duration>,
    },
    /// 401, 403.
    #[error("the model server refused the key")]
    Unauthorized,
    /// 404 for the model.
    #[error("the model server does not know the model {model}")]
    UnknownModel {
        /// As configured.
        model: String,
    },
    /// 3xx.
    #[error("the address in {variable} leads elsewhere")]
    Redirected {
        /// The setting with the address.
        variable: &'static str,
    },
    /// Any other 4xx.
    #[error("the model server did not accept the message (status {status})")]
    Rejected {
        /// The HTTP status.
        status: u16,
    },
    /// 5xx.
    #[error("the model server failed (status {status})")]
    ServerFault {
        /// The HTTP status.
        status: u16,
    },
    /// It stopped sending.
    #[error("the model server went silent")]
    Stalled,
    /// The connection closed before the end.
    #[error("the connection to the model server broke off")]
    CutOff,
    /// What it sent makes no sense.
    #[error("the model server sent something that is no answer")]
    InvalidResponse,
    /// The model said that it was done, and had said nothing.
    #[error("the model said nothing")]
    Empty,
    /// The model has used up the longest answer it may write before its first word.
    #[error("the model used up the longest answer before its first word")]
    Spent,
    /// A filter let nothing through.
    #[error("a filter of the model server let nothing through")]
    Filtered,
    /// Pictures for a model that does not see.
    #[error("the model cannot look at pictures")]
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

    /// Why, for the person.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Unreachable => Reason::ModelUnreachable,
            Self::RateLimited { .. } => Reason::ModelRateLimited,
            Self::Unauthorized => Reason::ModelUnauthorized,
            Self::UnknownModel { model } => Reason::ModelUnknown { model: model.clone() },
            Self::Redirected { variable } => Reason::ModelRedirected {
                variable: (*variable).to_owned(),
            },
            Self::Rejected { status } => Reason::ModelRejected { status: *status },
            Self::ServerFault { status } => Reason::ModelFault { status: *status },
            Self::Stalled => Reason::ModelStalled,
            Self::CutOff => Reason::ModelCutOff,
            Self::InvalidResponse => Reason::ModelInvalid,
            Self::Empty => Reason::ModelSilent,
            Self::Spent => Reason::ModelSpent,
            Self::Filtered => Reason::ModelFiltered,
            Self::VisionUnsupported => Reason::ModelBlind,
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
    /// The models that a conversation may choose from, the one that it starts with first: unless told, there is one.
    fn models(&self) -> Vec<ModelInfo> {
        vec![ModelInfo {
            id: self.model(),
            ..ModelInfo::default()
        }]
    }
    /// A new agent.
    fn agent(&self) -> Arc<dyn Agent>;
}
