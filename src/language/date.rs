//! Times as a language writes them.

use jiff::{Timestamp, tz::TimeZone};

use super::Words;
use crate::say;

impl Words {
    /// A time in milliseconds since the Unix epoch, in the time of no country.
    #[must_use]
    pub fn date(&self, at: u64) -> String {
        let time = i64::try_from(at)
            .ok()
            .and_then(|at| Timestamp::from_millisecond(at).ok());
        let time = time.unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(TimeZone::UTC);
        say!(
            self,
            "export-date",
            day = time.day().to_string(),
            month = time.month().to_string(),
            year = time.year().to_string(),
            time = time.strftime("%H:%M").to_string(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    #[test]
    fn a_time_is_written_as_the_language_does() {
        let written =
            [Language::English, Language::Russian].map(|language| Words::of(language).date(1_700_000_000_000));
        assert_eq!(written, ["14 November 2023, 22:13 UTC", "14 ноября 2023 г., 22:13 UTC"]);
    }
}
