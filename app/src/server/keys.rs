//! `anteroom key …`: the keys of programs.

use std::{
    io::{BufRead as _, IsTerminal as _, Read as _},
    str::FromStr,
    time::Duration,
};

use anteroom::{
    accounts::{
        Scopes,
        keys::{Desk, DeskError, KeyRecord, Made},
        rates::{KeyRates, Rate, RatesChange, RequestRate, TokenRate},
    },
    credentials::desk::{self as tools, ToolDeskError},
    settings::{OwnInput, Secret, Settings},
};
use anyhow::Context as _;
use futures_util::future::LocalBoxFuture;

use super::run::Failure;

/// What stands for the site's setting.
const NO_RATE: &str = "none";

/// What is to be done with keys.
#[derive(Clone, Debug)]
pub enum Keys {
    /// Make one.
    Add {
        /// Its name for people.
        name: String,
        /// What it lets its program do; `None`: its work.
        scopes: Option<Scopes>,
        /// For how long; `None`: until it is revoked.
        expires: Option<Lifetime>,
        /// How much it may ask for in a minute.
        rates: KeyRates,
    },
    /// Show all.
    List,
    /// Give one other rates.
    Set {
        /// Its name, or its id.
        which: String,
        /// What becomes of them.
        change: RatesChange,
    },
    /// Revoke one.
    Revoke {
        /// Its name, or its id.
        which: String,
    },
    /// Give one what a server of tools asks for, which is read from the standard input; or remove it.
    Tool {
        /// Its name, or its id.
        which: String,
        /// The server.
        server: String,
        /// Whether what was given is removed.
        remove: bool,
    },
}

/// How long a key lets its program in, as text: `90d`, `12h`, `30m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime(Duration);

impl FromStr for Lifetime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text} is no time; write 90d, 12h or 30m");
        let (at, _) = text.char_indices().next_back().ok_or_else(wrong)?;
        let (number, unit) = text.split_at(at);
        let seconds = match unit {
            "d" => 24 * 3600,
            "h" => 3600,
            "m" => 60,
            _ => return Err(wrong()),
        };
        let number: u32 = number.parse().map_err(|_| wrong())?;
        let lifetime = Duration::from_secs(u64::from(number) * seconds);
        (number > 0).then_some(Self(lifetime)).ok_or_else(wrong)
    }
}

/// A key's own rate, as text: a number, or `none` for the site's setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnRate<const MOST: u64>(pub Option<Rate<MOST>>);

/// Requests a minute.
pub type OwnRequests = OwnRate<{ RequestRate::MOST }>;
/// Tokens a minute.
pub type OwnTokens = OwnRate<{ TokenRate::MOST }>;

impl<const MOST: u64> FromStr for OwnRate<MOST> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == NO_RATE {
            return Ok(Self(None));
        }
        let rate = text
            .parse::<Rate<MOST>>()
            .map_err(|error| format!("{text}: {error}, or {NO_RATE}"))?;
        Ok(Self(Some(rate)))
    }
}

/// Most bytes that are read of the standard input: far more than any key has.
const LONGEST: u64 = 1 << 20;

impl From<ToolDeskError> for Failure {
    fn from(error: ToolDeskError) -> Self {
        Self::Other(error.into())
    }
}

impl From<DeskError> for Failure {
    fn from(error: DeskError) -> Self {
        Self::Other(error.into())
    }
}

/// Does it with the keys of the site that the settings name, whether a server runs on it or not.
///
/// # Errors
/// [`Failure`], with words for the operator.
pub fn run(keys: Keys) -> LocalBoxFuture<'static, Result<(), Failure>> {
    Box::pin(async move {
        if let Keys::Set { change, .. } = &keys
            && *change == RatesChange::default()
        {
            return Err(Failure::Settings(
                "say what is to be set: --requests-per-minute, --tokens-per-minute, or both".to_owned(),
            ));
        }
        let loaded = Settings::from_process().map_err(|faults| Failure::Settings(faults.to_string()))?;
        let mut desk = Desk::open(&loaded.settings).await?;
        let done = at(&mut desk, &loaded.settings, keys).await;
        desk.close().await;
        done.map(|said| println!("{said}"))
    })
}

async fn tool(
    desk: &mut Desk,
    settings: &Settings,
    which: &str,
    server: &str,
    remove: bool,
) -> Result<String, Failure> {
    if remove {
        let removed = tools::remove(desk, which, server).await?;
        return Ok(match removed {
            Some(key) => format!("What {} had for {server} is removed.", key.name),
            None => format!("There was nothing for {server} to be removed."),
        });
    }
    let asked = tools::asked_for(settings, server)?;
    let lines = tokio::task::spawn_blocking(move || read(&asked)).await;
    let lines = lines
        .map_err(anyhow::Error::from)
        .and_then(|read| read.context("what was to be given cannot be read from the standard input"))
        .map_err(Failure::Other)?;
    let key = tools::give(desk, settings, which, server, lines).await?;
    Ok(format!(
        "{} has that for {server} now, in place of what it had before. It is kept encrypted, and shown to nobody.",
        key.name
    ))
}

/// What stands on the standard input, line by line. Whoever types it is told what is asked for.
fn read(asked: &[OwnInput]) -> std::io::Result<Vec<Secret>> {
    let input = std::io::stdin();
    if input.is_terminal() {
        let names = asked
            .iter()
            .map(|input| input.description.as_ref().unwrap_or(&input.id));
        for name in names {
            eprintln!("{name}");
        }
        eprintln!("(a line each; it is shown as you type it)");
        let lines = input.lock().take(LONGEST).lines().take(asked.len());
        return lines.map(|line| line.map(Secret)).collect();
    }
    let lines = input.lock().take(LONGEST).lines();
    lines.map(|line| line.map(Secret)).collect()
}

async fn at(desk: &mut Desk, settings: &Settings, keys: Keys) -> Result<String, Failure> {
    match keys {
        Keys::Add {
            name,
            scopes,
            expires,
            rates,
        } => {
            let lives = expires.map(|Lifetime(time)| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
            let Made { key, token } = desk.add(&name, scopes.unwrap_or(Scopes::WORK), lives, rates).await?;
            Ok(format!(
                "{}\n\nThis is the key {} ({}; {}{}). It is shown this once, and kept nowhere: give it to its program now.\n\
                 It is sent as: Authorization: Bearer {}",
                token.reveal(),
                key.name,
                key.scopes,
                until(&key),
                bounds(key.rates).map_or_else(String::new, |bounds| format!("; {bounds}")),
                token.reveal()
            ))
        }
        Keys::List => {
            let keys = desk.list().await?;
            if keys.is_empty() {
                return Ok(
                    "There are no keys. Programs on this machine need none; anteroom key add NAME makes the first."
                        .into(),
                );
            }
            let rows = keys.iter().map(|key| {
                let made = written(key.created_at);
                format!(
                    "{}  {}  {}  made {made}, {}{}",
                    key.id.0,
                    key.name,
                    key.scopes,
                    until(key),
                    bounds(key.rates).map_or_else(String::new, |bounds| format!(", {bounds}")),
                )
            });
            Ok(rows.collect::<Vec<_>>().join("\n"))
        }
        Keys::Set { which, change } => {
            let key = desk.set_rates(&which, change).await?;
            let bounds =
                bounds(key.rates).unwrap_or_else(|| "as much in a minute as the site's settings say".to_owned());
            Ok(format!(
                "The key {} may ask for {bounds}. A server that runs knows within a second.",
                key.name
            ))
        }
        Keys::Revoke { which } => {
            let key = desk.revoke(&which).await?;
            Ok(format!(
                "The key {} is revoked. What it had asked for ends within a second.",
                key.name
            ))
        }
        Keys::Tool { which, server, remove } => tool(desk, settings, &which, &server, remove).await,
    }
}

/// What a key may ask for of its own; `None`: what the site's settings say.
fn bounds(rates: KeyRates) -> Option<String> {
    let requests = rates.requests.map(|rate| format!("{rate} requests a minute"));
    let tokens = rates.tokens.map(|rate| format!("{rate} tokens a minute"));
    let bounds: Vec<_> = requests.into_iter().chain(tokens).collect();
    (!bounds.is_empty()).then(|| bounds.join(" and "))
}

fn until(key: &KeyRecord) -> String {
    match (key.revoked_at, key.expires_at) {
        (Some(at), _) => format!("revoked {}", written(at)),
        (None, Some(at)) => format!("expires {}", written(at)),
        (None, None) => "never expires".to_owned(),
    }
}

fn written(ms: u64) -> String {
    anteroom::accounts::keys::written_time(ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_or_none() {
        assert_eq!("none".parse(), Ok(OwnRate::<1_000_000>(None)));
        assert_eq!("60".parse(), Ok(OwnRate::<1_000_000>("60".parse().ok())));
        assert_ne!("60".parse(), Ok(OwnRate::<1_000_000>(None)));
        for wrong in ["", "0", "None", "1.5", "1000001"] {
            let said = wrong.parse::<OwnRequests>().expect_err("no rate");
            assert!(said.contains("from 1 to 1000000, or none"), "{said}");
        }
        assert!("1000000000".parse::<OwnTokens>().is_ok());
    }

    #[test]
    fn a_lifetime_is_a_number_and_a_unit() {
        for (text, seconds) in [("90d", 90 * 86_400), ("12h", 43_200), ("1m", 60)] {
            assert_eq!(text.parse(), Ok(Lifetime(Duration::from_secs(seconds))), "{text}");
        }
        for wrong in ["", "90", "d", "0d", "-1d", "1.5h", "1 d", "90ä", "99999999999d", "1w"] {
            assert!(wrong.parse::<Lifetime>().is_err(), "{wrong}");
        }
    }
}
