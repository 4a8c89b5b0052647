//! All that is said in one language.

use serde::{Deserialize, Serialize};

use super::{
    Language,
    pattern::{Pattern, Piece},
};

/// What a message is filled in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arg {
    /// Stands as it is.
    Text(String),
    /// Stands as the language writes numbers, and chooses its plural.
    Count(u64),
}

impl From<&str> for Arg {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Arg {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Arg {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<u64> for Arg {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<u32> for Arg {
    fn from(count: u32) -> Self {
        Self::Count(count.into())
    }
}

impl From<u16> for Arg {
    fn from(count: u16) -> Self {
        Self::Count(count.into())
    }
}

impl From<usize> for Arg {
    fn from(count: usize) -> Self {
        Self::Count(u64::try_from(count).unwrap_or(u64::MAX))
    }
}

/// The messages of one language. A browser has those of its own, the server all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    language: Language,
    /// By key, ascending.
    messages: Vec<(String, Pattern)>,
}

impl Words {
    /// `messages` in any order, each key once.
    #[cfg(feature = "server")]
    pub(super) fn new(language: Language, mut messages: Vec<(String, Pattern)>) -> Self {
        messages.sort_by(|(one, _), (other, _)| one.cmp(other));
        Self { language, messages }
    }

    /// Which language this is.
    #[must_use]
    pub const fn language(&self) -> Language {
        self.language
    }

    #[cfg(all(test, feature = "server"))]
    pub(super) fn messages(&self) -> &[(String, Pattern)] {
        &self.messages
    }

    /// The message of this key with its arguments filled in; the key itself where there is none, which a test rules out.
    /// [`say!`](crate::say) writes the arguments shorter.
    #[must_use]
    pub fn say(&self, key: &str, args: &[(&str, Arg)]) -> String {
        let mut said = String::new();
        match self.messages.binary_search_by(|(known, _)| known.as_str().cmp(key)) {
            Ok(at) => self.write(&self.messages[at].1, args, &mut said),
            Err(_) => said.push_str(key),
        }
        said
    }

    /// The message of this key, which is filled in with nothing; the key itself where there is none. [`text!`](crate::text) is the same, and
    /// is what the tests look for.
    #[must_use]
    pub fn text(&'static self, key: &'static str) -> &'static str {
        let found = self.messages.binary_search_by(|(known, _)| known.as_str().cmp(key));
        match found.map(|at| self.messages[at].1.as_slice()) {
            Ok([Piece::Text(text)]) => text,
            _ => key,
        }
    }

    fn write(&self, pattern: &Pattern, args: &[(&str, Arg)], said: &mut String) {
        let of = |name: &str| args.iter().find(|(known, _)| *known == name).map(|(_, arg)| arg);
        for piece in pattern {
            match piece {
                Piece::Text(text) => said.push_str(text),
                Piece::Value(name) => match of(name) {
                    Some(Arg::Text(text)) => said.push_str(text),
                    Some(Arg::Count(count)) => said.push_str(&self.number(*count)),
                    None => said.push_str(name),
                },
                Piece::Choice(name, cases) => {
                    let case = of(name).and_then(|arg| self.case(arg, cases)).or(cases.last());
                    if let Some((_, pattern)) = case {
                        self.write(pattern, args, said);
                    }
                }
            }
        }
    }

    fn case<'a>(&self, arg: &Arg, cases: &'a [(String, Pattern)]) -> Option<&'a (String, Pattern)> {
        let named = |name: &str| cases.iter().find(|(case, _)| case == name);
        match arg {
            Arg::Text(text) => named(text),
            Arg::Count(count) => named(&count.to_string()).or_else(|| named(self.language.plural(*count))),
        }
    }
}

/// A message with its arguments: `say!(words, "line-rank", place = 3u64, of = 7u64)`.
#[macro_export]
macro_rules! say {
    ($words:expr, $key:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $words.say($key, &[$((stringify!($name), $crate::language::Arg::from($value))),*])
    };
}

/// A message without arguments: `text!(words, "tabs")`.
#[macro_export]
macro_rules! text {
    ($words:expr, $key:literal) => {
        $words.text($key)
    };
}
