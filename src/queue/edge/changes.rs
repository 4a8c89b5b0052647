//! How others hear that the lines have changed.

use std::fmt;

use super::Edge;

/// Hears that some position, some count or some limit has changed: of any number of changes between two looks, once.
///
/// The changes are counted under the queue's lock. (A `watch` channel did the same with a lock of its own and eight places to wake
/// sleepers at, and took half of the time of joining, starting and ending a ticket.)
pub struct Changes {
    edge: Edge,
    /// The changes that it has heard of.
    pub(in crate::queue) heard: u64,
}

impl Changes {
    pub(super) fn new(edge: Edge) -> Self {
        let heard = edge.changes();
        Self { edge, heard }
    }

    /// Waits for a change that it has not heard of. Cancel-safe.
    pub async fn changed(&mut self) {
        loop {
            // Before the look, so that no change falls between the two.
            let told = self.edge.told().notified();
            let changes = self.edge.changes();
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
        self.edge.changes() != self.heard
    }

    /// It has heard of all that has changed so far.
    pub fn mark_unchanged(&mut self) {
        self.heard = self.edge.changes();
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes")
            .field("heard", &self.heard)
            .finish_non_exhaustive()
    }
}
