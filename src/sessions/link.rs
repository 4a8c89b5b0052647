//! What the nodes of one site know each other by.

use cookie::Key;

use super::CookieJar;

impl CookieJar {
    /// A key that is made of the one of the cookies, for the link between nodes and for nothing else: the same on every node, and of no
    /// use to whoever would forge a cookie.
    #[must_use]
    pub fn link_key(&self) -> Vec<u8> {
        Key::derive_from(&[self.key.0.master(), b"link"].concat())
            .signing()
            .to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{sessions::CookieKey, settings::Secret};

    #[test]
    fn it_is_the_same_for_the_same_key_and_is_not_that_key() {
        let jar = |key: &str| {
            let secret = Secret(key.repeat(32));
            let key = CookieKey::load(Some(&secret), std::path::Path::new("nowhere")).expect("a key");
            CookieJar::new(key, false)
        };
        let (one, other) = (jar("1"), jar("2"));
        assert_eq!(one.link_key(), jar("1").link_key());
        assert_ne!(one.link_key(), other.link_key());
        assert_eq!(one.link_key().len(), 32);
        for used in [one.key.0.signing(), one.key.0.encryption()] {
            assert_ne!(one.link_key(), used);
        }
    }
}
