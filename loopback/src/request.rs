//! The part of OpenAI's chat request that this server looks at.

use serde::Deserialize;
use serde_json::Value;

/// What texts as vectors are asked for with.
#[derive(Debug, Deserialize)]
pub(crate) struct EmbeddingsRequest {
    pub(crate) model: String,
    input: Texts,
    #[serde(default)]
    encoding_format: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    Some(Vec<String>),
}

impl EmbeddingsRequest {
    pub(crate) fn texts(&self) -> Vec<String> {
        match &self.input {
            Texts::One(text) => vec![text.clone()],
            Texts::Some(texts) => texts.clone(),
        }
    }

    pub(crate) fn is_base64(&self) -> bool {
        self.encoding_format.as_deref() == Some("base64")
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct ChatRequest {
    pub(crate) model: String,
    pub(crate) messages: Vec<ChatMessage>,
    #[serde(default)]
    pub(crate) stream: bool,
    #[serde(default)]
    pub(crate) stream_options: StreamOptions,
    #[serde(default)]
    pub(crate) logprobs: bool,
    #[serde(default)]
    tools: Vec<Tool>,
}

#[derive(Debug, Deserialize)]
struct Tool {
    function: Function,
}

#[derive(Debug, Deserialize)]
struct Function {
    name: String,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct StreamOptions {
    #[serde(default)]
    pub(crate) include_usage: bool,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ChatMessage {
    role: String,
    #[serde(default)]
    content: Content,
}

#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
    #[default]
    None,
}

#[derive(Debug, Deserialize)]
struct Part {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    image_url: Value,
}

impl ChatRequest {
    /// One that says nothing but this.
    pub(crate) fn saying(model: &str, text: &str) -> Self {
        Self {
            model: model.to_owned(),
            messages: vec![ChatMessage {
                role: "user".to_owned(),
                content: Content::Text(text.to_owned()),
            }],
            stream: false,
            stream_options: StreamOptions::default(),
            logprobs: false,
            tools: Vec::new(),
        }
    }

    /// The first tool that it offers.
    pub(crate) fn tool(&self) -> Option<String> {
        self.tools.first().map(|tool| tool.function.name.clone())
    }

    /// The text of the last user message.
    pub(crate) fn last_user_message(&self) -> Option<String> {
        self.messages
            .iter()
            .rev()
            .find(|message| message.role == "user")
            .map(ChatMessage::text)
    }

    /// The system message, or OpenAI's newer name for it.
    pub(crate) fn system(&self) -> Option<String> {
        self.messages
            .iter()
            .find(|message| matches!(message.role.as_str(), "system" | "developer"))
            .map(ChatMessage::text)
    }

    pub(crate) fn images(&self) -> usize {
        self.messages.iter().map(ChatMessage::images).sum()
    }

    /// Tokens of all messages, roughly: their words.
    pub(crate) fn tokens(&self) -> usize {
        self.messages
            .iter()
            .map(|message| message.text().split_whitespace().count())
            .sum()
    }
}

impl ChatMessage {
    fn text(&self) -> String {
        match &self.content {
            Content::Text(text) => text.clone(),
            Content::Parts(parts) => {
                let texts: Vec<_> = parts
                    .iter()
                    .filter(|part| part.kind == "text")
                    .map(|part| part.text.as_str())
                    .collect();
                texts.join("\n")
            }
            Content::None => String::new(),
        }
    }

    fn images(&self) -> usize {
        match &self.content {
            Content::Parts(parts) => parts.iter().filter(|part| part.image_url.get("url").is_some()).count(),
            Content::Text(_) | Content::None => 0,
        }
    }
}
