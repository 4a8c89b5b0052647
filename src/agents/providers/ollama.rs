//! Ollama's own chat API.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Broken, Fault, StreamState,
    endpoint::Address,
    frames::{Frame, Framing},
    list::{Listed, read_list},
    protocol::{Call, Protocol, base64, parse, put, temperature},
    text::Delta,
};
use crate::{
    agents::Message,
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
        let messages: Vec<_> = system.into_iter().chain(history.iter().map(message)).collect();
        let mut body = json!({ "model": call.model, "messages": messages, "stream": true });
        let mut options = json!({});
        put(&mut options, "temperature", temperature(&call.parameters));
        put(&mut options, "num_predict", call.parameters.max_tokens);
        // It cuts what is longer than its own number without a word.
        put(&mut options, "num_ctx", call.context);
        if options != json!({}) {
            body["options"] = options;
        }
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

fn message(message: &Message) -> Value {
    let role = match message.role {
        Role::User => "user",
        Role::Agent => "assistant",
    };
    let mut said = json!({ "role": role, "content": message.text });
    if !message.images.is_empty() {
        said["images"] = message.images.iter().map(base64).collect();
    }
    said
}
