//! The line: where jobs join it, and what may come of their wait before there is a slot.

use std::future::pending;

use uuid::Uuid;

use crate::{
    agents::{Backends, Tries},
    queue::{BackendIndex, EventIndex, JoinError, LeaveReason, Owner, Permit, PoolIndex, Queue, Ticket, Work},
    settings::ModelName,
    wire::{Event, Reason},
};

/// What a job asks of the line: to be answered by a back end of this pool, if possible by that one. `None`: there is no pool of its model.
pub(crate) fn work(pool: Option<PoolIndex>, prefers: Option<BackendIndex>) -> Work {
    Work {
        pool,
        prefers,
        ..EventIndex(Event::Chat.index()).into()
    }
}

/// Takes a place in the line for a job, which its ticket names: by that, whoever takes it up again knows what it is for.
///
/// Cancel-safe: dropped before it returns, there is no place.
///
/// # Errors
/// [`JoinError`]; nothing has changed then.
pub(crate) async fn join(queue: &Queue, (job, owner): (Uuid, Owner), work: Work) -> Result<Ticket, JoinError> {
    queue.place(job.as_u128(), work, owner).await
}

/// A job that waits.
pub(crate) struct Waiting<'a> {
    pub(crate) backends: &'a Backends,
    /// `None`: its model has a name that none can have.
    pub(crate) model: Option<&'a ModelName>,
    pub(crate) pool: Option<PoolIndex>,
    /// What it has been through.
    pub(crate) tries: Tries,
    /// Whether it waits for a back end no matter how long all of its model's are out of service.
    pub(crate) outlasts_outages: bool,
}

/// What has come of a wait.
pub(crate) enum Waited {
    /// There is a slot.
    Slot(Permit),
    /// It has left the line.
    Left(LeaveReason),
    /// No back end of its model is in service, and this model may answer in place of that. It waits on.
    Instead(ModelName, PoolIndex),
    /// No back end of its model has been in service for as long as it may wait for one. It is in the line still.
    GaveUp(Reason),
}

impl Waiting<'_> {
    /// Waits until it is `admitted`, or something else has come of it. `may_be_asked_at`: whether the back ends of a pool could answer it.
    ///
    /// Cancel-safe, as far as `admitted` is.
    pub(crate) async fn until(
        &self,
        admitted: impl Future<Output = Result<Permit, LeaveReason>>,
        may_be_asked_at: impl Fn(PoolIndex) -> bool,
    ) -> Waited {
        let mut service = self.backends.changes();
        let mut admitted = std::pin::pin!(admitted);
        loop {
            let instead = self
                .model
                .and_then(|model| self.backends.instead_of(model, &self.tries));
            if let Some((model, pool)) = instead.filter(|(_, pool)| may_be_asked_at(*pool)) {
                return Waited::Instead(model, pool);
            }
            tokio::select! {
                biased;
                admitted = &mut admitted => return admitted.map_or_else(Waited::Left, Waited::Slot),
                reason = self.gave_up() => return Waited::GaveUp(reason),
                changed = service.changed() => if changed.is_err() {
                    pending::<()>().await;
                },
            }
        }
    }

    async fn gave_up(&self) -> Reason {
        match self.pool.filter(|_| !self.outlasts_outages) {
            Some(pool) => self.backends.gave_up(pool, &self.tries).await,
            None => pending().await,
        }
    }
}

#[cfg(test)]
mod tests;
