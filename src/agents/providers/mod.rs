//! Agents of real models, over HTTP: a file for each wire format, behind [`Protocol`]; the rest is what they have in common. The retries are
//! in this file, what may be tried again in `fault.rs`.
//!
//! Four wire formats are read here with reqwest and serde rather than through a client library. genai 0.7, which knows
//! them all, was judged by its source and cannot keep this project's promises: it logs provider bodies (which may
//! echo a message) at `error` and `warn`; it holds a line of any length in memory and copies all of it for every
//! packet; it takes `-low`, `-high` or `-max` off a model's name; a Gemini answer that breaks off counts as complete;
//! and a web page in place of an answer cannot be told from a connection that broke.

mod anthropic;
mod attempt;
mod endpoint;
mod fault;
mod frames;
mod gemini;
mod history;
mod ollama;
mod openai;
mod protocol;
mod reading;
mod stream;
mod text;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use tokio_util::sync::CancellationToken;

pub use self::reading::{Transcript, transcript};
use self::{
    endpoint::Endpoint,
    fault::{Asked, Broken, Fault},
    openai::OpenAi,
    protocol::Protocol,
    stream::StreamState,
};
use super::{Agent, AgentError, AgentFactory, Answered, FactoryError, Message, Notice, Part, Parts, Question};
use crate::settings::{Provider, Settings};

/// Longest time that a server may ask to be left alone and still be asked again.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// The pause before the first retry; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// How a provider's servers are spoken to; `None`: it has none.
fn of(provider: Provider) -> Option<&'static dyn Protocol> {
    Some(match provider {
        Provider::Builtin => return None,
        Provider::OpenAi => &OpenAi {
            service: "https://api.openai.com",
        },
        Provider::Ollama => &ollama::Ollama,
        Provider::Anthropic => &anthropic::Anthropic,
        Provider::Gemini => &gemini::Gemini,
    })
}

/// Makes agents that share one model server and its connections.
pub(super) struct ProviderAgents {
    server: Arc<Server>,
}

/// One model server, as the settings describe it.
struct Server {
    endpoint: Endpoint,
    protocol: &'static dyn Protocol,
    /// The provider's name for the model.
    name: String,
    /// As people should see it.
    display: String,
    system: Option<String>,
    stall: Duration,
    retries: u32,
}

impl ProviderAgents {
    /// `None` where the model is not a real one.
    pub(super) fn new(settings: &Settings, display: String) -> Result<Option<Self>, FactoryError> {
        let Some(protocol) = endpoint::backend(settings).and_then(|backend| of(backend.provider)) else {
            return Ok(None);
        };
        let Some(endpoint) = endpoint::of(protocol, settings)? else {
            return Ok(None);
        };
        let server = Server {
            endpoint,
            protocol,
            name: settings.catalog.default.name.clone(),
            display,
            system: settings
                .system_prompt
                .clone()
                .filter(|prompt| !prompt.trim().is_empty()),
            stall: settings.model_stall_timeout,
            retries: settings.model_retries,
        };
        Ok(Some(Self {
            server: Arc::new(server),
        }))
    }
}

impl AgentFactory for ProviderAgents {
    fn model(&self) -> String {
        self.server.display.clone()
    }

    fn agent(&self) -> Arc<dyn Agent> {
        Arc::new(ProviderAgent {
            server: Arc::clone(&self.server),
        })
    }
}

/// A session's agent. It keeps nothing of a conversation: the history comes with each question.
struct ProviderAgent {
    server: Arc<Server>,
}

#[async_trait]
impl Agent for ProviderAgent {
    async fn answer(
        &self,
        question: Question,
        parts: Parts,
        cancel: CancellationToken,
    ) -> Result<Answered, AgentError> {
        let mut state = StreamState::default();
        tokio::select! {
            biased;
            // Leaving drops the attempt, and with it the request: the connection to the model server is closed.
            () = cancel.cancelled() => {}
            () = parts.closed() => {}
            outcome = self.server.answer(question, &parts, &mut state) => outcome?,
        }
        Ok(Answered {
            usage: state.usage,
            incomplete: state.incomplete,
        })
    }
}

impl Server {
    /// Asks until there is an answer, or a fault that asking again cannot mend. Once a piece of text has been put in, a fault
    /// is final.
    async fn answer(
        self: &Arc<Self>,
        question: Question,
        parts: &Parts,
        state: &mut StreamState,
    ) -> Result<(), AgentError> {
        let images = question.messages.iter().any(|message| !message.images.is_empty());
        let body = self.body(history::tidy(question.messages)).await?;
        let mut retry = 0;
        loop {
            *state = StreamState::default();
            let mut put = false;
            let Err(fault) = self.attempt(body.clone(), images, parts, state, &mut put).await else {
                return Ok(());
            };
            let pause = fault.retry_after.unwrap_or_else(|| backoff(retry));
            let again = !put && retry < self.retries && fault.may_pass() && pause <= LONGEST_PAUSE;
            let Fault { error, detail, .. } = fault;
            if !again {
                self.log(&error, &detail, retry);
                return Err(error);
            }
            retry += 1;
            // A reader that has gone ends the answer elsewhere.
            let _ = parts.send(Part::Notice(Notice::Retry(retry))).await;
            let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(
                model = self.display,
                detail,
                kind = kind(&error),
                retry,
                pause_ms,
                "the model server failed; asking again"
            );
            tokio::time::sleep(pause).await;
        }
    }

    /// Logs the fault that ends an answer: what lies in the question itself is a warning only.
    fn log(&self, error: &AgentError, detail: &str, retries: u32) {
        let (model, kind) = (&*self.display, kind(error));
        match error {
            AgentError::VisionUnsupported | AgentError::Filtered | AgentError::Rejected { .. } | AgentError::Spent => {
                tracing::warn!(
                    model,
                    detail,
                    kind,
                    retries,
                    "the model server did not take the question"
                );
            }
            _ => tracing::error!(model, detail, kind, retries, "the model server failed"),
        }
    }

    /// The request's body. Pictures are many bytes to encode, which is no work for the threads that serve everybody.
    async fn body(self: &Arc<Self>, history: Vec<Message>) -> Result<Bytes, AgentError> {
        let server = Arc::clone(self);
        let images = history.iter().any(|message| !message.images.is_empty());
        let make = move || {
            let body = server.protocol.body(&server.name, server.system.as_deref(), &history);
            Bytes::from(body.to_string())
        };
        if !images {
            return Ok(make());
        }
        tokio::task::spawn_blocking(make).await.map_err(|error| {
            tracing::error!(%error, "the request could not be made");
            AgentError::Rejected { status: 400 }
        })
    }
}

/// Twice as long each time, less a random part: requests that failed together do not come back together.
fn backoff(retry: u32) -> Duration {
    let full = FIRST_PAUSE
        .saturating_mul(2_u32.saturating_pow(retry))
        .min(LONGEST_PAUSE);
    full.mul_f64(rand::random_range(0.5..=1.0))
}

/// The error's name, for the log.
const fn kind(error: &AgentError) -> &'static str {
    match error {
        AgentError::Unreachable => "unreachable",
        AgentError::RateLimited { .. } => "rate_limited",
        AgentError::Unauthorized => "unauthorized",
        AgentError::UnknownModel { .. } => "unknown_model",
        AgentError::Redirected { .. } => "redirected",
        AgentError::Rejected { .. } => "rejected",
        AgentError::ServerFault { .. } => "server_fault",
        AgentError::Stalled => "stalled",
        AgentError::CutOff => "cut_off",
        AgentError::InvalidResponse => "invalid_response",
        AgentError::Empty => "empty",
        AgentError::Spent => "spent",
        AgentError::Filtered => "filtered",
        AgentError::VisionUnsupported => "vision_unsupported",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        for (retry, full) in [(0, 250), (1, 500), (2, 1000), (5, 8000), (6, 10_000), (1000, 10_000)] {
            let full = Duration::from_millis(full);
            let pause = backoff(retry);
            assert!(pause >= full / 2 && pause <= full, "{retry}: {pause:?}");
        }
    }
}
