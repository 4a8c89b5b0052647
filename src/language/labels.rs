//! Words within an answer's HTML, which is the same for everybody who reads it: marks stand for them, and each page puts its own in.

use super::Words;
use crate::say;

/// What the button that copies a piece of code says.
pub const COPY: &str = "\u{e000}copy\u{e001}";
/// What a screen reader calls a piece of code.
pub const CODE: &str = "\u{e000}code\u{e001}";
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
pub(super) const ALL: [&str; 6] = [COPY, CODE, TABLE, DONE, IMAGE, GOES_ON];

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
