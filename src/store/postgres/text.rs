//! Text as PostgreSQL takes it: any but U+0000, which messages and answers may have.
//!
//! That character, and the one that marks it, are written with a mark before them. So every other text stands in the database as it is,
//! for whoever looks with `psql`, and each comes back as it was.

use std::borrow::Cow;

/// U+001A, "substitute": hardly anybody writes it.
const MARK: char = '\u{1a}';
/// What stands for U+0000 behind the mark.
const ZERO: char = '0';

/// A text as its column.
pub(super) fn stored(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', MARK]) {
        return text.into();
    }
    let mut stored = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\0' => stored.extend([MARK, ZERO]),
            MARK => stored.extend([MARK, MARK]),
            other => stored.push(other),
        }
    }
    stored.into()
}

/// What [`stored`] has written.
pub(super) fn read(column: &str) -> Cow<'_, str> {
    if !column.contains(MARK) {
        return column.into();
    }
    let mut text = String::with_capacity(column.len());
    let mut characters = column.chars();
    while let Some(character) = characters.next() {
        match character {
            // Nothing else stands behind a mark, unless somebody else has written there.
            MARK => text.extend(characters.next().map(|next| if next == ZERO { '\0' } else { next })),
            other => text.push(other),
        }
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_text_stands_as_it_is() {
        for text in ["", "Hello", "Привет 🙂\n\t", "\u{1b}[0m"] {
            assert!(matches!(stored(text), Cow::Borrowed(same) if same == text));
            assert!(matches!(read(text), Cow::Borrowed(same) if same == text));
        }
    }

    proptest! {
        #[test]
        fn every_text_comes_back_and_none_has_a_zero(text in "[\0\u{1a}0a🙂]{0,20}|\\PC{0,20}") {
            let stored = stored(&text);
            prop_assert!(!stored.contains('\0'));
            prop_assert_eq!(&*read(&stored), &*text);
        }
    }
}
