//! Passes: one-time links that take a conversation along to another device.
//!
//! What stands in a link, and in the cookie that it is exchanged for, is 192 random bits each, so a digest that is quickly made keeps it. Nothing
//! else of either is kept, and neither is shown by `Debug`.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use tokio::sync::watch;
use uuid::Uuid;

use super::digest::digest;
pub use crate::store::{PassKind, PassRecord};
use crate::{queue::Owner, wire::ConversationId};

/// Random bytes of a secret, and characters that they are written as.
const BYTES: usize = 24;
const CHARACTERS: usize = 32;

/// What stands in a link, or in a guest's cookie.
#[derive(Clone, PartialEq, Eq)]
pub struct PassSecret(String);

impl PassSecret {
    /// A new one.
    #[must_use]
    pub fn random() -> Self {
        Self(URL_SAFE_NO_PAD.encode(rand::random::<[u8; BYTES]>()))
    }

    /// Of what somebody has sent; `None`: it is none.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let is_one = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (text.len() == CHARACTERS && text.bytes().all(is_one)).then(|| Self(text.to_owned()))
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

impl fmt::Debug for PassSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PassSecret")
    }
}

/// Somebody who watches one conversation by a pass. No [`Principal`](super::Principal): whatever asks for one of those lets no guest in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guest {
    /// The pass.
    pub pass: Uuid,
    /// Whose conversation it is.
    pub owner: Owner,
    /// All that they may see.
    pub conversation: ConversationId,
    /// From when on they may not, in milliseconds since the Unix epoch.
    pub until: u64,
}

/// Why a pass lets nobody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassEnd {
    /// There is none, or its conversation is gone.
    Gone,
    /// Somebody has used it.
    Used,
    /// Its owner has revoked it.
    Revoked,
    /// Its time is over.
    Over,
    /// The settings have no passes.
    Off,
}

/// Looks whether a pass can still be used at this time.
///
/// # Errors
/// [`PassEnd`].
pub fn usable(pass: Option<PassRecord>, now: u64) -> Result<PassRecord, PassEnd> {
    let pass = holds(pass, now)?;
    if pass.used_at.is_some() {
        return Err(PassEnd::Used);
    }
    Ok(pass)
}

/// Looks whether a pass holds at this time, used or not.
///
/// # Errors
/// [`PassEnd`].
pub fn holds(pass: Option<PassRecord>, now: u64) -> Result<PassRecord, PassEnd> {
    let pass = pass.ok_or(PassEnd::Gone)?;
    if pass.revoked_at.is_some() {
        return Err(PassEnd::Revoked);
    }
    if pass.expires_at <= now {
        return Err(PassEnd::Over);
    }
    Ok(pass)
}

/// Tells those who watch that some pass is revoked, so that they look for theirs at once.
#[derive(Debug)]
pub struct Revocations(watch::Sender<()>);

impl Default for Revocations {
    fn default() -> Self {
        Self(watch::Sender::new(()))
    }
}

impl Revocations {
    /// Hears of them.
    #[must_use]
    pub fn follow(&self) -> watch::Receiver<()> {
        self.0.subscribe()
    }

    /// There is one.
    pub(crate) fn tell(&self) {
        self.0.send_replace(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_as_it_was_made_and_shown_nowhere() {
        let (one, other) = (PassSecret::random(), PassSecret::random());
        assert_ne!(one, other);
        assert_eq!(one.reveal().len(), CHARACTERS);
        let read = PassSecret::read(one.reveal()).expect("it is one");
        assert_eq!(read.digest(), one.digest());
        assert_ne!(one.digest(), other.digest());
        assert_eq!(one.digest().len(), 64);
        assert!(!format!("{one:?} {}", one.digest()).contains(one.reveal()));
        let good = one.reveal();
        for wrong in [
            "",
            &good[1..],
            &format!("{good}0"),
            &format!("{}/", &good[1..]),
            &format!("{}ü", &good[2..]),
        ] {
            assert_eq!(PassSecret::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_pass_holds_until_it_is_over_and_is_used_once() {
        let pass = PassRecord {
            id: Uuid::new_v4(),
            owner: Owner(1),
            conversation: ConversationId::new(),
            kind: PassKind::Watch,
            digest: PassSecret::random().digest(),
            created_at: 0,
            expires_at: 1_000,
            used_at: None,
            revoked_at: None,
            guest: None,
        };
        let used = PassRecord {
            used_at: Some(5),
            ..pass.clone()
        };
        let revoked = PassRecord {
            revoked_at: Some(7),
            ..used.clone()
        };
        assert_eq!(usable(Some(pass.clone()), 999), Ok(pass.clone()));
        assert_eq!(usable(Some(pass), 1_000), Err(PassEnd::Over));
        assert_eq!(usable(Some(used.clone()), 999), Err(PassEnd::Used));
        assert_eq!(holds(Some(used.clone()), 999), Ok(used));
        assert_eq!(holds(Some(revoked), 999), Err(PassEnd::Revoked));
        assert_eq!(holds(None, 0), Err(PassEnd::Gone));
    }
}
