//! Footnotes: a mark in the text and, at the end of the answer, what it says. Each leads to the other by a button, for links within a page
//! need names that no other answer of it has.

use std::fmt::{self, Write};

use comrak::{
    html::Context,
    nodes::{NodeFootnoteDefinition, NodeFootnoteReference},
};

use super::html::Drawing;
use crate::language::labels::{NOTE, NOTE_BACK};

/// Longest number of a footnote that leads anywhere.
const MOST: u32 = 999;

/// Writes the mark of a footnote.
pub(super) fn write_mark(context: &mut Context<'_, '_, Drawing<'_>>, note: &NodeFootnoteReference) -> fmt::Result {
    let number = note.ix.min(MOST);
    write!(
        context,
        "<sup><button type=\"button\" class=\"note-mark\" data-note=\"{number}\" aria-label=\"{NOTE} {number}\">{number}</button></sup>"
    )
}

/// Writes the beginning or the end of what a footnote says.
pub(super) fn write_note(
    context: &mut Context<'_, '_, Drawing<'_>>,
    _note: &NodeFootnoteDefinition,
    entering: bool,
) -> fmt::Result {
    if entering {
        context.user.note += 1;
        let number = context.user.note.min(MOST);
        return write!(
            context,
            "<div class=\"note\"><button type=\"button\" class=\"note-back\" data-note-back=\"{number}\" \
             aria-label=\"{NOTE_BACK} {number}\">{number}</button><div class=\"note-text\">"
        );
    }
    context.write_str("</div></div>\n")
}
