//! Finding text in text, whatever its case.

use std::ops::Range;

/// The first place of `needle` in `text`, in bytes of `text`, letters compared by their lower case. `None`: it is not there, or
/// `needle` is empty.
#[must_use]
pub fn find_in(text: &str, needle: &str) -> Option<Range<usize>> {
    let needle: Vec<char> = needle.chars().flat_map(char::to_lowercase).collect();
    let first = *needle.first()?;
    text.char_indices()
        .filter(|(_, c)| c.to_lowercase().next() == Some(first))
        .find_map(|(at, _)| Some(at..at + length_of(&text[at..], &needle)?))
}

/// How many bytes of `text` the lower-case `needle` takes at its beginning; `None`: it does not begin so. One character may have several in lower case.
fn length_of(text: &str, needle: &[char]) -> Option<usize> {
    let mut wanted = needle.iter();
    for (at, c) in text.char_indices() {
        if wanted.as_slice().is_empty() {
            return Some(at);
        }
        for lower in c.to_lowercase() {
            match wanted.next() {
                Some(next) if *next == lower => {}
                // The needle ends within this character: it is as good as found.
                None => break,
                Some(_) => return None,
            }
        }
    }
    wanted.as_slice().is_empty().then_some(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_does_not_matter_and_places_are_whole_characters() {
        assert_eq!(find_in("Der LEUCHTTURM", "leuchtturm"), Some(4..14));
        assert_eq!(find_in("ÄÖÜ ärger", "ÄRGER"), Some(7..13));
        assert_eq!(find_in("aaab", "aab"), Some(1..4));
        assert_eq!(find_in("abc", "abcd"), None);
        assert_eq!(find_in("abc", ""), None);
        assert_eq!(find_in("", "a"), None);
    }

    #[test]
    fn letters_whose_lower_case_is_longer_are_found() {
        // In lower case it is an i and a dot above it.
        let text = "x İstanbul y";
        assert_eq!(find_in(text, "istanbul"), None, "the dot is part of it");
        assert_eq!(find_in(text, "İstanbul").map(|place| &text[place]), Some("İstanbul"));
        assert_eq!(find_in(text, "i").map(|place| &text[place]), Some("İ"));
    }
}
