//! What a key may ask for in a minute where that is not the site's setting.

use std::{fmt, str::FromStr};

use thiserror::Error;

use crate::settings::Settings;

/// How much there may be of something in a minute: from 1 to `MOST`. As text, a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate<const MOST: u64>(u64);

/// How many requests, as in `KEY_REQUESTS_PER_MINUTE`.
pub type RequestRate = Rate<1_000_000>;
/// How many tokens, read and written, as in `KEY_TOKENS_PER_MINUTE`.
pub type TokenRate = Rate<1_000_000_000>;

/// What is no rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a rate is a whole number from 1 to {most}")]
pub struct NoRate {
    /// The highest one.
    pub most: u64,
}

impl<const MOST: u64> Rate<MOST> {
    /// The highest one.
    pub const MOST: u64 = MOST;

    /// How much.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl<const MOST: u64> TryFrom<u64> for Rate<MOST> {
    type Error = NoRate;

    fn try_from(much: u64) -> Result<Self, NoRate> {
        let possible = (1..=MOST).contains(&much);
        possible.then_some(Self(much)).ok_or(NoRate { most: MOST })
    }
}

impl<const MOST: u64> FromStr for Rate<MOST> {
    type Err = NoRate;

    fn from_str(text: &str) -> Result<Self, NoRate> {
        let much: u64 = text.trim().parse().map_err(|_| NoRate { most: MOST })?;
        much.try_into()
    }
}

impl<const MOST: u64> fmt::Display for Rate<MOST> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The rates that are a key's own; `None`: the site's setting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyRates {
    /// Requests.
    pub requests: Option<RequestRate>,
    /// Tokens, read and written.
    pub tokens: Option<TokenRate>,
}

/// What becomes of a key's own rates. Of each, `None`: it stays as it is; `Some(None)`: it is the site's setting again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RatesChange {
    /// Requests.
    pub requests: Option<Option<RequestRate>>,
    /// Tokens, read and written.
    pub tokens: Option<Option<TokenRate>>,
}

/// How much somebody may ask for in a minute; `None`: as much as they like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Requests.
    pub requests: Option<u64>,
    /// Tokens, read and written.
    pub tokens: Option<u64>,
}

impl Limits {
    /// What is in force for a key with these rates of its own.
    #[must_use]
    pub fn of(own: KeyRates, settings: &Settings) -> Self {
        let requests = settings.key_requests_per_minute.map(u64::from);
        Self {
            requests: own.requests.map(Rate::get).or(requests),
            tokens: own.tokens.map(Rate::get).or(settings.key_tokens_per_minute),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, String)]) -> Option<Settings> {
        let folder = tempfile::tempdir().expect("a folder");
        let data = ("DATA_DIR", folder.path().to_str().expect("a path").to_owned());
        let variables = variables.iter().cloned().chain([data]);
        let variables = variables.map(|(name, value)| (name.to_owned(), value));
        let loaded = Settings::load(variables.collect::<Vec<_>>(), None).ok()?;
        Some(loaded.settings)
    }

    #[test]
    fn a_rate_of_a_keys_own_may_be_what_the_setting_may_be() {
        let (requests, tokens) = ("KEY_REQUESTS_PER_MINUTE", "KEY_TOKENS_PER_MINUTE");
        for (name, most) in [(requests, RequestRate::MOST), (tokens, TokenRate::MOST)] {
            assert!(settings(&[(name, most.to_string())]).is_some(), "{name}");
            assert!(settings(&[(name, (most + 1).to_string())]).is_none(), "{name}");
        }
        for text in ["1", " 60 ", "1000000"] {
            let rate: RequestRate = text.parse().expect("a rate");
            assert_eq!(rate.to_string(), text.trim());
        }
        for wrong in ["", "0", "-1", "1.5", "1000001", "none", "99999999999999999999"] {
            assert_eq!(wrong.parse::<RequestRate>(), Err(NoRate { most: 1_000_000 }), "{wrong}");
        }
    }

    #[test]
    fn what_a_key_has_no_rate_of_is_the_sites() {
        let settings = settings(&[("KEY_TOKENS_PER_MINUTE", "100".to_owned())]).expect("good settings");
        let site = Limits::of(KeyRates::default(), &settings);
        assert_eq!((site.requests, site.tokens), (None, Some(100)));
        let own = KeyRates {
            requests: RequestRate::try_from(5).ok(),
            tokens: TokenRate::try_from(1_000).ok(),
        };
        let own = Limits::of(own, &settings);
        assert_eq!(
            (own.requests, own.tokens),
            (Some(5), Some(1_000)),
            "more than the site's, too"
        );
    }
}
