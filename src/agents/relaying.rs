//! Passing on a program's own request to the back end that its ticket has got a slot of. What the back end does is learnt from as when an agent
//! asks it.

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::{
    AgentError, Answered, Backends, Door, Relayed,
    providers::{Fault, Relay, RelayState},
};
use crate::{queue::BackendIndex, settings::ModelName};

/// A program's request, as one back end gets it.
#[derive(Debug)]
pub struct RelayRequest<'a> {
    /// Where it goes.
    pub door: Door,
    /// Who is to answer.
    pub model: &'a ModelName,
    /// Where: the back end of the permit.
    pub backend: BackendIndex,
    /// Its JSON, with the servers' own name for the model.
    pub body: Bytes,
    /// What the program calls the model, in JSON without its quotes.
    pub called: &'a str,
    /// Whether the answer is to come as a stream.
    pub streams: bool,
    /// Whether the program wants a stream to tell its usage.
    pub usage: bool,
    /// Whether there are pictures in it.
    pub images: bool,
}

/// Why there is no (whole) answer to a request that was passed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RelayFault {
    /// As with any other question, which has been logged; and what the server has said of it to whoever asked, if it has.
    Agent(AgentError, Option<String>),
    /// What takes the answer has no room for more.
    Full,
}

impl Backends {
    /// Passes a request on, once. The events of a stream go into `out`, but for its end; an answer in one body is returned. Returns soon after
    /// `cancel`, having closed the request; dropping it does the same.
    ///
    /// # Errors
    /// [`RelayFault`]. Where nothing has been put into `out`, the request may be passed on again: [`Backends::verdict`] says where.
    pub async fn relay(
        &self,
        request: RelayRequest<'_>,
        out: &mut Relayed<'_>,
        cancel: &CancellationToken,
    ) -> Result<(Answered, Bytes), RelayFault> {
        let unanswered = |error| RelayFault::Agent(error, None);
        let asking = self.begin_relay(request.model, request.backend, request.body.len());
        let asking = asking.map_err(unanswered)?;
        let Some(server) = asking.server() else {
            return Err(unanswered(AgentError::Rejected { status: 404 }));
        };
        if request.images && asking.is_blind() {
            asking.failed(
                &AgentError::VisionUnsupported,
                "it reads no pictures, as the settings say",
            );
            return Err(unanswered(AgentError::VisionUnsupported));
        }
        let display = request.model.to_string();
        let relay = Relay {
            door: request.door,
            body: request.body,
            called: request.called,
            display: &display,
            streams: request.streams,
            usage: request.usage,
            images: request.images,
            stall: asking.stall(),
        };
        let mut state = RelayState::default();
        let first = || {
            // How long an answer in one body takes says nothing of how soon others begin.
            if request.streams {
                asking.shown();
            }
        };
        let late = async {
            if request.streams {
                asking.late().await;
            }
            std::future::pending().await
        };
        let outcome = {
            let asked = server.relay(&relay, &first, out, &mut state);
            tokio::select! {
                biased;
                () = cancel.cancelled() => None,
                outcome = asked => Some(outcome),
                never = late => never,
            }
        };
        let answered = Answered {
            usage: state.usage,
            incomplete: None,
        };
        match outcome {
            None => Ok((answered, Bytes::new())),
            Some(Ok(true)) => {
                asking.answered(answered);
                Ok((answered, state.whole))
            }
            Some(Ok(false)) => Err(RelayFault::Full),
            Some(Err(Fault { error, detail, said })) => {
                asking.failed(&error, &detail);
                Err(RelayFault::Agent(error, said))
            }
        }
    }
}
