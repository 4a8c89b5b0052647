//! Tickets that wait for back ends that are out of service: why, for how long, and who answers instead.

use tokio::time::{Instant, sleep_until};

use super::{
    Backends, Tries,
    directory::{Backend, Directory},
    lock,
};
use crate::{queue::PoolIndex, settings::ModelName, wire::Reason};

/// Why no ticket of a pool starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What is wrong with the back end that is tried again first.
    pub reason: Reason,
    /// When that is; `None`: it is being tried, or nobody knows.
    pub until: Option<Instant>,
}

impl Backends {
    /// Why no ticket of a pool starts; `None`: a back end of it is in service.
    #[must_use]
    pub fn trouble(&self, pool: PoolIndex) -> Option<Trouble> {
        let directory = self.directory();
        let now = Instant::now();
        let backends: Vec<_> = directory.backends_of_pool(pool).collect();
        if backends.iter().any(|backend| !lock(&backend.known).is_out(now)) {
            return None;
        }
        let troubles = backends.iter().map(|backend| {
            let known = lock(&backend.known);
            Trouble {
                reason: known.trouble.clone().unwrap_or(Reason::ModelUnreachable),
                until: known.until(now),
            }
        });
        // One that is being tried comes before those that will be.
        let soonest = troubles.min_by_key(|trouble| trouble.until);
        Some(soonest.unwrap_or(Trouble {
            reason: Reason::WaitDrained,
            until: None,
        }))
    }

    /// The model that answers in place of one of which no back end is in service, and its pool; `None`: nobody does, nobody need, or one that has
    /// been through `tries` has been there.
    #[must_use]
    pub fn instead_of(&self, model: &ModelName, tries: &Tries) -> Option<(ModelName, PoolIndex)> {
        let directory = self.directory();
        let now = Instant::now();
        let is_out = directory
            .pool_of(model)
            .is_none_or(|pool| !directory.is_in_service(pool, now));
        directory.fallback(model, tries, now).filter(|_| is_out)
    }

    /// Returns once a turn has waited for a pool that is out of service for as long as it may, with the reason for which it fails. Cancel-safe; where
    /// there is no such bound, or a back end works, it never returns.
    pub async fn gave_up(&self, pool: PoolIndex, tries: &Tries) -> Reason {
        let mut changes = self.changes();
        loop {
            let gives_up = self.directory().gives_up_at(pool, tries);
            if gives_up.is_some_and(|at| at <= Instant::now()) {
                return self.why(pool);
            }
            tokio::select! {
                () = sleep_until(gives_up.unwrap_or_else(Instant::now)), if gives_up.is_some() => {}
                changed = changes.changed() => if changed.is_err() {
                    std::future::pending::<()>().await;
                },
            }
        }
    }

    /// What was last wrong with a pool.
    fn why(&self, pool: PoolIndex) -> Reason {
        let directory = self.directory();
        let mut reasons = directory
            .backends_of_pool(pool)
            .filter_map(|backend| lock(&backend.known).trouble.clone());
        reasons.next().unwrap_or(Reason::ModelUnreachable)
    }
}

impl Directory {
    pub(super) fn backends_of_pool(&self, pool: PoolIndex) -> impl Iterator<Item = &Backend> {
        let indices = self.pool(pool).into_iter().flat_map(|pool| &pool.backends);
        indices
            .filter_map(|index| self.backend(*index))
            .map(|backend| &**backend)
    }

    fn is_in_service(&self, pool: PoolIndex, now: Instant) -> bool {
        self.backends_of_pool(pool)
            .any(|backend| !lock(&backend.known).is_out(now))
    }

    /// The model that may answer in place of this one.
    pub(super) fn fallback(
        &self,
        instead_of: &ModelName,
        tries: &Tries,
        now: Instant,
    ) -> Option<(ModelName, PoolIndex)> {
        if !tries.may_fall_back() {
            return None;
        }
        let model = self
            .catalog
            .fallback
            .as_ref()
            .filter(|fallback| *fallback != instead_of)?;
        let pool = self.pool_of(model)?;
        let sees = !tries.has_to_see() || self.sees(pool) != Some(false);
        (sees && self.is_in_service(pool, now)).then(|| (model.clone(), pool))
    }

    /// When a turn has waited long enough for a pool of which nothing works; `None`: something does, or it may wait for ever.
    pub(super) fn gives_up_at(&self, pool: PoolIndex, tries: &Tries) -> Option<Instant> {
        let longest = self.bounds.outage?;
        let mut since = tries.since;
        for backend in self.backends_of_pool(pool) {
            since = since.max(lock(&backend.known).failing_since?);
        }
        since.checked_add(longest)
    }
}
