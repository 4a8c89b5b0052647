//! What tells one provider from another, and what several of them need.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{
    StatusCode,
    header::{AUTHORIZATION, HeaderName},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    Broken, Door, Fault, StreamState,
    endpoint::Address,
    frames::{Frame, Framing},
    list::Listed,
};
use crate::agents::{AgentError, Image, Message, Parameters};

/// How the servers of one provider are spoken to: JSON is posted to an address, and the answer comes as a stream of frames.
pub(super) trait Protocol: Send + Sync {
    /// Where the provider's own servers are, for settings that name no other address.
    fn service(&self) -> &'static str;

    /// Whether those want a key.
    fn needs_key(&self) -> bool {
        true
    }

    /// Makes of the servers' address the one that a question to `model` is posted to.
    fn locate(&self, address: &mut Address, model: &str);

    /// Makes of the servers' address the one that a program's own request is passed on to; `false`: these servers do not speak the format that
    /// programs speak.
    fn locate_door(&self, _address: &mut Address, _door: Door) -> bool {
        false
    }

    /// Headers that every request has, beside its content type and its key.
    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// The header that carries the key.
    fn key_header(&self, key: &str) -> (HeaderName, String) {
        (AUTHORIZATION, format!("Bearer {key}"))
    }

    /// Makes of the servers' address the one of their list of models.
    fn locate_list(&self, address: &mut Address);

    /// What that list says. Models that do not chat may be left out.
    ///
    /// # Errors
    /// It is no such list.
    fn read_list(&self, list: &[u8]) -> Result<Vec<Listed>, Broken>;

    /// The request's body. `history` is tidy.
    fn body(&self, call: &Call, history: &[Message]) -> Value;

    /// How the frames of its answer are separated.
    fn framing(&self) -> Framing;

    /// Adds what a frame says to what was told before.
    ///
    /// # Errors
    /// The frame cannot be read, or reports a fault.
    fn read(&self, frame: Frame<'_>, state: &mut StreamState) -> Result<(), Fault>;

    /// What a refusal means by its body, which is in small letters; `None`: what its status says.
    fn refusal(&self, _status: StatusCode, _body: &str) -> Option<AgentError> {
        None
    }
}

/// What a server is asked, beside the history.
pub(super) struct Call {
    /// The server's name for the model.
    pub(super) model: String,
    /// How it is to answer.
    pub(super) parameters: Parameters,
    /// How long the operator lets a conversation be, in tokens.
    pub(super) context: Option<u64>,
    /// Whether the provider's own service is asked.
    pub(super) own: bool,
}

/// Adds a field, if there is a value for it.
pub(super) fn put(object: &mut Value, field: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        object[field] = value.into();
    }
}

/// A temperature as people write it: 0.7, and not what that is as a float of 32 bits.
pub(super) fn temperature(parameters: &Parameters) -> Option<f64> {
    parameters.temperature.and_then(|short| short.to_string().parse().ok())
}

/// Reads a frame's JSON. Bytes that are no text are read in any string that is a [`Delta`] or of no use; those elsewhere are
/// replaced.
pub(super) fn parse<T: DeserializeOwned>(frame: Frame<'_>) -> Result<T, Broken> {
    let read = serde_json::from_slice(frame.data);
    let read = read.or_else(|fault| match String::from_utf8_lossy(frame.data) {
        Cow::Borrowed(_) => Err(fault),
        Cow::Owned(replaced) => serde_json::from_str(&replaced),
    });
    read.map_err(|_| Broken)
}

pub(super) fn base64(image: &Image) -> String {
    STANDARD.encode(&image.bytes)
}

/// What is said before a picture. One picture needs no name; several do, so that the person can tell them apart.
pub(super) fn caption(message: &Message, image: &Image) -> Option<String> {
    (message.images.len() > 1).then(|| format!("Picture {}:", image.name))
}
