//! A slot in somebody's hands.

use std::{fmt, sync::Arc, time::Duration};

use super::{Outcome, arena::Key, shared::Shared, state::Grant};

/// A slot. Dropping it frees the slot at once and starts the next ticket, within the drop; a drop without
/// [`Permit::finish`], as by a panic, counts as [`Outcome::Failed`].
///
/// It counts against the limit that its event belongs to now: after a retuning that may be another one than it started at.
pub struct Permit {
    shared: Arc<Shared>,
    running: Key,
    waited: Duration,
    outcome: Outcome,
}

impl Permit {
    pub(super) fn new(shared: Arc<Shared>, grant: Grant) -> Self {
        Self {
            shared,
            running: grant.running,
            waited: grant.waited,
            outcome: Outcome::Failed,
        }
    }

    /// Frees the slot and says how the work ended.
    pub fn finish(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }

    /// How long its ticket waited.
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.waited
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.shared.release(self.running, self.outcome);
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("waited", &self.waited)
            .finish_non_exhaustive()
    }
}
