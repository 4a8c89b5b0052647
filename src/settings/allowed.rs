//! What a variable may hold, in words: for the advice of a fault, and for the tables of the documentation.

use std::borrow::Cow;

/// What is allowed, in the parts of a sentence.
#[derive(Clone, Debug)]
pub struct Allowed {
    /// In a table: `switch`. Not said where a range says it all.
    pub(super) brief: Cow<'static, str>,
    /// In a sentence: `a whole number`.
    pub(super) what: Cow<'static, str>,
    /// A note on spelling, which stands behind the range.
    pub(super) note: &'static str,
    /// Words that also go.
    pub(super) or: &'static [&'static str],
    /// What a range counts.
    pub(super) unit: Unit,
}

/// What a range counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Things,
    Seconds,
    Bytes,
    Characters,
}

/// The least and the most, in a [`Unit`].
pub(super) type Range = (f64, f64);

const DAY: f64 = 24.0 * 3600.0;

impl Allowed {
    pub(super) fn just(brief: impl Into<Cow<'static, str>>, what: impl Into<Cow<'static, str>>) -> Self {
        Self {
            brief: brief.into(),
            what: what.into(),
            note: "",
            or: &[],
            unit: Unit::Things,
        }
    }

    /// As the advice of a fault says it.
    pub(super) fn sentence(&self, range: Option<Range>) -> String {
        let Self { what, note, .. } = self;
        let range = match range {
            None => String::new(),
            Some((0.0, max)) if self.unit == Unit::Characters => format!(" of at most {max} characters"),
            Some((min, max)) if self.unit == Unit::Characters => format!(" of {min} to {max} characters"),
            Some((min, max)) => format!(" from {min} to {max}"),
        };
        let or = match self.or {
            [] => String::new(),
            words => format!(", or {}", words.join(" or ")),
        };
        format!("{what}{range}{note}{or}")
    }

    /// As a table says it, in Markdown.
    pub(super) fn in_table(&self, range: Option<Range>) -> String {
        let what = match (range, self.unit) {
            (None, _) => self.brief.clone().into_owned(),
            (Some((min, max)), Unit::Things) => format!("{} to {}", grouped(min), grouped(max)),
            (Some((min, max)), Unit::Seconds) if max > DAY => format!("{min} s to {} days", max / DAY),
            (Some((min, max)), Unit::Seconds) => format!("{min} to {max} s"),
            (Some((min, max)), Unit::Bytes) => format!("{} to {}", size(min), size(max)),
            (Some((0.0, max)), Unit::Characters) => format!("up to {} characters", grouped(max)),
            (Some((min, max)), Unit::Characters) => format!("{} to {} characters", grouped(min), grouped(max)),
        };
        let or: String = self.or.iter().map(|word| format!(", `{word}`")).collect();
        format!("{what}{or}")
    }
}

/// `1,000,000`. Four digits are read without a comma.
fn grouped(number: f64) -> String {
    let digits = number.to_string();
    if digits.len() < 5 || digits.contains('.') {
        return digits;
    }
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `20 MB`, for sizes without a rest.
fn size(bytes: f64) -> String {
    let units = [(1e9, "GB"), (1e6, "MB"), (1e3, "KB")];
    let unit = units
        .into_iter()
        .find(|(unit, _)| bytes >= *unit && bytes % unit == 0.0);
    match unit {
        Some((unit, name)) => format!("{} {name}", bytes / unit),
        None if bytes == 1.0 => "1 byte".to_owned(),
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counting(unit: Unit) -> Allowed {
        Allowed {
            unit,
            ..Allowed::just("brief", "what")
        }
    }

    #[test]
    fn a_range_is_told_in_its_unit() {
        for (unit, range, sentence, in_table) in [
            (Unit::Things, None, "what", "brief"),
            (Unit::Things, Some((1.0, 1000.0)), "what from 1 to 1000", "1 to 1000"),
            (
                Unit::Things,
                Some((0.0, 1e6)),
                "what from 0 to 1000000",
                "0 to 1,000,000",
            ),
            (
                Unit::Seconds,
                Some((0.05, 60.0)),
                "what from 0.05 to 60",
                "0.05 to 60 s",
            ),
            (
                Unit::Seconds,
                Some((0.1, 30.0 * DAY)),
                "what from 0.1 to 2592000",
                "0.1 s to 30 days",
            ),
            (
                Unit::Bytes,
                Some((1.0, 1e9)),
                "what from 1 to 1000000000",
                "1 byte to 1 GB",
            ),
            (
                Unit::Bytes,
                Some((10.0, 2.5e6)),
                "what from 10 to 2500000",
                "10 bytes to 2500 KB",
            ),
            (
                Unit::Characters,
                Some((0.0, 65_536.0)),
                "what of at most 65536 characters",
                "up to 65,536 characters",
            ),
            (
                Unit::Characters,
                Some((32.0, 4096.0)),
                "what of 32 to 4096 characters",
                "32 to 4096 characters",
            ),
        ] {
            let allowed = counting(unit);
            assert_eq!(
                (&*allowed.sentence(range), &*allowed.in_table(range)),
                (sentence, in_table)
            );
        }
    }

    #[test]
    fn notes_and_other_words_stand_behind_the_range() {
        let allowed = Allowed {
            note: " (as 1s)",
            or: &["none", "auto"],
            ..counting(Unit::Seconds)
        };
        assert_eq!(
            allowed.sentence(Some((1.0, 2.0))),
            "what from 1 to 2 (as 1s), or none or auto"
        );
        assert_eq!(allowed.in_table(Some((1.0, 2.0))), "1 to 2 s, `none`, `auto`");
    }
}
