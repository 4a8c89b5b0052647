//! The buckets of all who have used something of late.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::bucket::Bucket;

/// How many there may be before those that have filled up are looked for.
const FEW: usize = 1024;

/// Where somebody stands against a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How much a minute.
    pub limit: u64,
    /// How much there is left.
    pub left: u64,
    /// How long it takes until there is enough for one more; nothing: there is.
    pub wait: Duration,
    /// How long it takes until there is all of it.
    pub full_in: Duration,
}

impl Standing {
    fn of(bucket: Bucket, limit: u64) -> Self {
        Self {
            limit,
            left: bucket.left(),
            wait: bucket.until(1.0, limit),
            full_in: bucket.until(limit as f64, limit),
        }
    }
}

/// Who has used how much of the same limit.
#[derive(Debug)]
pub(super) struct Table<K>(Mutex<Buckets<K>>);

#[derive(Debug)]
struct Buckets<K> {
    of: HashMap<K, Bucket>,
    /// At how many those that have filled up are looked for.
    sweep_at: usize,
}

impl<K> Default for Table<K> {
    fn default() -> Self {
        Self(Mutex::new(Buckets {
            of: HashMap::new(),
            sweep_at: FEW,
        }))
    }
}

impl<K: Eq + Hash> Table<K> {
    fn lock(&self) -> MutexGuard<'_, Buckets<K>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes one, if there is one. `Err`: there is none.
    pub(super) fn take(&self, who: K, limit: u64) -> Result<Standing, Standing> {
        self.change(who, limit, |bucket| bucket.has(1.0).then(|| bucket.changed(-1.0)))
    }

    /// Takes so much, whether there is as much or not; less than nothing gives it back.
    pub(super) fn charge(&self, who: K, limit: u64, much: f64) -> Standing {
        let charged = self.change(who, limit, |bucket| Some(bucket.changed(-much)));
        charged.unwrap_or_else(|standing| standing)
    }

    /// Where it stands.
    pub(super) fn standing(&self, who: K, limit: u64) -> Standing {
        self.charge(who, limit, 0.0)
    }

    /// Looks whether there is any. `Err`: there is none.
    pub(super) fn look(&self, who: K, limit: u64) -> Result<Standing, Standing> {
        self.change(who, limit, |bucket| bucket.has(1.0).then_some(bucket))
    }

    fn change(&self, who: K, limit: u64, change: impl FnOnce(Bucket) -> Option<Bucket>) -> Result<Standing, Standing> {
        let (now, limit) = (Instant::now(), limit.max(1));
        let mut buckets = self.lock();
        let bucket = buckets.of.get(&who).copied();
        let bucket = bucket.map_or_else(|| Bucket::full(limit, now), |bucket| bucket.filled(limit, now));
        let Some(changed) = change(bucket) else {
            return Err(Standing::of(bucket, limit));
        };
        // A full one is as good as none.
        let changed = changed.filled(limit, now);
        if changed.is_full(now) {
            buckets.of.remove(&who);
        } else {
            buckets.of.insert(who, changed);
            buckets.sweep(now);
        }
        Ok(Standing::of(changed, limit))
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().of.len()
    }
}

impl<K: Eq + Hash> Buckets<K> {
    /// Forgets those that have filled up, once there are twice as many as there were without them.
    fn sweep(&mut self, now: Instant) {
        if self.of.len() < self.sweep_at {
            return;
        }
        self.of.retain(|_, bucket| !bucket.is_full(now));
        self.of.shrink_to(FEW);
        self.sweep_at = (self.of.len() * 2).max(FEW);
    }
}
