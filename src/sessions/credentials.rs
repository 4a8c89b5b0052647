//! What people's own credentials are encrypted with.

use cookie::Key;

use super::CookieJar;

impl CookieJar {
    /// A key that is made of the one of the cookies, for what people give for servers of tools and for nothing else: the same on every node.
    #[must_use]
    pub fn credentials_key(&self) -> [u8; 32] {
        let key = Key::derive_from(&[self.key.0.master(), b"credentials"].concat());
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(key.encryption()) {
            *to = *from;
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{sessions::CookieKey, settings::Secret};

    #[test]
    fn it_is_the_same_for_the_same_key_and_is_no_other_key() {
        let jar = |key: &str| {
            let secret = Secret(key.repeat(32));
            let key = CookieKey::load(Some(&secret), std::path::Path::new("nowhere")).expect("a key");
            CookieJar::new(key, false)
        };
        let (one, other) = (jar("1"), jar("2"));
        assert_eq!(one.credentials_key(), jar("1").credentials_key());
        assert_ne!(one.credentials_key(), other.credentials_key());
        assert_ne!(one.credentials_key(), [0; 32]);
        let link = one.link_key();
        for used in [one.key.0.signing(), one.key.0.encryption(), &link[..]] {
            assert_ne!(one.credentials_key(), used);
        }
    }
}
