//! Whether there is anything to be seen in a text.

/// Whether a text shows nothing: it has no characters, or only such as leave the screen as it was. Those are white space,
/// control characters, and what Unicode calls default-ignorable (zero-width spaces and joiners, byte order marks, soft hyphens,
/// marks of direction, variation selectors, the fillers of Hangul); and the empty pattern of Braille.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(is_invisible)
}

/// `Default_Ignorable_Code_Point` of Unicode 17's `DerivedCoreProperties.txt`, and what is blank by itself.
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fff8}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_blank_and_what_can_is_not() {
        for text in [
            "",
            " \t\r\n\u{a0}\u{2003}\u{3000}",
            "\u{200b}\u{200c}\u{200d}\u{2060}",
            "\u{feff}",
            "\u{ad}\u{ad}",
            "\u{202e}\u{2066}\u{2069}\u{200e}\u{61c}",
            "\u{fe0f}\u{e0100}\u{180b}",
            "\u{115f}\u{1160}\u{3164}\u{ffa0}",
            "\u{e0041}\u{e007f}",
            "\u{0}\u{7}\u{85}",
            "\u{2800}",
        ] {
            assert!(is_blank(text), "{text:?}");
        }
        // A joiner, a selector or a mark beside something visible is part of it.
        for text in [
            ".",
            "\u{200b}a\u{200b}",
            "\u{1f468}\u{200d}\u{1f469}",
            "\u{2764}\u{fe0f}",
            "\u{202e}x",
            "\u{301}",
            "\u{3131}",
            "\u{fffd}",
            "\u{2801}",
        ] {
            assert!(!is_blank(text), "{text:?}");
        }
    }
}
