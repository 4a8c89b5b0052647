//! The points of the charts: the last 15 minutes.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use super::Gauges;
use crate::wire;

/// From one point to the next.
pub(crate) const SAMPLE_EVERY: Duration = Duration::from_secs(5);
/// Most points kept: 15 minutes of them.
pub(crate) const SAMPLES: usize = 180;

/// One point as it is kept.
#[derive(Debug)]
struct Sample {
    at: Instant,
    running: u64,
    waiting: u64,
    done: u64,
    sessions: u64,
    memory: Option<u64>,
}

/// The ring of points.
#[derive(Debug, Default)]
pub(super) struct Samples {
    ring: VecDeque<Sample>,
    /// Chat tickets that had run to an end at the last point.
    answered: u64,
}

impl Samples {
    /// `answered` counts from the start of the process.
    pub(super) fn push(&mut self, gauges: &Gauges, answered: u64) {
        if self.ring.len() == SAMPLES {
            self.ring.pop_front();
        }
        self.ring.push_back(Sample {
            at: Instant::now(),
            // Slots are those of limits, which lines have in common; tickets wait in one line each.
            running: gauges.limits.iter().map(|limit| limit.running as u64).sum(),
            waiting: gauges.lines.iter().map(|line| line.state.waiting as u64).sum(),
            done: answered.saturating_sub(self.answered),
            sessions: gauges.sessions,
            memory: gauges.memory,
        });
        self.answered = answered;
    }

    /// Oldest first.
    pub(super) fn view(&self) -> Vec<wire::Sample> {
        let oldest = SAMPLE_EVERY * SAMPLES as u32;
        let recent = self
            .ring
            .iter()
            .map(|sample| (sample.at.elapsed(), sample))
            .filter(|(ago, _)| *ago <= oldest);
        recent
            .map(|(ago, sample)| wire::Sample {
                ago: ago.as_secs_f64(),
                running: sample.running,
                waiting: sample.waiting,
                done: sample.done,
                sessions: sample.sessions,
                memory: sample.memory,
            })
            .collect()
    }
}
