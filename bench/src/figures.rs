//! What was measured, in which unit, and what it may be.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::numbers::median;

/// One figure of one round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measure {
    pub(crate) what: String,
    pub(crate) value: f64,
    pub(crate) unit: Unit,
    pub(crate) budget: Option<Budget>,
}

impl Measure {
    pub(crate) fn new(what: impl Into<String>, value: f64, unit: Unit) -> Self {
        Self {
            what: what.into(),
            value,
            unit,
            budget: None,
        }
    }

    /// Anteroom's budget: no more than this.
    pub(crate) fn at_most(self, most: f64) -> Self {
        Self {
            budget: Some(Budget::Most(most)),
            ..self
        }
    }

    /// Anteroom's budget: no less than this.
    pub(crate) fn at_least(self, least: f64) -> Self {
        Self {
            budget: Some(Budget::Least(least)),
            ..self
        }
    }

    /// Anteroom's budget: no more than this share of Gradio's figure in the same run.
    pub(crate) fn at_most_of_gradio(self, share: f64) -> Self {
        Self {
            budget: Some(Budget::OfGradio(share)),
            ..self
        }
    }
}

/// What a figure may be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Budget {
    /// No more than this.
    Most(f64),
    /// No less than this.
    Least(f64),
    /// No more than this share of Gradio's.
    OfGradio(f64),
}

impl Budget {
    /// `None`: it takes Gradio's figure to say.
    pub(crate) fn is_met(self, value: f64, gradio: Option<f64>) -> Option<bool> {
        match self {
            Self::Most(most) => Some(value <= most),
            Self::Least(least) => Some(value >= least),
            Self::OfGradio(share) => Some(value <= share * gradio?),
        }
    }

    const fn bound(self) -> f64 {
        match self {
            Self::Most(bound) | Self::Least(bound) | Self::OfGradio(bound) => bound,
        }
    }

    /// The same kind, with another bound.
    const fn with(self, bound: f64) -> Self {
        match self {
            Self::Most(_) => Self::Most(bound),
            Self::Least(_) => Self::Least(bound),
            Self::OfGradio(_) => Self::OfGradio(bound),
        }
    }

    pub(crate) fn show(self, unit: Unit) -> String {
        match self {
            Self::Most(most) => format!("≤ {}", unit.show(most)),
            Self::Least(least) => format!("≥ {}", unit.show(least)),
            Self::OfGradio(share) => format!("≤ {share} of Gradio's"),
        }
    }
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Unit {
    /// One quantity against another of the same kind.
    Times,
    /// Milliseconds.
    Millis,
    Seconds,
    /// Bytes, shown in units of 1,000.
    Bytes,
    /// So many a second.
    PerSecond,
    Percent,
    Count,
}

impl Unit {
    /// A number for people.
    pub(crate) fn show(self, value: f64) -> String {
        match self {
            Self::Times => format!("{value:.3}"),
            Self::Millis if value.abs() < 10.0 => format!("{value:.2} ms"),
            Self::Millis => format!("{value:.0} ms"),
            Self::Seconds => format!("{value:.2} s"),
            Self::Bytes if value.abs() < 1e5 => format!("{:.1} KB", value / 1e3),
            Self::Bytes if value.abs() < 1e6 => format!("{:.0} KB", value / 1e3),
            Self::Bytes => format!("{:.1} MB", value / 1e6),
            Self::PerSecond => format!("{}/s", grouped(value)),
            Self::Percent => format!("{value:.1} %"),
            Self::Count => grouped(value),
        }
    }
}

/// A whole number with its thousands set apart.
fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if value <= -0.5 { format!("-{out}") } else { out }
}

/// One figure of all rounds.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) what: String,
    pub(crate) unit: Unit,
    /// Of each round that has one: what it may be can depend on what else was measured in the round.
    budgets: Vec<Budget>,
    /// Of each round that measured it.
    pub(crate) values: Vec<f64>,
}

impl Figure {
    /// The median of the rounds.
    pub(crate) fn value(&self) -> Option<f64> {
        median(&self.values)
    }

    /// The median of the rounds' budgets.
    pub(crate) fn budget(&self) -> Option<Budget> {
        let bounds: Vec<f64> = self.budgets.iter().map(|budget| budget.bound()).collect();
        Some(self.budgets.first()?.with(median(&bounds)?))
    }

    /// Whether it keeps its budget, beside Gradio's figure. `None`: it has no budget, or something was not measured.
    pub(crate) fn is_met(&self, gradio: Option<f64>) -> Option<bool> {
        self.budget()?.is_met(self.value()?, gradio)
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(value) = self.value() else {
            return write!(f, "{}: not measured", self.what);
        };
        write!(f, "{}: {}", self.what, self.unit.show(value))?;
        if self.values.len() > 1 {
            let all: Vec<String> = self.values.iter().map(|value| self.unit.show(*value)).collect();
            write!(f, " (of {})", all.join(", "))?;
        }
        Ok(())
    }
}

/// The figures of all rounds, in the order in which they first came.
pub(crate) fn gather(rounds: &[Vec<Measure>]) -> Vec<Figure> {
    let mut figures: Vec<Figure> = Vec::new();
    for measure in rounds.iter().flatten() {
        match figures.iter_mut().find(|figure| figure.what == measure.what) {
            Some(figure) => {
                figure.values.push(measure.value);
                figure.budgets.extend(measure.budget);
            }
            None => figures.push(Figure {
                what: measure.what.clone(),
                unit: measure.unit,
                budgets: measure.budget.into_iter().collect(),
                values: vec![measure.value],
            }),
        }
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!(Unit::Count.show(1_234_567.0), "1,234,567");
        assert_eq!(Unit::PerSecond.show(999.6), "1,000/s");
        assert_eq!(Unit::Count.show(-1_000.0), "-1,000");
        assert_eq!(Unit::Count.show(-0.0), "0");
        assert_eq!(Unit::Bytes.show(8_192.0), "8.2 KB");
        assert_eq!(Unit::Bytes.show(141e6), "141.0 MB");
        assert_eq!(Unit::Millis.show(0.123), "0.12 ms");
    }

    #[test]
    fn a_figure_is_the_median_and_a_budget_is_judged_by_it() {
        let round = |value| vec![Measure::new("a", value, Unit::Seconds).at_most(2.0)];
        let figures = gather(&[round(1.0), round(9.0), round(2.0)]);
        assert_eq!(figures.len(), 1);
        assert_eq!((figures[0].value(), figures[0].is_met(None)), (Some(2.0), Some(true)));
        let round = |value, most| vec![Measure::new("a", value, Unit::Seconds).at_most(most)];
        let figures = gather(&[round(1.0, 3.0), round(2.0, 1.0), round(2.0, 1.5)]);
        assert_eq!(
            (figures[0].budget(), figures[0].is_met(None)),
            (Some(Budget::Most(1.5)), Some(false))
        );
        assert_eq!(Budget::Least(3.0).is_met(2.0, None), Some(false));
        assert_eq!(Budget::OfGradio(0.5).is_met(2.0, Some(4.0)), Some(true));
        assert_eq!(Budget::OfGradio(0.5).is_met(2.0, None), None);
    }
}
