//! Figures as people read them: places, times, and the sentences about the line.

use anteroom::{
    language::Words,
    say,
    wire::{Estimate, LineView, MAX_MESSAGE_BYTES, Place},
};

/// How sure a start is, and the time that there is to say of it.
struct Start {
    /// A case of the messages that speak of it.
    how: &'static str,
    /// `20–35 s`, where there is one.
    time: String,
}

impl Start {
    const fn without_time(how: &'static str) -> Self {
        Self {
            how,
            time: String::new(),
        }
    }

    fn of(words: &Words, estimate: Option<&Estimate>) -> Self {
        let Some(estimate) = estimate else {
            return Self::without_time("unknown");
        };
        let low = estimate.low.max(0.0);
        let high = estimate.high.max(low);
        if high < 2.0 {
            return Self::without_time("soon");
        }
        let (low, high) = (Rounded::of(low), Rounded::of(high));
        let (how, time) = if low == high {
            ("about", high.time(words))
        } else if low.count == 0 {
            ("up-to", high.time(words))
        } else if low.unit == high.unit {
            let both = format!("{}–{}", words.number(low.count), words.number(high.count));
            ("about", time(words, both, high.unit))
        } else {
            ("about", format!("{} – {}", low.time(words), high.time(words)))
        };
        Self { how, time }
    }

    /// Of a ticket that would join this line now. `queue` is false where nobody may wait.
    fn of_newcomer(words: &Words, line: &LineView, queue: bool) -> Self {
        if line.trouble.is_some() {
            Self::without_time("out")
        } else if starts_at_once(line) {
            Self::without_time("at-once")
        } else if queue {
            Self::of(words, line.estimate.as_ref())
        } else {
            Self::without_time("busy")
        }
    }
}

/// When something is likely to start: `about 20–35 s`, `about 2–3 min`, `any moment now`, `time unknown yet`.
pub(crate) fn estimate(words: &Words, estimate: Option<&Estimate>) -> String {
    let start = Start::of(words, estimate);
    say!(words, "estimate", how = start.how, time = start.time)
}

/// `20 s`, of a number that is written already.
fn time(words: &Words, count: String, unit: &str) -> String {
    say!(words, "time", count = count, unit = unit)
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

    fn time(&self, words: &Words) -> String {
        time(words, words.number(self.count), self.unit)
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
pub(crate) fn rank(words: &Words, place: &Place) -> String {
    say!(
        words,
        "line-rank",
        number = place.position,
        kind = words.ordinal(place.position),
        of = place.waiting.max(place.position),
    )
}

/// `3rd`.
pub(crate) fn place(words: &Words, position: u64) -> String {
    say!(words, "line-place", number = position, kind = words.ordinal(position))
}

/// `3rd of 7 in line`.
pub(crate) fn short_rank(words: &Words, place: &Place) -> String {
    say!(
        words,
        "line-rank-short",
        number = place.position,
        kind = words.ordinal(place.position),
        of = place.waiting.max(place.position),
    )
}

/// Whether a ticket that joins this line now starts now.
pub(crate) fn starts_at_once(line: &LineView) -> bool {
    line.trouble.is_none() && line.waiting == 0 && line.limit.is_none_or(|limit| line.running < limit)
}

/// `2 of 3 slots busy`, `4 running, no limit`.
pub(crate) fn busy(words: &Words, line: &LineView) -> String {
    match line.limit {
        Some(1) if line.running == 0 => say!(words, "line-slot-free"),
        Some(1) => say!(words, "line-slot-busy"),
        Some(limit) => say!(words, "line-slots-busy", running = line.running, limit = limit),
        None => say!(words, "line-running", running = line.running),
    }
}

/// `nobody waits`, `1 waits`, `4 wait`.
pub(crate) fn waiting(words: &Words, count: u64) -> String {
    say!(words, "line-waiting", count = count)
}

/// What would happen to a message sent now. `queue` is false where nobody may wait.
pub(crate) fn start(words: &Words, line: &LineView, queue: bool) -> String {
    let start = Start::of_newcomer(words, line, queue);
    say!(words, "line-start", how = start.how, time = start.time)
}

/// The same as a sentence of its own, for somebody who is about to write.
pub(crate) fn prospect(words: &Words, line: &LineView, queue: bool) -> String {
    let Start { how, time } = Start::of_newcomer(words, line, queue);
    if line.waiting > 0 && line.newcomer > 0 && line.trouble.is_none() {
        let kind = words.ordinal(line.newcomer);
        return say!(
            words,
            "prospect-waiting",
            number = line.newcomer,
            kind = kind,
            how = how,
            time = time
        );
    }
    say!(words, "prospect", how = how, time = time)
}

/// `1 of 3 slots busy · nobody waits · starts at once`.
pub(crate) fn line(words: &Words, line: &LineView, queue: bool) -> String {
    format!(
        "{} · {} · {}",
        busy(words, line),
        waiting(words, line.waiting),
        start(words, line, queue)
    )
}

/// A line beside others, before somebody chooses among them: `free`, `3 wait, about 1 min`, `not in service`.
pub(crate) fn short(words: &Words, line: &LineView, queue: bool) -> String {
    let Start { how, time } = Start::of_newcomer(words, line, queue);
    match how {
        "at-once" | "out" | "busy" => say!(words, "line-short", how = how),
        _ => format!(
            "{}, {}",
            waiting(words, line.waiting),
            say!(words, "estimate", how = how, time = time)
        ),
    }
}

/// A duration in seconds, short: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`.
pub(crate) fn duration(words: &Words, seconds: f64) -> String {
    let one = |count: u64, unit| time(words, words.number(count), unit);
    if seconds < 0.0005 {
        return one(0, "s");
    }
    if seconds < 0.1 {
        return one(whole(seconds * 1000.0).max(1), "ms");
    }
    if seconds < 9.95 {
        return time(words, words.decimal(whole(seconds * 10.0)), "s");
    }
    whole_duration(words, seconds)
}

/// The same in whole seconds: `8 s`.
pub(crate) fn whole_duration(words: &Words, seconds: f64) -> String {
    let one = |count: u64, unit| time(words, words.number(count), unit);
    let both = |(count, unit), (rest, smaller)| format!("{} {}", one(count, unit), one(rest, smaller));
    let all = whole(seconds);
    let (days, hours, minutes, rest) = (all / 86400, all / 3600 % 24, all / 60 % 60, all % 60);
    match (days, hours, minutes, rest) {
        (0, 0, 0, s) => one(s, "s"),
        (0, 0, m, 0) => one(m, "min"),
        (0, 0, m, s) => both((m, "min"), (s, "s")),
        (0, h, m, _) => both((h, "h"), (m, "min")),
        (d, h, _, _) => both((d, "d"), (h, "h")),
    }
}

/// The same of milliseconds.
pub(crate) fn millis(words: &Words, millis: u64) -> String {
    duration(words, seconds(millis))
}

/// Milliseconds in seconds.
pub(crate) fn seconds(millis: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a span of time")]
    let millis = millis as f64;
    millis / 1000.0
}

/// Why a file is not taken: `too large: 25 MB of at most 20 MB`.
pub(crate) fn too_large(words: &Words, bytes: u64, most: u64) -> String {
    match (words.size(bytes), words.size(most)) {
        (bytes, most) if bytes == most => say!(words, "file-just-too-large", most = most),
        (bytes, most) => say!(words, "file-too-large", bytes = bytes, most = most),
    }
}

/// Why a message is not taken.
pub(crate) fn too_long(words: &Words, bytes: usize) -> String {
    let [bytes, most] = [bytes, MAX_MESSAGE_BYTES].map(|bytes| words.size(bytes as u64));
    say!(words, "composer-too-long", bytes = bytes, most = most)
}

/// How long ago something happened, from two instants in milliseconds: `now`, `5 min`, `3 h`, `2 d`.
pub(crate) fn ago(words: &Words, at: u64, now: u64) -> String {
    match age(words, at, now) {
        Some(age) => age,
        None => say!(words, "ago-now"),
    }
}

/// The same within a sentence: `just now`, `5 min ago`.
#[cfg(feature = "ssr")]
pub(crate) fn some_time_ago(words: &Words, at: u64, now: u64) -> String {
    match age(words, at, now) {
        Some(age) => say!(words, "ago-some-time", age = age),
        None => say!(words, "ago-just-now"),
    }
}

/// `None`: less than a minute.
fn age(words: &Words, at: u64, now: u64) -> Option<String> {
    let seconds = now.saturating_sub(at) / 1000;
    let (count, unit) = match seconds {
        0..60 => return None,
        60..3600 => (seconds / 60, "min"),
        3600..86400 => (seconds / 3600, "h"),
        _ => (seconds / 86400, "d"),
    };
    Some(time(words, words.number(count), unit))
}

#[cfg(test)]
mod tests {
    use anteroom::{language::Language, wire::Event};

    use super::*;

    fn english() -> &'static Words {
        Words::of(Language::English)
    }

    fn russian() -> &'static Words {
        Words::of(Language::Russian)
    }

    fn range(low: f64, high: f64) -> String {
        estimate(english(), Some(&Estimate { low, high }))
    }

    fn view(running: u64, limit: Option<u64>, waiting: u64, estimate: Option<Estimate>) -> LineView {
        LineView {
            name: "chat".to_owned(),
            events: vec![Event::Chat],
            running,
            mine: 0,
            limit,
            waiting,
            newcomer: if limit.is_none_or(|limit| running < limit) {
                0
            } else {
                waiting + 1
            },
            estimate,
            model: None,
            trouble: None,
            ..LineView::default()
        }
    }

    #[test]
    fn ordinals_are_those_of_the_language() {
        let place = |position| Place {
            turn: None,
            event: Event::Chat,
            model: None,
            position,
            waiting: 3,
            estimate: None,
            trouble: None,
        };
        let numbers = [1, 2, 3, 4, 11, 12, 13, 21, 22, 101, 111, 113];
        for (number, ordinal) in numbers.into_iter().zip([
            "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "101st", "111th", "113th",
        ]) {
            let of = number.max(3);
            assert_eq!(
                rank(english(), &place(number)),
                format!("You are {ordinal} of {of} in line")
            );
        }
        assert_eq!(rank(russian(), &place(2)), "Ваше место в очереди: 2 из 3");
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
        assert_eq!(estimate(english(), None), "time unknown yet");
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
        let said = |view: &LineView, queue| line(english(), view, queue);
        assert_eq!(
            said(&view(1, Some(3), 0, None), true),
            "1 of 3 slots busy · nobody waits · starts at once"
        );
        let estimate = Some(Estimate { low: 20.0, high: 35.0 });
        assert_eq!(
            said(&view(3, Some(3), 4, estimate), true),
            "3 of 3 slots busy · 4 wait · starts in about 20–35 s"
        );
        assert_eq!(
            said(&view(3, Some(3), 0, None), false),
            "3 of 3 slots busy · nobody waits · try again in a moment"
        );
        assert_eq!(
            said(&view(9, None, 0, None), true),
            "9 running, no limit · nobody waits · starts at once"
        );
        assert_eq!(
            line(russian(), &view(3, Some(3), 4, estimate), true),
            "занято 3 места из 3 · 4 ждут · начнётся примерно через 20–35 с"
        );
    }

    #[test]
    fn whoever_is_about_to_write_hears_a_sentence() {
        let estimate = Some(Estimate { low: 20.0, high: 35.0 });
        for (view, queue, said) in [
            (view(1, Some(3), 0, None), true, "A message starts at once"),
            (
                view(3, Some(3), 0, None),
                false,
                "Every slot is busy. Try again in a moment.",
            ),
            (
                view(3, Some(3), 4, estimate),
                true,
                "You would be 5th in line · starts in about 20–35 s",
            ),
            (view(3, Some(3), 0, None), true, "A message: start unknown yet"),
        ] {
            assert_eq!(prospect(english(), &view, queue), said);
        }
    }

    #[test]
    fn durations_and_ages_are_short() {
        let seconds = [0.0, 0.02, 0.42, 12.4, 200.0, 7500.0, 280_000.0];
        assert_eq!(
            seconds.map(|seconds| duration(english(), seconds)).join(", "),
            "0 s, 20 ms, 0.4 s, 12 s, 3 min 20 s, 2 h 5 min, 3 d 5 h"
        );
        assert_eq!(
            seconds.map(|seconds| duration(russian(), seconds)).join(", "),
            "0 с, 20 мс, 0,4 с, 12 с, 3 мин 20 с, 2 ч 5 мин, 3 д 5 ч"
        );
        assert_eq!(
            [59_000, 60_000, 7_200_000, 180_000_000]
                .map(|now| ago(english(), 0, now))
                .join(", "),
            "now, 1 min, 2 h, 2 d"
        );
    }

    #[test]
    fn a_file_is_too_large_in_the_unit_of_the_setting() {
        assert_eq!(
            too_large(english(), 25_000_000, 20_000_000),
            "too large: 25 MB of at most 20 MB"
        );
        assert_eq!(
            too_large(english(), 20_000_001, 20_000_000),
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
}
