//! Ollama's own chat API.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Broken, Fault, StreamState,
    calls::{Piece, is_made},
    endpoint::Address,
    frames::{Frame, Framing},
    list::{Listed, read_list},
    protocol::{Call, Protocol, arguments, base64, found, functions, parse, put, temperature},
    text::Delta,
};
use crate::{
    agents::{Message, ToolCall},
    wire::{Incomplete, Role, Usage},
};

#[derive(Debug)]
pub(super) struct Ollama;

#[derive(Debug, Deserialize)]
struct Tags {
    models: Vec<Tag>,
}

#[derive(Debug, Deserialize)]
struct Tag {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Line {
    #[serde(default)]
    message: Said,
    #[serde(default)]
    done: bool,
    done_reason: Option<String>,
    prompt_eval_count: Option<u64>,
    eval_count: Option<u64>,
    error: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
struct Said {
    #[serde(default)]
    content: Delta,
    #[serde(default)]
    thinking: Option<Delta>,
    tool_calls: Option<Vec<Called>>,
}

#[derive(Debug, Deserialize)]
struct Called {
    /// Only later versions have one.
    id: Option<String>,
    function: Function,
}

#[derive(Debug, Deserialize)]
struct Function {
    name: String,
    arguments: Option<Value>,
}

impl Protocol for Ollama {
    fn service(&self) -> &'static str {
        "http://127.0.0.1:11434"
    }

    fn needs_key(&self) -> bool {
        false
    }

    fn locate(&self, address: &mut Address, _model: &str) {
        // What its OpenAI-compatible half and its own are under.
        address.strip(&["v1", "api"]);
        address.append(["api", "chat"]);
    }

    fn locate_list(&self, address: &mut Address) {
        address.strip(&["v1", "api"]);
        address.append(["api", "tags"]);
    }

    fn read_list(&self, list: &[u8]) -> Result<Vec<Listed>, Broken> {
        let Tags { models } = read_list(list)?;
        let chats = |model: &Tag| !model.name.contains("embed");
        Ok(models
            .into_iter()
            .filter(chats)
            .map(|model| Listed::new(model.name))
            .collect())
    }

    fn body(&self, call: &Call, history: &[Message]) -> Value {
        let system = call.parameters.system.as_ref();
        let system = system.map(|text| json!({ "role": "system", "content": text }));
        let messages: Vec<_> = system.into_iter().chain(history.iter().flat_map(messages)).collect();
        let mut body = json!({ "model": call.model, "messages": messages, "stream": true });
        let mut options = json!({});
        put(&mut options, "temperature", temperature(&call.parameters));
        put(&mut options, "num_predict", call.parameters.max_tokens);
        // It cuts what is longer than its own number without a word.
        put(&mut options, "num_ctx", call.context);
        if options != json!({}) {
            body["options"] = options;
        }
        put(&mut body, "tools", functions(call));
        body
    }

    fn framing(&self) -> Framing {
        Framing::Lines
    }

    fn read(&self, frame: Frame<'_>, state: &mut StreamState) -> Result<(), Fault> {
        let line: Line = parse(frame)?;
        if let Some(error) = line.error {
            return Err(Fault::reported(&error, &[]));
        }
        if let Some(thought) = &line.message.thinking {
            state.think(thought);
        }
        state.say(&line.message.content);
        for Called { id, function } in line.message.tool_calls.unwrap_or_default() {
            let piece = Piece {
                id: &id.unwrap_or_default(),
                name: &function.name,
                ..Piece::default()
            };
            let arguments = function.arguments.filter(|arguments| !arguments.is_null());
            let written = arguments.map(|arguments| match arguments {
                Value::String(written) => written,
                arguments => arguments.to_string(),
            });
            state.calls.begin(piece, written)?;
        }
        if line.done {
            state.usage = Usage {
                input: line.prompt_eval_count,
                output: line.eval_count,
            };
            let length = line.done_reason.is_some_and(|reason| reason == "length");
            state.finish(length.then_some(Incomplete::Length));
            state.over = true;
        }
        Ok(())
    }
}

/// A message as one or several: each result is one of its own, and before what the person says.
fn messages(message: &Message) -> Vec<Value> {
    let mut messages = Vec::new();
    let (mut text, mut images) = (Vec::new(), Vec::new());
    for result in &message.results {
        let mut returned = json!({ "role": "tool", "tool_name": result.name, "content": result.content });
        put(&mut returned, "tool_call_id", known(&result.id));
        messages.push(returned);
        for image in &result.images {
            text.push(found(result, image));
            images.push(base64(image));
        }
    }
    if !message.text.is_empty() {
        text.push(message.text.clone());
    }
    images.extend(message.images.iter().map(base64));
    if message.results.is_empty() || !text.is_empty() || !images.is_empty() {
        messages.push(said(message, &text.join("\n\n"), images));
    }
    messages
}

fn said(message: &Message, text: &str, images: Vec<String>) -> Value {
    let role = match message.role {
        Role::User => "user",
        Role::Agent => "assistant",
    };
    let mut said = json!({ "role": role, "content": text });
    if !images.is_empty() {
        said["images"] = images.into();
    }
    if !message.calls.is_empty() {
        said["tool_calls"] = message.calls.iter().map(called).collect();
    }
    said
}

fn called(call: &ToolCall) -> Value {
    let mut called = json!({ "function": { "name": call.name, "arguments": arguments(call) } });
    put(&mut called, "id", known(&call.id));
    called
}

/// An id, unless it was made here.
fn known(id: &str) -> Option<&str> {
    (!is_made(id)).then_some(id)
}
