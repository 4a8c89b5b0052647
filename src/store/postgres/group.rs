//! Changes that are on their way together, and what their callers are told.

use std::{collections::VecDeque, mem, time::Duration};

use sqlx::PgConnection;
use tokio::time::Instant;

use super::{
    append::Append,
    faults,
    node::Written,
    transaction::{Failure, Member},
};
use crate::{
    nodes::Reply,
    store::{StoreError, job::Job},
};

/// Most jobs of one transaction.
pub(super) const MOST: usize = 256;
/// What is said of a change that panicked.
pub(super) const BROKE_OFF: &str = "a change broke off; the log says where";

/// What the writing task is given.
pub(super) enum Given {
    /// A change, when it came, and whether it is half of something.
    Job(Box<dyn Job<PgConnection>>, Instant, Goes),
    /// An entry of the log.
    Append(Box<Append>),
}

/// Whether a change is written by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goes {
    /// It is.
    Alone,
    /// With an entry of the log, which is on its way: that they share a commit saves everybody the second one.
    WithEntry,
}

/// What is to be written, in the order in which it was given.
#[derive(Default)]
pub(super) struct Waiting(VecDeque<Given>);

/// What one transaction is to write: jobs, and then at most one entry of the log, which nothing joins that was given after it.
#[derive(Default)]
pub(super) struct Group {
    pub(super) members: Vec<Member>,
    pub(super) append: Option<Box<Append>>,
}

impl Given {
    fn is_older_than(&self, age: Duration) -> bool {
        let since = match self {
            Self::Job(_, since, _) => *since,
            Self::Append(append) => append.since(),
        };
        since.elapsed() > age
    }

    fn refuse(self, error: &StoreError, reply: Reply) {
        match self {
            Self::Job(job, ..) => job.settle(Err(error.clone())),
            Self::Append(append) => append.settle(reply),
        }
    }
}

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many more may wait here.
    pub(super) fn room(&self) -> usize {
        MOST.saturating_sub(self.0.len())
    }

    pub(super) fn add(&mut self, given: Given) {
        self.0.push_back(given);
    }

    pub(super) fn extend(&mut self, given: impl Iterator<Item = Given>) {
        self.0.extend(given);
    }

    /// Puts an entry before all others.
    pub(super) fn put_first(&mut self, append: Box<Append>) {
        self.0.push_front(Given::Append(append));
    }

    /// Refuses those who have waited for longer than this.
    pub(super) fn refuse_older_than(&mut self, age: Duration, error: &StoreError) {
        for given in mem::take(&mut self.0) {
            if given.is_older_than(age) {
                given.refuse(error, Reply::Away);
            } else {
                self.0.push_back(given);
            }
        }
    }
}

impl Group {
    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty() && self.append.is_none()
    }

    /// Whether an entry is on its way that would share its commit.
    pub(super) fn awaits_entry(&self) -> bool {
        self.append.is_none()
            && self.members.len() < MOST
            && self.members.iter().any(|member| member.goes == Goes::WithEntry)
    }

    /// Takes in what comes next, as far as it may be written together.
    pub(super) fn take_in(&mut self, waiting: &mut Waiting) {
        while self.append.is_none()
            && self.members.len() < MOST
            && let Some(given) = waiting.0.pop_front()
        {
            match given {
                Given::Job(job, since, goes) => self.members.push(Member {
                    job,
                    since,
                    goes,
                    refusal: None,
                }),
                Given::Append(append) => self.append = Some(append),
            }
        }
    }

    /// Tells the callers how their changes have ended.
    pub(super) fn settle(self) {
        for Member { job, refusal, .. } in self.members {
            job.settle(refusal.map_or(Ok(()), Err));
        }
        if let Some(append) = self.append {
            append.settle_as_answered();
        }
    }

    /// The same where the server was not heard, and its tables tell that the group is committed.
    pub(super) fn settle_as_found(mut self, written: Written) {
        if let Some(append) = self.append.take() {
            append.settle_as_found(written);
        }
        self.settle();
    }

    pub(super) fn refuse(self, error: &StoreError, reply: Reply) {
        for Member { job, .. } in self.members {
            job.settle(Err(error.clone()));
        }
        if let Some(append) = self.append {
            append.settle(reply);
        }
    }

    /// Refuses those who have waited for longer than this.
    pub(super) fn refuse_older_than(&mut self, age: Duration, error: &StoreError) {
        for member in mem::take(&mut self.members) {
            if member.since.elapsed() > age {
                member.job.settle(Err(error.clone()));
            } else {
                self.members.push(member);
            }
        }
        self.give_up_append(age);
    }

    /// Tells whoever waits for the reply to an entry that there is none in time: whether it is written may not be known.
    pub(super) fn give_up_append(&mut self, age: Duration) {
        if let Some(append) = self.append.take_if(|append| append.since().elapsed() > age) {
            append.settle(Reply::Away);
        }
    }
}

/// What a failure is for those who wait.
pub(super) fn told(failure: &Failure) -> StoreError {
    match failure {
        Failure::Passing(error) | Failure::Unknown(error) => match faults::meaning(error) {
            StoreError::Other(said) => StoreError::Away(said),
            meaning => meaning,
        },
        Failure::Transaction(error) | Failure::Append(error) => faults::meaning(error),
        Failure::Held => StoreError::Away("another session of Anteroom holds its lock".into()),
        Failure::Fenced(why) => StoreError::ReadOnly((*why).into()),
        Failure::Job => StoreError::Other(BROKE_OFF.into()),
    }
}
