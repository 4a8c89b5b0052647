//! Figures as people read them: places, times, sizes, and the sentences about the line.

pub(crate) use anteroom::wire::size;
use anteroom::wire::{Estimate, LineView, Place};
use leptos::prelude::ServerFnError;

/// `1st`, `2nd`, `3rd`, `11th`, …
pub(crate) fn ordinal(number: u64) -> String {
    let suffix = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{suffix}")
}

/// When something is likely to start: `about 20–35 s`, `about 2–3 min`, `any moment now`, `time unknown yet`.
pub(crate) fn estimate(estimate: Option<&Estimate>) -> String {
    let Some(estimate) = estimate else {
        return "time unknown yet".to_owned();
    };
    let low = estimate.low.max(0.0);
    let high = estimate.high.max(low);
    if high < 2.0 {
        return "any moment now".to_owned();
    }
    let (low, high) = (Rounded::of(low), Rounded::of(high));
    if low == high {
        format!("about {high}")
    } else if low.count == 0 {
        format!("up to {high}")
    } else if low.unit == high.unit {
        format!("about {}–{high}", low.count)
    } else {
        format!("about {low} – {high}")
    }
}

/// A time rounded to what an estimate can honestly say.
#[derive(PartialEq)]
struct Rounded {
    count: u64,
    unit: &'static str,
}

impl Rounded {
    fn of(seconds: f64) -> Self {
        let (count, unit) = match seconds {
            s if s < 10.0 => (whole(s), "s"),
            s if s < 57.5 => (whole(s / 5.0) * 5, "s"),
            s if s < 90.0 * 60.0 => (whole(s / 60.0).max(1), "min"),
            s => (whole(s / 3600.0).max(1), "h"),
        };
        Self { count, unit }
    }
}

impl std::fmt::Display for Rounded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.count, self.unit)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to what fits"
)]
pub(crate) fn whole(value: f64) -> u64 {
    if value.is_finite() {
        value.round().clamp(0.0, 1e15) as u64
    } else {
        0
    }
}

/// A number to two decimals, `3`, `-0.5`, `7.25`: without the float formatting of the standard library, which is large.
pub(crate) fn decimal(value: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "a length on a screen")]
    let hundredths = (value * 100.0).round() as i64;
    let sign = if hundredths < 0 { "-" } else { "" };
    let (whole, rest) = (hundredths.abs() / 100, hundredths.abs() % 100);
    match (rest / 10, rest % 10) {
        (0, 0) => format!("{sign}{whole}"),
        (tenths, 0) => format!("{sign}{whole}.{tenths}"),
        (tenths, last) => format!("{sign}{whole}.{tenths}{last}"),
    }
}

/// `You are 3rd of 7 in line`.
pub(crate) fn rank(place: &Place) -> String {
    format!(
        "You are {} of {} in line",
        ordinal(place.position),
        place.waiting.max(place.position)
    )
}

/// Whether a ticket that joins this line now starts now.
pub(crate) fn starts_at_once(line: &LineView) -> bool {
    line.waiting == 0 && line.limit.is_none_or(|limit| line.running < limit)
}

/// `2 of 3 slots busy`, `4 running, no limit`.
pub(crate) fn busy(line: &LineView) -> String {
    match line.limit {
        Some(1) if line.running == 0 => "the slot is free".to_owned(),
        Some(1) => "the slot is busy".to_owned(),
        Some(limit) => format!("{} of {limit} slots busy", line.running),
        None => format!("{} running, no limit", line.running),
    }
}

/// `nobody waits`, `1 waits`, `4 wait`.
pub(crate) fn waiting(count: u64) -> String {
    match count {
        0 => "nobody waits".to_owned(),
        1 => "1 waits".to_owned(),
        _ => format!("{count} wait"),
    }
}

/// What would happen to a message sent now. `queue` is false where nobody may wait.
pub(crate) fn start(line: &LineView, queue: bool) -> String {
    if starts_at_once(line) {
        "starts at once".to_owned()
    } else if !queue {
        "try again in a moment".to_owned()
    } else if line.estimate.is_none() {
        "start unknown yet".to_owned()
    } else {
        match estimate(line.estimate.as_ref()) {
            soon if soon.starts_with("any") => "starts any moment".to_owned(),
            time => format!("starts in {time}"),
        }
    }
}

/// `1 of 3 slots busy · nobody waits · starts at once`.
pub(crate) fn line(line: &LineView, queue: bool) -> String {
    format!("{} · {} · {}", busy(line), waiting(line.waiting), start(line, queue))
}

/// A duration in seconds, short: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`.
pub(crate) fn duration(seconds: f64) -> String {
    if seconds < 0.0005 {
        return "0 s".to_owned();
    }
    if seconds < 0.1 {
        return format!("{} ms", whole(seconds * 1000.0).max(1));
    }
    if seconds < 9.95 {
        let tenths = whole(seconds * 10.0);
        return format!("{}.{} s", tenths / 10, tenths % 10);
    }
    let all = whole(seconds);
    let (days, hours, minutes, rest) = (all / 86400, all / 3600 % 24, all / 60 % 60, all % 60);
    match (days, hours, minutes, rest) {
        (0, 0, 0, s) => format!("{s} s"),
        (0, 0, m, 0) => format!("{m} min"),
        (0, 0, m, s) => format!("{m} min {s} s"),
        (0, h, m, _) => format!("{h} h {m} min"),
        (d, h, _, _) => format!("{d} d {h} h"),
    }
}

/// Why a file is not taken: `too large: 25 MB of at most 20 MB`.
pub(crate) fn too_large(bytes: u64, most: u64) -> String {
    match (size(bytes), size(most)) {
        (bytes, most) if bytes == most => format!("too large: just over the {most} that there may be"),
        (bytes, most) => format!("too large: {bytes} of at most {most}"),
    }
}

/// How long ago something happened, from two instants in milliseconds: `now`, `5 min`, `3 h`, `2 d`.
pub(crate) fn ago(at: u64, now: u64) -> String {
    let seconds = now.saturating_sub(at) / 1000;
    match seconds {
        0..60 => "now".to_owned(),
        60..3600 => format!("{} min", seconds / 60),
        3600..86400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86400),
    }
}

/// Whether the server has not been reached, or is about to restart: the same may go well in a while.
pub(crate) const fn is_passing(error: &ServerFnError) -> bool {
    // What the server refuses in its own words is a `ServerError`; what is none of its words comes from something in between.
    !matches!(error, ServerFnError::ServerError(_))
}

/// The sentence of a server function's error, without the framework's words around it.
pub(crate) fn fault(error: &ServerFnError) -> String {
    match error {
        ServerFnError::ServerError(message) | ServerFnError::MiddlewareError(message) => message.clone(),
        ServerFnError::Request(_) => "The server cannot be reached. Check the connection and try again.".to_owned(),
        other => {
            let text = other.to_string();
            match text.split_once(": ") {
                Some((_, sentence)) if text.starts_with("error ") => sentence.to_owned(),
                _ => text,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anteroom::wire::Event;

    fn range(low: f64, high: f64) -> String {
        estimate(Some(&Estimate { low, high }))
    }

    fn view(running: u64, limit: Option<u64>, waiting: u64, estimate: Option<Estimate>) -> LineView {
        LineView {
            name: "chat".to_owned(),
            events: vec![Event::Chat],
            running,
            limit,
            waiting,
            newcomer: if limit.is_none_or(|limit| running < limit) {
                0
            } else {
                waiting + 1
            },
            estimate,
        }
    }

    #[test]
    fn ordinals_follow_english() {
        let all: Vec<String> = [1, 2, 3, 4, 11, 12, 13, 21, 22, 101, 111, 113].map(ordinal).into();
        assert_eq!(
            all,
            [
                "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "101st", "111th", "113th"
            ]
        );
    }

    #[test]
    fn estimates_are_rounded_to_what_they_can_say() {
        assert_eq!(range(21.3, 34.0), "about 20–35 s");
        assert_eq!(range(3.0, 7.4), "about 3–7 s");
        assert_eq!(range(0.2, 1.1), "any moment now");
        assert_eq!(range(0.2, 6.0), "up to 6 s");
        assert_eq!(range(44.0, 130.0), "about 45 s – 2 min");
        assert_eq!(range(110.0, 190.0), "about 2–3 min");
        assert_eq!(range(58.0, 61.0), "about 1 min");
        assert_eq!(range(6000.0, 10_900.0), "about 2–3 h");
        assert_eq!(estimate(None), "time unknown yet");
    }

    #[test]
    fn estimates_survive_figures_that_are_none() {
        for none in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let said = range(none, none);
            assert!(
                !said.is_empty() && !said.contains("NaN") && !said.contains("inf"),
                "{said}"
            );
        }
        assert_eq!(range(-4.0, -2.0), "any moment now");
        assert_eq!(range(30.0, 10.0), "about 30 s");
    }

    #[test]
    fn the_line_says_what_would_happen() {
        assert_eq!(
            line(&view(1, Some(3), 0, None), true),
            "1 of 3 slots busy · nobody waits · starts at once"
        );
        let estimate = Some(Estimate { low: 20.0, high: 35.0 });
        assert_eq!(
            line(&view(3, Some(3), 4, estimate), true),
            "3 of 3 slots busy · 4 wait · starts in about 20–35 s"
        );
        assert_eq!(
            line(&view(3, Some(3), 0, None), false),
            "3 of 3 slots busy · nobody waits · try again in a moment"
        );
        assert_eq!(
            line(&view(9, None, 0, None), true),
            "9 running, no limit · nobody waits · starts at once"
        );
    }

    #[test]
    fn durations_and_ages_are_short() {
        assert_eq!(
            [0.0, 0.02, 0.42, 12.4, 200.0, 7500.0, 280_000.0]
                .map(duration)
                .join(", "),
            "0 s, 20 ms, 0.4 s, 12 s, 3 min 20 s, 2 h 5 min, 3 d 5 h"
        );
        assert_eq!(
            [59_000, 60_000, 7_200_000, 180_000_000]
                .map(|now| ago(0, now))
                .join(", "),
            "now, 1 min, 2 h, 2 d"
        );
    }

    #[test]
    fn a_file_is_too_large_in_the_unit_of_the_setting() {
        assert_eq!(too_large(25_000_000, 20_000_000), "too large: 25 MB of at most 20 MB");
        assert_eq!(
            too_large(20_000_001, 20_000_000),
            "too large: just over the 20 MB that there may be"
        );
    }

    #[test]
    fn decimals_end_where_they_say_nothing_more() {
        assert_eq!(
            [0.0, 3.0, -0.5, 7.246, 12.05, -0.004, 99.999].map(decimal).join(" "),
            "0 3 -0.5 7.25 12.05 0 100"
        );
    }

    #[test]
    fn faults_are_plain_sentences() {
        assert_eq!(fault(&ServerFnError::ServerError("Too long.".to_owned())), "Too long.");
        assert!(!fault(&ServerFnError::Args("missing field `text`".to_owned())).starts_with("error"));
        // What the server says is final, but for its own restart; what a proxy says in its place will pass.
        assert!(!is_passing(&ServerFnError::ServerError("Too long.".to_owned())));
        assert!(is_passing(&ServerFnError::MiddlewareError("Restarting.".to_owned())));
        assert!(is_passing(&ServerFnError::Request("failed to fetch".to_owned())));
        let page = leptos::server_fn::Bytes::from_static(b"<html>502 Bad Gateway</html>");
        let error: ServerFnError = leptos::server_fn::error::FromServerFnError::de(page);
        assert!(is_passing(&error), "{error:?}");
    }
}
