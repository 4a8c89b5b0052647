//! What is left of an estimate while nobody says anything new: time passes by itself, and only the time is counted here, no position.

use anteroom::wire::{Estimate, LineView};

/// The least that a range is wide once it has been overrun, in seconds.
const LEAST_SPREAD: f64 = 2.0;

/// An estimate, so many seconds after it was made. It falls until its careful end has passed. What is late by then may be late by as much
/// again, so from there on it grows.
pub(crate) fn after(estimate: &Estimate, elapsed: f64) -> Estimate {
    let elapsed = elapsed.max(0.0);
    let left = estimate.high - elapsed;
    if left > 0.0 || estimate.high <= 0.0 {
        return Estimate {
            low: (estimate.low - elapsed).max(0.0),
            high: left.max(0.0),
        };
    }
    let spread = (estimate.high - estimate.low).max(LEAST_SPREAD);
    Estimate {
        low: 0.0,
        high: spread - left,
    }
}

/// A line whose estimate was made so long ago.
pub(crate) fn line(line: &LineView, elapsed: f64) -> LineView {
    LineView {
        estimate: line.estimate.as_ref().map(|estimate| after(estimate, elapsed)),
        ..line.clone()
    }
}

/// By when somebody was to start who stands at one position: the careful end of what was first said of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Promise {
    position: u64,
    /// In milliseconds since the Unix epoch.
    by: f64,
}

impl Promise {
    /// Of this position, with an estimate that was made `at` then. What was said of the same position before stays in force: a later estimate
    /// does not make up for it.
    pub(crate) fn renewed(before: Option<&Self>, position: u64, estimate: &Estimate, at: f64) -> Self {
        match before.filter(|before| before.position == position) {
            Some(before) => *before,
            None => Self {
                position,
                by: at + estimate.high.max(LEAST_SPREAD) * 1000.0,
            },
        }
    }

    /// Whether that has passed.
    pub(crate) fn is_broken(&self, now: f64) -> bool {
        now > self.by
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MADE: Estimate = Estimate { low: 20.0, high: 35.0 };

    #[test]
    fn a_range_falls_with_the_time_and_ends_at_nothing() {
        for (elapsed, low, high) in [
            (0.0, 20.0, 35.0),
            (7.0, 13.0, 28.0),
            (25.0, 0.0, 10.0),
            (34.0, 0.0, 1.0),
        ] {
            assert_eq!(after(&MADE, elapsed), Estimate { low, high });
        }
        // A clock that was put back.
        assert_eq!(after(&MADE, -9.0), MADE);
    }

    #[test]
    fn what_is_overrun_grows_from_there_on() {
        let high = |elapsed| after(&MADE, elapsed).high;
        assert_eq!(high(35.0), 15.0);
        assert_eq!(high(55.0), 35.0);
        assert!(high(56.0) > high(55.0));
        // A range without width is not sure for ever.
        assert_eq!(
            after(&Estimate { low: 3.0, high: 3.0 }, 4.0),
            Estimate { low: 0.0, high: 3.0 }
        );
    }

    #[test]
    fn what_starts_at_once_is_never_late() {
        let at_once = Estimate { low: 0.0, high: 0.0 };
        assert_eq!(after(&at_once, 60.0), at_once);
    }

    #[test]
    fn a_promise_stands_until_the_position_changes() {
        let first = Promise::renewed(None, 3, &MADE, 1000.0);
        assert!(!first.is_broken(36_000.0) && first.is_broken(36_001.0));
        let later = Estimate { low: 40.0, high: 90.0 };
        assert_eq!(Promise::renewed(Some(&first), 3, &later, 20_000.0), first);
        let moved = Promise::renewed(Some(&first), 2, &later, 20_000.0);
        assert!(!moved.is_broken(110_000.0));
    }
}
