//! All requests on their way, and the answers that are kept for those who may ask again: so that a repeated request finds its own.
//!
//! A program asks again when it has lost its connection, or has waited for longer than it likes. It finds its request by the key that it has
//! given it, or, as OpenAI's own clients do without one, by saying that this is not its first try: then it is the request with the same body
//! whose program has gone without an answer. So two first requests that happen to be alike stay two.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use uuid::Uuid;

use super::job::{Follower, Job};
use crate::queue::Owner;

/// The most bytes of answers that are kept, all together.
const MOST_KEPT: usize = 64 * 1024 * 1024;

/// How a program repeats a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Again {
    /// The key that it has given it.
    pub key: Option<String>,
    /// Whether it says itself that this is not its first try.
    pub repeats: bool,
    /// Whether it can go on in the middle of a stream, by the numbers of its events.
    pub resumes: bool,
    /// What is the same where two requests are.
    pub hash: [u8; 32],
}

/// What became of a look for a request.
pub(super) enum Found {
    /// It is on its way already, or answered.
    Known(Follower),
    /// It has the key of one with another body.
    OtherBody,
    /// It is a new one.
    New(Arc<Job>, Follower),
}

/// All requests.
#[derive(Debug, Default)]
pub(super) struct Registry(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    owners: HashMap<Owner, HashMap<Uuid, Entry>>,
    /// Those whose answers are kept, the oldest first, and some that are not any more.
    kept: VecDeque<(Instant, Owner, Uuid)>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    job: Arc<Job>,
    /// Bytes of its answer, once that is kept.
    kept: usize,
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The request that is repeated, or else a new one. Of two that come at once with the same key, the second finds the first.
    pub(super) fn find_or_enter(
        self: &Arc<Self>,
        owner: Owner,
        again: Option<Again>,
        keep: Option<Duration>,
        new: impl FnOnce(Option<Again>) -> Arc<Job>,
    ) -> Found {
        let mut inner = self.lock();
        inner.expire(keep);
        if let (Some(again), Some(own)) = (&again, inner.owners.get(&owner)) {
            let with_key = || {
                let jobs = own.values().map(|entry| &entry.job);
                jobs.filter(|job| again.key.is_some() && job.again().is_some_and(|known| known.key == again.key))
            };
            for job in with_key() {
                let same = job.again().is_some_and(|known| known.hash == again.hash);
                // One that has just failed is none to wait for.
                match job.follow(self) {
                    Some(follower) if same => return Found::Known(follower),
                    Some(_) => return Found::OtherBody,
                    None => {}
                }
            }
            let missed = || {
                let jobs = own.values().map(|entry| &entry.job);
                let own =
                    jobs.filter(|job| job.again().is_some_and(|known| known.hash == again.hash) && job.is_missed());
                // Ids grow: the one that has waited longest.
                own.min_by_key(|job| job.id())
            };
            if again.repeats
                && again.key.is_none()
                && let Some(follower) = missed().and_then(|job| job.follow(self))
            {
                return Found::Known(follower);
            }
        }
        let job = new(again);
        let follower = job.follow(self).expect("nobody else knows it yet, so it has not ended");
        let entry = Entry {
            job: Arc::clone(&job),
            kept: 0,
        };
        inner.owners.entry(owner).or_default().insert(job.id(), entry);
        Found::New(job, follower)
    }

    /// A request of an owner, followed from its beginning; `None`: there is none of this id (any more).
    pub(super) fn find(self: &Arc<Self>, owner: Owner, id: Uuid) -> Option<Follower> {
        self.job(owner, id)?.follow(self)
    }

    pub(super) fn job(&self, owner: Owner, id: Uuid) -> Option<Arc<Job>> {
        let inner = self.lock();
        inner.owners.get(&owner)?.get(&id).map(|entry| Arc::clone(&entry.job))
    }

    /// All requests of an owner.
    pub(super) fn all(&self, owner: Owner) -> Vec<Arc<Job>> {
        let inner = self.lock();
        let own = inner.owners.get(&owner);
        own.into_iter()
            .flat_map(|own| own.values())
            .map(|entry| Arc::clone(&entry.job))
            .collect()
    }

    /// A request is over. Its answer is kept if it may be asked for again.
    pub(super) fn over(&self, job: &Job) {
        let worth = job.worth_keeping().filter(|bytes| *bytes <= MOST_KEPT);
        let mut inner = self.lock();
        let Some(bytes) = worth else {
            inner.remove(job.owner(), job.id());
            return;
        };
        let own = inner.owners.get_mut(&job.owner());
        let Some(entry) = own.and_then(|own| own.get_mut(&job.id())) else {
            return;
        };
        entry.kept = bytes;
        inner.bytes += bytes;
        inner.kept.push_back((Instant::now(), job.owner(), job.id()));
        while inner.bytes > MOST_KEPT
            && let Some((_, owner, id)) = inner.kept.pop_front()
        {
            inner.remove(owner, id);
        }
    }

    /// Somebody has been given the whole of it.
    pub(super) fn taken(&self, job: &Job) {
        if job.worth_keeping().is_none() {
            self.lock().remove(job.owner(), job.id());
        }
    }

    /// Forgets one, whose program has ended it.
    pub(super) fn forget(&self, job: &Job) {
        self.lock().remove(job.owner(), job.id());
    }

    /// Forgets answers that have been kept for too long.
    pub(super) fn sweep(&self, keep: Option<Duration>) {
        self.lock().expire(keep);
    }

    /// Forgets all of an owner.
    pub(super) fn take_all(&self, owner: Owner) -> Vec<Arc<Job>> {
        let mut inner = self.lock();
        let own = inner.owners.remove(&owner).unwrap_or_default();
        inner.bytes -= own.values().map(|entry| entry.kept).sum::<usize>();
        own.into_values().map(|entry| entry.job).collect()
    }
}

impl Inner {
    fn remove(&mut self, owner: Owner, id: Uuid) {
        let Some(own) = self.owners.get_mut(&owner) else { return };
        if let Some(entry) = own.remove(&id) {
            self.bytes -= entry.kept;
        }
        if own.is_empty() {
            self.owners.remove(&owner);
        }
    }

    fn expire(&mut self, keep: Option<Duration>) {
        let now = Instant::now();
        while let Some(&(since, owner, id)) = self.kept.front() {
            let is_old = keep.is_some_and(|keep| now.saturating_duration_since(since) >= keep);
            let is_there = self.owners.get(&owner).is_some_and(|own| own.contains_key(&id));
            if is_there && !is_old {
                return;
            }
            self.kept.pop_front();
            self.remove(owner, id);
        }
    }
}
