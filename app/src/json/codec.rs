//! What server functions answer with.

use std::str;

use leptos::server_fn::{
    Bytes, ContentType, Decodes, Encodes, Format, FormatType,
    codec::{JsonEncoding, Post},
};
use serde::Serialize;

use super::{Read, Unreadable, parse};

/// JSON as leptos writes it, read in our way.
pub struct Encoding;

/// The output of a server function.
pub(crate) type Answer = Post<Encoding>;

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

impl<T: Read> Decodes<T> for Encoding {
    type Error = Unreadable;

    fn decode(bytes: Bytes) -> Result<T, Self::Error> {
        parse(str::from_utf8(&bytes).map_err(|_| Unreadable::HERE)?)
    }
}
