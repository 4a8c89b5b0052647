//! The log: what was appended in one transaction, and its place in the order of all.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::queue::{
    BackendIndex, Owner, Policy, Throttle, Work,
    machine::{Command, Restored, Time},
};

/// One start of a node. A node that starts again is another one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Incarnation(pub u128);

impl fmt::Debug for Incarnation {
    /// Enough to tell nodes apart in a log. Numbers as small as those of tests are whole.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match u32::try_from(self.0) {
            Ok(small) => write!(f, "n-{small}"),
            Err(_) => write!(f, "n-{:06x}", self.0 >> 104),
        }
    }
}

/// What a ticket is for, in the words of whoever works on it: a turn's id. It tells another node what to take up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Job(pub u128);

/// A batch's place in the log. The first is 1, and none is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Number(pub u64);

impl Number {
    /// The one after it.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// A change of what all nodes know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// The node that appends it takes part from now on. Its first.
    Up {
        /// Where others reach it; `None`: it is alone.
        address: Option<String>,
    },
    /// The node that appends it takes in nothing any more. An owner's tickets go to another node as soon as it works on none of them.
    Leaving,
    /// A node takes part no more. What it held goes to others.
    Gone(Incarnation),
    /// Somebody asks for a place, and the node that appends it will do the work. Void where the job has a ticket already: who asks twice, by
    /// whatever nodes, has one place.
    Join {
        /// What is to be done.
        job: Job,
        /// What it takes.
        work: Work,
        /// Whose it is.
        owner: Owner,
        /// When it first joined, by the log's time; `None`: with this entry.
        joined: Option<Time>,
    },
    /// Tickets that the log does not have come in, all at once, in the order of their places; those of a job that it has are left out.
    /// Each goes to the node where its owner is at home.
    Restore(Vec<(Job, Restored)>),
    /// Something about a ticket. It counts only from the node that holds the ticket, and only if that is for this job: after the log has
    /// lost its end, its number may be another's.
    Ticket(Job, Command),
    /// Another policy, made from the one before that so many have been in force: of two that are made from the same one the first counts.
    Retune {
        /// How many had been put in force.
        version: u64,
        /// What is in force from now on.
        policy: Box<Policy>,
    },
    /// What a back end may have for now. It counts unless another node has said something about it that the one which appends this had not
    /// heard.
    Throttle {
        /// Which.
        backend: BackendIndex,
        /// What it may have.
        throttle: Throttle,
        /// The entry that had put in force what that node had heard.
        known: u64,
    },
    /// Anything else that the line can be told.
    Line(Command),
}

/// What a node wants to append: all or nothing, and once, however often it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Who appends.
    pub node: Incarnation,
    /// Counts what this incarnation has appended, from 1 on: one that is there already is not written again.
    pub sequence: u64,
    /// Written down.
    pub payload: Vec<u8>,
}

impl Entry {
    /// Writes changes down.
    ///
    /// # Panics
    /// Never: all that a change consists of can be written.
    #[must_use]
    pub fn new(node: Incarnation, sequence: u64, changes: &[Change]) -> Self {
        Self {
            node,
            sequence,
            payload: serde_json::to_vec(changes).expect("a change can be written"),
        }
    }
}

/// What has been appended in one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its place.
    pub number: Number,
    /// When, by the database's clock; never before the batch before it.
    pub at: Time,
    /// What.
    pub entry: Entry,
    /// Of this and all before it.
    pub digest: Digest,
}

/// A change that this version cannot read: another one has written it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("entry {} of the log was written by another version", .0.0)]
pub struct Undecodable(pub Number);

impl Batch {
    /// Puts an entry behind the batch that has the digest `before`.
    #[must_use]
    pub fn seal(number: Number, at: Time, entry: Entry, before: Digest) -> Self {
        let digest = before.then(number, at, &entry);
        Self {
            number,
            at,
            entry,
            digest,
        }
    }

    /// What it says.
    ///
    /// # Errors
    /// [`Undecodable`].
    pub fn changes(&self) -> Result<Vec<Change>, Undecodable> {
        serde_json::from_slice(&self.entry.payload).map_err(|_| Undecodable(self.number))
    }
}

/// Stands for a batch and all before it: two logs that have the same digest at a number are the same up to there. (SHA-256 of the digest
/// before, and of all that the batch holds.)
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of what follows.
    #[must_use]
    pub fn then(self, number: Number, at: Time, entry: &Entry) -> Self {
        let mut sum = Sha256::new();
        sum.update(self.0);
        sum.update(number.0.to_be_bytes());
        sum.update(at.0.to_be_bytes());
        sum.update(entry.node.0.to_be_bytes());
        sum.update(entry.sequence.to_be_bytes());
        // Last, and alone without a fixed length.
        sum.update(&entry.payload);
        Self(sum.finalize().into())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, ..] = self.0;
        write!(f, "{a:02x}{b:02x}{c:02x}…")
    }
}
