//! A program's own request, passed on: a server that speaks the format that programs speak gets its JSON as it is, and what the server says
//! goes back as it is, whatever is in it, but for the name of the model.

use std::{borrow::Cow, time::Duration};

use bytes::Bytes;
use reqwest::{Response, Url};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout;

use super::{
    Asked, Broken, Fault, Server,
    frames::{Frame, Frames, Framing},
    openai::{ChunkUsage, FAULTS},
};
use crate::{agents::AgentError, wire::Usage};

mod arriving;
mod telling;

use arriving::Arriving;
use telling::Delta;

/// Most bytes of events that wait for those behind them.
const TOGETHER: usize = 64 * 1024;

/// How long the end of a finished response is waited for, so that its connection can be used again.
const LAST_BYTES: Duration = Duration::from_millis(20);
/// The longest answer in one body, in bytes: two thousand embeddings of three thousand dimensions, as text.
const MAX_WHOLE: usize = 96 * 1024 * 1024;

/// What a program may ask a server for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// The next message of a chat.
    Chat,
    /// Texts as vectors.
    Embeddings,
}

/// A request to be passed on.
pub(in crate::agents) struct Relay<'a> {
    pub(in crate::agents) door: Door,
    /// With the server's own name for the model.
    pub(in crate::agents) body: Bytes,
    /// The model, as the program calls it, in JSON without its quotes.
    pub(in crate::agents) called: &'a str,
    /// The model, as people see it.
    pub(in crate::agents) display: &'a str,
    pub(in crate::agents) streams: bool,
    /// Whether the program wants a stream to tell its usage.
    pub(in crate::agents) usage: bool,
    pub(in crate::agents) images: bool,
    /// Longest silence within a stream. An answer in one body is silence until it is there.
    pub(in crate::agents) stall: Duration,
}

/// What has come of it so far.
#[derive(Debug, Default)]
pub(in crate::agents) struct RelayState {
    pub(in crate::agents) usage: Usage,
    /// An answer in one body.
    pub(in crate::agents) whole: Bytes,
}

/// Takes the events of a stream, several at a time; `false`: it has no room for more.
pub type Relayed<'a> = dyn FnMut(Bytes) -> bool + Send + 'a;

/// A text that lies within what it was read from, unless it was written with escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// An answer, or an event of one, as far as it is looked at.
#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow, default)]
    model: Option<Text<'a>>,
    #[serde(default)]
    choices: Option<Vec<Choice>>,
    #[serde(default)]
    usage: Option<ChunkUsage>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    index: u32,
    #[serde(default)]
    delta: Delta,
    #[serde(default)]
    finish_reason: telling::Value,
}

/// The same of one whose text was cut between the halves of a pair, which is no text for serde. It says something, then.
#[derive(Deserialize)]
struct Cut<'a> {
    #[serde(borrow, default)]
    model: Option<Text<'a>>,
    #[serde(default)]
    usage: Option<ChunkUsage>,
}

impl<'a> Said<'a> {
    fn read(json: &'a str) -> Result<Self, Broken> {
        serde_json::from_str(json).or_else(|_| {
            let Cut { model, usage } = serde_json::from_str(json).map_err(|_| Broken)?;
            let choices = Some(vec![Choice {
                index: 0,
                delta: Delta { tells: true },
                finish_reason: telling::Value::default(),
            }]);
            Ok(Self {
                model,
                choices,
                usage,
                error: None,
            })
        })
    }
}

impl Server {
    /// Whether a program's request to `door` can be passed on.
    pub(in crate::agents) fn has_door(&self, door: Door) -> bool {
        self.door(door).is_some()
    }

    fn door(&self, door: Door) -> Option<&Url> {
        let [chat, embeddings] = &self.doors;
        match door {
            Door::Chat => chat.as_ref(),
            Door::Embeddings => embeddings.as_ref(),
        }
    }

    /// Passes it on once. `first` is called before the first event that says something, and before that nothing has been put into
    /// `out`: what comes to nothing until then can be asked again, as if nothing had happened. The end of the stream (`[DONE]`) is not put in.
    /// `Ok(false)`: `out` has no room for more.
    pub(in crate::agents) async fn relay(
        &self,
        relay: &Relay<'_>,
        first: &(dyn Fn() + Sync),
        out: &mut Relayed<'_>,
        state: &mut RelayState,
    ) -> Result<bool, Fault> {
        let url = self.door(relay.door).cloned();
        let url = url.ok_or_else(|| Fault::new(AgentError::Rejected { status: 404 }, "it has no such door"))?;
        let sent = self.endpoint.client.post(url).body(relay.body.clone()).send();
        let sent = if relay.streams {
            let late = |_| Fault::new(AgentError::Stalled, "no response in time");
            timeout(relay.stall, sent).await.map_err(late)?
        } else {
            sent.await
        };
        let response = sent.map_err(Fault::of_request)?;
        if !response.status().is_success() {
            let asked = Asked {
                protocol: self.protocol,
                backend: &self.name,
                model: relay.display,
                key: self.endpoint.key.as_ref().map(|key| key.0.as_str()),
                origin: &self.endpoint.origin,
                images: relay.images,
                tools: false,
            };
            return Err(Fault::of_refusal(response, &asked).await);
        }
        if relay.streams {
            return stream(response, relay, first, out, state).await;
        }
        let body = whole(response).await?;
        let body = text(&body);
        let said = Said::read(&body)?;
        if let Some(error) = said.error.as_ref().filter(|error| !error.is_null()) {
            return Err(Fault::reported(error, &FAULTS));
        }
        let mut renamed = Vec::with_capacity(body.len() + relay.called.len());
        rename(&body, &said, relay.called, &mut renamed)?;
        state.usage = said.usage.map(Usage::from).unwrap_or_default();
        first();
        state.whole = Bytes::from(renamed);
        Ok(true)
    }
}

async fn whole(mut response: Response) -> Result<Vec<u8>, Fault> {
    let mut body = Vec::new();
    loop {
        let piece = response.chunk().await;
        let Some(bytes) = piece.map_err(|error| Fault::of_connection(AgentError::CutOff, error))? else {
            return Ok(body);
        };
        if body.len() + bytes.len() > MAX_WHOLE {
            return Err(Fault::new(AgentError::InvalidResponse, "its answer is too long"));
        }
        body.extend_from_slice(&bytes);
    }
}

async fn stream(
    response: Response,
    relay: &Relay<'_>,
    first: &(dyn Fn() + Sync),
    out: &mut Relayed<'_>,
    state: &mut RelayState,
) -> Result<bool, Fault> {
    let mut frames = Frames::new(Framing::Events);
    let mut reading = Reading::new(relay);
    let mut shown = false;
    let mut arriving = Arriving::new(response, relay.stall);
    loop {
        let (outcome, ended) = match arriving.next().await {
            Some(Ok(Some(bytes))) => (frames.push(&bytes, |frame| reading.take(frame, state)), false),
            Some(Ok(None)) => (Err(reading.end(&mut frames, state)), true),
            Some(Err(error)) => (Err(Fault::of_connection(AgentError::CutOff, error)), true),
            None => (Err(Fault::new(AgentError::Stalled, "it went silent")), true),
        };
        // After the answer's end only its usage is missing, which is not worth a fault.
        let complete = reading.over || reading.is_finished() && (ended || outcome.is_err());
        // Nobody waits for the first of an answer any longer than it takes to come.
        let may_wait = shown && !complete && outcome.is_ok() && reading.events.len() < TOGETHER;
        if may_wait && arriving.more().await {
            continue;
        }
        if reading.told || complete {
            if !std::mem::replace(&mut shown, true) {
                first();
            }
            let events = std::mem::take(&mut reading.events);
            if !events.is_empty() {
                arriving.passed_on();
                if !out(Bytes::from(events)) {
                    return Ok(false);
                }
            }
        }
        if complete {
            if !ended {
                let _end = timeout(LAST_BYTES, arriving.next()).await;
            }
            return Ok(true);
        }
        outcome?;
    }
}

/// The events of one answer, as they go back.
struct Reading<'a> {
    relay: &'a Relay<'a>,
    /// What has not been passed on yet. Events that say nothing stay until one does.
    events: Vec<u8>,
    /// Something has been said.
    told: bool,
    /// The choices that have begun, and those that have said why they ended, a bit each.
    begun: u64,
    ended: u64,
    /// Nothing more will come.
    over: bool,
}

impl<'a> Reading<'a> {
    const fn new(relay: &'a Relay<'a>) -> Self {
        Self {
            relay,
            events: Vec::new(),
            told: false,
            begun: 0,
            ended: 0,
            over: false,
        }
    }

    /// Whether each choice has ended.
    const fn is_finished(&self) -> bool {
        self.begun != 0 && self.begun == self.ended
    }

    fn take(&mut self, frame: Frame<'_>, state: &mut RelayState) -> Result<(), Fault> {
        if self.over {
            return Ok(());
        }
        if frame.data == b"[DONE]" {
            self.over = true;
            return Ok(());
        }
        let data = text(frame.data);
        let said = Said::read(&data)?;
        if let Some(error) = said.error.as_ref().filter(|error| !error.is_null()) {
            return Err(Fault::reported(error, &FAULTS));
        }
        let choices = said.choices.as_deref().unwrap_or_default();
        self.told |= choices
            .iter()
            .any(|choice| choice.delta.tells || choice.finish_reason.tells);
        for choice in choices {
            // Nobody asks for as many as share a bit.
            let bit = 1_u64.rotate_left(choice.index);
            self.begun |= bit;
            self.ended |= if choice.finish_reason.tells { bit } else { 0 };
        }
        let usage = said.usage.is_some();
        if let Some(told) = &said.usage {
            state.usage = (*told).into();
        }
        // It was asked of the server for ourselves.
        if usage && choices.is_empty() && !self.relay.usage {
            return Ok(());
        }
        if !frame.event.is_empty() {
            self.events.extend_from_slice(b"event: ");
            self.events.extend_from_slice(frame.event.as_bytes());
            self.events.push(b'\n');
        }
        self.events.extend_from_slice(b"data: ");
        let begun = self.events.len();
        rename(&data, &said, self.relay.called, &mut self.events)?;
        // No string of JSON has a line end in it: what has one is white space.
        for byte in &mut self.events[begun..] {
            if matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
        self.events.extend_from_slice(b"\n\n");
        Ok(())
    }

    /// The body has ended, and the answer had not said that it was over.
    fn end(&mut self, frames: &mut Frames, state: &mut RelayState) -> Fault {
        let left_over = frames.finish(|frame| self.take(frame, state));
        let reported = left_over
            .err()
            .filter(|fault| fault.error != AgentError::InvalidResponse);
        reported.unwrap_or_else(|| {
            if frames.count == 0 && frames.strange {
                Fault::new(AgentError::InvalidResponse, "its response is no stream of events")
            } else {
                Fault::new(AgentError::CutOff, "its response ended early")
            }
        })
    }
}

/// What a server has sent, as text; bytes that are none are replaced.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// Puts the same JSON into `out` with another name of the model. Nothing else of it changes, nor is it read anew.
fn rename(json: &str, said: &Said<'_>, called: &str, out: &mut Vec<u8>) -> Result<(), Broken> {
    match &said.model {
        None => out.extend_from_slice(json.as_bytes()),
        Some(Text(Cow::Borrowed(model))) => {
            // It lies within the text that it was read from.
            let at = model.as_ptr().addr().wrapping_sub(json.as_ptr().addr());
            let (before, rest) = json.split_at_checked(at).ok_or(Broken)?;
            let after = rest.strip_prefix(*model).ok_or(Broken)?;
            out.extend_from_slice(before.as_bytes());
            out.extend_from_slice(called.as_bytes());
            out.extend_from_slice(after.as_bytes());
        }
        // It is written with escapes, as hardly any is.
        Some(Text(Cow::Owned(_))) => {
            let mut value: Value = serde_json::from_str(json).map_err(|_| Broken)?;
            value["model"] = serde_json::from_str(&format!("\"{called}\"")).map_err(|_| Broken)?;
            out.extend_from_slice(value.to_string().as_bytes());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
