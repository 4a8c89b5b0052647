//! A slot that nobody needs, lent to work that nobody waits for.
//!
//! Whoever has it is no ticket: the machine knows nothing of it, so that positions, estimates, bounds and turns are what they are without it, and whoever
//! joins starts as if it were free. In the section of the lock in which a ticket gets a slot, the lent one is claimed where both are more than some limit
//! allows; and whoever has been given a slot asks nobody for anything until a claimed one has been given back ([`Permit::cleared`]). So a back end never has
//! more than it may.

use std::sync::Arc;

use super::{Edge, Permit, Queue, local::Local};
use crate::queue::{BackendIndex, EventIndex, PoolIndex, machine::Machine};

/// The one slot that is lent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lent {
    event: EventIndex,
    pool: PoolIndex,
    backend: BackendIndex,
    /// A ticket has been given what it takes.
    claimed: bool,
}

impl Lent {
    /// Claims it, where it is no more to spare. Says whether that is new.
    pub(super) fn look(&mut self, machine: &Machine) -> bool {
        let claims = !self.claimed && !machine.is_spare(self.event, self.pool, self.backend);
        self.claimed |= claims;
        claims
    }
}

/// A slot that nobody needs. There is at most one at a time. Dropping it gives it back, which a ticket may wait for: what it was used for must have ended
/// by then.
#[must_use]
pub struct IdleSlot {
    local: Arc<Local>,
    backend: BackendIndex,
}

impl Queue {
    /// Waits until a slot for this work is free, nobody waits in its line and none is lent to anybody else. Where several processes keep the queue there is
    /// never one: `None`. For work that may be given up at any moment: it has to end, and the slot be dropped, as soon as [`IdleSlot::claimed`] returns.
    /// Cancel-safe.
    pub async fn idle_slot(&self, event: EventIndex, pool: PoolIndex) -> Option<IdleSlot> {
        let Edge::Local(local) = &self.edge else { return None };
        loop {
            // Before the look, so that no change falls between the two.
            let (changed, returned) = (local.told.notified(), local.lent.notified());
            if let Some(backend) = lend(local, event, pool) {
                let local = Arc::clone(local);
                return Some(IdleSlot { local, backend });
            }
            tokio::select! {
                () = changed => {}
                () = returned => {}
            }
        }
    }
}

fn lend(local: &Local, event: EventIndex, pool: PoolIndex) -> Option<BackendIndex> {
    let seats = &mut *local.lock();
    if seats.lent.is_some() {
        return None;
    }
    let backend = seats.machine.spare(event, pool)?;
    seats.lent = Some(Lent {
        event,
        pool,
        backend,
        claimed: false,
    });
    Some(backend)
}

impl IdleSlot {
    /// Whose it is.
    #[must_use]
    pub const fn backend(&self) -> BackendIndex {
        self.backend
    }

    /// Waits until somebody needs it. Cancel-safe.
    pub async fn claimed(&self) {
        until(&self.local, |lent| lent.is_none_or(|lent| lent.claimed)).await;
    }
}

impl Drop for IdleSlot {
    fn drop(&mut self) {
        self.local.lock().lent = None;
        self.local.lent.notify_waiters();
    }
}

impl Permit {
    /// Waits until the slot is this permit's alone: one that was lent while nobody needed it is given back at once. To be waited for before a back end is asked
    /// for anything. Cancel-safe.
    pub async fn cleared(&self) {
        if let Edge::Local(local) = &self.edge {
            until(local, |lent| lent.is_none_or(|lent| !lent.claimed)).await;
        }
    }
}

async fn until(local: &Local, holds: impl Fn(Option<Lent>) -> bool) {
    loop {
        let changed = local.lent.notified();
        let lent = local.lock().lent;
        if holds(lent) {
            return;
        }
        changed.await;
    }
}
