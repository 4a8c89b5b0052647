//! Outcomes that the store has not taken yet: a full disk must cost nobody an answer that is there.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tracing::info;

use super::Conversations;
use crate::{queue::Owner, store::TurnRecord, wire::TurnId};

/// Between two tries.
const RETRY: Duration = Duration::from_secs(5);

/// The outcomes that are owed to the store, for those who look meanwhile.
#[derive(Debug, Default)]
pub(super) struct PendingOutcomes(Mutex<HashMap<(Owner, TurnId), TurnRecord>>);

impl PendingOutcomes {
    fn all(&self) -> MutexGuard<'_, HashMap<(Owner, TurnId), TurnRecord>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lists an outcome until the guard is dropped.
    pub(super) fn enter(self: &Arc<Self>, turn: &TurnRecord) -> PendingOutcome {
        self.all().insert((turn.owner, turn.id), turn.clone());
        PendingOutcome(Arc::clone(self), turn.clone())
    }

    /// Puts an outcome that is owed in place of what the store has.
    pub(super) fn correct(&self, turn: &mut TurnRecord) {
        if let Some(owed) = self.all().get(&(turn.owner, turn.id)) {
            turn.clone_from(owed);
        }
    }
}

/// One outcome that is owed.
pub(super) struct PendingOutcome(Arc<PendingOutcomes>, TurnRecord);

impl Drop for PendingOutcome {
    fn drop(&mut self) {
        self.0.all().remove(&(self.1.owner, self.1.id));
    }
}

impl Conversations {
    /// Stores an outcome as soon as the store takes it; gives up when the server ends (the next start answers the turn
    /// again then).
    pub(super) async fn retry(&self, outcome: PendingOutcome) {
        while !self.closing.is_cancelled() {
            tokio::select! {
                () = tokio::time::sleep(RETRY) => {}
                () = self.closing.cancelled() => {}
            }
            if self.keep(outcome.1.clone()).await {
                info!("the outcome of a turn is stored now");
                return;
            }
        }
    }
}
