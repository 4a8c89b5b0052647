//! The minutes of the line, kept for the charts of the stats tab.

use super::rows::{Columns, number, optional_number};

/// How long a minute is kept, in milliseconds: a week. So there are 10,080 of a node at most.
pub(crate) const KEPT: u64 = 7 * 24 * 3600 * 1000;

/// One minute, as one node has seen it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Minute {
    /// The node's name; empty where a process keeps its line alone.
    pub node: String,
    /// Its begin, in milliseconds since the Unix epoch.
    pub at: u64,
    /// Most slots that were in use at once, of all nodes.
    pub running: u64,
    /// Most tickets that waited at once, of all nodes.
    pub waiting: u64,
    /// Messages and programs' requests that started on this node.
    pub started: u64,
    /// How long these had waited, all together, in milliseconds.
    pub waited_ms: u64,
    /// Those that ended well on this node.
    pub ended: u64,
    /// Sessions in the memory of this node at its end.
    pub sessions: u64,
    /// The memory of its process, in bytes; `None` where the system does not tell.
    pub memory: Option<u64>,
}

/// Of a row with all of its columns.
pub(super) fn minute(row: &impl Columns) -> sqlx::Result<Minute> {
    Ok(Minute {
        node: row.text("node")?.into_owned(),
        at: number(row, "at")?,
        running: number(row, "running")?,
        waiting: number(row, "waiting")?,
        started: number(row, "started")?,
        waited_ms: number(row, "waited_ms")?,
        ended: number(row, "ended")?,
        sessions: number(row, "browsers")?,
        memory: optional_number(row, "memory")?,
    })
}
