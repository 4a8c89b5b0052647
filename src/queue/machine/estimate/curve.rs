//! The starts of a whole line: simulated near the head, extrapolated behind.

use std::{ops::RangeInclusive, time::Duration};

use super::{NEAR, Situation, StartRange, simulate};
use crate::queue::machine::Time;

/// The quantiles that a range runs between.
const LOW: f64 = 0.06;
const HIGH: f64 = 0.96;
/// Timers, scheduling and the network shift a start a little, however regular the work is.
const JITTER: f64 = 0.02;
const JITTER_SECONDS: f64 = 0.02;
/// How long a curve is read again while nothing starts or ends, though what runs grows older: a small part of a holding
/// time, within these bounds.
const FRESH: RangeInclusive<Duration> = Duration::from_millis(20)..=Duration::from_millis(250);

/// Where work holds its slot for so short a time on average, a place more or less is lost in [`JITTER_SECONDS`]: such a curve is read again also
/// when something has started or ended. Thousands do in a second there, and each would have another one computed.
const BRIEF: f64 = JITTER_SECONDS / 8.0;

/// What a curve was computed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::queue) struct CurveKey {
    pub(in crate::queue) epoch: u64,
    pub(in crate::queue) slots: usize,
}

/// The likely starts of every place of a line, in seconds from `at`.
pub(in crate::queue) struct Curve {
    at: Time,
    fresh_for: Duration,
    /// Whether a start or an end changes too little of it to be seen.
    lasts: bool,
    /// By place, for the first ones; empty where too little is known.
    near: Vec<Near>,
    slots: usize,
    /// Seconds that a place further back adds to the mean.
    step: f64,
    /// Variance that a place further back adds, and the doubt about the mean as a part of it.
    step_variance: f64,
    doubt: f64,
}

struct Near {
    low: f64,
    mean: f64,
    high: f64,
}

impl Curve {
    pub(in crate::queue) fn new(situation: &Situation) -> Self {
        let at = situation.now;
        let Some(services) = simulate::Services::new(situation) else {
            return Self {
                at,
                fresh_for: *FRESH.end(),
                lasts: false,
                near: Vec::new(),
                slots: 1,
                step: 0.0,
                step_variance: 0.0,
                doubt: 0.0,
            };
        };
        let near = simulate::starts(situation, &services).into_iter().map(near).collect();
        // Further back, only the shares of the kinds are known, not their order.
        let shares = shares(situation, &services);
        let (mut mean, mut square, mut doubt) = (0.0, 0.0, 0.0);
        for (kind, share) in shares.into_iter().enumerate() {
            let service = services.get(Some(kind));
            mean += share * service.mean;
            square += share * (service.variance + service.mean * service.mean);
            doubt += share * service.mean * service.doubt();
        }
        let slots = situation.slots.max(1);
        // What goes to others meanwhile makes as few slots.
        let parallel = slots as f64 * (1.0 - situation.rivals.share);
        Self {
            at,
            fresh_for: seconds(mean / 8.0).clamp(*FRESH.start(), *FRESH.end()),
            lasts: mean <= BRIEF,
            near,
            slots,
            step: mean / parallel,
            step_variance: (square - mean * mean).max(0.0) / (parallel * parallel),
            doubt: if mean > 0.0 { doubt / mean } else { 0.0 },
        }
    }

    /// Whether it may be read again, although what runs has grown older.
    pub(in crate::queue) fn is_fresh(&self, now: Time) -> bool {
        now.saturating_since(self.at) <= self.fresh_for
    }

    /// Whether a curve that was computed for `known` says what there is to say for `key`, too.
    pub(in crate::queue) fn holds(&self, known: CurveKey, key: CurveKey) -> bool {
        known == key || self.lasts && known.slots == key.slots
    }

    /// The start, from `now` on, of the ticket that has `before` others before it. `None`: unknown.
    pub(in crate::queue) fn start(&self, before: usize, now: Time) -> Option<StartRange> {
        let (low, high) = match self.near.get(before) {
            None if self.near.is_empty() => return None,
            Some(near) => (near.low, near.high),
            None => self.further_back(before)?,
        };
        let elapsed = now.saturating_since(self.at).as_secs_f64();
        let low = low * (1.0 - JITTER) - JITTER_SECONDS - elapsed;
        let high = high * (1.0 + JITTER) + JITTER_SECONDS - elapsed;
        Some(StartRange {
            low: seconds(low),
            high: seconds(high),
        })
    }

    /// Whole rounds of the slots behind a place that was simulated, so that regular work keeps its steps. The
    /// simulation's own skew is carried on, scaled as the spread grows.
    fn further_back(&self, before: usize) -> Option<(f64, f64)> {
        let round = self.slots.min(NEAR);
        let rounds = (before + 1 - NEAR).div_ceil(round);
        let base = before - rounds * round;
        let near = self.near.get(base)?;
        let mean = near.mean + (rounds * round) as f64 * self.step;
        let growth = self.spread(before + 1) / self.spread(base + 1);
        let growth = if growth.is_finite() { growth } else { 1.0 };
        Some((
            mean - (near.mean - near.low) * growth,
            mean + (near.high - near.mean) * growth,
        ))
    }

    /// The standard deviation of the start at a place.
    fn spread(&self, place: usize) -> f64 {
        let place = place as f64;
        (place * self.step_variance + (place * self.step * self.doubt).powi(2)).sqrt()
    }
}

/// The part that each kind of work has in the starts of a line.
fn shares(situation: &Situation, services: &simulate::Services) -> Vec<f64> {
    let parts: Vec<f64> = if situation.servers.is_empty() {
        situation.waiting.iter().map(|count| *count as f64).collect()
    } else {
        // A back end starts as many as it has slots, each time that it has finished them.
        let paces = situation.servers.iter().enumerate();
        let paces = paces.map(|(server, slots)| (*slots).min(NEAR) as f64 / services.get(Some(server)).mean.max(1e-6));
        paces.collect()
    };
    let all: f64 = parts.iter().sum();
    let even = 1.0 / parts.len().max(1) as f64;
    parts
        .into_iter()
        .map(|part| if all > 0.0 { part / all } else { even })
        .collect()
}

fn near(mut starts: Vec<f64>) -> Near {
    let mean = starts.iter().sum::<f64>() / starts.len().max(1) as f64;
    let mut quantile = |part: f64| {
        let nth = (part * starts.len().saturating_sub(1) as f64).round() as usize;
        if starts.is_empty() {
            0.0
        } else {
            *starts.select_nth_unstable_by(nth, f64::total_cmp).1
        }
    };
    Near {
        low: quantile(LOW),
        mean,
        high: quantile(HIGH),
    }
}

/// Nothing starts in the past, and no wait is shown that a clock could not count.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Rivals, Window},
        *,
    };

    fn curve(held: Duration) -> Curve {
        let mut window = Window::default();
        for _ in 0..10 {
            window.push(held);
        }
        Curve::new(&Situation {
            now: Time::default(),
            slots: 5,
            running: Vec::new(),
            windows: vec![window],
            ahead: Vec::new(),
            waiting: vec![100],
            servers: Vec::new(),
            rivals: Rivals::default(),
        })
    }

    #[test]
    fn a_curve_of_brief_work_is_read_again_after_a_change_and_no_other_one() {
        let [known, changed] = [1, 2].map(|epoch| CurveKey { epoch, slots: 5 });
        let fewer = CurveKey { slots: 4, ..changed };
        let (brief, long) = (curve(Duration::from_micros(300)), curve(Duration::from_millis(300)));
        assert!(brief.holds(known, known) && brief.holds(known, changed));
        assert!(!brief.holds(known, fewer), "it knows other slots");
        assert!(long.holds(known, known) && !long.holds(known, changed));
        // What of it may be wrong is less than what every start is given.
        let range = brief.start(1, Time::default()).expect("enough was seen");
        assert!(range.low.is_zero() && range.high >= Duration::from_secs_f64(JITTER_SECONDS));
        let later = Time::default().saturating_add(*FRESH.start() + Duration::from_millis(1));
        assert!(!brief.is_fresh(later), "not for long");
    }
}
