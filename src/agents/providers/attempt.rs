//! One request to the model server, and the reading of its answer.

use std::time::Duration;

use bytes::Bytes;
use reqwest::Response;
use tokio::time::timeout;

use super::{Asked, Fault, Server, StreamState, reading::Reading};
use crate::agents::{AgentError, Part, Parts};

/// How long the end of a finished response is waited for, so that its connection can be used again.
const LAST_BYTES: Duration = Duration::from_millis(20);

impl Server {
    /// Asks once. Cancel-safe in that dropping it closes the request; what was put into `parts` stands.
    ///
    /// `put` becomes true with the first piece of text. A reader that has gone is no fault.
    pub(super) async fn attempt(
        &self,
        body: Bytes,
        images: bool,
        parts: &Parts,
        state: &mut StreamState,
        put: &mut bool,
    ) -> Result<(), Fault> {
        let request = self.endpoint.client.post(self.endpoint.url.clone()).body(body);
        let response = timeout(self.stall, request.send())
            .await
            .map_err(|_| Fault::new(AgentError::Stalled, "no response in time"))?
            .map_err(Fault::of_connection)?;
        if !response.status().is_success() {
            let key = self.endpoint.key.as_ref().map(|key| key.0.as_str());
            return Err(Fault::of_refusal(
                response,
                &Asked {
                    protocol: self.protocol,
                    display: &self.display,
                    key,
                    variable: self.endpoint.variable,
                    images,
                },
            )
            .await);
        }
        self.read(response, parts, state, put).await?;
        if *put || parts.is_closed() {
            Ok(())
        } else {
            Err(Fault::new(state.silence(), "its answer has no text"))
        }
    }

    /// Passes the answer on until it is complete.
    async fn read(
        &self,
        mut response: Response,
        parts: &Parts,
        state: &mut StreamState,
        put: &mut bool,
    ) -> Result<(), Fault> {
        let mut reading = Reading::new(self.protocol);
        loop {
            // Any byte is a sign of life, also one that carries no text.
            let received = timeout(self.stall, response.chunk()).await;
            let (outcome, ended) = match received {
                Ok(Ok(Some(bytes))) => (reading.push(&bytes, state), false),
                Ok(Ok(None)) => (Err(reading.end(state)), true),
                Ok(Err(error)) => (
                    Err(Fault {
                        error: AgentError::CutOff,
                        ..Fault::of_connection(error)
                    }),
                    true,
                ),
                Err(_) => (Err(Fault::new(AgentError::Stalled, "it went silent")), true),
            };
            let end = state.end(outcome, ended);
            for part in state.take_parts() {
                *put |= matches!(part, Part::Text(_));
                if parts.send(part).await.is_err() {
                    return Ok(());
                }
            }
            if state.over {
                let _end = timeout(LAST_BYTES, response.chunk()).await;
            }
            if let Some(end) = end {
                return end;
            }
        }
    }
}
