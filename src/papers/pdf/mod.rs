//! PDF: the text of its pages, in the order in which the file draws it, and the pictures that they show.
//!
//! The library takes the file apart; which text a page shows, and where words and lines end, is told here, by where the pieces stand.
//!
//! - `fonts.rs`, `names.rs`: which characters the bytes of a string are, and how wide; `page.rs`: what a page draws;
//!   `lines.rs`: words and lines out of it; `pictures.rs`, `png.rs`: its pictures.

mod fonts;
mod lines;
mod names;
mod page;
mod pictures;
pub(super) mod png;

use std::collections::HashMap;

use lopdf::{DecompressError, Document, Error, LoadOptions, ObjectId};

pub(super) use self::pictures::Taken;
use self::{fonts::Fonts, lines::Lines, page::Drawing, pictures::Shown};
use super::{PaperFault, text::Text};
use crate::wire::PaperUnit;

/// Most bytes that a stream may be unpacked to while the file is taken apart.
const MAX_STREAM: usize = 64 * 1024 * 1024;
/// Of one page's drawing.
const MAX_CONTENT: usize = 32 * 1024 * 1024;

/// Reads one: its text, and its pictures.
pub(super) fn read(bytes: &[u8]) -> Result<(Text, Taken), PaperFault> {
    let options = LoadOptions {
        max_decompressed_size: Some(MAX_STREAM),
        ..LoadOptions::default()
    };
    let document = Document::load_mem_with_options(bytes, options).map_err(|error| fault(&error))?;
    if document.is_encrypted() {
        return Err(PaperFault::Locked);
    }
    let pages: Vec<ObjectId> = document.page_iter().collect();
    if pages.is_empty() {
        return Err(PaperFault::Damaged);
    }
    let mut text = Text::new(PaperUnit::Pages);
    let mut fonts = Fonts::new(&document);
    let mut lines = String::new();
    // One that is drawn for several pages is read for each: a header, say.
    let mut forms = HashMap::new();
    let mut shown = Shown::default();
    let mut heavy = 0;
    for (index, page) in pages.iter().enumerate() {
        if !text.part(&format!("page {}", index + 1)) {
            text.leave_out(pages.len() - index - 1);
            break;
        }
        lines.clear();
        shown.begin_page(u32::try_from(index + 1).unwrap_or(u32::MAX));
        let content = match document.get_page_content_with_limit(*page, MAX_CONTENT) {
            Ok(content) => content,
            Err(error) => {
                heavy += usize::from(fault(&error) == PaperFault::TooHeavy);
                text.cut();
                continue;
            }
        };
        let mut drawing = Drawing::new(
            &document,
            &mut fonts,
            (&mut forms, &mut shown),
            Lines::new(&mut lines),
            text.until(),
        );
        if !drawing.draw_page(*page, &content) {
            text.cut();
        }
        text.push(&lines);
    }
    if heavy == pages.len() {
        return Err(PaperFault::TooHeavy);
    }
    // Last, in the time that is left: text is of use to every model.
    let taken = shown.take(&document, text.until());
    Ok((text, taken))
}

fn fault(error: &Error) -> PaperFault {
    match error {
        Error::Decompress(DecompressError::MemoryLimitExceeded { .. }) => PaperFault::TooHeavy,
        Error::InvalidPassword | Error::Decryption(_) | Error::UnsupportedSecurityHandler(_) => PaperFault::Locked,
        _ => PaperFault::Damaged,
    }
}
