//! The languages that Anteroom speaks, and what it says in them.
//!
//! Sentences stand in `locales/<language>/*.ftl`, in the format of [Fluent](https://projectfluent.org): the engine and the wire carry codes
//! with parameters, and whatever a person reads is made of them at the edge. The server reads the files (`compile`) into tables of plain
//! pieces; a browser is sent the table of its own language alone, and reads it with the same few lines ([`Words`]), so that both halves of
//! a page say the same. (Fluent's own runtime is 55 KB of a first visit, linked by itself.) `demo.ftl` is a table apart, which only the
//! server has.

#[cfg(feature = "server")]
mod compile;
#[cfg(feature = "server")]
mod date;
mod figures;
pub mod labels;
mod pattern;
mod reason;
mod words;

#[cfg(all(test, feature = "server"))]
mod tests;

use serde::{Deserialize, Serialize};

#[cfg(feature = "server")]
pub use compile::{LocaleFault, faults};
pub use words::{Arg, Words};

/// A language that people are spoken to in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Language {
    /// `en`
    #[default]
    #[serde(rename = "en")]
    English,
    /// `ru`
    #[serde(rename = "ru")]
    Russian,
}

impl Language {
    /// Every one, in the order in which they are offered.
    pub const ALL: [Self; 2] = [Self::English, Self::Russian];

    /// Its tag (BCP 47), as in `Accept-Language`, `LANGUAGE` and the name of its folder in `locales`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Russian => "ru",
        }
    }

    /// What it calls itself.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Russian => "Русский",
        }
    }

    /// How it writes numbers: between groups of three digits, and before decimals.
    const fn separators(self) -> (char, char) {
        match self {
            Self::English => (',', '.'),
            Self::Russian => ('\u{a0}', ','),
        }
    }

    /// The plural category of a whole number, by the rules of the Unicode CLDR; a test compares all of them with a library.
    const fn plural(self, count: u64) -> &'static str {
        match (self, count % 10, count % 100) {
            (Self::English, ..) if count == 1 => "one",
            (Self::English, ..) => "other",
            (Self::Russian, _, 11..=14) => "many",
            (Self::Russian, 1, _) => "one",
            (Self::Russian, 2..=4, _) => "few",
            (Self::Russian, ..) => "many",
        }
    }

    /// The category of a whole number in an order, likewise.
    const fn ordinal(self, number: u64) -> &'static str {
        match (self, number % 10, number % 100) {
            (Self::English, 1, rest) if rest != 11 => "one",
            (Self::English, 2, rest) if rest != 12 => "two",
            (Self::English, 3, rest) if rest != 13 => "few",
            _ => "other",
        }
    }

    /// The language of this tag or of a part of it: `ru-RU` is Russian.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|language| language.code().eq_ignore_ascii_case(primary))
    }

    /// The one that a browser would like best (`Accept-Language`, RFC 9110, 12.5.4). `None`: any, or none of ours.
    #[must_use]
    pub fn preferred(accepted: &str) -> Option<Self> {
        let wishes = accepted.split(',').filter_map(|wish| {
            let (tag, rest) = wish.split_once(';').unwrap_or((wish, ""));
            let weight = rest
                .trim()
                .strip_prefix("q=")
                .map_or(Some(1.0), |weight| weight.trim().parse::<f32>().ok());
            let weight = weight.filter(|weight| *weight > 0.0)?;
            Some((Self::of_tag(tag.trim())?, weight))
        });
        // Of two that are liked as much, the first.
        let best = wishes.reduce(|best, wish| if wish.1 > best.1 { wish } else { best });
        best.map(|(language, _)| language)
    }
}
