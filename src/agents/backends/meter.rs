//! The figures of one back end, and those of one model.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use crate::wire::Usage;

/// So many answers are looked back upon.
const WINDOW: usize = 256;
/// Prices are of so many tokens.
const A_MILLION: f64 = 1e6;

/// The middle and the slow end of something that was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Half are below.
    pub p50: f64,
    /// All but one in twenty are below.
    pub p95: f64,
}

/// The latest values of something that is measured, a bounded number of them.
#[derive(Clone, Debug, Default)]
struct Window(VecDeque<f64>);

impl Window {
    fn add(&mut self, value: f64) {
        if self.0.len() == WINDOW {
            self.0.pop_front();
        }
        self.0.push_back(value);
    }

    /// `None`: nothing has been measured.
    fn spread(&self) -> Option<Spread> {
        let mut sorted: Vec<f64> = self.0.iter().copied().collect();
        sorted.sort_unstable_by(f64::total_cmp);
        // The smallest value that the part is not above.
        let at = |percent: usize| {
            sorted
                .get((sorted.len() * percent).div_ceil(100).saturating_sub(1))
                .copied()
        };
        Some(Spread {
            p50: at(50)?,
            p95: at(95)?,
        })
    }
}

/// How long something took, each time since the start: the counts of several servers can be added up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Durations {
    /// How many took longer than the bound before and no longer than the bound at the same place of [`Durations::BOUNDS`]; the last
    /// one: longer than all of them.
    counts: [u64; Self::BOUNDS.len() + 1],
    /// All of them, in seconds.
    sum: f64,
}

impl Durations {
    /// In seconds, ascending: from what nobody notices to the longest that a model server may be silent.
    pub const BOUNDS: [f64; 14] = [
        0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0,
    ];

    /// Counts one.
    pub(crate) fn add(&mut self, seconds: f64) {
        let at = Self::BOUNDS.partition_point(|bound| *bound < seconds);
        self.counts[at] += 1;
        self.sum += seconds;
    }

    /// How many there are within each bound and above the one before, the last bound being infinite.
    pub fn buckets(&self) -> impl Iterator<Item = (f64, u64)> {
        let bounds = Self::BOUNDS.into_iter().chain([f64::INFINITY]);
        bounds.zip(self.counts)
    }

    /// All of them, in seconds.
    #[must_use]
    pub const fn sum(&self) -> f64 {
        self.sum
    }
}

/// What is measured of one back end.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter {
    /// Seconds from the request to the answer's first part.
    first: Window,
    pub(super) firsts: Durations,
    /// Tokens a second from then on.
    speed: Window,
    pub(super) answers: u64,
    pub(super) retries: u64,
    pub(super) faults: BTreeMap<&'static str, u64>,
}

impl Meter {
    /// The first part has come, so long after the request.
    pub(super) fn shown(&mut self, took: Duration) {
        self.first.add(took.as_secs_f64());
        self.firsts.add(took.as_secs_f64());
    }

    /// An answer has come to its end, so long after its first part.
    pub(super) fn answered(&mut self, usage: Usage, took: Duration) {
        self.answers += 1;
        // The first token has come with the first part. What takes no time has no speed.
        if let Some(tokens) = usage.output.filter(|tokens| *tokens > 1)
            && !took.is_zero()
        {
            self.speed.add((tokens - 1) as f64 / took.as_secs_f64());
        }
    }

    /// An attempt has failed with a fault of this kind.
    pub(super) fn failed(&mut self, kind: &'static str) {
        *self.faults.entry(kind).or_default() += 1;
    }

    /// Seconds to the first part.
    pub(super) fn first(&self) -> Option<Spread> {
        self.first.spread()
    }

    /// Tokens a second.
    pub(super) fn speed(&self) -> Option<Spread> {
        self.speed.spread()
    }
}

/// What one model has read and written, and what that has cost at the prices of the time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Consumption {
    /// Answers that came to their end.
    pub answers: u64,
    /// Tokens read.
    pub input: u64,
    /// Tokens written.
    pub output: u64,
    /// In whatever the prices are counted; `None`: there never were any.
    pub cost: Option<f64>,
}

impl Consumption {
    /// Adds one answer, at these prices of a million tokens read and written.
    pub(super) fn add(&mut self, usage: Usage, input_price: Option<f64>, output_price: Option<f64>) {
        self.answers += 1;
        let (input, output) = (usage.input.unwrap_or(0), usage.output.unwrap_or(0));
        self.input = self.input.saturating_add(input);
        self.output = self.output.saturating_add(output);
        let cost = |tokens: u64, price: Option<f64>| price.map(|price| tokens as f64 * price / A_MILLION);
        let parts = [self.cost, cost(input, input_price), cost(output, output_price)];
        self.cost = parts.into_iter().flatten().reduce(|all, part| all + part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(input: u64, output: u64) -> Usage {
        Usage {
            input: Some(input),
            output: Some(output),
        }
    }

    #[test]
    fn a_spread_is_of_the_latest_values_only() {
        let mut meter = Meter::default();
        assert_eq!(meter.first(), None);
        for seconds in (1..=1000).chain(1..=100) {
            meter.shown(Duration::from_secs(seconds));
        }
        // 845 to 1000, and 1 to 100.
        assert_eq!(meter.first(), Some(Spread { p50: 872.0, p95: 988.0 }));
        let mut one = Meter::default();
        one.shown(Duration::from_secs(7));
        assert_eq!(one.first(), Some(Spread { p50: 7.0, p95: 7.0 }));
    }

    #[test]
    fn durations_are_counted_once_each_with_their_bound_included() {
        let mut meter = Meter::default();
        for millis in [0, 25, 26, 1_000, 1_001, 900_000, 1_000_000] {
            meter.shown(Duration::from_millis(millis));
        }
        let counted: Vec<_> = meter.firsts.buckets().filter(|(_, count)| *count > 0).collect();
        assert_eq!(
            counted,
            [
                (0.025, 2),
                (0.05, 1),
                (1.0, 1),
                (2.5, 1),
                (900.0, 1),
                (f64::INFINITY, 1)
            ]
        );
        assert!((meter.firsts.sum() - 1_902.052).abs() < 1e-6);
    }

    #[test]
    fn the_first_token_takes_no_part_in_the_speed() {
        let mut meter = Meter::default();
        meter.answered(usage(5, 101), Duration::from_secs(2));
        meter.answered(usage(5, 1), Duration::from_secs(2));
        meter.answered(usage(5, 50), Duration::ZERO);
        meter.answered(Usage::default(), Duration::from_secs(2));
        assert_eq!(
            (meter.answers, meter.speed()),
            (4, Some(Spread { p50: 50.0, p95: 50.0 }))
        );
    }

    #[test]
    fn cost_is_what_it_was_at_the_prices_of_the_time() {
        let mut all = Consumption::default();
        all.add(usage(1_000_000, 10), None, None);
        assert_eq!(all.cost, None);
        all.add(usage(2_000_000, 500_000), Some(3.0), Some(10.0));
        assert_eq!(all.cost, Some(11.0));
        all.add(usage(1_000_000, 500_000), Some(1.0), None);
        all.add(Usage::default(), Some(1.0), Some(1.0));
        assert_eq!(
            (all.answers, all.input, all.output, all.cost),
            (4, 4_000_000, 1_000_010, Some(12.0))
        );
        all.add(usage(u64::MAX, u64::MAX), None, None);
        assert_eq!((all.input, all.output), (u64::MAX, u64::MAX));
    }
}
