//! The slots of one limit: a tokio semaphore that can be resized while permits are out.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Slots of one limit. Always: free + held = limit + debt, and a debt only where nothing is free.
///
/// The semaphore's own waiting list is never used: the line decides who is next, so slots are taken by
/// `try_acquire_owned` only.
pub(super) struct Slots {
    semaphore: Arc<Semaphore>,
    limit: usize,
    /// Slots that a shrinking took away while they were held; paid by the next ones that come back.
    debt: usize,
}

impl Slots {
    pub(super) fn new(limit: Option<usize>) -> Self {
        let limit = countable(limit);
        Self {
            semaphore: Arc::new(Semaphore::new(limit)),
            limit,
            debt: 0,
        }
    }

    pub(super) fn has_free(&self) -> bool {
        self.semaphore.available_permits() > 0
    }

    pub(super) fn try_take(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.semaphore).try_acquire_owned().ok()
    }

    pub(super) fn give_back(&mut self, slot: OwnedSemaphorePermit) {
        if self.debt > 0 {
            self.debt -= 1;
            slot.forget();
        }
    }

    /// A slot for something that runs already and comes over from another limit: never refused, owed if none is free.
    pub(super) fn take_over(&mut self) -> OwnedSemaphorePermit {
        loop {
            if let Some(slot) = self.try_take() {
                return slot;
            }
            self.semaphore.add_permits(1);
            self.debt += 1;
        }
    }

    pub(super) fn resize(&mut self, limit: Option<usize>) {
        let limit = countable(limit);
        if limit >= self.limit {
            let more = limit - self.limit;
            let paid = more.min(self.debt);
            self.debt -= paid;
            self.semaphore.add_permits(more - paid);
        } else {
            let fewer = self.limit - limit;
            self.debt += fewer - self.semaphore.forget_permits(fewer);
        }
        self.limit = limit;
    }
}

/// Unlimited is as many as a semaphore can count.
fn countable(limit: Option<usize>) -> usize {
    limit.map_or(Semaphore::MAX_PERMITS, |limit| limit.min(Semaphore::MAX_PERMITS))
}
