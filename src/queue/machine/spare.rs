//! Slots that nobody needs at the moment. Looking for one changes nothing: whoever uses it is no ticket, and is in nobody's way.

use super::Machine;
use crate::queue::{BackendIndex, EventIndex, PoolIndex, Work};

impl Machine {
    /// The back end of a pool with the least to do, where one more ticket for this work could start there and nobody waits in its line.
    /// `None`: there is none, or no such work.
    pub(in crate::queue) fn spare(&self, event: EventIndex, pool: PoolIndex) -> Option<BackendIndex> {
        let at = self.line_of(of(event, pool)).ok()?;
        if self.lines[at].waiting() > 0 {
            return None;
        }
        let spare = self.pool(pool).iter().copied();
        let spare = spare.filter(|backend| self.is_spare(event, pool, *backend));
        spare.min_by_key(|backend| self.running_on(*backend))
    }

    /// Whether the slot of this back end is still needed by nobody.
    pub(in crate::queue) fn is_spare(&self, event: EventIndex, pool: PoolIndex, backend: BackendIndex) -> bool {
        let Ok(at) = self.line_of(of(event, pool)) else {
            return false;
        };
        let limit = &self.limits[self.lines[at].limit];
        !self.closed && limit.has_free() && self.is_below_cap() && self.has_room(backend)
    }
}

fn of(event: EventIndex, pool: PoolIndex) -> Work {
    Work {
        pool: Some(pool),
        ..event.into()
    }
}
