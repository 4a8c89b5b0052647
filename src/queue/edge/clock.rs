//! Tokio's time and the machine's.

use std::time::Duration;

use tokio::time::Instant;

use crate::queue::machine::Time;

/// Counts from the moment at which the queue was made.
pub(super) struct Clock {
    origin: Instant,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self { origin: Instant::now() }
    }

    pub(super) fn now(&self) -> Time {
        self.time(Instant::now())
    }

    /// A ticket may have joined before the queue was made, in an earlier process.
    pub(super) fn time(&self, at: Instant) -> Time {
        match at.checked_duration_since(self.origin) {
            Some(after) => Time(0).saturating_add(after),
            None => Time(-Time(0).saturating_add(self.origin - at).0),
        }
    }

    /// `None`: so late that tokio cannot count so far. What is too early for that is as good as the origin: both are over.
    pub(super) fn instant(&self, time: Time) -> Option<Instant> {
        let distance = Duration::from_nanos(time.0.unsigned_abs());
        if time.0 < 0 {
            return Some(self.origin.checked_sub(distance).unwrap_or(self.origin));
        }
        self.origin.checked_add(distance)
    }
}
