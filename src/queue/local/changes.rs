//! How others hear that the lines have changed.

use std::{fmt, sync::Arc};

use super::shared::Shared;

/// Hears that some position, some count or some limit has changed: of any number of changes between two looks, once.
///
/// The changes are counted under the queue's lock. (A `watch` channel did the same with a lock of its own and eight places to wake
/// sleepers at, and took half of the time of joining, starting and ending a ticket.)
pub struct Changes {
    shared: Arc<Shared>,
    /// The changes that it has heard of.
    pub(in crate::queue) heard: u64,
}

impl Changes {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let heard = shared.lock().changes;
        Self { shared, heard }
    }

    /// Waits for a change that it has not heard of. Cancel-safe.
    pub async fn changed(&mut self) {
        loop {
            // Before the look, so that no change falls between the two.
            let told = self.shared.told.notified();
            let changes = self.shared.lock().changes;
            if changes != self.heard {
                self.heard = changes;
                return;
            }
            told.await;
        }
    }

    /// Whether there is a change that it has not heard of.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        self.shared.lock().changes != self.heard
    }

    /// It has heard of all that has changed so far.
    pub fn mark_unchanged(&mut self) {
        self.heard = self.shared.lock().changes;
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes")
            .field("heard", &self.heard)
            .finish_non_exhaustive()
    }
}
