//! Several processes that keep one line, over one log in a database.
//!
//! A log holds every change of the line, in one order for all ([`Batch`]). Each node applies it to its own copy of the queue's state
//! machine ([`Replica`]), so all know the same line, and the node that holds a ticket works on it once that has started. Nobody leads.
//! What one node may do at which moment ([`Node`]) follows from the log and from its [`Lease`]:
//!
//! - Nothing counts before it is in the log. A node that has been declared gone can append nothing any more, outcomes of its work
//!   included, so a wrong guess about it costs work and never an answer.
//! - A node works only while it holds its lease, which it counts from before it was heard. Others declare it gone only after that.
//! - When a node is gone, its tickets get other nodes, in the same way everywhere; what had started comes back to the front and starts again.
//! - Each batch carries a digest of all that came before it. A node whose copy does not go with the log (a standby has taken over and
//!   lacks the last entries) throws the copy away and builds it anew.
//!
//! All that is decided ([`Node`], [`Replica`]) knows no socket and no clock. [`Driver`] is what drives it: the process's own clock, a
//! [`Database`], which the store is, and the [`Hands`] that do the work.
//!
//! `tests` prove the first under a simulator with seeds: messages that are late, lost or doubled, pauses, clocks that jump, a database that
//! is away, forgets its last entries, or answers after it has been given up. The store's tests prove the second over a real PostgreSQL.

/// The format of the log. To be raised with any change of what its entries or its snapshot say, or of what the replica and the queue's machine
/// make of them: nodes of two formats never work on one log. A version should be able to read the format before its own.
pub const FORMAT: i32 = 5;

mod batch;
mod database;
mod driver;
mod home;
mod lease;
mod line;
mod node;
mod replica;
#[cfg(test)]
pub(crate) mod tests;

pub use batch::{Batch, Change, Digest, Entry, Incarnation, Job, Number, Undecodable};
pub use database::Database;
pub use driver::{Driver, Footing, Hands};
pub use home::{Alone, Home, Homes};
pub use lease::{BEAT, Lease, MARGIN, TTL};
pub use line::{HomeNode, Membership, NodeView, OwnView};
pub use node::{Answer, Ask, Beaten, Input, Log, Node, Output, Peer, Progress, Reply, Told, Unsaid};
pub use replica::{Diverged, Member, News, Replica, ReplicaSnapshot, Said, Working};
