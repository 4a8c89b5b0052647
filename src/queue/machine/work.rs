//! What a ticket is for, packed: it is looked at with each step, and a waiting ticket's record is to fit into a line of the cache.

use crate::queue::{BackendIndex, EventIndex, PoolIndex, Work};

/// No pool, or no back end.
const NONE: u32 = u32::MAX;

/// A [`Work`], and the back end that has just failed at it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packed {
    event: u32,
    pool: u32,
    prefers: u32,
    avoids: u32,
}

impl Packed {
    /// To be asked first: [`Machine::line_of`](super::Machine::line_of), which knows how many events and pools there are.
    pub(super) fn new(work: Work, avoids: Option<BackendIndex>) -> Self {
        let backend = |backend: Option<BackendIndex>| backend.map_or(NONE, |BackendIndex(at)| at);
        Self {
            event: u32::try_from(work.event.0).unwrap_or(NONE),
            pool: work.pool.map_or(NONE, |PoolIndex(at)| at),
            prefers: backend(work.prefers),
            avoids: backend(avoids),
        }
    }

    pub(super) fn event(self) -> EventIndex {
        EventIndex(self.event as usize)
    }

    pub(super) fn pool(self) -> Option<PoolIndex> {
        some(self.pool).map(PoolIndex)
    }

    pub(super) fn avoids(self) -> Option<BackendIndex> {
        some(self.avoids).map(BackendIndex)
    }

    pub(super) fn work(self) -> Work {
        Work {
            event: self.event(),
            pool: self.pool(),
            prefers: some(self.prefers).map(BackendIndex),
        }
    }
}

fn some(at: u32) -> Option<u32> {
    (at != NONE).then_some(at)
}
