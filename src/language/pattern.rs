//! What a message is made of, as it is sent to a browser: short names, since there are hundreds of them.

use serde::{Deserialize, Serialize};

/// One message: its pieces, one after the other.
pub(super) type Pattern = Vec<Piece>;

/// A part of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Piece {
    /// As it stands.
    #[serde(rename = "t")]
    Text(String),
    /// The argument of this name.
    #[serde(rename = "v")]
    Value(String),
    /// One of several, by the argument of this name: the one of its text, of its number, or of its number's plural category; the last one
    /// where there is none.
    #[serde(rename = "c")]
    Choice(String, Vec<(String, Pattern)>),
}
