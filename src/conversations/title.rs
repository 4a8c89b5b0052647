//! Titles of conversations.

use crate::wire::{FileView, is_blank};

/// Most characters of a title that is made.
const MADE: usize = 60;
/// Most characters of a title that somebody gives.
const GIVEN: usize = 200;

/// A conversation's title: the beginning of its first message, or the name of its first file.
pub(super) fn title(text: &str, files: &[FileView]) -> String {
    let line = text.lines().map(str::trim).find(|line| !is_blank(line));
    let full = line
        .or_else(|| files.first().map(|file| file.name.as_str()))
        .unwrap_or_default();
    let mut title: String = full.chars().filter(|c| !c.is_control()).take(MADE).collect();
    if title.chars().count() < full.chars().count() {
        // Rather a whole word less than half of one more.
        if let Some(space) = title.rfind(' ').filter(|&space| space > MADE / 2) {
            title.truncate(space);
        }
        title.push('…');
    }
    title
}

/// A title as its owner gives it, on one line; `None`: nothing of it is left.
pub(super) fn given(text: &str) -> Option<String> {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let title: String = words.join(" ").chars().take(GIVEN).collect();
    (!is_blank(&title)).then_some(title)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_short_and_end_with_whole_words() {
        assert_eq!(
            title("\n  How does the line work?  \nThanks", &[]),
            "How does the line work?"
        );
        let long = title(
            "Please explain to me in detail how start-time fair queueing works, and why",
            &[],
        );
        assert_eq!(long, "Please explain to me in detail how start-time fair queueing…");
        assert_eq!(title("\u{200b}\n\u{2060}\u{feff}\nHello", &[]), "Hello");
        assert_eq!(title(&"ü".repeat(100), &[]), format!("{}…", "ü".repeat(60)));
    }

    #[test]
    fn given_titles_are_one_line_and_not_blank() {
        assert_eq!(given("  My\n\tplans \u{7} "), Some("My plans".into()));
        for blank in [" \n ", "\u{200b}\u{feff}", "\u{3164} \u{ad}"] {
            assert_eq!(given(blank), None, "{blank:?}");
        }
        assert_eq!(given(&"x".repeat(999)).map(|title| title.len()), Some(GIVEN));
    }
}
