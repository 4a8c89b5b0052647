//! Words within an answer's HTML, which is the same for everybody who reads it: marks stand for them, and each page puts its own in.

use super::Words;
use crate::say;

/// What the button that copies a piece of code says.
pub const COPY: &str = "\u{e000}copy\u{e001}";
/// What a screen reader calls a piece of code.
pub const CODE: &str = "\u{e000}code\u{e001}";
/// What the button says that lets long lines of code go on below.
pub const WRAP: &str = "\u{e000}wrap\u{e001}";
/// What the button says that saves a piece of code as a file.
pub const SAVE: &str = "\u{e000}save\u{e001}";
/// What the button says that shows all of a long piece of code, before their number.
pub const ALL_LINES: &str = "\u{e000}all-lines\u{e001}";
/// What the same says then.
pub const FEWER_LINES: &str = "\u{e000}fewer-lines\u{e001}";
/// What a screen reader calls a formula.
pub const FORMULA: &str = "\u{e000}formula\u{e001}";
/// What it calls the mark of a footnote, before its number.
pub const NOTE: &str = "\u{e000}note\u{e001}";
/// What it calls the way back from it, likewise.
pub const NOTE_BACK: &str = "\u{e000}note-back\u{e001}";
/// What a screen reader calls a table.
pub const TABLE: &str = "\u{e000}table\u{e001}";
/// What a screen reader calls the box of a task.
pub const DONE: &str = "\u{e000}done\u{e001}";
/// What stands for a picture without a name.
pub const IMAGE: &str = "\u{e000}image\u{e001}";
/// What stands at the end of an answer that is too long to be shown whole.
pub const GOES_ON: &str = "\u{e000}goes-on\u{e001}";

/// All of them.
#[cfg(test)]
pub(super) const ALL: [&str; 13] = [
    COPY,
    CODE,
    WRAP,
    SAVE,
    ALL_LINES,
    FEWER_LINES,
    FORMULA,
    NOTE,
    NOTE_BACK,
    TABLE,
    DONE,
    IMAGE,
    GOES_ON,
];

impl Words {
    /// An answer's HTML with its words in place. The marks are letters of Unicode's private use area; where somebody has written these, they
    /// are left out, or read as the words that they stand for here.
    #[must_use]
    pub fn labelled(&self, html: &str) -> String {
        let mut parts = html.split('\u{e000}');
        let mut labelled = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('\u{e001}').unwrap_or(("", part));
            labelled.push_str(&match name {
                "copy" => say!(self, "copy"),
                "code" => say!(self, "code"),
                "wrap" => say!(self, "code-wrap"),
                "save" => say!(self, "code-save"),
                "all-lines" => say!(self, "code-all"),
                "fewer-lines" => say!(self, "code-fewer"),
                "formula" => say!(self, "formula"),
                "note" => say!(self, "footnote"),
                "note-back" => say!(self, "footnote-back"),
                "table" => say!(self, "table"),
                "done" => say!(self, "task"),
                "image" => say!(self, "image"),
                "goes-on" => say!(self, "goes-on"),
                _ => String::new(),
            });
            labelled.push_str(rest);
        }
        labelled
    }
}
