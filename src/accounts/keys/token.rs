//! What a program sends to be let in.
//!
//! Its secret half is 256 random bits, so a digest that is quickly made keeps it: there are no likely ones that somebody with a copy of the
//! store could try, as there are of passwords, and every request would pay for a slow one.

use std::fmt;

use uuid::Uuid;

use crate::accounts::{KeyId, digest::digest};

/// How every token begins, so that people, and programs that look for secrets in the wrong places, know one.
const PREFIX: &str = "anteroom_";
/// Digits of an id, and of the secret half.
const ID: usize = 32;
const SECRET: usize = 64;

/// A token: `anteroom_`, the key's id, and its secret half, in hexadecimal digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A new one, for a new key.
    #[must_use]
    pub fn random(key: KeyId) -> Self {
        let [left, right]: [u128; 2] = rand::random();
        Self(format!("{PREFIX}{}_{left:032x}{right:032x}", key.0.simple()))
    }

    /// Of what somebody has sent; `None`: it is none.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let digits = |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        (digits(id, ID) && digits(secret, SECRET)).then(|| Self(text.to_owned()))
    }

    /// The key that it is said to be of.
    #[must_use]
    pub fn key(&self) -> KeyId {
        let id = self.0.get(PREFIX.len()..PREFIX.len() + ID).unwrap_or_default();
        KeyId(Uuid::try_parse(id).unwrap_or_default())
    }

    /// All that is kept of it.
    #[must_use]
    pub fn digest(&self) -> String {
        digest(&self.0)
    }

    /// As it is sent. To be shown to whoever makes it, once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token of {}", self.key().0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_made_and_shown_nowhere() {
        let key = KeyId(Uuid::new_v4());
        let (one, other) = (Token::random(key), Token::random(key));
        assert_ne!(one, other);
        let read = Token::read(one.reveal()).expect("it is one");
        assert_eq!((read.key(), read.digest()), (key, one.digest()));
        assert_ne!(one.digest(), other.digest());
        assert_eq!(one.digest().len(), 64);
        let secret = &one.reveal()[one.reveal().len() - SECRET..];
        assert!(!format!("{one:?} {}", one.digest()).contains(secret));
    }

    #[test]
    fn what_is_none_is_not_read() {
        let good = Token::random(KeyId(Uuid::new_v4())).reveal().to_owned();
        assert!(Token::read(&good).is_some());
        for wrong in [
            "",
            "anteroom_",
            "sk-1234",
            &good[1..],
            &good[..good.len() - 1],
            &format!("{good}0"),
            &format!(" {good}"),
            &good.replace("anteroom_", "anteroom-"),
            &format!("{}ü", &good[..good.len() - 2]),
        ] {
            assert!(Token::read(wrong).is_none(), "{wrong}");
        }
    }
}
