//! OpenAI's chat completions, which vLLM, llama.cpp, LM Studio and many others speak too.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Format, Heard, base64, caption, parse};
use crate::{
    agents::{
        Message,
        real::{
            Fault,
            frames::{Frame, Framing},
            text::Delta as Text,
        },
    },
    wire::{Incomplete, Role, Usage},
};

#[derive(Debug)]
pub(super) struct OpenAi;

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
}

#[derive(Debug, Deserialize)]
struct ChunkUsage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
}

impl Format for OpenAi {
    fn framing(&self) -> Framing {
        Framing::Events
    }

    fn body(&self, model: &str, system: Option<&str>, history: &[Message]) -> Value {
        let system = system.map(|text| json!({ "role": "system", "content": text }));
        let messages: Vec<_> = system.into_iter().chain(history.iter().map(message)).collect();
        json!({
            "model": model,
            "messages": messages,
            "stream": true,
            "stream_options": { "include_usage": true },
        })
    }

    fn read(&self, frame: Frame<'_>, heard: &mut Heard) -> Result<(), Fault> {
        if frame.data == b"[DONE]" {
            heard.over = true;
            return Ok(());
        }
        let chunk: Chunk = parse(frame)?;
        if let Some(error) = chunk.error {
            return Err(Fault::reported(&error));
        }
        for choice in chunk.choices {
            for text in [choice.delta.content, choice.delta.refusal].iter().flatten() {
                heard.say(text);
            }
            if let Some(reason) = choice.finish_reason {
                heard.finish(incomplete(&reason));
            }
        }
        if let Some(usage) = chunk.usage {
            heard.usage = Usage {
                input: usage.prompt_tokens,
                output: usage.completion_tokens,
            };
        }
        Ok(())
    }
}

/// `abort` and `error` are vLLM's and OpenRouter's.
fn incomplete(reason: &str) -> Option<Incomplete> {
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
