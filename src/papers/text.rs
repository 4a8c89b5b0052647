//! The text that is read, in parts, and within bounds.

use std::time::{Duration, Instant};

use super::{MAX_PARTS, MAX_TEXT_BYTES, parts::BEGINS};
use crate::wire::{Paper, PaperUnit};

/// How long a document may be read. What is not read by then is left out.
const PATIENCE: Duration = Duration::from_secs(20);

/// What has been read so far.
pub(super) struct Text {
    text: String,
    unit: PaperUnit,
    parts: u32,
    left_out: u32,
    blank: u32,
    characters: u64,
    cut: bool,
    /// Where the text of the last part begins, and how many characters there were by then.
    part: Option<(usize, u64)>,
    until: Instant,
}

impl Text {
    pub(super) fn new(unit: PaperUnit) -> Self {
        Self {
            text: String::new(),
            unit,
            parts: 0,
            left_out: 0,
            blank: 0,
            characters: 0,
            cut: false,
            part: None,
            until: Instant::now() + PATIENCE,
        }
    }

    /// Begins a part, which is called so. `false`: there are as many as may be, or it takes too long, and the part is left out.
    pub(super) fn part(&mut self, label: &str) -> bool {
        self.end_part();
        if self.parts >= MAX_PARTS || self.is_full() {
            self.left_out = self.left_out.saturating_add(1);
            return false;
        }
        self.parts += 1;
        self.text.push(BEGINS);
        let label: String = label.chars().filter(|c| !c.is_control()).take(100).collect();
        self.text.push_str(&label);
        self.text.push('\n');
        self.part = Some((self.text.len(), self.characters));
        true
    }

    /// So many parts more are left out.
    pub(super) fn leave_out(&mut self, parts: usize) {
        self.left_out = self.left_out.saturating_add(u32::try_from(parts).unwrap_or(u32::MAX));
    }

    /// Something of a part is left out.
    pub(super) fn cut(&mut self) {
        self.cut = true;
    }

    /// Whether nothing more is taken.
    pub(super) fn is_full(&mut self) -> bool {
        let full = self.text.len() >= MAX_TEXT_BYTES || Instant::now() >= self.until;
        self.cut |= full;
        full
    }

    /// Until when it may be read.
    pub(super) const fn until(&self) -> Instant {
        self.until
    }

    /// Adds to the part.
    pub(super) fn push(&mut self, text: &str) {
        for c in text.chars() {
            if self.text.len() >= MAX_TEXT_BYTES {
                self.cut = true;
                return;
            }
            self.add(c);
        }
    }

    /// Ends the line, unless it is empty.
    pub(super) fn end_line(&mut self) {
        self.trim_line();
        if !self.text.ends_with('\n') && !self.is_at_beginning() {
            self.text.push('\n');
        }
    }

    /// Ends the paragraph: an empty line follows, and never two.
    pub(super) fn end_paragraph(&mut self) {
        self.end_line();
        if !self.text.ends_with("\n\n") && !self.is_at_beginning() {
            self.text.push('\n');
        }
    }

    /// The whole, and what there is to say of it.
    pub(super) fn finish(mut self) -> (Paper, String) {
        self.end_part();
        let paper = Paper {
            unit: self.unit,
            parts: self.parts,
            characters: self.characters,
            left_out: self.left_out,
            blank: self.blank,
            cut: self.cut,
            pictures: 0,
            pictures_left_out: 0,
        };
        (paper, self.text)
    }

    fn is_at_beginning(&self) -> bool {
        self.part.is_none_or(|(from, _)| from == self.text.len())
    }

    fn trim_line(&mut self) {
        let from = self.part.map_or(0, |(from, _)| from);
        let end = from + self.text[from..].trim_end_matches([' ', '\t']).len();
        self.text.truncate(end);
    }

    fn end_part(&mut self) {
        let Some((from, before)) = self.part.take() else {
            return;
        };
        let end = from + self.text[from..].trim_end().len();
        self.text.truncate(end);
        if end > from {
            self.text.push('\n');
        }
        if self.characters == before {
            self.blank += 1;
        }
    }

    fn add(&mut self, c: char) {
        let shown = match c {
            '\n' | '\t' => c,
            '\r' | '\u{2028}' | '\u{2029}' => '\n',
            '\u{A0}' | '\u{2007}' | '\u{202F}' | '\u{2000}'..='\u{200A}' => ' ',
            // What hyphens and joins are only where a line breaks, and what cannot be told.
            '\u{AD}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2060}' | '\u{FEFF}' | '\u{FFFD}' => return,
            '\u{FB00}' => return self.push("ff"),
            '\u{FB01}' => return self.push("fi"),
            '\u{FB02}' => return self.push("fl"),
            '\u{FB03}' => return self.push("ffi"),
            '\u{FB04}' => return self.push("ffl"),
            '\u{FB05}' | '\u{FB06}' => return self.push("st"),
            c if c.is_control() => return,
            c => c,
        };
        if !shown.is_whitespace() {
            self.characters += 1;
        }
        self.text.push(shown);
    }
}
