//! A program's request, read as far as it is needed: all else is passed on as it came.

use std::{borrow::Cow, collections::BTreeMap};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};
use sha2::{Digest as _, Sha256};

use super::RequestFault;
use crate::agents::Door;

/// The fields of a request as they were written.
pub(crate) type Fields<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

/// What a program asks.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where it goes.
    pub door: Door,
    /// What the program calls the model.
    pub called: String,
    /// Whether the answer is to come as a stream.
    pub streams: bool,
    /// Whether the program wants a stream to tell its usage.
    pub usage: bool,
    /// How freely the model chooses its words, where that is said.
    pub(super) temperature: Option<f32>,
    /// Another answer is wanted than one that is there.
    pub fresh: bool,
    /// Its answer is to be kept for nobody.
    pub unkept: bool,
    /// Whether there may be pictures in it.
    pub(super) images: bool,
    /// All of it.
    pub(super) body: Bytes,
    /// What follows the model in the JSON that is passed on.
    rest: String,
}

#[derive(Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: Option<bool>,
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// It is none.
    pub fn read(door: Door, body: Bytes) -> Result<Self, RequestFault> {
        let fields = fields(&body)?;
        let called: Option<String> = field(
            &fields,
            "model",
            "a model's name, such as one that GET /v1/models lists",
        )?;
        let called = called.filter(|called| !called.is_empty());
        let called = called.ok_or_else(|| {
            RequestFault::of(
                "model",
                "Name a model in `model`, such as one that GET /v1/models lists.",
            )
        })?;
        let (list, what) = match door {
            Door::Chat => ("messages", "a list with at least one message"),
            Door::Embeddings => ("input", "a text, or a list of texts"),
        };
        let content = fields.get(list).map(|raw| raw.get());
        let content = content.filter(|content| !matches!(*content, "null" | "[]" | "\"\""));
        let content = content.ok_or_else(|| RequestFault::of(list, format!("`{list}` has to be {what}.")))?;
        let streams: Option<bool> = field(&fields, "stream", "true or false")?;
        let streams = streams.unwrap_or(false) && door == Door::Chat;
        let options: Option<StreamOptions> = field(&fields, "stream_options", "an object")?;
        let usage = options.and_then(|options| options.include_usage).unwrap_or(false);
        // What is no number is the server's to refuse.
        let temperature = field(&fields, "temperature", "a number").unwrap_or_default();
        let images = content.contains("\"image_url\"");
        let rest = rest(&fields, streams && !usage)?;
        Ok(Self {
            door,
            called,
            streams,
            usage: streams && usage,
            temperature,
            fresh: false,
            unkept: false,
            images,
            rest,
            body,
        })
    }

    /// The JSON that a server gets which calls the model so.
    pub(super) fn to(&self, model: &str) -> Bytes {
        let model = Value::from(model).to_string();
        Bytes::from([r#"{"model":"#, &model, &self.rest].concat())
    }

    /// All that is passed on but the model.
    pub(super) fn rest(&self) -> &str {
        &self.rest
    }

    /// Two requests with the same are the same.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update([u8::from(self.door == Door::Chat)]);
        hash.update(&self.body);
        hash.finalize().into()
    }
}

pub(crate) fn fields(body: &[u8]) -> Result<Fields<'_>, RequestFault> {
    serde_json::from_slice(body).map_err(|error| RequestFault::unreadable(&error.to_string()))
}

/// A field, where it is there and not null.
pub(crate) fn field<'a, T: Deserialize<'a>>(
    fields: &Fields<'a>,
    name: &str,
    what: &str,
) -> Result<Option<T>, RequestFault> {
    let Some(raw) = fields.get(name) else { return Ok(None) };
    let read: Result<Option<T>, _> = serde_json::from_str(raw.get());
    read.map_err(|error| RequestFault::of(name, format!("`{name}` has to be {what} ({error}).")))
}

/// All fields but the model. A stream is asked for its usage in any case, which is counted.
fn rest(fields: &Fields<'_>, ask_usage: bool) -> Result<String, RequestFault> {
    let mut rest = String::with_capacity(fields.values().map(|raw| raw.get().len() + 24).sum());
    let mut put = |name: &str, json: &str| {
        rest.push(',');
        rest.push_str(&Value::from(name).to_string());
        rest.push(':');
        rest.push_str(json);
    };
    for (name, raw) in fields {
        if name != "model" && !(ask_usage && name == "stream_options") {
            put(name, raw.get());
        }
    }
    if ask_usage {
        let options: Option<Map<String, Value>> = field(fields, "stream_options", "an object")?;
        let mut options = options.unwrap_or_default();
        options.insert("include_usage".to_owned(), true.into());
        put("stream_options", &Value::from(options).to_string());
    }
    rest.push('}');
    Ok(rest)
}
