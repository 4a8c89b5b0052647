//! The text of an answer, made fit for parsing as it arrives.

use super::{MAX_ANSWER_BYTES, displays::Displays};

/// Most table cells that an answer may leave out. A row of two bytes makes as many cells as its table has columns, so
/// that a few kilobytes could ask for gigabytes; beyond this, tables are shown as text.
pub(super) const MAX_MISSING_CELLS: usize = 50_000;

/// An answer's text with one kind of line end, without invisible characters that could mislead, and bounded.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// The complete lines.
    text: String,
    /// The last one, which is still being written.
    line: String,
    /// Length of all that was written, in bytes.
    bytes: usize,
    after_cr: bool,
    cut: bool,
    displays: Displays,
    columns: usize,
    missing_cells: usize,
}

impl Source {
    /// Adds a piece. What it becomes does not depend on where pieces are cut.
    pub(super) fn push(&mut self, piece: &str) {
        for c in piece.chars() {
            let after_cr = std::mem::replace(&mut self.after_cr, c == '\r');
            let c = match c {
                '\n' if after_cr => continue,
                '\r' => '\n',
                '\0' => '\u{FFFD}',
                _ if misleads(c) => continue,
                _ => c,
            };
            if self.cut || self.bytes + c.len_utf8() > MAX_ANSWER_BYTES {
                self.cut = true;
                break;
            }
            self.bytes += c.len_utf8();
            self.line.push(c);
            if c == '\n' {
                self.take_line();
            }
        }
    }

    /// Says that the last line is complete, too.
    pub(super) fn end(&mut self) {
        if !self.line.is_empty() {
            self.take_line();
        }
    }

    /// The complete lines, as they are to be read.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The line that is still being written; empty where none is.
    pub(super) fn line(&self) -> &str {
        &self.line
    }

    /// Length of all that was written, in bytes.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether something was left out at the end.
    pub(super) const fn is_cut(&self) -> bool {
        self.cut
    }

    /// Whether tables may be parsed. Once false it stays so.
    pub(super) const fn tables(&self) -> bool {
        self.missing_cells <= MAX_MISSING_CELLS
    }

    fn take_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        self.displays.add(&line, &mut self.text);
        self.look_at(&line);
    }

    /// Counts the cells that the line just completed leaves out, never too few of them: any line may be the row of a
    /// table whose second line, made of `|`, `-` and `:`, came after the last blank line.
    fn look_at(&mut self, line: &str) {
        if line.trim().is_empty() {
            self.columns = 0;
            return;
        }
        let cells = line.bytes().filter(|&b| b == b'|').count() + 1;
        let delimits = line.chars().all(|c| " \t\n|:->*+.)".contains(c) || c.is_ascii_digit());
        if delimits && line.contains('-') {
            self.columns = self.columns.max(cells);
        }
        self.missing_cells += self.columns.saturating_sub(cells);
    }
}

/// Characters that show nothing but change what surrounds them: controls, byte order marks, and the bidirectional
/// embeddings, overrides and isolates that can make code read differently from what it does. The marks that
/// right-to-left text needs (U+200E, U+200F, U+061C) stay.
const fn misleads(c: char) -> bool {
    matches!(c,
        '\0'..='\u{08}' | '\u{0B}'..='\u{1F}' | '\u{7F}'..='\u{9F}'
        | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}
