//! One request to a model server, and the reading of its answer.

use std::time::Duration;

use reqwest::Response;
use tokio::time::timeout;

use super::{Asked, Fault, Request, Server, StreamState, reading::Reading};
use crate::{
    agents::{AgentError, Part, Parts},
    alarm::Alarm,
};

/// How long the end of a finished response is waited for, so that its connection can be used again.
const LAST_BYTES: Duration = Duration::from_millis(20);

/// Where the parts of an answer go, and who hears of it.
pub(in crate::agents) struct Hearer<'a> {
    /// The reader of the parts.
    pub(in crate::agents) parts: &'a Parts,
    /// Called when the first one has begun to come, before it is put in.
    pub(in crate::agents) first: &'a (dyn Fn() + Sync),
}

impl Server {
    /// Asks once. Cancel-safe in that dropping it closes the request; what was put into the parts stands. A reader that has gone is no
    /// fault. `state` holds what is known of the answer at any time.
    pub(in crate::agents) async fn ask(
        &self,
        request: &Request,
        hearer: &Hearer<'_>,
        state: &mut StreamState,
    ) -> Result<(), Fault> {
        let url = self.endpoint.url(self.protocol, &request.model).ok_or_else(|| {
            Fault::new(
                AgentError::Rejected { status: 400 },
                "no address can be made for this model",
            )
        })?;
        let sent = self.endpoint.client.post(url).body(request.body.clone()).send();
        let response = timeout(request.stall, sent)
            .await
            .map_err(|_| Fault::new(AgentError::Stalled, "no response in time"))?
            .map_err(Fault::of_request)?;
        if !response.status().is_success() {
            let asked = Asked {
                protocol: self.protocol,
                backend: &self.name,
                model: &request.display,
                key: self.endpoint.key.as_ref().map(|key| key.0.as_str()),
                origin: &self.endpoint.origin,
                images: request.images,
                tools: request.tools,
            };
            return Err(Fault::of_refusal(response, &asked).await);
        }
        let said = self.read(response, request.stall, hearer, state).await?;
        if said || hearer.parts.is_closed() {
            Ok(())
        } else {
            Err(Fault::new(state.silence(), "its answer has no text, and calls nothing"))
        }
    }

    /// Passes the answer on until it is complete. Whether there was anything in it that a person or a tool is told.
    async fn read(
        &self,
        mut response: Response,
        stall: Duration,
        hearer: &Hearer<'_>,
        state: &mut StreamState,
    ) -> Result<bool, Fault> {
        let mut reading = Reading::new(self.protocol);
        let (mut said, mut heard) = (false, false);
        let mut silence = Alarm::after(stall);
        loop {
            // Any byte is a sign of life, also one that carries no text.
            let received = silence.within(stall, response.chunk()).await;
            let (outcome, ended) = match received {
                Some(Ok(Some(bytes))) => (reading.push(&bytes, state), false),
                Some(Ok(None)) => (Err(reading.end(state)), true),
                Some(Err(error)) => (Err(Fault::of_connection(AgentError::CutOff, error)), true),
                None => (Err(Fault::new(AgentError::Stalled, "it went silent")), true),
            };
            let begun = state.calls.has_begun();
            let end = state.end(outcome, ended);
            let parts = state.take_parts();
            // A call is passed on when it is whole, and may be long.
            if !heard && (begun || !parts.is_empty()) {
                heard = true;
                (hearer.first)();
            }
            for part in parts {
                said |= matches!(part, Part::Text(_) | Part::ToolCall(_));
                if hearer.parts.send(part).await.is_err() {
                    return Ok(said);
                }
            }
            if state.over {
                let _end = timeout(LAST_BYTES, response.chunk()).await;
            }
            if let Some(end) = end {
                return end.map(|()| said);
            }
        }
    }
}
