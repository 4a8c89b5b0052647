//! The name of a session.

use std::fmt;

use uuid::Uuid;

/// One browser, known by its cookie. Random, 128 bits; never shown to anybody but that browser.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub Uuid);

impl SessionId {
    /// A new one, from the system's randomness.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::from_bytes(rand::random()))
    }
}

impl fmt::Debug for SessionId {
    /// A short form for logs: it tells sessions apart, and is of no use to anybody who would pose as one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0.as_bytes();
        write!(f, "s-{:02x}{:02x}{:02x}", bytes[0], bytes[1], bytes[2])
    }
}
