//! The points of the charts: the last 15 minutes.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use tokio::time::Instant;

use super::Gauges;
use crate::wire;

/// From one point to the next.
pub(crate) const SAMPLE_EVERY: Duration = Duration::from_secs(5);
/// Most points kept: 15 minutes of them.
pub(crate) const SAMPLES: usize = 180;

/// One point as it is kept. Limits are known by name: another policy may bring others, in another order.
#[derive(Debug)]
struct Sample {
    at: Instant,
    running_and_waiting: HashMap<String, (u64, u64)>,
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
        let by_name = |line: &crate::queue::LineState| (line.name.clone(), (line.running as u64, line.waiting as u64));
        if self.ring.len() == SAMPLES {
            self.ring.pop_front();
        }
        self.ring.push_back(Sample {
            at: Instant::now(),
            running_and_waiting: gauges.lines.iter().map(by_name).collect(),
            done: answered.saturating_sub(self.answered),
            sessions: gauges.sessions,
            memory: gauges.memory,
        });
        self.answered = answered;
    }

    /// Oldest first; running and waiting in the order of `limits`, 0 where a limit was not there yet.
    pub(super) fn view(&self, limits: &[&str]) -> Vec<wire::Sample> {
        let oldest = SAMPLE_EVERY * SAMPLES as u32;
        let recent = self
            .ring
            .iter()
            .map(|sample| (sample.at.elapsed(), sample))
            .filter(|(ago, _)| *ago <= oldest);
        recent
            .map(|(ago, sample)| {
                let of = |name: &&str| sample.running_and_waiting.get(*name).copied().unwrap_or_default();
                let (running, waiting) = limits.iter().map(of).unzip();
                wire::Sample {
                    ago: ago.as_secs_f64(),
                    running,
                    waiting,
                    done: sample.done,
                    sessions: sample.sessions,
                    memory: sample.memory,
                }
            })
            .collect()
    }
}
