//! Numbers, times and sizes.

use std::time::Duration;

use super::{
    super::{
        BackendLimit, UpdateRate,
        allowed::{Allowed, Unit},
    },
    Kind, OrNone,
};

impl Kind for u32 {
    type Value = Self;

    fn allowed() -> Allowed {
        Allowed::just("whole number", "a whole number")
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn measure(value: &Self) -> Option<f64> {
        Some(f64::from(*value))
    }
}

/// A number of things that are counted in memory.
impl Kind for usize {
    type Value = Self;

    fn allowed() -> Allowed {
        u32::allowed()
    }

    fn parse(text: &str) -> Option<Self> {
        u32::parse(text).and_then(|number| number.try_into().ok())
    }

    fn measure(value: &Self) -> Option<f64> {
        Some(*value as f64)
    }
}

/// A number of tokens.
impl Kind for u64 {
    type Value = Self;

    fn allowed() -> Allowed {
        u32::allowed()
    }

    fn parse(text: &str) -> Option<Self> {
        u32::parse(text).map(Self::from)
    }

    fn measure(value: &Self) -> Option<f64> {
        Some(*value as f64)
    }
}

/// What a million tokens cost.
pub(in crate::settings) struct Price;

impl Kind for Price {
    type Value = f64;

    fn allowed() -> Allowed {
        Allowed::just("number", "a number")
    }

    fn parse(text: &str) -> Option<f64> {
        text.parse().ok().filter(|price: &f64| price.is_finite())
    }

    fn measure(value: &f64) -> Option<f64> {
        Some(*value)
    }
}

impl Kind for BackendLimit {
    type Value = Self;

    fn allowed() -> Allowed {
        Allowed {
            or: &["none", "auto"],
            ..usize::allowed()
        }
    }

    fn parse(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("auto") {
            return Some(Self::Auto);
        }
        OrNone::<usize>::parse(text).map(Self::Slots)
    }

    fn measure(value: &Self) -> Option<f64> {
        match value {
            Self::Auto => None,
            Self::Slots(slots) => OrNone::<usize>::measure(slots),
        }
    }
}

impl Kind for Duration {
    type Value = Self;

    fn allowed() -> Allowed {
        Allowed {
            note: " (also written as 500ms, 90s, 2m, 1h)",
            unit: Unit::Seconds,
            ..Allowed::just("time", "a number of seconds")
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (number, unit) = number_and_unit(text)?;
        let seconds = match unit.as_str() {
            "ms" => number / 1000.0,
            "" | "s" => number,
            "m" | "min" => number * 60.0,
            "h" => number * 3600.0,
            _ => return None,
        };
        Self::try_from_secs_f64(seconds).ok()
    }

    fn measure(value: &Self) -> Option<f64> {
        Some(value.as_secs_f64())
    }
}

/// A size in bytes.
pub struct Bytes;

impl Kind for Bytes {
    type Value = u64;

    fn allowed() -> Allowed {
        Allowed {
            note: " (also written as 500KB, 20MB, 1MiB)",
            unit: Unit::Bytes,
            ..Allowed::just("size", "a number of bytes")
        }
    }

    fn parse(text: &str) -> Option<u64> {
        let (number, unit) = number_and_unit(text)?;
        let factor: f64 = match unit.as_str() {
            "" | "b" => 1.0,
            "k" | "kb" => 1e3,
            "m" | "mb" => 1e6,
            "g" | "gb" => 1e9,
            "kib" => 1024.0,
            "mib" => 1024.0 * 1024.0,
            "gib" => 1024.0 * 1024.0 * 1024.0,
            _ => return None,
        };
        let bytes = (number * factor).round();
        // Whole numbers are exact in a float up to here; the range is far below.
        (bytes < 2f64.powi(53)).then_some(bytes as u64)
    }

    fn measure(value: &u64) -> Option<f64> {
        Some(*value as f64)
    }
}

/// `1.5 GB` as 1.5 and `gb`.
fn number_and_unit(text: &str) -> Option<(f64, String)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit.trim().to_ascii_lowercase()))
}

impl Kind for UpdateRate {
    type Value = Self;

    fn allowed() -> Allowed {
        Allowed {
            or: &["auto"],
            ..Duration::allowed()
        }
    }

    fn parse(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("auto") {
            return Some(Self::Auto);
        }
        Duration::parse(text).map(Self::Every)
    }

    fn measure(value: &Self) -> Option<f64> {
        match value {
            Self::Auto => None,
            Self::Every(time) => Duration::measure(time),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_seconds_or_carry_a_unit() {
        let ms = |text| Duration::parse(text).map(|time| time.as_millis());
        for (text, expected) in [
            ("120", 120_000),
            ("0.5", 500),
            ("500ms", 500),
            ("90 s", 90_000),
            ("2m", 120_000),
            ("1H", 3_600_000),
        ] {
            assert_eq!(ms(text), Some(expected), "{text}");
        }
        for text in [
            "-1",
            "1d",
            "soon",
            "1.2.3",
            "ms",
            "1e400",
            "99999999999999999999999h",
            "none",
            "٣",
        ] {
            assert_eq!(ms(text), None, "{text}");
        }
    }

    #[test]
    fn a_limit_is_a_number_or_a_word() {
        for (text, expected) in [
            ("4", Some(BackendLimit::Slots(Some(4)))),
            ("None", Some(BackendLimit::Slots(None))),
            ("AUTO", Some(BackendLimit::Auto)),
            ("-1", None),
            ("1.5", None),
            ("many", None),
        ] {
            assert_eq!(BackendLimit::parse(text), expected, "{text}");
        }
        assert_eq!(BackendLimit::measure(&BackendLimit::Slots(Some(4))), Some(4.0));
        assert_eq!(BackendLimit::measure(&BackendLimit::Auto), None);
    }

    #[test]
    fn prices_are_finite() {
        assert_eq!(Price::parse("2.5"), Some(2.5));
        for text in ["nan", "inf", "1e999", "$2"] {
            assert_eq!(Price::parse(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_are_bytes_or_carry_a_unit() {
        let bytes = Bytes::parse;
        for (text, expected) in [
            ("1000", 1000),
            ("20MB", 20_000_000),
            ("1MiB", 1_048_576),
            ("1.5 kb", 1500),
            ("2g", 2_000_000_000),
        ] {
            assert_eq!(bytes(text), Some(expected), "{text}");
        }
        for text in ["20 apples", "-1", "MB", "99999999999999GiB"] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }
}
