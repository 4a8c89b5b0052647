//! An answer's blocks while it is being written.

use std::hash::{DefaultHasher, Hash, Hasher};

use comrak::{
    Arena,
    nodes::{Node, NodeValue},
};

#[cfg(any(test, feature = "fuzzing"))]
use super::{complete, whole};
use super::{
    html::{self, Budget, Syntax},
    mend::mend,
    source::Source,
};

/// Renders an answer as it arrives.
///
/// Markdown is read line by line, and a block that is closed stays as it is. So a block counts as finished once a
/// complete line has begun another one, or once nothing could continue it: it is then rendered for the last time, highlighted,
/// and its text is never looked at again. Only what is open, as a rule the last block, is rendered again each time,
/// without highlighting, and with what is half-written closed or held back.
///
/// The definition of a link (`[name]: https://…`) may follow its use by many blocks. While the answer is written, it
/// counts within its block only. An answer that is over is rendered once more as a whole, by [`super::render`].
///
/// A reader keeps a list of blocks, and for each change puts the block at its index and drops what comes after. Tests and fuzzing prove
/// that with what is still open rendered as complete, that list equals [`super::render`] of everything pushed.
#[derive(Debug)]
pub struct Stream {
    source: Source,
    /// Where the first block begins that is not finished.
    open: usize,
    /// How many blocks come before it.
    finished: usize,
    /// Up to where complete lines have been searched for finished blocks.
    searched: usize,
    /// Whether the last complete line is inside a fence that is still open.
    in_fence: bool,
    /// What of code and formulas may still be made readable.
    budget: Budget,
    /// A hash of each block that the reader has.
    sent: Vec<u64>,
    changed: bool,
    tables: bool,
}

impl Default for Stream {
    fn default() -> Self {
        Self::new()
    }
}

impl Stream {
    /// An answer of which nothing is written yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            source: Source::default(),
            open: 0,
            finished: 0,
            searched: 0,
            in_fence: false,
            budget: Budget::default(),
            sent: Vec::new(),
            changed: false,
            tables: true,
        }
    }

    /// Adds a piece. It may end anywhere between two characters.
    pub fn push(&mut self, piece: &str) {
        let before = self.source.bytes();
        self.source.push(piece);
        self.changed |= self.source.bytes() != before;
    }

    /// Length of the part that the next [`Stream::changes`] renders again, in bytes: ask less often where it is long.
    #[must_use]
    pub fn open_len(&self) -> usize {
        self.source.text().len() - self.open + self.source.line().len()
    }

    /// What has changed since the last call, in ascending order. Takes time in proportion to [`Stream::open_len`].
    pub fn changes(&mut self) -> Vec<(usize, String)> {
        if !std::mem::take(&mut self.changed) {
            return Vec::new();
        }
        if self.tables != self.source.tables() {
            self.restart();
        }
        let first = self.finished;
        let mut blocks = self.finish_blocks();
        self.finished += blocks.len();
        let open = [&self.source.text()[self.open..], self.source.line()].concat();
        let open = mend(&open, self.in_fence);
        let arena = Arena::new();
        let root = html::parse(&arena, &open, Syntax::streaming(self.tables));
        // Within what is open, formulas cost what they cost each time; only what is finished counts.
        let mut spared = Budget {
            highlight: None,
            math: self.budget.math,
        };
        blocks.extend(html::blocks(root.children(), &open, &mut spared));
        if blocks.is_empty() && self.sent.len() > first {
            // What was shown is held back now, or gone. Only a block can say so.
            blocks.push(String::new());
        }
        self.send(first, blocks)
    }

    /// Says that the answer is complete, and returns the last changes: only what is open is rendered again, unless it takes the whole. Nothing may be pushed
    /// after it. Whoever shows answers has them rendered as a whole instead, off the threads that serve.
    #[cfg(any(test, feature = "fuzzing"))]
    pub fn finish(&mut self) -> Vec<(usize, String)> {
        self.source.end();
        self.changed = false;
        // Too much for tables, or maybe the definition of a link: either may change every block.
        if self.tables != self.source.tables() || self.source.text().contains("]:") {
            return self.send(0, whole(&self.source));
        }
        let text = &self.source.text()[self.open..];
        let arena = Arena::new();
        let root = html::parse(&arena, text, Syntax::streaming(self.tables));
        let mut blocks = html::blocks(root.children(), text, &mut self.budget);
        let first = self.finished;
        if first == 0 {
            complete(&mut blocks, &self.source);
        } else if self.source.is_cut() {
            blocks.push(super::too_long());
        }
        self.send(first, blocks)
    }

    fn restart(&mut self) {
        self.open = 0;
        self.finished = 0;
        self.searched = 0;
        self.in_fence = false;
        self.budget = Budget::default();
        self.tables = self.source.tables();
    }

    /// Renders the blocks that have been finished since the last call, and moves on behind them.
    fn finish_blocks(&mut self) -> Vec<String> {
        let Some(end) = self
            .source
            .text()
            .rfind('\n')
            .map(|at| at + 1)
            .filter(|&end| end > self.searched)
        else {
            return Vec::new();
        };
        self.searched = end;
        let text = &self.source.text()[self.open..end];
        let arena = Arena::new();
        let root = html::parse(&arena, text, Syntax::streaming(self.tables));
        self.in_fence = ends_in_fence(root);
        let (count, next) = finished(root, text);
        let blocks = html::blocks(root.children().take(count), text, &mut self.budget);
        self.open += next;
        blocks
    }

    /// The changes that turn what the reader has, from block `first` on, into `blocks`.
    fn send(&mut self, first: usize, blocks: Vec<String>) -> Vec<(usize, String)> {
        let hashes: Vec<u64> = blocks.iter().map(hash).collect();
        let known = self.sent.get(first..).unwrap_or_default();
        let mut same = hashes.iter().zip(known).take_while(|(new, old)| new == old).count();
        if same == hashes.len() && known.len() > same {
            // Some went and none came. To send the last one again drops those after it.
            same = same.saturating_sub(1);
        }
        self.sent.truncate(first);
        self.sent.extend(hashes);
        blocks
            .into_iter()
            .enumerate()
            .skip(same)
            .map(|(index, html)| (first + index, html))
            .collect()
    }
}

fn hash(html: &String) -> u64 {
    let mut hasher = DefaultHasher::new();
    html.hash(&mut hasher);
    hasher.finish()
}

/// How many of the first blocks of `text`, which ends with a complete line, nothing can change any more, and where
/// the text after them begins.
fn finished(root: Node<'_>, text: &str) -> (usize, usize) {
    let Some(last) = root.last_child() else {
        return (0, 0);
    };
    let count = root.children().count();
    let blank_at_end = text
        .lines()
        .next_back()
        .is_some_and(|line| line.trim_matches([' ', '\t']).is_empty());
    match &last.data().value {
        NodeValue::Heading(_) | NodeValue::ThematicBreak => return (count, after(last, text)),
        NodeValue::CodeBlock(code) if code.fenced && code.closed => return (count, after(last, text)),
        NodeValue::Paragraph | NodeValue::BlockQuote | NodeValue::Table(_) if blank_at_end => {
            return (count, text.len());
        }
        _ => {}
    }
    // A table's first row was a line of the paragraph before it, and might be read otherwise without that.
    let first_open = match last.previous_sibling() {
        Some(before) if matches!(last.data().value, NodeValue::Table(_)) && touches(before, last) => before,
        _ => last,
    };
    let open = if first_open.same_node(last) { 1 } else { 2 };
    (
        count - open,
        html::line_offset(text, first_open.data().sourcepos.start.line),
    )
}

fn touches(before: Node<'_>, after: Node<'_>) -> bool {
    before.data().sourcepos.end.line + 1 == after.data().sourcepos.start.line
}

fn after(block: Node<'_>, text: &str) -> usize {
    html::line_offset(text, block.data().sourcepos.end.line + 1)
}

fn ends_in_fence(root: Node<'_>) -> bool {
    let mut node = root;
    while let Some(last) = node.last_child() {
        node = last;
    }
    matches!(&node.data().value, NodeValue::CodeBlock(code) if code.fenced && !code.closed)
}
