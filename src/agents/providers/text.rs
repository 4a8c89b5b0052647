//! The text of an answer, put together from pieces that may be cut anywhere.
//!
//! Servers that count bytes cut characters in two, those that count UTF-16 units (as JavaScript and Java do) cut surrogate
//! pairs, and either half comes in a string of its own. Serde reads such strings as bytes in WTF-8, which is UTF-8 with
//! halves of pairs in it. Here the halves find each other again; what stays alone, and what is no text at all, becomes U+FFFD.

use std::fmt;

use serde::{Deserialize, Deserializer, de};

/// A string of a model server's JSON, whatever is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Delta(pub(super) Vec<u8>);

impl<'de> Deserialize<'de> for Delta {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;

        impl de::Visitor<'_> for Bytes {
            type Value = Delta;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Delta, E> {
                Ok(Delta(bytes.to_vec()))
            }
        }

        deserializer.deserialize_bytes(Bytes)
    }
}

/// Joins what was cut. However text is cut, the same comes out.
#[derive(Clone, Debug, Default)]
pub(super) struct Joiner {
    /// The beginning of a character or of a pair, whose rest has not come yet.
    begun: Vec<u8>,
}

/// What a look at bytes that are no whole text has found.
enum Found {
    /// Bytes to be taken away, and what stands for them.
    Char(usize, char),
    /// More is needed to say what it is.
    Begun,
}

impl Joiner {
    /// Adds the next bytes to `text`, as far as it is certain what they are.
    pub(super) fn push(&mut self, bytes: &[u8], text: &mut String) {
        if self.begun.is_empty() {
            let rest = decode(bytes, text);
            self.begun.extend_from_slice(rest);
        } else {
            let mut all = std::mem::take(&mut self.begun);
            all.extend_from_slice(bytes);
            let rest = decode(&all, text);
            self.begun.extend_from_slice(rest);
        }
    }

    /// Nothing more comes: what was begun stays so.
    pub(super) fn finish(&mut self, text: &mut String) {
        if !std::mem::take(&mut self.begun).is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
}

/// Decodes WTF-8 up to what is not whole yet, which it returns.
fn decode<'b>(mut bytes: &'b [u8], text: &mut String) -> &'b [u8] {
    while !bytes.is_empty() {
        let error = match std::str::from_utf8(bytes) {
            Ok(all) => {
                text.push_str(all);
                return &[];
            }
            Err(error) => error,
        };
        let (valid, rest) = bytes.split_at(error.valid_up_to());
        text.push_str(&String::from_utf8_lossy(valid));
        match look(rest, error.error_len()) {
            Found::Char(length, c) => {
                text.push(c);
                bytes = &rest[length..];
            }
            Found::Begun => return rest,
        }
    }
    bytes
}

/// What bytes begin with that are not UTF-8; `error_len` as the standard library says.
fn look(bytes: &[u8], error_len: Option<usize>) -> Found {
    const LONE: char = char::REPLACEMENT_CHARACTER;
    match *bytes {
        [0xed, 0xa0..=0xbf] => Found::Begun,
        [0xed, high @ 0xa0..=0xaf, low @ 0x80..=0xbf, ref after @ ..] => match *after {
            [] | [0xed] | [0xed, 0xb0..=0xbf] => Found::Begun,
            [0xed, high_2 @ 0xb0..=0xbf, low_2 @ 0x80..=0xbf, ..] => {
                let pair = [unit(high, low), unit(high_2, low_2)];
                let c = char::decode_utf16(pair).next().and_then(Result::ok).unwrap_or(LONE);
                Found::Char(6, c)
            }
            _ => Found::Char(3, LONE),
        },
        [0xed, 0xb0..=0xbf, 0x80..=0xbf, ..] => Found::Char(3, LONE),
        _ => error_len.map_or(Found::Begun, |length| Found::Char(length, LONE)),
    }
}

/// The surrogate in the last two bytes of three.
const fn unit(high: u8, low: u8) -> u16 {
    0xd000 | ((high & 0x3f) as u16) << 6 | (low & 0x3f) as u16
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn joined<'b>(pieces: impl IntoIterator<Item = &'b [u8]>) -> String {
        let (mut joiner, mut text) = (Joiner::default(), String::new());
        for piece in pieces {
            joiner.push(piece, &mut text);
        }
        joiner.finish(&mut text);
        text
    }

    #[test]
    fn what_is_no_text_is_replaced_and_the_rest_stays() {
        for (bytes, expected) in [
            (&b"a\xffb"[..], "a\u{fffd}b"),
            (b"\xf0\x9f\x98", "\u{fffd}"),
            (b"\xf0\x9f\x98x", "\u{fffd}x"),
            (b"\xed\xa0\xbd", "\u{fffd}"),
            (b"\xed\xa0\xbdx", "\u{fffd}x"),
            (b"\xed\xb8\x80", "\u{fffd}"),
            (b"\xed\xb8\x80\xed\xa0\xbd!", "\u{fffd}\u{fffd}!"),
            (b"\xed\xa0\xbd\xed\xa0\xbd\xed\xb8\x80", "\u{fffd}\u{1f600}"),
            (b"\xed\xa0\xbd\xed\x9f\xbf", "\u{fffd}\u{d7ff}"),
            (b"\xed\x9f\xbf", "\u{d7ff}"),
            (b"", ""),
        ] {
            assert_eq!(joined([bytes]), expected, "{bytes:x?}");
            assert_eq!(joined(bytes.chunks(1)), expected, "{bytes:x?} byte by byte");
        }
    }

    proptest! {
        #[test]
        fn text_that_is_cut_at_any_byte_is_the_same(text: String, size in 1..8_usize) {
            prop_assert_eq!(joined(text.as_bytes().chunks(size)), text);
        }

        #[test]
        fn text_that_is_cut_at_any_unit_is_the_same(text: String) {
            // Each UTF-16 unit by itself, as serde gives it.
            let units: Vec<Vec<u8>> = text
                .encode_utf16()
                .map(|unit| match char::from_u32(u32::from(unit)) {
                    Some(c) => c.to_string().into_bytes(),
                    None => {
                        let [first, second] = [unit >> 6 & 0x3f, unit & 0x3f];
                        vec![0xed, 0x80 | first.to_le_bytes()[0], 0x80 | second.to_le_bytes()[0]]
                    }
                })
                .collect();
            prop_assert_eq!(joined(units.iter().map(Vec::as_slice)), text);
        }

        #[test]
        fn how_bytes_are_cut_makes_no_difference(bytes in proptest::collection::vec(hostile(), 0..40), size in 1..8_usize) {
            let whole = joined([&bytes[..]]);
            prop_assert_eq!(joined(bytes.chunks(size)), whole.clone());
            prop_assert!(whole.len() <= 3 * bytes.len());
        }
    }

    /// Bytes that often make halves of characters and of pairs.
    fn hostile() -> impl Strategy<Value = u8> {
        prop_oneof![
            any::<u8>(),
            Just(0xed),
            0xa0..=0xbf_u8,
            0x80..=0xbf_u8,
            Just(0xf0),
            Just(b'a')
        ]
    }
}
