//! Anthropic's messages API.

use reqwest::header::HeaderName;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Broken, Fault, StreamState,
    endpoint::Address,
    frames::{Frame, Framing},
    list::{Listed, read_list},
    protocol::{Call, Protocol, base64, caption, parse, put, temperature},
    text::Delta,
};
use crate::{
    agents::Message,
    wire::{Incomplete, Role},
};

#[derive(Debug)]
pub(super) struct Anthropic;

/// Faults that it reports inside an answer, with the status that each amounts to.
const FAULTS: [(&str, u16); 3] = [
    ("rate_limit_error", 429),
    ("overloaded_error", 529),
    ("invalid_request_error", 400),
];

#[derive(Debug, Deserialize)]
struct List {
    data: Vec<Model>,
}

#[derive(Debug, Deserialize)]
struct Model {
    id: String,
    display_name: Option<String>,
    max_input_tokens: Option<u64>,
}

/// Serde would read the text of an enum that is tagged inside as UTF-8 only, so the tag is read by itself.
#[derive(Debug, Deserialize)]
struct Tagged<T> {
    r#type: T,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Event {
    MessageStart,
    ContentBlockDelta,
    MessageDelta,
    MessageStop,
    Error,
    /// Pings, the beginning and end of a block, and what is added one day.
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
struct MessageStart {
    message: Started,
}

#[derive(Debug, Deserialize)]
struct Started {
    usage: Option<Tokens>,
}

#[derive(Debug, Deserialize)]
struct BlockDelta<T> {
    delta: T,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DeltaKind {
    TextDelta,
    ThinkingDelta,
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
struct TextDelta {
    text: Delta,
}

#[derive(Debug, Deserialize)]
struct ThinkingDelta {
    thinking: Delta,
}

#[derive(Debug, Deserialize)]
struct MessageDelta {
    delta: Stop,
    usage: Option<Tokens>,
}

#[derive(Debug, Deserialize)]
struct Stop {
    stop_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ErrorEvent {
    error: Value,
}

#[derive(Debug, Deserialize)]
struct Tokens {
    input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    output_tokens: Option<u64>,
}

impl Protocol for Anthropic {
    fn service(&self) -> &'static str {
        "https://api.anthropic.com"
    }

    fn locate(&self, address: &mut Address, _model: &str) {
        address.version("v1");
        address.append(["messages"]);
    }

    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[("anthropic-version", "2023-06-01")]
    }

    fn key_header(&self, key: &str) -> (HeaderName, String) {
        (HeaderName::from_static("x-api-key"), key.to_owned())
    }

    fn locate_list(&self, address: &mut Address) {
        address.version("v1");
        address.append(["models"]);
        address.query("limit", "1000");
    }

    fn read_list(&self, list: &[u8]) -> Result<Vec<Listed>, Broken> {
        let List { data } = read_list(list)?;
        let listed = data.into_iter().map(|model| Listed {
            title: model.display_name,
            context: model.max_input_tokens,
            ..Listed::new(model.id)
        });
        Ok(listed.collect())
    }

    fn body(&self, call: &Call, history: &[Message]) -> Value {
        let mut body = json!({
            "model": call.model,
            "max_tokens": call.parameters.max_tokens.unwrap_or_else(|| max_tokens(&call.model)),
            "messages": history.iter().map(message).collect::<Vec<_>>(),
            "stream": true,
        });
        put(&mut body, "system", call.parameters.system.clone());
        // Its scale ends at 1, where the others' goes on to 2.
        put(
            &mut body,
            "temperature",
            temperature(&call.parameters).map(|value| value.min(1.0)),
        );
        body
    }

    fn framing(&self) -> Framing {
        Framing::Events
    }

    fn read(&self, frame: Frame<'_>, state: &mut StreamState) -> Result<(), Fault> {
        match parse::<Tagged<Event>>(frame)?.r#type {
            Event::MessageStart => count(parse::<MessageStart>(frame)?.message.usage, state),
            Event::ContentBlockDelta => match parse::<BlockDelta<Tagged<DeltaKind>>>(frame)?.delta.r#type {
                DeltaKind::TextDelta => state.say(&parse::<BlockDelta<TextDelta>>(frame)?.delta.text),
                DeltaKind::ThinkingDelta => state.think(&parse::<BlockDelta<ThinkingDelta>>(frame)?.delta.thinking),
                DeltaKind::Other => {}
            },
            Event::MessageDelta => {
                let MessageDelta { delta, usage } = parse(frame)?;
                if let Some(reason) = delta.stop_reason {
                    state.finish(incomplete(&reason));
                }
                count(usage, state);
            }
            Event::MessageStop => {
                state.finished = true;
                state.over = true;
            }
            Event::Error => return Err(Fault::reported(&parse::<ErrorEvent>(frame)?.error, &FAULTS)),
            Event::Other => {}
        }
        Ok(())
    }
}

fn incomplete(reason: &str) -> Option<Incomplete> {
    match reason {
        "max_tokens" | "model_context_window_exceeded" => Some(Incomplete::Length),
        "refusal" => Some(Incomplete::Filter),
        _ => None,
    }
}

/// The counts come in parts, and later ones replace earlier ones.
fn count(tokens: Option<Tokens>, state: &mut StreamState) {
    let Some(tokens) = tokens else { return };
    if let Some(input) = tokens.input_tokens {
        let cached = [tokens.cache_creation_input_tokens, tokens.cache_read_input_tokens];
        state.usage.input = Some(cached.into_iter().flatten().fold(input, u64::saturating_add));
    }
    state.usage.output = tokens.output_tokens.or(state.usage.output);
}

/// The API wants a bound and refuses one above the model's own: 4,096 for the first models of Claude 3 and those
/// before; every later one takes this much.
fn max_tokens(model: &str) -> u32 {
    const SHORT: [&str; 5] = [
        "claude-3-opus",
        "claude-3-sonnet",
        "claude-3-haiku",
        "claude-2",
        "claude-instant",
    ];
    if SHORT.iter().any(|name| model.contains(name)) {
        4096
    } else {
        8192
    }
}

fn message(message: &Message) -> Value {
    let role = match message.role {
        Role::User => "user",
        Role::Agent => "assistant",
    };
    let mut blocks = Vec::new();
    for image in &message.images {
        blocks.extend(caption(message, image).map(|text| json!({ "type": "text", "text": text })));
        let source = json!({ "type": "base64", "media_type": image.mime, "data": base64(image) });
        blocks.push(json!({ "type": "image", "source": source }));
    }
    // A block of blank text is refused.
    if !message.text.trim().is_empty() {
        blocks.push(json!({ "type": "text", "text": message.text }));
    }
    json!({ "role": role, "content": blocks })
}
