//! The latest pieces of the charts: the last 15 minutes, in memory.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use super::{Gauges, history::Counted};
use crate::store::Minute;

/// From one piece to the next.
pub(crate) const SAMPLE_EVERY: Duration = Duration::from_secs(5);
/// Most pieces kept: 15 minutes of them.
pub(crate) const SAMPLES: usize = 180;

/// The ring of pieces, each with what was counted in it.
#[derive(Debug, Default)]
pub(super) struct Samples {
    ring: VecDeque<(Instant, Minute)>,
    /// At the end of the last one.
    counted: Counted,
}

impl Samples {
    pub(super) fn push(&mut self, gauges: &Gauges, counted: Counted) {
        if self.ring.len() == SAMPLES {
            self.ring.pop_front();
        }
        let piece = gauges.piece(counted.since(self.counted));
        self.ring.push_back((Instant::now(), piece));
        self.counted = counted;
    }

    /// Oldest first, by a clock that shows `now` milliseconds since the Unix epoch.
    pub(super) fn recent(&self, now: u64) -> Vec<Minute> {
        let oldest = SAMPLE_EVERY * SAMPLES as u32;
        let recent = self.ring.iter().map(|(at, piece)| (at.elapsed(), piece));
        recent
            .filter(|(ago, _)| *ago <= oldest)
            .map(|(ago, piece)| Minute {
                at: now.saturating_sub(u64::try_from(ago.as_millis()).unwrap_or(u64::MAX)),
                ..piece.clone()
            })
            .collect()
    }
}
