//! Changes that are on their way together, and what their callers are told.

use std::time::Duration;

use sqlx::PgConnection;
use tokio::time::Instant;

use super::{
    faults,
    transaction::{Failure, Member},
};
use crate::store::{StoreError, job::Job};

/// What is said of a change that panicked.
pub(super) const BROKE_OFF: &str = "a change broke off; the log says where";
/// What is said where another process has taken this one's place.
const REPLACED: &str = "another Anteroom has been started over the same database. Restart this one";

/// Jobs on their way, each with the time at which it came.
#[derive(Default)]
pub(super) struct Group {
    pub(super) members: Vec<Member>,
    since: Vec<Instant>,
}

impl Group {
    pub(super) fn of(taken: &mut Vec<(Box<dyn Job<PgConnection>>, Instant)>) -> Self {
        let mut group = Self::default();
        for (job, since) in taken.drain(..) {
            group.add(job, since);
        }
        group
    }

    pub(super) fn add(&mut self, job: Box<dyn Job<PgConnection>>, since: Instant) {
        self.members.push(Member { job, refusal: None });
        self.since.push(since);
    }

    /// Tells the callers how their jobs have ended.
    pub(super) fn settle(self) {
        for Member { job, refusal } in self.members {
            job.settle(refusal.map_or(Ok(()), Err));
        }
    }

    pub(super) fn refuse(self, error: &StoreError) {
        for Member { job, .. } in self.members {
            job.settle(Err(error.clone()));
        }
    }

    pub(super) fn append(&mut self, later: Self) {
        self.members.extend(later.members);
        self.since.extend(later.since);
    }

    /// Refuses those who have waited for longer than this.
    pub(super) fn refuse_older_than(&mut self, age: Duration, error: &StoreError) {
        let (mut early, mut rest) = (Self::default(), Self::default());
        for (member, since) in self.members.drain(..).zip(self.since.drain(..)) {
            let group = if since.elapsed() > age { &mut early } else { &mut rest };
            group.add(member.job, since);
        }
        early.refuse(error);
        *self = rest;
    }
}

/// What a failure is for those who wait.
pub(super) fn told(failure: &Failure) -> StoreError {
    match failure {
        Failure::Passing(error) | Failure::Unknown(error) => match faults::meaning(error) {
            StoreError::Other(said) => StoreError::Away(said),
            meaning => meaning,
        },
        Failure::Transaction(error) => faults::meaning(error),
        Failure::Held => StoreError::Away("another session of Anteroom holds its lock".into()),
        Failure::Replaced => StoreError::ReadOnly(REPLACED.into()),
        Failure::Job => StoreError::Other(BROKE_OFF.into()),
    }
}
