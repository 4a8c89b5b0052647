//! Documents that people attach, read into text: PDF, Word, spreadsheets, EPUB and web pages; of PDFs the pictures, too.
//!
//! What they hold was written by anybody, and a stack that overflows or memory that runs out cannot be caught. So they are read in a
//! process of their own, which has bounds on its memory, its time and its files ([`run`]); `Reading` is the server's end of it. What
//! comes back is a [`Report`], the text in parts (`parts`): pages, sheets, chapters; and the pictures (`pictures`).
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
mod pictures;
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
pub(crate) use pictures::{MAX_PACKED, MAX_PICTURES, Picture, unpack};
pub use reading::read_with;
pub(crate) use reading::{Read, Reading};
pub(crate) use search::excerpt;

use self::pdf::Taken;
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
    /// Bytes of pictures that follow the text.
    pub pictures: usize,
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
    /// There is no text in it, and no picture that could be shown to a model either.
    #[error("there is no text in it")]
    NoText,
    /// It is broken.
    #[error("it is damaged")]
    Damaged,
    /// It takes more memory or time than a document may.
    #[error("it takes too much to read")]
    TooHeavy,
}

/// What a document is, its text, and its pictures.
pub(crate) struct Document {
    pub(crate) mime: &'static str,
    pub(crate) paper: Paper,
    pub(crate) text: String,
    pub(crate) pictures: Vec<Picture>,
}

/// Reads a document, of whatever format it is.
///
/// Only within bounds of the process, which the formats' own readers need: see [`run`].
///
/// # Errors
/// [`PaperFault`].
pub(crate) fn read(bytes: &[u8]) -> Result<Document, PaperFault> {
    let mut taken = Taken::default();
    let (mime, text) = match bytes {
        [b'%', b'P', b'D', b'F', b'-', ..] => {
            let text;
            (text, taken) = pdf::read(bytes)?;
            ("application/pdf", text)
        }
        [b'P', b'K', 3, 4, ..] => archive::read(bytes)?,
        [0xD0, 0xCF, 0x11, 0xE0, ..] => ("application/vnd.ms-excel", sheets::read_old(bytes)?),
        _ => ("text/html", web::read(bytes)?),
    };
    let (mut paper, text) = text.finish();
    let Taken { pictures, left_out } = taken;
    if paper.characters == 0 && pictures.is_empty() {
        return Err(PaperFault::NoText);
    }
    paper.pictures = u32::try_from(pictures.len()).unwrap_or(u32::MAX);
    paper.pictures_left_out = left_out;
    Ok(Document {
        mime,
        paper,
        text,
        pictures,
    })
}
