//! OpenAI's chat completions, which vLLM, llama.cpp, LM Studio and many others speak too.

use reqwest::StatusCode;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json};

use super::{
    Broken, Door, Fault, StreamState,
    endpoint::Address,
    frames::{Frame, Framing},
    gemini,
    list::{Listed, read_list},
    protocol::{Call, Protocol, base64, caption, parse, put, temperature},
    text::Delta as Text,
};
use crate::{
    agents::{AgentError, Message},
    wire::{Incomplete, Role, Usage},
};

/// The format, at the servers of one provider.
#[derive(Debug)]
pub(super) struct OpenAi {
    /// Where they are.
    pub(super) service: &'static str,
}

/// Faults that it reports inside an answer, with the status that each amounts to. Gateways pass on those of other providers.
pub(super) const FAULTS: [(&str, u16); 5] = [
    ("rate_limit_error", 429),
    ("rate_limit_exceeded", 429),
    ("requests", 429),
    ("overloaded_error", 529),
    ("invalid_request_error", 400),
];

/// What models are called that do not chat: OpenAI's list has those as well.
const MUTE: [&str; 9] = [
    "embed",
    "whisper",
    "tts",
    "dall-e",
    "gpt-image",
    "moderation",
    "transcribe",
    "realtime",
    "rerank",
];

#[derive(Debug, Deserialize)]
struct List {
    data: Vec<Model>,
}

/// One model of the list, with what some servers add to it.
#[derive(Debug, Deserialize)]
struct Model {
    id: String,
    /// vLLM's.
    max_model_len: Option<u64>,
    /// OpenRouter's.
    context_length: Option<u64>,
    architecture: Option<Architecture>,
    /// Mistral's.
    max_context_length: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct Architecture {
    input_modalities: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    #[serde(default)]
    usage: Option<ChunkUsage>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Delta,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Delta {
    #[serde(default)]
    content: Option<Text>,
    /// What a model that may not answer says instead.
    #[serde(default)]
    refusal: Option<Text>,
    /// What the model thinks, as vLLM, DeepSeek and llama.cpp call it. Only noticed here: see [`Thought`].
    #[serde(default)]
    reasoning_content: Option<IgnoredAny>,
    /// The same, as OpenRouter and newer vLLM call it.
    #[serde(default)]
    reasoning: Option<IgnoredAny>,
}

/// What the model thinks, read by itself: a server that has something else there than text harms no answer.
#[derive(Debug, Deserialize)]
struct Thoughts {
    choices: Vec<ThoughtChoice>,
}

#[derive(Debug, Deserialize)]
struct ThoughtChoice {
    #[serde(default)]
    delta: Thought,
}

#[derive(Debug, Default, Deserialize)]
struct Thought {
    #[serde(default)]
    reasoning_content: Option<Text>,
    #[serde(default)]
    reasoning: Option<Text>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct ChunkUsage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
}

impl From<ChunkUsage> for Usage {
    fn from(usage: ChunkUsage) -> Self {
        Self {
            input: usage.prompt_tokens,
            output: usage.completion_tokens,
        }
    }
}

impl Protocol for OpenAi {
    fn service(&self) -> &'static str {
        self.service
    }

    fn locate(&self, address: &mut Address, _model: &str) {
        address.version("v1");
        address.append(["chat", "completions"]);
    }

    fn locate_door(&self, address: &mut Address, door: Door) -> bool {
        address.version("v1");
        match door {
            Door::Chat => address.append(["chat", "completions"]),
            Door::Embeddings => address.append(["embeddings"]),
        }
        true
    }

    fn locate_list(&self, address: &mut Address) {
        address.version("v1");
        address.append(["models"]);
    }

    fn read_list(&self, list: &[u8]) -> Result<Vec<Listed>, Broken> {
        let List { data } = read_list(list)?;
        let chats = |model: &Model| !MUTE.iter().any(|word| model.id.contains(word));
        let listed = data.into_iter().filter(chats).map(|model| Listed {
            context: model
                .max_model_len
                .or(model.context_length)
                .or(model.max_context_length),
            vision: model.architecture.and_then(|architecture| {
                let kinds = architecture.input_modalities?;
                Some(kinds.iter().any(|kind| kind == "image"))
            }),
            ..Listed::new(model.id)
        });
        Ok(listed.collect())
    }

    fn body(&self, call: &Call, history: &[Message]) -> Value {
        let system = call.parameters.system.as_ref();
        let system = system.map(|text| json!({ "role": "system", "content": text }));
        let messages: Vec<_> = system.into_iter().chain(history.iter().map(message)).collect();
        let mut body = json!({
            "model": call.model,
            "messages": messages,
            "stream": true,
            "stream_options": { "include_usage": true },
        });
        put(&mut body, "temperature", temperature(&call.parameters));
        // OpenAI's newer models refuse the old name, and many servers that speak the format know no other.
        let longest = if call.own {
            "max_completion_tokens"
        } else {
            "max_tokens"
        };
        put(&mut body, longest, call.parameters.max_tokens);
        body
    }

    fn framing(&self) -> Framing {
        Framing::Events
    }

    fn read(&self, frame: Frame<'_>, state: &mut StreamState) -> Result<(), Fault> {
        if frame.data == b"[DONE]" {
            state.over = true;
            return Ok(());
        }
        let chunk: Chunk = parse(frame)?;
        if let Some(error) = chunk.error {
            return Err(Fault::reported(&error, &FAULTS));
        }
        let thinks = |delta: &Delta| delta.reasoning_content.is_some() || delta.reasoning.is_some();
        if chunk.choices.iter().any(|choice| thinks(&choice.delta)) {
            think(frame, state);
        }
        for choice in chunk.choices {
            for text in [choice.delta.content, choice.delta.refusal].iter().flatten() {
                state.say(text);
            }
            if let Some(reason) = choice.finish_reason {
                state.finish(incomplete(&reason));
            }
        }
        if let Some(usage) = chunk.usage {
            state.usage = usage.into();
        }
        Ok(())
    }

    /// Google's servers speak this format too.
    fn refusal(&self, status: StatusCode, body: &str) -> Option<AgentError> {
        gemini::bad_key(status, body)
    }
}

/// Some servers tell the same thought under both names.
fn think(frame: Frame<'_>, state: &mut StreamState) {
    let Ok(thoughts) = parse::<Thoughts>(frame) else { return };
    for Thought {
        reasoning_content,
        reasoning,
    } in thoughts.choices.iter().map(|choice| &choice.delta)
    {
        let told = [reasoning_content, reasoning].into_iter().flatten();
        if let Some(thought) = told.into_iter().find(|thought| !thought.0.is_empty()) {
            state.think(thought);
        }
    }
}

/// `abort` and `error` are vLLM's and OpenRouter's.
pub(super) fn incomplete(reason: &str) -> Option<Incomplete> {
    match reason {
        "length" => Some(Incomplete::Length),
        "content_filter" => Some(Incomplete::Filter),
        "abort" | "error" => Some(Incomplete::Other),
        _ => None,
    }
}

fn message(message: &Message) -> Value {
    let role = match message.role {
        Role::User => "user",
        Role::Agent => "assistant",
    };
    if message.images.is_empty() {
        return json!({ "role": role, "content": message.text });
    }
    let mut parts = Vec::new();
    if !message.text.is_empty() {
        parts.push(json!({ "type": "text", "text": message.text }));
    }
    for image in &message.images {
        parts.extend(caption(message, image).map(|text| json!({ "type": "text", "text": text })));
        let url = format!("data:{};base64,{}", image.mime, base64(image));
        parts.push(json!({ "type": "image_url", "image_url": { "url": url } }));
    }
    json!({ "role": role, "content": parts })
}
