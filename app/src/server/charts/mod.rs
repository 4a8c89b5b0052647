//! The charts of the stats tab. They are drawn here, so that a browser need not know how: it shows them, and says what is pointed at.

mod draw;
mod scale;

use anteroom::{
    language::Words,
    say,
    stats::{Curves, LinePoint},
    wire::Span,
};

use self::{
    draw::{Chart, Series, Shape},
    scale::Unit,
};

/// All charts of a span, as HTML. `offset`: minutes that the clock of whoever looks is ahead of UTC.
pub(super) fn html(words: &'static Words, curves: &Curves, span: Span, offset: i32) -> String {
    let times = times(curves, span, offset);
    let axis = axis(words, span);
    let chart = |title, unit, series| Chart {
        title,
        unit,
        series,
        times: &times,
        axis: &axis,
        shape: Shape::Curve,
    };
    let series = |name, class, read: fn(&LinePoint) -> Option<f64>| Series {
        name,
        class,
        values: curves
            .points
            .iter()
            .map(|point| point.as_ref().and_then(read))
            .collect(),
    };
    let one = |read| vec![series(String::new(), "ink", read)];
    let lines = vec![
        series(say!(words, "chart-running"), "accent", |point| {
            Some(count(point.running))
        }),
        series(say!(words, "chart-waiting"), "ink", |point| Some(count(point.waiting))),
    ];
    let hours: Vec<_> = (0..24).map(|hour| format!("{hour:02}:00–{:02}:00", hour + 1)).collect();
    let hour_axis = [0, 6, 12, 18, 24].map(|hour| (f64::from(hour) / 24.0, format!("{hour:02}:00")));
    let by_hour = Chart {
        title: say!(words, "chart-hours"),
        unit: Unit::Seconds,
        series: vec![Series {
            name: String::new(),
            class: "ink",
            values: curves.hours.iter().map(|hour| hour.wait).collect(),
        }],
        times: &hours,
        axis: &hour_axis,
        shape: Shape::Bars,
    };
    let all = [
        chart(say!(words, "chart-lines"), Unit::Count, lines),
        chart(say!(words, "chart-wait"), Unit::Seconds, one(|point| point.wait)),
        by_hour,
        chart(say!(words, "chart-rate"), Unit::Rate, one(|point| Some(point.rate))),
        chart(
            say!(words, "chart-sessions"),
            Unit::Count,
            one(|point| Some(count(point.sessions))),
        ),
        chart(
            say!(words, "chart-memory"),
            Unit::Bytes,
            one(|point| point.memory.map(count)),
        ),
    ];
    all.iter().map(|chart| draw::html(words, chart)).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a point of a chart")]
const fn count(value: u64) -> f64 {
    value as f64
}

/// When each point was, by the clock of whoever looks.
fn times(curves: &Curves, span: Span, offset: i32) -> Vec<String> {
    let at = |number: u64| {
        let at = curves.begin + number * span.step();
        let (seconds, minutes) = (
            at / 1000 % 60,
            i64::try_from(at / 60_000).unwrap_or(0) + i64::from(offset),
        );
        let (hour, minute) = (minutes.div_euclid(60).rem_euclid(24), minutes.rem_euclid(60));
        match span {
            Span::Quarter => format!("{hour:02}:{minute:02}:{seconds:02}"),
            Span::Day => format!("{hour:02}:{minute:02}"),
            Span::Week => {
                let (month, day) = date(minutes.div_euclid(24 * 60));
                format!("{month:02}-{day:02} {hour:02}:{minute:02}")
            }
        }
    };
    (0..span.points()).map(at).collect()
}

/// Month and day of a day since 1970, in the Gregorian calendar. Years are counted from March, so that the day that not all of them have is
/// their last one.
const fn date(day: i64) -> (i64, i64) {
    // From the first of March of the year 0.
    let days = day + 719_468;
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    (if month < 10 { month + 3 } else { month - 9 }, day)
}

/// The marks of the time, each with its place from 0 to 1.
fn axis(words: &Words, span: Span) -> Vec<(f64, String)> {
    let ago: &[u32] = match span {
        Span::Quarter => &[15, 10, 5],
        Span::Day => &[24, 18, 12, 6],
        Span::Week => &[7, 5, 3, 1],
    };
    let all = f64::from(ago[0]);
    let marks = ago.iter().map(|&number| {
        let place = 1.0 - f64::from(number) / all;
        (place, say!(words, "chart-ago", span = span.name(), number = number))
    });
    marks.chain([(1.0, say!(words, "chart-now"))]).collect()
}

#[cfg(test)]
mod tests {
    use anteroom::stats::HourWait;
    use leptos::prelude::Owner;

    use super::*;

    #[test]
    fn days_have_their_dates() {
        for (day, expected) in [
            (0, (1, 1)),
            (58, (2, 28)),
            (59, (3, 1)),
            (789, (2, 29)),
            (11_016, (2, 29)),
            (20_787, (11, 30)),
            (20_818, (12, 31)),
            (47_540, (2, 28)),
            (47_541, (3, 1)),
        ] {
            assert_eq!(date(day), expected, "{day}");
        }
    }

    #[test]
    fn each_chart_has_its_axes_and_a_value_for_each_point() {
        let words = Words::of(anteroom::language::Language::English);
        let point = LinePoint {
            running: 2,
            waiting: 9,
            rate: 1.5,
            wait: Some(3.25),
            sessions: 4,
            memory: Some(1_200_000_000),
        };
        let mut points = vec![None; 168];
        points[167] = Some(point);
        let hour = HourWait { wait: None, started: 0 };
        let mut hours = [hour; 24];
        hours[14].wait = Some(90.0);
        let curves = Curves {
            // Monday, 30 November 2026, 14:00 UTC.
            begin: 1_796_047_200_000 - 167 * 3_600_000,
            points,
            hours,
        };
        let html = Owner::new().with(|| html(words, &curves, Span::Week, 60));
        for part in [
            "11-30 15:00 · running 2 · waiting 9",
            "11-30 15:00 · 3.3 s",
            "14:00–15:00 · 1 min 30 s",
            "11-30 15:00 · 1.5",
            "11-30 15:00 · 1.2 GB",
            "11-23 16:00 · no record",
            "7 days ago",
            "max=\"167\"",
            "max=\"23\"",
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
        assert_eq!(html.matches("<figure").count(), 6);
    }
}
