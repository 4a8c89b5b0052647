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
    /// A document that has been read: its text joins the message.
    Document,
}

/// What the parts of a document are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub enum PaperUnit {
    /// It has none.
    Whole,
    /// Of a PDF.
    Pages,
    /// Of a spreadsheet.
    Sheets,
    /// Of a book.
    Chapters,
}

/// What was read of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Paper {
    /// What its parts are.
    pub unit: PaperUnit,
    /// How many of them were read.
    pub parts: u32,
    /// Characters of text, without white space.
    pub characters: u64,
    /// Parts that were left out, because there are too many or they take too long.
    pub left_out: u32,
    /// Parts that have no text: they are empty, or pictures.
    pub blank: u32,
    /// Whether some of a part is left out, too.
    pub cut: bool,
    /// Pictures on its pages that models which see are shown.
    #[serde(default)]
    pub pictures: u32,
    /// Pictures that are not: there are too many, or they are of a form that no model reads.
    #[serde(default)]
    pub pictures_left_out: u32,
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
    /// What was read of it, if it is a document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paper: Option<Paper>,
}
