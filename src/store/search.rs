//! Looking for text, whatever its case.

use std::ops::Range;

/// A text to look for.
#[derive(Clone, Debug)]
pub(crate) struct Needle(String);

impl Needle {
    /// `None` for an empty one, which would be everywhere.
    #[must_use]
    pub(crate) fn new(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self(folded(text)))
    }

    /// The first place in `text`, in bytes of it: whole characters of the text as it is, also where its lower case is longer
    /// or shorter.
    #[must_use]
    pub(crate) fn find_in(&self, text: &str) -> Option<Range<usize>> {
        let start = folded(text).find(&self.0)?;
        let end = start + self.0.len();
        let mut found = None;
        let mut at = 0;
        for (index, character) in text.char_indices() {
            if at >= end {
                break;
            }
            at += fold(character).map(char::len_utf8).sum::<usize>();
            if at > start {
                let begin = found.map_or(index, |range: Range<usize>| range.start);
                found = Some(begin..index + character.len_utf8());
            }
        }
        found
    }
}

/// Where `needle` first is in `text`, whatever its case; see [`Needle::find_in`].
#[must_use]
pub(crate) fn find_in(text: &str, needle: &str) -> Option<Range<usize>> {
    Needle::new(needle)?.find_in(text)
}

fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(text.len());
    folded.extend(text.chars().flat_map(fold));
    folded
}

/// A character's lower case. Unlike [`str::to_lowercase`] it takes no notice of what stands beside it, so a sigma is the same
/// at the end of a word.
fn fold(character: char) -> impl Iterator<Item = char> {
    character
        .to_lowercase()
        .map(|lower| if lower == 'ς' { 'σ' } else { lower })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found<'a>(text: &'a str, needle: &str) -> Option<&'a str> {
        find_in(text, needle).map(|range| &text[range])
    }

    #[test]
    fn case_makes_no_difference() {
        assert_eq!(found("Hello World", "WORLD"), Some("World"));
        assert_eq!(found("GRÖSSE und Größe", "größe"), Some("Größe"));
        assert_eq!(found("Привет, МИР", "мир"), Some("МИР"));
        assert_eq!(found("ΟΔΟΣ", "οδος"), Some("ΟΔΟΣ"));
        assert_eq!(found("οδος", "ΟΔΟΣ"), Some("οδος"));
        assert_eq!(found("日本語", "本"), Some("本"));
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        assert_eq!(found("Hello", "World"), None);
        assert_eq!(found("", "a"), None);
        assert_eq!(found("anything", ""), None);
    }

    #[test]
    fn a_place_is_whole_characters_where_lower_case_has_another_length() {
        // İ is two characters in lower case, three bytes instead of two; the Kelvin sign one byte instead of three.
        assert_eq!(found("İİstanbul", "stan"), Some("stan"));
        assert_eq!(found("aİb", "i"), Some("İ"));
        assert_eq!(found("aİb", "\u{307}B"), Some("İb"));
        assert_eq!(found("20 \u{212a} cold", "k COLD"), Some("\u{212a} cold"));
    }

    proptest! {
        #[test]
        fn every_piece_of_a_text_is_found_in_it(text in "\\PC{0,40}", from in 0usize..40, length in 1usize..10) {
            let piece: String = text.chars().skip(from).take(length).collect();
            prop_assume!(!piece.is_empty());
            for needle in [piece.clone(), piece.chars().flat_map(char::to_lowercase).collect()] {
                let range = find_in(&text, &needle).expect("a piece of it");
                prop_assert!(folded(&text[range]).contains(&folded(&needle)));
            }
        }
    }
}
