//! The part of OpenAI's chat request that this server looks at.

use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
pub(crate) struct ChatRequest {
    pub(crate) model: String,
    pub(crate) messages: Vec<ChatMessage>,
    #[serde(default)]
    pub(crate) stream: bool,
    #[serde(default)]
    pub(crate) stream_options: StreamOptions,
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
