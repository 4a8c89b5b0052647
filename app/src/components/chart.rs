//! Charts of the last 15 minutes, as plain SVG.

use anteroom::{language::Words, say, text};
use leptos::prelude::*;

use crate::{
    erase::{Erase as _, Look as _, live, memo, when},
    format::decimal,
    words::words,
};

/// The span of every chart, in minutes.
pub(crate) const MINUTES: u32 = 15;
const SPAN: f64 = MINUTES as f64 * 60.0;
const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 120.0;

/// One series: seconds ago, and the value. `None` values are left out.
#[derive(Clone, PartialEq)]
pub(crate) struct Series {
    pub(crate) name: &'static str,
    /// The class that gives it its colour.
    pub(crate) class: &'static str,
    pub(crate) points: Vec<(f64, f64)>,
}

impl Series {
    /// `M…L…` through the points, in the chart's units; steps, as each value holds until the next.
    fn path(&self, top: f64, area: bool) -> String {
        let x = |ago: f64| decimal((1.0 - ago.clamp(0.0, SPAN) / SPAN) * WIDTH);
        let y = |value: f64| decimal(HEIGHT - value / top * (HEIGHT - 8.0));
        let mut path = String::new();
        for (index, (ago, value)) in self.points.iter().enumerate() {
            let (x, y) = (x(*ago), y(*value));
            path.push_str(&if index == 0 {
                format!("M{x} {y}")
            } else {
                format!("H{x}V{y}")
            });
        }
        if let (true, Some((first, _)), Some((last, _))) = (area, self.points.first(), self.points.last()) {
            path.push_str(&format!("H{}V{}H{}z", x(*last), decimal(HEIGHT), x(*first)));
        }
        path
    }
}

/// The next round figure that is not below: 1, 2, 5, 10, 20, 50, …
fn ceiling(value: f64) -> f64 {
    let mut step = 1.0;
    loop {
        for factor in [1.0, 2.0, 5.0] {
            if step * factor >= value {
                return step * factor;
            }
        }
        if step > 1e18 {
            return value;
        }
        step *= 10.0;
    }
}

/// One chart with its legend. `unit` makes the figures of the legend and of the scale.
#[component]
pub(crate) fn Chart(
    title: &'static str,
    #[prop(into)] series: Signal<Vec<Series>>,
    unit: fn(&Words, f64) -> String,
) -> impl IntoView {
    let words = words();
    let top = memo(move || {
        let most = series.look(|series| {
            series
                .iter()
                .flat_map(|one| &one.points)
                .map(|point| point.1)
                .fold(0.0, f64::max)
        });
        ceiling(most.max(1.0))
    });
    let empty = move || series.look(|series| series.iter().all(|one| one.points.len() < 2));
    let legend = move || {
        series.look(|series| {
            series
                .iter()
                .map(|one| {
                    let now = one.points.last().map(|point| unit(words, point.1)).unwrap_or_default();
                    view! {
                        <span class="legend">
                            <i class=one.class></i>
                            {one.name}
                            <b>{now}</b>
                        </span>
                    }
                    .erase()
                })
                .collect_view()
                .erase()
        })
    };
    let paths = move || {
        let top = top.get();
        series.look(|series| {
            series
                .iter()
                .map(|one| {
                    view! {
                        <path class=format!("area {}", one.class) d=one.path(top, true) />
                        <path class=format!("curve {}", one.class) d=one.path(top, false) />
                    }
                    .erase()
                })
                .collect_view()
                .erase()
        })
    };
    let [width, height] = [WIDTH, HEIGHT].map(decimal);
    view! {
        <figure class="chart">
            <figcaption>
                <h3>{title}</h3>
                {live(legend)}
            </figcaption>
            <div class="chart-frame">
                <svg viewBox=format!("0 0 {width} {height}") preserveAspectRatio="none" aria-hidden="true">
                    <path class="grid" d=format!("M0 8H{width}M0 64H{width}M0 {height}H{width}") />
                    {live(paths)}
                </svg>
                <span class="chart-top">{live(move || unit(words, top.get()))}</span>
                {when(empty, move || view! { <span class="chart-empty">{text!(words, "chart-empty")}</span> }.erase())}
            </div>
            <p class="chart-axis">
                <span>{say!(words, "chart-begin", minutes = MINUTES)}</span>
                <span>{text!(words, "chart-now")}</span>
            </p>
        </figure>
    }
    .erase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_ends_at_a_round_figure() {
        assert_eq!(
            [0.4, 1.0, 1.2, 3.0, 7.0, 11.0, 51.0].map(ceiling),
            [1.0, 1.0, 2.0, 5.0, 10.0, 20.0, 100.0]
        );
    }

    #[test]
    fn a_curve_holds_each_value_until_the_next() {
        let series = Series {
            name: "",
            class: "",
            points: vec![(900.0, 0.0), (450.0, 1.0), (0.0, 1.0)],
        };
        assert_eq!(series.path(1.0, false), "M0 120H240V8H480V8");
    }
}
