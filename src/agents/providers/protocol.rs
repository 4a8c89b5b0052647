//! What tells one provider from another, and what several of them need.

use std::{borrow::Cow, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{
    StatusCode,
    header::{AUTHORIZATION, HeaderName},
};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Value, json};

use super::{
    Broken, Door, Fault, StreamState,
    endpoint::Address,
    frames::{Frame, Framing},
    list::Listed,
};
use crate::agents::{AgentError, Image, Message, Parameters, ToolCall, ToolResult, ToolSpec};

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
    /// What it may have used.
    pub(super) tools: Arc<[ToolSpec]>,
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

/// The JSON Schema of a tool's arguments, as all servers take it: that of an object, with a list of its fields. Some refuse alternatives at its top,
/// which the tool itself looks at.
pub(super) fn schema(tool: &ToolSpec) -> Value {
    let mut schema = tool.schema.as_object().cloned().unwrap_or_default();
    for refused in ["oneOf", "anyOf", "allOf", "not", "enum"] {
        schema.remove(refused);
    }
    schema.insert("type".to_owned(), "object".into());
    if !schema.get("properties").is_some_and(Value::is_object) {
        schema.insert("properties".to_owned(), json!({}));
    }
    Value::Object(schema)
}

/// Whether a text is a JSON object.
pub(super) fn is_object(json: &str) -> bool {
    json.trim_start().starts_with('{') && serde_json::from_str::<IgnoredAny>(json).is_ok()
}

/// The arguments of a call, for servers that take nothing but an object. What is none is told under a name, so that the model sees what it did.
pub(super) fn arguments(call: &ToolCall) -> Value {
    match serde_json::from_str(&call.arguments) {
        Ok(arguments @ Value::Object(_)) => arguments,
        _ => json!({ "arguments": call.arguments }),
    }
}

/// The tools on offer, as OpenAI's servers and those of Ollama take them.
pub(super) fn functions(call: &Call) -> Option<Vec<Value>> {
    let function = |tool: &ToolSpec| {
        let function = json!({ "name": tool.name, "description": tool.description, "parameters": schema(tool) });
        json!({ "type": "function", "function": function })
    };
    (!call.tools.is_empty()).then(|| call.tools.iter().map(function).collect())
}

/// What is said before a picture that a tool returned.
pub(super) fn found(result: &ToolResult, image: &Image) -> String {
    format!("Picture {}, which the tool {} returned:", image.name, result.name)
}

/// What is said before a picture. One picture needs no name; several do, so that the person can tell them apart.
pub(super) fn caption(message: &Message, image: &Image) -> Option<String> {
    (message.images.len() > 1).then(|| format!("Picture {}:", image.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_is_that_of_an_object() {
        let fields = json!({ "x": { "oneOf": [{ "type": "number" }, { "type": "null" }] } });
        for (told, expected) in [
            (json!(null), json!({ "type": "object", "properties": {} })),
            (
                json!({ "properties": null }),
                json!({ "type": "object", "properties": {} }),
            ),
            (
                json!({ "$schema": "s", "type": ["object"], "properties": fields, "required": ["x"], "anyOf": [{}] }),
                json!({ "$schema": "s", "type": "object", "properties": fields, "required": ["x"] }),
            ),
        ] {
            let tool = ToolSpec {
                name: "t".to_owned(),
                description: String::new(),
                schema: told,
            };
            assert_eq!(schema(&tool), expected);
        }
    }

    #[test]
    fn arguments_that_are_no_object_are_told_under_a_name() {
        for (told, expected) in [
            ("{\"x\":1}", json!({ "x": 1 })),
            ("{}", json!({})),
            ("{\"x\":", json!({ "arguments": "{\"x\":" })),
            ("[1]", json!({ "arguments": "[1]" })),
        ] {
            let call = ToolCall {
                arguments: told.to_owned(),
                ..ToolCall::default()
            };
            assert_eq!(arguments(&call), expected);
        }
    }
}
