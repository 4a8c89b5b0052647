//! The kept text of a document, taken apart into its pages, sheets or chapters.

/// Begins each part; its label follows, up to a line end. No text has it: what is read is without controls.
pub(super) const BEGINS: char = '\u{0C}';

/// A page, a sheet, a chapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    /// Such as `page 3`; empty: there is but the one.
    pub(crate) label: &'a str,
    pub(crate) text: &'a str,
}

impl Part<'_> {
    /// As models and people read it.
    pub(crate) fn write(&self, out: &mut String) {
        self.mark(out);
        out.push_str(self.text);
    }

    /// Its label, in a line of its own.
    pub(super) fn mark(&self, out: &mut String) {
        if !self.label.is_empty() {
            out.push('[');
            out.push_str(self.label);
            out.push_str("]\n");
        }
    }
}

/// The parts of a text, in their order.
pub(crate) fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    text.split(BEGINS).skip(1).map(|part| {
        let (label, text) = part.split_once('\n').unwrap_or((part, ""));
        Part { label, text }
    })
}
