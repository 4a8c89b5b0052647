//! Files that come with a message.

use serde::{Deserialize, Serialize};

use super::FileId;

/// What a file is, by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub enum FileKind {
    /// Text of any sort: its content joins the message.
    Text,
    /// A picture, for models that see.
    Image,
}

/// One uploaded file, as its owner's browser shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct FileView {
    /// This file; `/files/{id}` gives it to its owner.
    pub id: FileId,
    /// The name it came with, made harmless.
    pub name: String,
    /// What it is.
    pub kind: FileKind,
    /// Its MIME type, by content.
    pub mime: String,
    /// Its size, in bytes.
    pub size: u64,
}
