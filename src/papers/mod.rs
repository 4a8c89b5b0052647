//! Documents that people attach, read into text: PDF, Word, spreadsheets, EPUB and web pages.
//!
//! What they hold was written by anybody, and a stack that overflows or memory that runs out cannot be caught. So they are read in a
//! process of their own, which has bounds on its memory, its time and its files ([`run`]); `Reading` is the server's end of it. What
//! comes back is a [`Report`], and the text in parts (`parts`): pages, sheets, chapters.
//!
//! - `pdf/`, `sheets.rs`, `word.rs`, `book.rs`, `web.rs`: one format each; `archive.rs`: what is packed, unpacked within bounds;
//!   `text.rs`: where they write.
//! - `child.rs`: the process that reads; `reading.rs`: how the server has it read.
//! - `parts.rs`: the text, taken apart again; `search.rs`: which passages of it a question is about.

mod archive;
mod book;
mod child;
mod parts;
mod pdf;
mod reading;
mod search;
mod sheets;
mod text;
mod web;
mod word;

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use child::{COMMAND, read_here, run};
pub(crate) use parts::parts;
pub(crate) use reading::Reading;
pub use reading::read_with;
pub(crate) use search::excerpt;

use crate::wire::Paper;

/// Most bytes of text that are kept of one document.
pub(crate) const MAX_TEXT_BYTES: usize = 8 * 1024 * 1024;
/// Most pages, sheets or chapters that are read of one.
pub(crate) const MAX_PARTS: u32 = 2000;

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What the document is, by its content.
    pub mime: String,
    /// How much of it there is.
    pub paper: Paper,
    /// Bytes of text that follow.
    pub bytes: usize,
}

/// Why a document could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaperFault {
    /// It is none of the formats that are read.
    #[error("it is of no kind that is read")]
    Unsupported,
    /// It opens only with a password.
    #[error("it is protected by a password")]
    Locked,
    /// There is no text in it: its pages are pictures.
    #[error("there is no text in it")]
    NoText,
    /// It is broken.
    #[error("it is damaged")]
    Damaged,
    /// It takes more memory or time than a document may.
    #[error("it takes too much to read")]
    TooHeavy,
}

/// What a document is, and its text.
pub(crate) struct Document {
    pub(crate) mime: &'static str,
    pub(crate) paper: Paper,
    pub(crate) text: String,
}

/// Reads a document, of whatever format it is.
///
/// Only within bounds of the process, which the formats' own readers need: see [`run`].
///
/// # Errors
/// [`PaperFault`].
pub(crate) fn read(bytes: &[u8]) -> Result<Document, PaperFault> {
    let (mime, text) = match bytes {
        [b'%', b'P', b'D', b'F', b'-', ..] => ("application/pdf", pdf::read(bytes)?),
        [b'P', b'K', 3, 4, ..] => archive::read(bytes)?,
        [0xD0, 0xCF, 0x11, 0xE0, ..] => ("application/vnd.ms-excel", sheets::read_old(bytes)?),
        _ => ("text/html", web::read(bytes)?),
    };
    let (paper, text) = text.finish();
    if paper.characters == 0 {
        return Err(PaperFault::NoText);
    }
    Ok(Document { mime, paper, text })
}
