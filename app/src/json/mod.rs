//! What the server tells, read in the browser by the browser's own JSON parser and with one short function a type. Serde's
//! deserialisers of the same types, each with a parser inlined, were a tenth of the page's WebAssembly.

mod codec;
mod types;
mod value;

use std::fmt;

use serde::Serialize;

pub(crate) use codec::Answer;
pub(crate) use value::Json;

#[cfg(test)]
mod tests;

/// What can be read from JSON, as serde writes it: enums are tagged on the outside, what is not there is `null`.
pub(crate) trait Read: Sized {
    /// Reads one.
    fn read(json: &Json) -> Result<Self, Unreadable>;
}

/// Reads a text.
pub(crate) fn parse<T: Read>(text: &str) -> Result<T, Unreadable> {
    T::read(&Json::parse(text).ok_or(Unreadable::HERE)?)
}

/// Writes what [`parse`] reads. Sending has to write JSON anyway.
pub(crate) fn write<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Why something could not be read: most likely it is of another version than this page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The innermost field that is missing or of another type; empty outside of any.
    field: &'static str,
}

impl Unreadable {
    const HERE: Self = Self { field: "" };

    fn within(self, field: &'static str) -> Self {
        if self.field.is_empty() { Self { field } } else { self }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("What the server said was not understood")?;
        if !self.field.is_empty() {
            write!(f, " (`{}`)", self.field)?;
        }
        f.write_str(". Reload the page, which may be older than the server.")
    }
}

impl std::error::Error for Unreadable {}
