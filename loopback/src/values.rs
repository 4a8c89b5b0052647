//! What knobs are given, as text.

use std::{str::FromStr, time::Duration};

use thiserror::Error;

/// A knob that does not exist, or a value that it cannot take.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{name}={value}: {expected}")]
pub struct KnobError {
    name: String,
    value: String,
    expected: &'static str,
}

/// A knob's name and what it is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: &'a str,
}

impl Given<'_> {
    pub(crate) fn wrong(self, expected: &'static str) -> KnobError {
        KnobError {
            name: self.name.to_owned(),
            value: self.value.to_owned(),
            expected,
        }
    }

    pub(crate) fn duration(self) -> Result<Duration, KnobError> {
        parse_duration(self.value).ok_or_else(|| self.wrong("a time such as 200ms or 1.5s is needed"))
    }

    pub(crate) fn number<T: FromStr>(self) -> Result<T, KnobError> {
        self.value.parse().map_err(|_| self.wrong("a number is needed"))
    }

    /// A number that is at least 1.
    pub(crate) fn count(self) -> Result<u64, KnobError> {
        let number = self.number()?;
        (number > 0)
            .then_some(number)
            .ok_or_else(|| self.wrong("a number from 1 on is needed"))
    }

    pub(crate) fn flag(self) -> Result<bool, KnobError> {
        self.value.parse().map_err(|_| self.wrong("true or false is needed"))
    }

    /// `none`, or what `read` makes of it.
    pub(crate) fn unless_none<T>(
        self,
        read: impl FnOnce(Self) -> Result<T, KnobError>,
    ) -> Result<Option<T>, KnobError> {
        if self.value == "none" {
            return Ok(None);
        }
        read(self).map(Some)
    }
}

/// `200ms`, `1.5s`, `2m`, or a number of milliseconds.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text
        .find(|c: char| c != '.' && !c.is_ascii_digit())
        .unwrap_or(text.len());
    let number: f64 = text[..digits].parse().ok()?;
    let seconds = match &text[digits..] {
        "" | "ms" => number / 1000.0,
        "s" => number,
        "m" => number * 60.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds).ok()
}
