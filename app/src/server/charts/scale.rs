//! What is measured: how high a scale is, and how its figures are written.

use anteroom::language::Words;

use crate::format;

/// The unit of a scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Things, of which there is no half.
    Count,
    /// Things a minute.
    Rate,
    /// A duration in seconds.
    Seconds,
    /// Memory.
    Bytes,
}

/// Durations whose halves are round, too, in seconds; then days.
const DURATIONS: [f64; 16] = [
    0.2, 0.4, 1.0, 2.0, 4.0, 10.0, 20.0, 60.0, 120.0, 240.0, 600.0, 1200.0, 3600.0, 7200.0, 14400.0, 43200.0,
];

impl Unit {
    /// The end of a scale that holds `most`: a round figure, whose half is round as well.
    pub(super) fn top(self, most: f64) -> f64 {
        if self == Self::Seconds
            && let Some(top) = DURATIONS.into_iter().find(|top| *top >= most)
        {
            return top;
        }
        let mut step = match self {
            Self::Seconds => 86_400.0,
            Self::Rate => 0.1,
            Self::Count | Self::Bytes => 1.0,
        };
        loop {
            for factor in [2.0, 4.0, 10.0] {
                if step * factor >= most {
                    return step * factor;
                }
            }
            if step > 1e18 {
                return most;
            }
            step *= 10.0;
        }
    }

    pub(super) fn write(self, words: &Words, value: f64) -> String {
        match self {
            Self::Count => words.number(format::whole(value)),
            Self::Rate => words.tenths(format::whole(value * 10.0)),
            Self::Seconds => format::duration(words, value),
            Self::Bytes => words.size(format::whole(value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_ends_at_a_round_figure_whose_half_is_round() {
        let count = [0.0, 1.0, 2.0, 3.0, 7.0, 11.0, 51.0].map(|most| Unit::Count.top(most));
        assert_eq!(count, [2.0, 2.0, 2.0, 4.0, 10.0, 20.0, 100.0]);
        let seconds = [0.0, 0.3, 5.0, 61.0, 5000.0, 50_000.0, 200_000.0].map(|most| Unit::Seconds.top(most));
        assert_eq!(seconds, [0.2, 0.4, 10.0, 120.0, 7200.0, 172_800.0, 345_600.0]);
        assert_eq!(Unit::Bytes.top(3.2e8), 4e8);
        assert_eq!(Unit::Count.top(f64::INFINITY), f64::INFINITY);
    }
}
