//! What nodes share: the seam to a database that keeps the log.

use async_trait::async_trait;

use super::{Beaten, Change, Incarnation, Log, Number, Peer, Replica, ReplicaSnapshot, Reply, Told};

/// A database that keeps a log. Its answers are those that [`Node`](super::Node) takes in; a database that is away is one of them.
///
/// Cancel-safe: an append whose future is dropped is made whole or not at all, and made once however often it is sent.
#[async_trait]
pub trait Database: Send + Sync + 'static {
    /// The state that all start from, and what follows it; `None`: the database is away.
    async fn load(&self) -> Option<Box<Replica>>;
    /// The log after a number; `None`: the database is away.
    async fn read(&self, after: Number) -> Option<Log>;
    /// Appends changes of a node, under a sequence number of its own.
    async fn append(&self, node: Incarnation, sequence: u64, changes: Vec<Change>, unless_heard: Option<Peer>)
    -> Reply;
    /// Notes that a node is there, and what it has applied.
    async fn beat(&self, node: Incarnation, applied: Number) -> Beaten;
    /// Waits until the log has grown, or may have. Some of it may be missed.
    async fn told(&self) -> Told;
    /// Keeps a state to start from, and forgets what of the log is long before it.
    async fn keep(&self, snapshot: ReplicaSnapshot);
}
