//! What somebody is writing: drafts, and messages that the server does not have yet. Both outlive the page.

pub(crate) mod drafts;
pub(crate) mod outbox;

use crate::storage;

/// The prompts that somebody keeps; `public/reading.js` reads and writes them.
const PROMPTS: &str = "prompts";

/// Forgets every draft, every unsent message and every prompt of this browser.
pub(crate) fn forget() {
    storage::remove(PROMPTS);
    for key in [drafts::PREFIX, outbox::PREFIX].into_iter().flat_map(storage::keys) {
        storage::remove(&key);
    }
}

#[cfg(test)]
mod tests;
