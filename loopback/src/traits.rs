//! What is the server's own: no message can change it.

use std::{fmt, str::FromStr, time::Duration};

use serde_json::{Value, json};

use crate::values::{Given, KnobError, parse_duration};

/// What a server is like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traits {
    /// `limit`: requests that it answers at once; `none`: any number.
    pub limit: Option<usize>,
    /// `over`: what becomes of those beyond its limit.
    pub over: Over,
    /// `models`: names with commas between, which it lists; others it has not. `none`: it takes any name, and lists `loopback`.
    pub models: Option<Vec<String>>,
    /// `context`: tokens of the longest prompt, also said in the list of models; a longer one is refused. `none`: any length.
    pub context: Option<usize>,
    /// `tools=false`: it refuses requests that offer tools, as Ollama does where a model takes none.
    pub toolless: bool,
    /// `vision=false`: it refuses requests with pictures, as llama.cpp does where a model sees none.
    pub blind: bool,
    /// `unwell`: `/health` says so, whatever becomes of other requests.
    pub unwell: bool,
    /// How long the server's fault lasts.
    pub spell: Spell,
    /// `door`.
    pub door: Door,
}

/// What becomes of a request that comes while as many are answered as the limit says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// `429`, `503`: it is refused so, with what `retry_after` says.
    Refuse(u16),
    /// `slower`: it is answered, and all take longer: twice as long when twice as many run.
    Slower,
}

impl Default for Over {
    fn default() -> Self {
        Self::Refuse(429)
    }
}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refuse(status) => write!(f, "{status}"),
            Self::Slower => f.write_str("slower"),
        }
    }
}

/// How long a fault lasts that is all requests' (`fault`, turned for the server), since it was turned last. All that is told holds together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spell {
    /// `first`: only the first so many requests meet it.
    pub first: Option<u64>,
    /// `every`: of so many requests, only the last meets it.
    pub every: Option<u64>,
    /// `lasts`: only requests within this time meet it.
    pub lasts: Option<Duration>,
}

impl Spell {
    /// Whether a request meets the fault: the `number`th, so long after it was turned.
    pub(crate) fn is_on(self, number: u64, after: Duration) -> bool {
        self.first.is_none_or(|first| number <= first)
            && self.every.is_none_or(|every| number.is_multiple_of(every))
            && self.lasts.is_none_or(|lasts| after < lasts)
    }
}

/// The port, and all connections that were made to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Door {
    /// `open`.
    #[default]
    Open,
    /// `closed`: as after a crash. What is being answered is broken off, connections are refused, and the port stays its own.
    Closed,
    /// `2s:500ms`: open and closed in turns, each for so long.
    Flapping {
        /// How long it is open.
        open: Duration,
        /// How long it is closed.
        closed: Duration,
    },
}

impl FromStr for Door {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text {
            "open" => Self::Open,
            "closed" => Self::Closed,
            _ => {
                let (open, closed) = text.split_once(':').ok_or(())?;
                let time = |text| parse_duration(text).filter(|time| !time.is_zero()).ok_or(());
                Self::Flapping {
                    open: time(open)?,
                    closed: time(closed)?,
                }
            }
        })
    }
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("open"),
            Self::Closed => f.write_str("closed"),
            Self::Flapping { open, closed } => write!(f, "{}ms:{}ms", open.as_millis(), closed.as_millis()),
        }
    }
}

impl Traits {
    /// Turns one knob, if it is the server's own: `false`, it is not.
    pub(crate) fn set(&mut self, given: Given<'_>) -> Result<bool, KnobError> {
        match given.name {
            "limit" => self.limit = given.unless_none(Given::number)?,
            "over" => {
                self.over = match given.value {
                    "429" => Over::Refuse(429),
                    "503" => Over::Refuse(503),
                    "slower" => Over::Slower,
                    _ => return Err(given.wrong("429, 503 or slower is needed")),
                };
            }
            "models" => {
                self.models = given.unless_none(|names| Ok(names.value.split(',').map(str::to_owned).collect()))?;
            }
            "context" => self.context = given.unless_none(Given::number)?,
            "tools" => self.toolless = !given.flag()?,
            "vision" => self.blind = !given.flag()?,
            "unwell" => self.unwell = given.flag()?,
            "first" => self.spell.first = given.unless_none(Given::number)?,
            "every" => self.spell.every = given.unless_none(Given::count)?,
            "lasts" => self.spell.lasts = given.unless_none(Given::duration)?,
            "door" => {
                let door = given.value.parse();
                self.door = door.map_err(|()| given.wrong("open, closed or two times such as 2s:500ms are needed"))?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// How often as long everything takes while so many are answered.
    pub(crate) fn slowness(&self, running: usize) -> f64 {
        match (self.over, self.limit) {
            (Over::Slower, Some(limit)) if running > limit => running as f64 / limit.max(1) as f64,
            _ => 1.0,
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "limit": self.limit,
            "over": self.over.to_string(),
            "models": self.models.as_ref().map(|names| names.join(",")),
            "context": self.context,
            "tools": !self.toolless,
            "vision": !self.blind,
            "unwell": self.unwell,
            "first": self.spell.first,
            "every": self.spell.every,
            "lasts": self.spell.lasts.map(|time| time.as_millis()),
            "door": self.door.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn turned(changes: &[(&str, &str)]) -> Traits {
        let mut traits = Traits::default();
        for &(name, value) in changes {
            assert_eq!(traits.set(Given { name, value }), Ok(true), "{name}={value}");
        }
        traits
    }

    #[test]
    fn a_spell_ends_by_number_and_by_time() {
        let on = |changes: &[(&str, &str)], number, after| turned(changes).spell.is_on(number, after);
        assert!(on(&[], 1_000, 1_000 * SECOND), "for ever unless told");
        assert!(on(&[("first", "2")], 2, SECOND) && !on(&[("first", "2")], 3, SECOND));
        let third = [false, false, true, false, false, true];
        for (number, met) in (1..).zip(third) {
            assert_eq!(on(&[("every", "3")], number, SECOND), met, "{number}");
        }
        let lasts = [("lasts", "1500ms")];
        assert!(on(&lasts, 9, SECOND) && !on(&lasts, 1, 2 * SECOND));
        let both = [("first", "5"), ("lasts", "1500ms")];
        assert!(on(&both, 5, SECOND) && !on(&both, 6, SECOND) && !on(&both, 5, 2 * SECOND));
    }

    #[test]
    fn beyond_its_limit_a_server_is_slower_only_if_told() {
        let slower = turned(&[("limit", "2"), ("over", "slower")]);
        let slowness: Vec<f64> = (1..=4).map(|running| slower.slowness(running)).collect();
        assert_eq!(slowness, [1.0, 1.0, 1.5, 2.0]);
        assert_eq!(turned(&[("limit", "2")]).slowness(4), 1.0);
        assert_eq!(turned(&[("over", "slower")]).slowness(4), 1.0);
    }

    #[test]
    fn doors_read_as_they_are_written() {
        for text in ["open", "closed", "2000ms:500ms"] {
            assert_eq!(text.parse::<Door>().expect("a door").to_string(), text);
        }
        for text in ["", "ajar", "1s", "0s:1s", "1s:0", "1s:x"] {
            assert!(text.parse::<Door>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_not_the_servers_own_is_left_to_others() {
        let mut traits = Traits::default();
        let given = Given {
            name: "tokens",
            value: "x",
        };
        assert_eq!((traits.set(given), traits), (Ok(false), Traits::default()));
        for (name, value) in [
            ("limit", "x"),
            ("over", "500"),
            ("every", "0"),
            ("lasts", "3h"),
            ("door", "ajar"),
        ] {
            let refused = Traits::default().set(Given { name, value });
            assert!(refused.is_err(), "{name}={value}");
        }
    }
}
