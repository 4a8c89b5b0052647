//! OpenAI's chat completions, which vLLM, llama.cpp, LM Studio and many others speak too.

use reqwest::StatusCode;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json};

use super::{
    Broken, Door, Fault, StreamState,
    calls::Piece,
    endpoint::Address,
    frames::{Frame, Framing},
    gemini,
    list::{Listed, read_list},
    protocol::{Call, Protocol, arguments, base64, caption, found, functions, is_object, parse, put, temperature},
    text::Delta as Text,
};
use crate::{
    agents::{AgentError, Image, Message, ToolCall},
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
    /// Only noticed here: see [`CalledDelta`].
    #[serde(default)]
    tool_calls: Option<IgnoredAny>,
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

/// Calls, read by themselves: `T` is what the arguments are. OpenAI's servers write them as text that may be cut anywhere, some others as an object.
#[derive(Debug, Deserialize)]
struct Called<T> {
    choices: Vec<CalledChoice<T>>,
}

#[derive(Debug, Deserialize)]
struct CalledChoice<T> {
    delta: Option<CalledDelta<T>>,
}

#[derive(Debug, Deserialize)]
struct CalledDelta<T> {
    tool_calls: Option<Vec<CallDelta<T>>>,
}

#[derive(Debug, Deserialize)]
struct CallDelta<T> {
    index: Option<u64>,
    id: Option<Text>,
    function: Option<FunctionDelta<T>>,
    /// What Google's servers want to have back.
    extra_content: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct FunctionDelta<T> {
    name: Option<Text>,
    arguments: Option<T>,
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
        let messages: Vec<_> = system
            .into_iter()
            .chain(history.iter().flat_map(|message| messages(call, message)))
            .collect();
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
        put(&mut body, "tools", functions(call));
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
        if chunk.choices.iter().any(|choice| choice.delta.tool_calls.is_some()) {
            call(frame, state)?;
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
        // DeepSeek's servers refuse calls that come back without it, and it is theirs that use this name.
        if let Some(thought) = reasoning_content {
            state.keep_thought(thought);
        }
        let told = [reasoning_content, reasoning].into_iter().flatten();
        if let Some(thought) = told.into_iter().find(|thought| !thought.0.is_empty()) {
            state.think(thought);
        }
    }
}

fn call(frame: Frame<'_>, state: &mut StreamState) -> Result<(), Fault> {
    if let Ok(called) = parse::<Called<Text>>(frame) {
        return add(called, state, |text| text.0);
    }
    add(parse::<Called<Value>>(frame)?, state, |value| match value {
        Value::Null => Vec::new(),
        Value::String(text) => text.into_bytes(),
        value => value.to_string().into_bytes(),
    })
}

fn add<T>(called: Called<T>, state: &mut StreamState, bytes: impl Fn(T) -> Vec<u8>) -> Result<(), Fault> {
    let deltas = called.choices.into_iter().filter_map(|choice| choice.delta?.tool_calls);
    for delta in deltas.flatten() {
        let (name, arguments) = delta
            .function
            .map_or((None, None), |function| (function.name, function.arguments));
        let text = |told: Option<Text>| told.map(|text| String::from_utf8_lossy(&text.0).into_owned());
        state.calls.add(Piece {
            place: delta.index,
            id: &text(delta.id).unwrap_or_default(),
            name: &text(name).unwrap_or_default(),
            arguments: &arguments.map(&bytes).unwrap_or_default(),
            opaque: delta
                .extra_content
                .filter(Value::is_object)
                .map(|extra| extra.to_string()),
        })?;
    }
    Ok(())
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

/// A message as one or several: each result is one of its own, and before what the person says.
fn messages(call: &Call, message: &Message) -> Vec<Value> {
    let mut messages: Vec<Value> = message
        .results
        .iter()
        .map(|result| json!({ "role": "tool", "tool_call_id": result.id, "content": result.content }))
        .collect();
    // Such a message takes no pictures.
    let mut parts = Vec::new();
    for result in &message.results {
        for image in &result.images {
            parts.push(json!({ "type": "text", "text": found(result, image) }));
            parts.push(picture(image));
        }
    }
    let says = !message.text.is_empty() || !message.images.is_empty() || !parts.is_empty();
    if says || !message.calls.is_empty() {
        messages.push(said(call, message, parts));
    }
    messages
}

/// What one side said, behind these parts.
fn said(call: &Call, message: &Message, mut parts: Vec<Value>) -> Value {
    let role = match message.role {
        Role::User => "user",
        Role::Agent => "assistant",
    };
    if message.images.is_empty() && parts.is_empty() {
        let mut said = json!({ "role": role, "content": message.text });
        if !message.calls.is_empty() {
            if message.text.is_empty() {
                said["content"] = Value::Null;
            }
            said["tool_calls"] = message.calls.iter().map(called).collect();
            // OpenAI's own servers never ask for it, and take no fields that they do not know.
            let thoughts = message.calls.iter().find_map(|call| call.thoughts.as_deref());
            put(&mut said, "reasoning_content", thoughts.filter(|_| !call.own));
        }
        return said;
    }
    if !message.text.is_empty() {
        parts.push(json!({ "type": "text", "text": message.text }));
    }
    for image in &message.images {
        parts.extend(caption(message, image).map(|text| json!({ "type": "text", "text": text })));
        parts.push(picture(image));
    }
    json!({ "role": role, "content": parts })
}

fn picture(image: &Image) -> Value {
    let url = format!("data:{};base64,{}", image.mime, base64(image));
    json!({ "type": "image_url", "image_url": { "url": url } })
}

/// A call, as it is given back: to the letter, unless its server could not read it.
fn called(call: &ToolCall) -> Value {
    let written = if is_object(&call.arguments) {
        call.arguments.clone()
    } else {
        arguments(call).to_string()
    };
    let function = json!({ "name": call.name, "arguments": written });
    let mut called = json!({ "id": call.id, "type": "function", "function": function });
    let opaque = call
        .opaque
        .as_ref()
        .and_then(|opaque| serde_json::from_str(opaque).ok());
    put(&mut called, "extra_content", opaque.filter(Value::is_object));
    called
}
