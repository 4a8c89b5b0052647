//! One chart: curves or bars with both axes, and a slider over them, which a pointer or the keyboard moves from value to value.

use std::fmt::Write as _;

use anteroom::{language::Words, say};
use leptos::prelude::*;

use super::scale::Unit;
use crate::format::decimal;

/// What a chart shows.
pub(super) struct Chart<'a> {
    pub(super) title: String,
    pub(super) unit: Unit,
    pub(super) series: Vec<Series>,
    /// When each point was, or which it is.
    pub(super) times: &'a [String],
    /// The marks below, each with its place from 0 to 1.
    pub(super) axis: &'a [(f64, String)],
    pub(super) shape: Shape,
}

/// One curve.
pub(super) struct Series {
    /// Empty where it is the only one.
    pub(super) name: String,
    /// The class that gives it its colour.
    pub(super) class: &'static str,
    /// A value a point; `None`: there is none.
    pub(super) values: Vec<Option<f64>>,
}

/// How values are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Each holds until the next.
    Curve,
    /// Each stands by itself.
    Bars,
}

/// Height of the drawing, in its own units. It is as wide as it has points.
const HEIGHT: f64 = 100.0;

impl Series {
    #[expect(clippy::cast_precision_loss, reason = "a handful of points")]
    fn points(&self, top: f64) -> impl Iterator<Item = (f64, Option<f64>)> {
        let y = move |value: f64| HEIGHT - value / top * HEIGHT;
        self.values
            .iter()
            .enumerate()
            .map(move |(at, value)| (at as f64, value.map(y)))
    }

    /// The curve; a gap where there is no value.
    fn line(&self, top: f64) -> String {
        let (mut path, mut drawn) = (String::new(), false);
        for (x, y) in self.points(top) {
            let Some(y) = y else {
                drawn = false;
                continue;
            };
            // Writing into a text does not fail.
            let _ = match drawn {
                true => write!(path, "V{}H{}", decimal(y), decimal(x + 1.0)),
                false => write!(path, "M{} {}H{}", decimal(x), decimal(y), decimal(x + 1.0)),
            };
            drawn = true;
        }
        path
    }

    /// What is below each value: `inset` of a point's width is left free on both sides.
    fn area(&self, top: f64, inset: f64) -> String {
        let mut path = String::new();
        for (x, y) in self.points(top) {
            if let Some(y) = y {
                let (left, right) = (decimal(x + inset), decimal(x + 1.0 - inset));
                let _ = write!(path, "M{left} {HEIGHT}V{}H{right}V{HEIGHT}z", decimal(y));
            }
        }
        path
    }
}

/// The value of each point in words: when, and each curve's.
fn values(words: &Words, chart: &Chart<'_>) -> Vec<String> {
    let value = |series: &Series, at: usize| {
        let value = series.values.get(at).copied().flatten()?;
        let value = chart.unit.write(words, value);
        Some(match series.name.is_empty() {
            true => value,
            false => [series.name.as_str(), &value].join(" "),
        })
    };
    let one = |(at, time): (usize, &String)| {
        let all: Vec<_> = chart.series.iter().filter_map(|series| value(series, at)).collect();
        let said = match all.is_empty() {
            true => say!(words, "chart-gap"),
            false => all.join(" · "),
        };
        [time.as_str(), &said].join(" · ")
    };
    chart.times.iter().enumerate().map(one).collect()
}

/// The chart as HTML.
pub(super) fn html(words: &'static Words, chart: &Chart<'_>) -> String {
    let all = || chart.series.iter().flat_map(|series| &series.values).flatten();
    let top = chart.unit.top(all().copied().fold(0.0, f64::max));
    let count = chart.times.len();
    let curves = chart.series.iter().map(|series| {
        let class = series.class;
        match chart.shape {
            Shape::Curve => view! {
                <path class=format!("area {class}") d=series.area(top, 0.0) />
                <path class=format!("curve {class}") d=series.line(top) />
            }
            .into_any(),
            Shape::Bars => view! { <path class=format!("bars {class}") d=series.area(top, 0.1) /> }.into_any(),
        }
    });
    let legend = chart
        .series
        .iter()
        .filter(|series| !series.name.is_empty())
        .map(|series| {
            view! {
                <span class="legend">
                    <i class=series.class></i>
                    {series.name.clone()}
                </span>
            }
        });
    let heights = [top, top / 2.0, 0.0].map(|value| {
        let place = format!("bottom:{}%", decimal(value / top * 100.0));
        view! { <span style=place>{chart.unit.write(words, value)}</span> }
    });
    let marks = chart.axis.iter().map(|(place, text)| {
        let place = format!("left:{}%", decimal(place * 100.0));
        view! { <span style=place>{text.clone()}</span> }
    });
    let values = values(words, chart);
    let last = values.last().cloned().unwrap_or_default();
    let empty = all()
        .next()
        .is_none()
        .then(|| view! { <span class="chart-empty">{say!(words, "chart-empty")}</span> });
    view! {
        <figure class="chart" data-testid="chart">
            <figcaption>
                <h3>{chart.title.clone()}</h3>
                {legend.collect_view()}
            </figcaption>
            <div class="chart-frame">
                <div class="chart-heights" aria-hidden="true">{heights}</div>
                <div class="chart-field">
                    <svg viewBox=format!("0 0 {count} {HEIGHT}") preserveAspectRatio="none" aria-hidden="true">
                        <path class="grid" d=format!("M0 0H{count}M0 50H{count}M0 100H{count}") />
                        {curves.collect_view()}
                    </svg>
                    {empty}
                    <span class="chart-cursor" aria-hidden="true"></span>
                    <input
                        class="chart-slider"
                        type="range"
                        min="0"
                        max=count.saturating_sub(1)
                        value=count.saturating_sub(1)
                        autocomplete="off"
                        aria-label=chart.title.clone()
                        aria-valuetext=last.clone()
                        data-values=values.join("|")
                    />
                </div>
            </div>
            <p class="chart-axis" aria-hidden="true">{marks.collect_view()}</p>
            <p class="chart-value" aria-hidden="true">{last}</p>
        </figure>
    }
    .to_html()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_holds_each_value_until_the_next_and_has_gaps() {
        let series = Series {
            name: String::new(),
            class: "ink",
            values: vec![Some(0.0), Some(1.0), None, Some(2.0)],
        };
        assert_eq!(series.line(2.0), "M0 100H1V50H2M3 0H4");
        assert_eq!(
            series.area(2.0, 0.0),
            "M0 100V100H1V100zM1 100V50H2V100zM3 100V0H4V100z"
        );
    }
}
