//! How what somebody has given is encrypted: with ChaCha20-Poly1305, bound to whose it is and what it is for, so that in another's row, or for
//! another server, it is worth nothing.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::queue::Owner;

/// Stands before what is sealed, and in what it is bound to: another way of sealing will have another one.
const VERSION: u8 = 1;

/// Encrypts and decrypts. Shows nothing of its key.
pub(super) struct Seal(Option<LessSafeKey>);

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal")
    }
}

/// Whose it is, and what it is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound<'b> {
    pub(super) owner: Owner,
    /// The server's name.
    pub(super) server: &'b str,
    /// Where what is given is sent.
    pub(super) place: &'b str,
}

impl Bound<'_> {
    /// All of it, each part with its length.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend(b"anteroom credential");
        bytes.extend(self.owner.0.to_be_bytes());
        for part in [self.server, self.place] {
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend(part.as_bytes());
        }
        bytes
    }
}

impl Seal {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        // A key of this length is one; without any, nothing is taken and nothing can be read.
        Self(UnboundKey::new(&CHACHA20_POLY1305, key).ok().map(LessSafeKey::new))
    }

    /// Encrypts, as text. `None`: that is not possible here.
    pub(super) fn seal(&self, bound: Bound<'_>, plain: &[u8]) -> Option<String> {
        // Drawn at random: far fewer are ever made than would have to be for two to be the same.
        let nonce: [u8; NONCE_LEN] = rand::random();
        let mut sealed = plain.to_vec();
        let key = self.0.as_ref()?;
        let aad = Aad::from(bound.bytes());
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed)
            .ok()?;
        Some(URL_SAFE_NO_PAD.encode([&[VERSION][..], &nonce, &sealed].concat()))
    }

    /// What was encrypted, bound to the same. `None`: it was with another key or for something else, or is damaged.
    pub(super) fn open(&self, bound: Bound<'_>, sealed: &str) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (&VERSION, rest) = bytes.split_first()? else {
            return None;
        };
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>()?;
        let mut sealed = sealed.to_vec();
        let aad = Aad::from(bound.bytes());
        let key = self.0.as_ref()?;
        let plain = key.open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut sealed);
        plain.ok().map(|plain| plain.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: Bound<'static> = Bound {
        owner: Owner(7),
        server: "tickets",
        place: "https://tickets.example",
    };

    #[test]
    fn what_is_sealed_is_opened_by_the_same_key_for_the_same_owner_and_server_alone() {
        let seal = Seal::new(&[1; 32]);
        let sealed = seal.seal(BOUND, b"s3cr3t").expect("sealed");
        assert_eq!(seal.open(BOUND, &sealed).as_deref(), Some(&b"s3cr3t"[..]));
        assert_eq!(Seal::new(&[2; 32]).open(BOUND, &sealed), None, "another key");
        for other in [
            Bound {
                owner: Owner(8),
                ..BOUND
            },
            Bound {
                server: "ticket",
                ..BOUND
            },
            Bound {
                place: "https://other.example",
                ..BOUND
            },
            // The same letters, elsewhere.
            Bound {
                server: "ticketsh",
                place: "ttps://tickets.example",
                ..BOUND
            },
        ] {
            assert_eq!(seal.open(other, &sealed), None, "{other:?}");
        }
        assert_ne!(seal.seal(BOUND, b"s3cr3t"), Some(sealed), "no two are the same");
    }

    #[test]
    fn what_is_damaged_is_not_opened_and_nothing_is_shown() {
        let seal = Seal::new(&[1; 32]);
        let sealed = seal.seal(BOUND, b"s3cr3t").expect("sealed");
        let bytes = URL_SAFE_NO_PAD.decode(&sealed).expect("ours");
        assert!(!bytes.windows(6).any(|part| part == b"s3cr3t"));
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert_eq!(seal.open(BOUND, &URL_SAFE_NO_PAD.encode(damaged)), None, "{at}");
        }
        for short in ["", "A", "AQ", "not base64!", &sealed[..20]] {
            assert_eq!(seal.open(BOUND, short), None, "{short}");
        }
        assert_eq!(format!("{seal:?}"), "Seal");
    }
}
