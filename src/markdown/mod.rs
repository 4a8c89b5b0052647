//! Markdown to clean HTML, block by block.
//!
//! What an agent writes is as trustworthy as whatever it has read. So nothing of it reaches a page but the tags and
//! classes that `html` makes, and `clean` lets through no others: raw HTML is shown as text, a picture becomes a link
//! (loading it would tell its host who reads), a link leads to `http:`, `https:` or `mailto:` or is plain text. Formulas in
//! LaTeX's notation become MathML here (`math`, `displays`), so that a page needs no script for them.
//!
//! An answer is a list of blocks, one for each block at the top level of its Markdown. [`render`] makes them from a
//! whole answer, [`Stream`] while it is being written; at the end both agree.
//!
//! No answer costs much more than its length: that, its depth, the cells of its tables, its formulas and the code that is
//! highlighted are bounded, each by a constant beside the code that it bounds.

mod clean;
mod code;
mod displays;
mod highlight;
mod html;
mod math;
mod mend;
mod notes;
mod source;
mod stream;

#[cfg(test)]
mod tests;

pub use stream::Stream;

use source::Source;

use crate::language::labels::GOES_ON;

/// Longest answer that is shown, in bytes after control characters have been taken out. Of a longer one the beginning
/// is shown, with a notice.
pub const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// The last block of an answer longer than [`MAX_ANSWER_BYTES`].
fn too_long() -> String {
    format!("<p class=\"raw\">{GOES_ON}</p>")
}

/// Up to so many bytes, a text without code is rendered in less time than it takes to have another thread do it.
const QUICK_BYTES: usize = 2 * 1024;

/// Whether a text is rendered so quickly that nobody need be spared it: a short one, and nothing in it to highlight.
#[must_use]
pub fn is_quick(text: &str) -> bool {
    text.len() <= QUICK_BYTES && !text.contains("```") && !text.contains("~~~")
}

/// The whole answer as clean HTML, one entry a block.
///
/// Takes milliseconds for an ordinary answer, but far longer for one of a megabyte: render many or long ones where
/// blocking is allowed.
///
/// An answer that is not blank has at least one entry, be it an empty one (it may consist of nothing but definitions of
/// links), so that a change to a single block can always say all there is to say.
#[must_use]
pub fn render(text: &str) -> Vec<String> {
    let mut source = Source::default();
    source.push(text);
    source.end();
    whole(&source)
}

/// All blocks of `source`, which has ended.
fn whole(source: &Source) -> Vec<String> {
    let arena = comrak::Arena::new();
    let mut budget = html::Budget::default();
    let root = html::parse(&arena, source.text(), html::Syntax::whole(source));
    let mut blocks = html::blocks(root.children(), source.text(), &mut budget);
    complete(&mut blocks, source);
    blocks
}

/// Adds what belongs to an answer as a whole.
fn complete(blocks: &mut Vec<String>, source: &Source) {
    if source.is_cut() {
        blocks.push(too_long());
    }
    if blocks.is_empty() && !source.text().trim().is_empty() {
        blocks.push(String::new());
    }
}
