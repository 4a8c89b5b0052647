//! One of a few words.

use super::{
    super::{Audience, LogFormat, Titles, allowed::Allowed},
    Kind,
};
use crate::{
    language::Language,
    queue::{Balance, Order},
};

impl Kind for bool {
    type Value = Self;

    fn allowed() -> Allowed {
        Allowed::just("switch", "true or false (also 1, 0, yes, no, on, off)")
    }

    fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Some(true),
            "false" | "0" | "no" | "off" => Some(false),
            _ => None,
        }
    }
}

impl Kind for Order {
    type Value = Self;

    fn allowed() -> Allowed {
        Allowed::just("`fair`, `fifo`", "fair or fifo")
    }

    fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "fair" => Some(Self::Fair),
            "fifo" => Some(Self::Fifo),
            _ => None,
        }
    }
}

impl Kind for Balance {
    type Value = Self;

    fn allowed() -> Allowed {
        Allowed::just(
            "`least_loaded`, `round_robin`, `weighted`",
            "least_loaded, round_robin or weighted",
        )
    }

    fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().replace('-', "_").as_str() {
            "least_loaded" => Some(Self::LeastLoaded),
            "round_robin" => Some(Self::RoundRobin),
            "weighted" => Some(Self::Weighted),
            _ => None,
        }
    }
}

impl Kind for LogFormat {
    type Value = Self;

    fn allowed() -> Allowed {
        Allowed::just("`text`, `json`", "text or json")
    }

    fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

impl Kind for Titles {
    type Value = Self;

    fn allowed() -> Allowed {
        Allowed::just("`first_words`, `model`", "first_words or model")
    }

    fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().replace('-', "_").as_str() {
            "first_words" => Some(Self::FirstWords),
            "model" => Some(Self::Model),
            _ => None,
        }
    }
}

impl Kind for Audience {
    type Value = Self;

    fn allowed() -> Allowed {
        Allowed::just("`everyone`, `operators`, `off`", "everyone, operators or off")
    }

    fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "everyone" => Some(Self::Everyone),
            "operators" => Some(Self::Operators),
            "off" => Some(Self::Off),
            _ => None,
        }
    }
}

impl Kind for Language {
    type Value = Self;

    fn allowed() -> Allowed {
        let codes = Self::ALL.map(Self::code);
        let [others @ .., last] = codes;
        let brief = codes.map(|code| format!("`{code}`")).join(", ");
        Allowed::just(brief, format!("{} or {last}", others.join(", ")))
    }

    /// Many systems have a variable of this name: what people there read (`en_US:en`, `de`). The first of ours counts then, and one
    /// without any of ours is no fault of the settings: they would keep the server from starting.
    fn parse(text: &str) -> Option<Self> {
        let named = text.split(':').find_map(Self::of_tag);
        let is_tag = text.len() == 2 && text.bytes().all(|letter| letter.is_ascii_alphabetic());
        let of_the_system = is_tag || text.contains([':', '_']) || matches!(text, "C" | "POSIX");
        named.or_else(|| of_the_system.then(Self::default))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_are_read_in_any_case() {
        for text in ["true", "TRUE", "1", "Yes", "on"] {
            assert_eq!(bool::parse(text), Some(true), "{text}");
        }
        for text in ["False", "0", "NO", "off"] {
            assert_eq!(bool::parse(text), Some(false), "{text}");
        }
        assert_eq!(bool::parse("maybe"), None);
    }

    #[test]
    fn a_language_may_be_the_list_of_the_system() {
        for (text, language) in [
            ("ru", Some(Language::Russian)),
            ("EN", Some(Language::English)),
            ("ru_RU:en", Some(Language::Russian)),
            ("tlh_KX:tlh:ru", Some(Language::Russian)),
            ("tlh_KX:tlh", Some(Language::English)),
            ("C", Some(Language::English)),
            ("xh", Some(Language::English)),
            ("rus", None),
            ("r1", None),
            ("klingon", None),
        ] {
            assert_eq!(Language::parse(text), language, "{text}");
        }
    }
}
