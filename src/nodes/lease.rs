//! Until when a node may work.
//!
//! No clock is compared with another's. A node counts from before it told the database that it is there; the others, each by its own clock,
//! from when they saw that. So theirs end later, and a clock that is put forward or back, the database's included, does no harm. Clocks
//! only have to run at nearly the same speed.

use std::time::Duration;

use crate::queue::machine::Time;

/// How long others believe in a node that they hear nothing of.
pub const TTL: Duration = Duration::from_secs(15);
/// How often a node says that it is there.
pub const BEAT: Duration = Duration::from_secs(3);
/// How long before others may declare it gone a node ends its work: for clocks that run a little faster than others, and for what takes
/// a moment to end.
pub const MARGIN: Duration = Duration::from_secs(2);

/// The time that a node has been promised, by its own clock: one that goes on while the machine sleeps (`CLOCK_BOOTTIME`).
#[derive(Clone, Copy, Debug, Default)]
pub struct Lease {
    until: Option<Time>,
}

impl Lease {
    /// The database has taken a beat that was begun at `begun`. It may have arrived at once, so the time counts from there.
    pub fn renew(&mut self, begun: Time) {
        let until = begun.saturating_add(TTL.saturating_sub(MARGIN));
        self.until = self.until.max(Some(until));
    }

    /// Whether the node may work.
    #[must_use]
    pub fn holds(&self, now: Time) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// When it ends, unless it is renewed.
    #[must_use]
    pub const fn until(&self) -> Option<Time> {
        self.until
    }
}
