//! What somebody is writing: drafts, and messages that the server does not have yet. Both outlive the page.

pub(crate) mod drafts;
pub(crate) mod outbox;

use crate::storage;

/// Forgets every draft and every unsent message of this browser.
pub(crate) fn forget() {
    for key in [drafts::PREFIX, outbox::PREFIX].into_iter().flat_map(storage::keys) {
        storage::remove(&key);
    }
}

#[cfg(test)]
mod tests;
