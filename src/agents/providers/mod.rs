//! Model servers, over HTTP: a file for each wire format, behind [`Protocol`]; the rest is what they have in common. A request is made once
//! here; whether it is made again, and where, is `backends`' to say.
//!
//! Four wire formats are read here with reqwest and serde rather than through a client library. genai 0.7, which knows
//! them all, was judged by its source and cannot keep this project's promises: it logs provider bodies (which may
//! echo a message) at `error` and `warn`; it holds a line of any length in memory and copies all of it for every
//! packet; it takes `-low`, `-high` or `-max` off a model's name; a Gemini answer that breaks off counts as complete;
//! and a web page in place of an answer cannot be told from a connection that broke.

mod anthropic;
mod attempt;
mod calls;
mod endpoint;
mod fault;
mod frames;
mod gemini;
mod history;
mod list;
mod ollama;
mod openai;
mod opening;
mod protocol;
mod reading;
mod relay;
mod stream;
mod text;

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use reqwest::Url;

pub(super) use self::{
    attempt::Hearer,
    fault::Fault,
    list::Listed,
    relay::{Relay, RelayState},
    stream::StreamState,
};
use self::{
    endpoint::Endpoint,
    fault::{Asked, Broken},
    openai::OpenAi,
    protocol::{Call, Protocol},
};
pub use self::{
    list::model_names,
    reading::{Transcript, transcript},
    relay::{Door, Relayed},
};
use super::{AgentError, FactoryError, Message, Question};
use crate::settings::{BackendSettings, Provider};

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

/// One model server with the connections to it, which all its models share.
pub(in crate::agents) struct Server {
    endpoint: Endpoint,
    protocol: &'static dyn Protocol,
    /// The back end's name.
    name: String,
    /// Where the requests of programs are passed on to, by [`Door`].
    doors: [Option<Url>; 2],
}

impl fmt::Debug for Server {
    /// Its name alone: addresses may hold passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A question in the words of a server, ready to be asked.
pub(in crate::agents) struct Request {
    body: Bytes,
    /// The server's name for the model.
    model: String,
    /// As people should see it.
    display: String,
    /// Whether there are pictures in it.
    images: bool,
    /// Whether tools are offered, or were used.
    tools: bool,
    /// Longest silence.
    stall: Duration,
}

impl Server {
    /// `None`: what answers here is no server. Nothing is asked of it yet: whether it is there shows with the first question.
    pub(in crate::agents) fn new(settings: &BackendSettings) -> Result<Option<Self>, FactoryError> {
        let Some(protocol) = of(settings.provider) else {
            return Ok(None);
        };
        let endpoint = Endpoint::new(protocol, settings)?;
        Ok(Some(Self {
            doors: [Door::Chat, Door::Embeddings].map(|door| endpoint.door(protocol, door)),
            endpoint,
            protocol,
            name: settings.name.clone(),
        }))
    }

    /// Whether it is the provider's own service.
    pub(in crate::agents) const fn is_own(&self) -> bool {
        self.endpoint.own
    }

    /// Makes a request of a question. `context` is how long the server is to let a conversation be, where it has to be told. Pictures are many
    /// bytes to encode, which is no work for the threads that serve everybody.
    pub(in crate::agents) async fn request(
        &self,
        question: &Question,
        context: Option<u64>,
        stall: Duration,
    ) -> Result<Request, AgentError> {
        let protocol = self.protocol;
        let call = Call {
            model: question.model.name.clone(),
            parameters: question.parameters.clone(),
            context,
            own: self.endpoint.own,
            tools: Arc::clone(&question.tools),
        };
        let history = history::tidy(&question.messages);
        let images = history.iter().any(Message::has_images);
        let tools = !question.tools.is_empty() || history.iter().any(|message| !message.calls.is_empty());
        let make = move || (Bytes::from(protocol.body(&call, &history).to_string()), call.model);
        let (body, model) = if images {
            let made = tokio::task::spawn_blocking(make).await;
            made.map_err(|error| {
                tracing::error!(%error, "the request could not be made");
                AgentError::Rejected { status: 400 }
            })?
        } else {
            make()
        };
        Ok(Request {
            body,
            model,
            display: question.model.to_string(),
            images,
            tools,
            stall,
        })
    }
}
