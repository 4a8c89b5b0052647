//! A program's request for a server that speaks another format than programs do: its messages as a question. What such a server cannot honour
//! is refused where the answer would be another one without it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::{
    Request, RequestFault,
    request::{field, fields},
};
use crate::{
    agents::{Door, Image, Message, Parameters},
    wire::Role,
};

/// Fields that are read, or that change no word of an answer.
const HONOURED: [&str; 15] = [
    "model",
    "messages",
    "stream",
    "stream_options",
    "temperature",
    "max_tokens",
    "max_completion_tokens",
    "user",
    "metadata",
    "store",
    "service_tier",
    "parallel_tool_calls",
    "prediction",
    "prompt_cache_key",
    "safety_identifier",
];

/// Values that say nothing.
const NEUTRAL: [(&str, &[&str]); 11] = [
    ("n", &["1"]),
    ("top_p", &["1", "1.0"]),
    ("frequency_penalty", &["0", "0.0"]),
    ("presence_penalty", &["0", "0.0"]),
    ("logprobs", &["false"]),
    ("tools", &["[]"]),
    ("functions", &["[]"]),
    ("tool_choice", &["\"none\"", "\"auto\""]),
    ("logit_bias", &["{}"]),
    ("stop", &["[]"]),
    ("modalities", &["[\"text\"]"]),
];

#[derive(Deserialize)]
struct Said<'a> {
    role: String,
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tool_calls: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Part {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    refusal: Option<String>,
    #[serde(default)]
    image_url: Option<ImageUrl>,
}

#[derive(Deserialize)]
struct ImageUrl {
    url: String,
}

impl Request {
    /// Its messages as a question, and how that is to be answered. Nothing of its history may be left out.
    ///
    /// # Errors
    /// It has something that such a server cannot honour.
    pub fn question(&self) -> Result<(Vec<Message>, Parameters), RequestFault> {
        if self.door != Door::Chat {
            return Err(RequestFault {
                code: Some("model_not_found"),
                ..RequestFault::of(
                    "model",
                    "The server of this model makes no embeddings. Choose another model.",
                )
            });
        }
        let fields = fields(&self.body)?;
        for (name, raw) in &fields {
            let is_neutral = |(known, values): &(&str, &[&str])| known == name && values.contains(&raw.get());
            let is_honoured = raw.get() == "null"
                || HONOURED.contains(&&**name)
                || NEUTRAL.iter().any(is_neutral)
                || name == "response_format" && is_plain_text(raw);
            if !is_honoured {
                return Err(RequestFault::unsupported(name));
            }
        }
        let said: Option<Vec<Said<'_>>> = field(&fields, "messages", "a list of messages")?;
        let mut system: Option<String> = None;
        let mut messages = Vec::new();
        for (at, one) in said.unwrap_or_default().into_iter().enumerate() {
            let param = format!("messages.[{at}]");
            if one
                .tool_calls
                .is_some_and(|calls| !matches!(calls.get(), "null" | "[]"))
            {
                return Err(RequestFault::unsupported(&format!("{param}.tool_calls")));
            }
            let (text, images) = content(one.content, &param, messages.len())?;
            let role = match one.role.as_str() {
                "system" | "developer" => {
                    let system = system.get_or_insert_default();
                    if !system.is_empty() {
                        system.push_str("\n\n");
                    }
                    system.push_str(&text);
                    continue;
                }
                "user" => Role::User,
                "assistant" => Role::Agent,
                _ => return Err(RequestFault::unsupported(&format!("{param}.role"))),
            };
            messages.push(Message {
                images,
                ..Message::said(role, text)
            });
        }
        let asks = messages.last().is_some_and(|last| last.role == Role::User);
        if !asks {
            let fault = "The last of the messages has to be the user's, with the server of this model.";
            return Err(RequestFault::of("messages", fault));
        }
        let longest: Option<u32> = field(&fields, "max_completion_tokens", "a number of tokens")?;
        let old_name: Option<u32> = field(&fields, "max_tokens", "a number of tokens")?;
        let parameters = Parameters {
            system,
            temperature: field(&fields, "temperature", "a number")?,
            max_tokens: longest.or(old_name),
            whole: true,
        };
        Ok((messages, parameters))
    }
}

fn is_plain_text(format: &RawValue) -> bool {
    let format: Result<Value, _> = serde_json::from_str(format.get());
    format.is_ok_and(|format| format["type"] == "text")
}

/// What a message says, and its pictures.
fn content(content: Option<&RawValue>, param: &str, before: usize) -> Result<(String, Vec<Image>), RequestFault> {
    let content = content.map_or("null", RawValue::get);
    let wrong = |error: serde_json::Error| {
        let param = format!("{param}.content");
        RequestFault::of(
            &param,
            format!("`{param}` has to be a text, or a list of parts ({error})."),
        )
    };
    if !content.starts_with('[') {
        let text: Option<String> = serde_json::from_str(content).map_err(wrong)?;
        return Ok((text.unwrap_or_default(), Vec::new()));
    }
    let parts: Vec<Part> = serde_json::from_str(content).map_err(wrong)?;
    let (mut texts, mut images) = (Vec::new(), Vec::new());
    for (at, part) in parts.into_iter().enumerate() {
        let param = format!("{param}.content.[{at}]");
        match (part.kind.as_str(), part.text.or(part.refusal), part.image_url) {
            ("text" | "refusal", Some(text), _) => texts.push(text),
            ("image_url", _, Some(ImageUrl { url })) => {
                let name = format!("{}-{}", before + 1, images.len() + 1);
                let image = picture(name, &url).ok_or_else(|| {
                    let param = format!("{param}.image_url.url");
                    let fault =
                        "The server of this model takes pictures as data URLs only (`data:image/png;base64,…`).";
                    RequestFault::of(&param, fault)
                })?;
                images.push(image);
            }
            _ => return Err(RequestFault::unsupported(&format!("{param}.type"))),
        }
    }
    Ok((texts.join("\n"), images))
}

/// The picture of a `data:` URL; `None`: it is none, or its content stands elsewhere.
fn picture(name: String, url: &str) -> Option<Image> {
    let (mime, content) = url.strip_prefix("data:")?.split_once(";base64,")?;
    Some(Image {
        name,
        mime: mime.to_owned(),
        bytes: Bytes::from(STANDARD.decode(content.trim()).ok()?),
        found: false,
    })
}
