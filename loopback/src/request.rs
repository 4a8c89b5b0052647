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
    #[serde(default)]
    tool_calls: Option<Vec<Called>>,
    #[serde(default)]
    tool_call_id: String,
}

#[derive(Debug, Deserialize)]
struct Called {
    #[serde(default)]
    id: String,
    function: Function,
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
                tool_calls: None,
                tool_call_id: String::new(),
            }],
            stream: false,
            stream_options: StreamOptions::default(),
            logprobs: false,
            tools: Vec::new(),
        }
    }

    /// The names of the tools that it offers.
    pub(crate) fn tools(&self) -> impl Iterator<Item = &str> {
        self.tools.iter().map(|tool| tool.function.name.as_str())
    }

    /// The text of the last user message.
    pub(crate) fn last_user_message(&self) -> Option<String> {
        let asked = self.asked_at()?;
        self.messages.get(asked).map(ChatMessage::text)
    }

    /// Where that is. What only brings the pictures that tools have returned is none.
    fn asked_at(&self) -> Option<usize> {
        let asks = |at: &usize| {
            let brings = *at > 0 && self.messages[*at - 1].is_result() && self.messages[*at].ends_with_picture();
            self.messages[*at].role == "user" && !brings
        };
        (0..self.messages.len()).rev().find(asks)
    }

    /// What there is since.
    fn since(&self) -> &[ChatMessage] {
        let asked = self.asked_at().map_or(self.messages.len(), |at| at + 1);
        &self.messages[asked..]
    }

    /// How often tools were called since the last user message, those of one answer together.
    pub(crate) fn rounds(&self) -> usize {
        self.since()
            .iter()
            .filter(|message| !message.calls().is_empty())
            .count()
    }

    /// How many calls there were, in all messages.
    pub(crate) fn calls(&self) -> usize {
        self.messages.iter().map(|message| message.calls().len()).sum()
    }

    /// What the tools have returned that were called since the last user message, each with its tool.
    pub(crate) fn results(&self) -> impl Iterator<Item = (&str, String)> {
        let since = self.since();
        let results = since.iter().filter(|message| message.is_result());
        results.map(move |result| {
            let mut calls = since.iter().flat_map(ChatMessage::calls);
            let call = calls.find(|call| call.id == result.tool_call_id);
            (call.map_or("nothing", |call| &call.function.name), result.text())
        })
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
    /// Whether it is what a tool has returned.
    pub(crate) fn is_result(&self) -> bool {
        self.role == "tool"
    }

    fn calls(&self) -> &[Called] {
        self.tool_calls.as_deref().unwrap_or_default()
    }

    fn ends_with_picture(&self) -> bool {
        match &self.content {
            Content::Parts(parts) => parts.last().is_some_and(|part| part.kind == "image_url"),
            Content::Text(_) | Content::None => false,
        }
    }

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
