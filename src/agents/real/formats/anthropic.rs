//! Anthropic's messages API.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Format, Heard, base64, caption, parse};
use crate::{
    agents::{
        Message,
        real::{
            Fault,
            frames::{Frame, Framing},
            text::Delta,
        },
    },
    wire::{Incomplete, Role},
};

#[derive(Debug)]
pub(super) struct Anthropic;

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
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
struct TextDelta {
    text: Delta,
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

impl Format for Anthropic {
    fn framing(&self) -> Framing {
        Framing::Events
    }

    fn body(&self, model: &str, system: Option<&str>, history: &[Message]) -> Value {
        let mut body = json!({
            "model": model,
            "max_tokens": max_tokens(model),
            "messages": history.iter().map(message).collect::<Vec<_>>(),
            "stream": true,
        });
        if let Some(text) = system {
            body["system"] = json!(text);
        }
        body
    }

    fn read(&self, frame: Frame<'_>, heard: &mut Heard) -> Result<(), Fault> {
        match parse::<Tagged<Event>>(frame)?.r#type {
            Event::MessageStart => count(parse::<MessageStart>(frame)?.message.usage, heard),
            Event::ContentBlockDelta => {
                if let DeltaKind::TextDelta = parse::<BlockDelta<Tagged<DeltaKind>>>(frame)?.delta.r#type {
                    heard.say(&parse::<BlockDelta<TextDelta>>(frame)?.delta.text);
                }
            }
            Event::MessageDelta => {
                let MessageDelta { delta, usage } = parse(frame)?;
                if let Some(reason) = delta.stop_reason {
                    heard.finish(incomplete(&reason));
                }
                count(usage, heard);
            }
            Event::MessageStop => {
                heard.finished = true;
                heard.over = true;
            }
            Event::Error => return Err(Fault::reported(&parse::<ErrorEvent>(frame)?.error)),
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
fn count(tokens: Option<Tokens>, heard: &mut Heard) {
    let Some(tokens) = tokens else { return };
    if let Some(input) = tokens.input_tokens {
        let cached = [tokens.cache_creation_input_tokens, tokens.cache_read_input_tokens];
        heard.usage.input = Some(cached.into_iter().flatten().fold(input, u64::saturating_add));
    }
    heard.usage.output = tokens.output_tokens.or(heard.usage.output);
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
