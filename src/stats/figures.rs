//! What is counted about one event.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::wire::Percentiles;

/// Ways to end, and how many did.
pub(super) type Outcomes = [(&'static str, u64); 5];

/// Counts since the start of the process.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures {
    pub(super) done: u64,
    pub(super) failed: u64,
    pub(super) refused: u64,
    pub(super) cancelled: u64,
    pub(super) expired: u64,
    /// Of the tickets that started.
    pub(super) waits: Durations,
    /// Of the slots that came back: how long each was held.
    pub(super) services: Durations,
}

impl Figures {
    /// How many have run to an end, good or bad.
    pub(super) fn ended(&self) -> u64 {
        self.services.count()
    }

    /// How many ended in which way.
    pub(super) const fn outcomes(&self) -> Outcomes {
        [
            ("done", self.done),
            ("failed", self.failed),
            ("refused", self.refused),
            ("cancelled", self.cancelled),
            ("expired", self.expired),
        ]
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.done += other.done;
        self.failed += other.failed;
        self.refused += other.refused;
        self.cancelled += other.cancelled;
        self.expired += other.expired;
        self.waits.add(&other.waits);
        self.services.add(&other.services);
    }
}

/// Durations in microseconds, three digits exact, up to a day; what is longer counts as a day.
#[derive(Clone, Debug)]
pub(super) struct Durations {
    histogram: Histogram<u64>,
}

const LONGEST: Duration = Duration::from_secs(24 * 3600);

impl Default for Durations {
    fn default() -> Self {
        // It grows with what it is given, to about 200 KB for a day.
        let histogram = Histogram::new(3).expect("three digits are within the library's range of 0 to 5");
        Self { histogram }
    }
}

impl Durations {
    pub(super) fn record(&mut self, duration: Duration) {
        let micros = u64::try_from(duration.min(LONGEST).as_micros()).unwrap_or(u64::MAX);
        self.histogram
            .record(micros)
            .expect("a histogram that grows takes every value");
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.histogram
            .add(&other.histogram)
            .expect("a histogram that grows takes every other one");
    }

    pub(super) fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// In seconds; `None` before the first.
    pub(super) fn quantile(&self, quantile: f64) -> Option<f64> {
        (self.count() > 0).then(|| self.histogram.value_at_quantile(quantile) as f64 / 1e6)
    }

    pub(super) fn percentiles(&self) -> Option<Percentiles> {
        Some(Percentiles {
            p50: self.quantile(0.5)?,
            p95: self.quantile(0.95)?,
        })
    }
}
