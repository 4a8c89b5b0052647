//! What the server tells, read in the browser by the browser's own JSON parser; serde's derived code takes it from there. With
//! serde_json's parser, of which every type gets copies, a first visit would take 20 KB more.

use std::{fmt, str};

use leptos::server_fn::{
    Bytes, ContentType, Decodes, Encodes, Format, FormatType,
    codec::{JsonEncoding, Post},
};
use serde::{Serialize, de::DeserializeOwned};

#[cfg(test)]
mod tests;

/// Reads a text.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Unreadable> {
    #[cfg(feature = "hydrate")]
    let read = web_sys::js_sys::JSON::parse(text)
        .map_err(Into::into)
        .and_then(serde_wasm_bindgen::from_value);
    #[cfg(not(feature = "hydrate"))]
    let read = serde_json::from_str(text);
    read.map_err(|error| Unreadable(error.to_string()))
}

/// Writes what [`parse`] reads. Sending has to write JSON anyway.
pub(crate) fn write<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Why something could not be read: most likely it is of another version than this page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "what the server said was not understood: {}", self.0)
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
        parse(str::from_utf8(&bytes).map_err(|error| Unreadable(error.to_string()))?)
    }
}
