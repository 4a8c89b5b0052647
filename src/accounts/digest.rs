//! What is kept of a secret that somebody shows again: enough to know it by, and nothing to use.

use sha2::{Digest as _, Sha256};

/// The SHA-256 of a secret, in hexadecimal digits. Secrets that are drawn at random need no salt and no slow hash.
pub(super) fn digest(secret: &str) -> String {
    Sha256::digest(secret.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
