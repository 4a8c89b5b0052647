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
        },
    },
    wire::{Role, Usage},
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
    content: Option<String>,
    /// What a model that may not answer says instead.
    #[serde(default)]
    refusal: Option<String>,
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
            heard.text.push_str(choice.delta.content.as_deref().unwrap_or_default());
            heard.text.push_str(choice.delta.refusal.as_deref().unwrap_or_default());
            heard.finished |= choice.finish_reason.is_some();
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
