//! Numbers, sizes and spans of time as a language writes them.

use super::Words;
use crate::say;

impl Words {
    /// `12,345`; in Russian `12 345`.
    #[must_use]
    pub fn number(&self, number: u64) -> String {
        let (group, _) = self.language().separators();
        let digits = number.to_string();
        let mut written = String::with_capacity(digits.len() + 8);
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                written.push(group);
            }
            written.push(digit);
        }
        written
    }

    /// A number of tenths: `1.4`, `3`; in Russian `1,4`.
    #[must_use]
    pub fn tenths(&self, tenths: u64) -> String {
        let (_, point) = self.language().separators();
        match (tenths / 10, tenths % 10) {
            (whole, 0) => self.number(whole),
            (whole, rest) => format!("{}{point}{rest}", self.number(whole)),
        }
    }

    /// The same with its tenth, be it none: `4.0`.
    #[must_use]
    pub fn decimal(&self, tenths: u64) -> String {
        let (_, point) = self.language().separators();
        format!("{}{point}{}", self.number(tenths / 10), tenths % 10)
    }

    /// A number of hundredths with both of its decimals: `4.00`; in Russian `4,00`.
    #[must_use]
    pub fn hundredths(&self, hundredths: u64) -> String {
        let (_, point) = self.language().separators();
        let (tenths, last) = (hundredths / 10 % 10, hundredths % 10);
        format!("{}{point}{tenths}{last}", self.number(hundredths / 100))
    }

    /// Which ending an ordinal number has: a case of the term `-ordinal`.
    #[must_use]
    pub const fn ordinal(&self, number: u64) -> &'static str {
        self.language().ordinal(number)
    }

    /// A number of bytes: `812 B`, `1.4 MB`. In units of 1,000, which is what `20MB` in a setting means.
    #[must_use]
    pub fn size(&self, bytes: u64) -> String {
        const UNITS: [&str; 5] = ["b", "kb", "mb", "gb", "tb"];
        let rounded = |unit: u64| bytes.saturating_add(unit / 2) / unit;
        let (mut divisor, mut unit) = (1, 0);
        while rounded(divisor) >= 1000 && unit + 1 < UNITS.len() {
            divisor *= 1000;
            unit += 1;
        }
        // In tenths of the unit, so that no float formatting is dragged into the page's WebAssembly.
        let number = match divisor {
            1 => self.number(bytes),
            _ => match rounded(divisor / 10) {
                tenths if tenths >= 100 => self.number(rounded(divisor)),
                tenths => self.tenths(tenths),
            },
        };
        say!(self, "size", number = number, unit = UNITS[unit])
    }

    /// A limit of time in whole words, for a sentence: `90 seconds`, `2 minutes`, `5 minutes and 30 seconds`.
    #[must_use]
    pub fn span(&self, seconds: u64) -> String {
        match (seconds / 60, seconds % 60) {
            (0 | 1, _) => say!(self, "span-seconds", seconds = seconds),
            (minutes, 0) => say!(self, "span-minutes", minutes = minutes),
            (minutes, seconds) => say!(self, "span-both", minutes = minutes, seconds = seconds),
        }
    }
}
