//! What the server tells, read in the browser by the browser's own JSON parser; serde's derived code takes it from there. With
//! serde_json's parser, of which every type gets copies, a first visit would take 40 KB more.

use std::{fmt, str};

use leptos::server_fn::{
    Bytes, ContentType, Decodes, Encodes, Format, FormatType,
    codec::{JsonEncoding, Post},
};
use serde::{Serialize, de, de::DeserializeOwned};
use wasm_bindgen::JsValue;

mod read;
#[cfg(test)]
mod tests;
mod value;

pub(crate) use value::Value;

/// Reads a text.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Unreadable> {
    read(Value::parse(text).ok_or(Unreadable::NOWHERE)?)
}

/// Reads a text that the browser has, which long ones need not leave for that: they are what takes most of reading them.
pub(crate) fn parse_there<T: DeserializeOwned>(text: &JsValue) -> Result<T, Unreadable> {
    read(Value::parse_there(text).ok_or(Unreadable::NOWHERE)?)
}

/// Reads what has been parsed.
pub(crate) fn read<T: DeserializeOwned>(value: Value) -> Result<T, Unreadable> {
    read::read(value)
}

/// Writes what [`parse`] reads. Sending has to write JSON anyway.
pub(crate) fn write<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Why something could not be read: most likely it is of another version than this page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The innermost field with what is wrong; empty: it is in none.
    field: &'static str,
}

impl Unreadable {
    const NOWHERE: Self = Self { field: "" };

    /// It is in this field, unless it is in one further in.
    const fn or_at(self, field: &'static str) -> Self {
        if self.field.is_empty() { Self { field } } else { self }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what the server said was not understood: `")?;
        f.write_str(self.field)?;
        f.write_str("`")
    }
}

/// serde's words for what is wrong are left out: a page would have to load what writes them, of numbers above all.
impl de::Error for Unreadable {
    fn custom<T: fmt::Display>(_words: T) -> Self {
        Self::NOWHERE
    }

    fn invalid_type(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self::NOWHERE
    }

    fn invalid_value(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self::NOWHERE
    }

    fn invalid_length(_: usize, _: &dyn de::Expected) -> Self {
        Self::NOWHERE
    }
}

impl std::error::Error for Unreadable {}

/// The output of a server function.
pub(crate) type Answer = Post<Encoding>;

/// JSON as leptos writes it, read by [`parse`].
pub struct Encoding;

impl ContentType for Encoding {
    const CONTENT_TYPE: &'static str = JsonEncoding::CONTENT_TYPE;
}

impl FormatType for Encoding {
    const FORMAT_TYPE: Format = JsonEncoding::FORMAT_TYPE;
}

impl<T: Serialize> Encodes<T> for Encoding {
    type Error = serde_json::Error;

    fn encode(output: &T) -> Result<Bytes, Self::Error> {
        JsonEncoding::encode(output)
    }
}

impl<T: DeserializeOwned> Decodes<T> for Encoding {
    type Error = Unreadable;

    fn decode(bytes: Bytes) -> Result<T, Self::Error> {
        parse(str::from_utf8(&bytes).map_err(|_| Unreadable::NOWHERE)?)
    }
}
