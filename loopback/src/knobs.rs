//! How a request is answered, and the directive in a message that changes it.

use std::time::Duration;

use serde_json::{Value, json};
use thiserror::Error;

use crate::fault::Fault;

/// What an answer consists of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reply {
    /// `words`: "Answer to: " and the question, then numbered words.
    #[default]
    Words,
    /// `markdown`: headings, lists, a table and code in several languages. `tokens` does not shorten it.
    Markdown,
    /// `echo`: exactly the rest of the message. `tokens` does not shorten it.
    Echo,
}

/// How a request is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knobs {
    /// `first_token`: time to the first piece (`200ms`, `1.5s`, `2m`, or a number of milliseconds).
    pub first_token: Duration,
    /// `pace`: time between pieces, likewise.
    pub pace: Duration,
    /// `tokens`: pieces of an answer in words; at least 1, because the first repeats the question.
    pub tokens: usize,
    /// `reply`.
    pub reply: Reply,
    /// `fault`; `none` takes it away.
    pub fault: Option<Fault>,
    /// `finish`: the reason that the answer is said to have ended for, as OpenAI names them; `stop` unless told.
    pub finish: Option<String>,
    /// `times`: only the first so many requests with the same text meet the fault.
    pub times: Option<u64>,
    /// `retry_after`: sent with a `status` fault; 1 s with 429 unless told.
    pub retry_after: Option<Duration>,
    /// `gate`: waits after some pieces until the gate of this name is open; `none` takes it away.
    pub gate: Option<String>,
    /// `after`: how many pieces come before the gate or the hold.
    pub after: usize,
    /// `hold`: waits there until it is released.
    pub hold: bool,
}

/// A knob that does not exist, or a value that it cannot take.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{name}={value}: {expected}")]
pub struct KnobError {
    name: String,
    value: String,
    expected: &'static str,
}

impl Knobs {
    /// Turns one knob.
    ///
    /// # Errors
    /// [`KnobError`]; nothing has changed then.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), KnobError> {
        let wrong = |expected| KnobError {
            name: name.to_owned(),
            value: value.to_owned(),
            expected,
        };
        let duration = || parse_duration(value).ok_or_else(|| wrong("a time such as 200ms or 1.5s is needed"));
        let number = || value.parse().map_err(|_| wrong("a number is needed"));
        match name {
            "first_token" => self.first_token = duration()?,
            "pace" => self.pace = duration()?,
            "retry_after" => self.retry_after = Some(duration()?),
            "tokens" => self.tokens = number()?,
            "after" => self.after = number()?,
            "finish" => self.finish = Some(value.to_owned()),
            "times" if value == "none" => self.times = None,
            "times" => self.times = Some(value.parse().map_err(|_| wrong("a number or none is needed"))?),
            "reply" => {
                self.reply = match value {
                    "words" => Reply::Words,
                    "markdown" => Reply::Markdown,
                    "echo" => Reply::Echo,
                    _ => return Err(wrong("words, markdown or echo is needed")),
                };
            }
            "fault" if value == "none" => self.fault = None,
            "fault" => self.fault = Some(value.parse().map_err(|()| wrong("there is no such fault"))?),
            "gate" => self.gate = (value != "none").then(|| value.to_owned()),
            "hold" => self.hold = value.parse().map_err(|_| wrong("true or false is needed"))?,
            _ => return Err(wrong("there is no such knob")),
        }
        Ok(())
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "first_token": self.first_token.as_millis(),
            "pace": self.pace.as_millis(),
            "tokens": self.tokens,
            "reply": match self.reply { Reply::Words => "words", Reply::Markdown => "markdown", Reply::Echo => "echo" },
            "fault": self.fault.map(|fault| fault.to_string()),
            "finish": self.finish,
            "times": self.times,
            "retry_after": self.retry_after.map(|time| time.as_millis()),
            "gate": self.gate,
            "after": self.after,
            "hold": self.hold,
        })
    }
}

/// A message, cut at its directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Directed {
    pub(crate) knobs: Knobs,
    /// The message without the directive and without the one blank that may follow it.
    pub(crate) rest: String,
}

/// Reads the first `[[name=value …]]` of a message. What is in double brackets but is not of that form is text.
pub(crate) fn direct(message: &str, defaults: &Knobs) -> Result<Directed, KnobError> {
    let mut knobs = defaults.clone();
    for (start, _) in message.match_indices("[[") {
        let Some(length) = message[start..].find("]]") else {
            break;
        };
        let inside = &message[start + 2..start + length];
        let pairs: Option<Vec<_>> = inside.split_whitespace().map(|word| word.split_once('=')).collect();
        let Some(pairs) = pairs.filter(|pairs| !pairs.is_empty()) else {
            continue;
        };
        for (name, value) in pairs {
            knobs.set(name, value)?;
        }
        let after = &message[start + length + 2..];
        let after = after.strip_prefix(['\n', ' ']).unwrap_or(after);
        return Ok(Directed {
            knobs,
            rest: format!("{}{after}", &message[..start]),
        });
    }
    Ok(Directed {
        knobs,
        rest: message.to_owned(),
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    #[test]
    fn a_directive_overrides_the_defaults_and_leaves_the_message() {
        let defaults = Knobs::from(Config::default());
        let directed = direct(
            "[[first_token=1.5s tokens=7 fault=status:429 times=2 gate=a]] hello [[x]]",
            &defaults,
        )
        .expect("valid");
        assert_eq!(directed.rest, "hello [[x]]");
        let expected = Knobs {
            first_token: Duration::from_millis(1500),
            tokens: 7,
            fault: Some(Fault::Status(429)),
            times: Some(2),
            gate: Some("a".to_owned()),
            ..defaults
        };
        assert_eq!(directed.knobs, expected);
    }

    #[test]
    fn double_brackets_alone_are_text() {
        let defaults = Knobs::from(Config::default());
        for text in ["[[wiki]] page", "[[", "a[[0]]", "[[ ]]", "x = [[1, 2], [3, 4]]"] {
            assert_eq!(direct(text, &defaults).expect("text").rest, text);
        }
    }

    #[test]
    fn a_misspelt_directive_is_an_error() {
        let defaults = Knobs::from(Config::default());
        for text in [
            "[[tokenz=3]]",
            "[[tokens=x]]",
            "[[pace=3h]]",
            "[[fault=status:200]]",
            "[[fault=explode]]",
            "[[hold=1]]",
        ] {
            assert!(direct(text, &defaults).is_err(), "{text}");
        }
    }

    #[test]
    fn faults_read_as_they_are_written() {
        for text in [
            "status:503",
            "hang",
            "stall:0",
            "close:2",
            "end:1",
            "error:1",
            "garbage",
            "garbage:4",
            "huge_line:9",
            "empty",
            "units",
            "bad_byte:2",
        ] {
            assert_eq!(text.parse::<Fault>().expect("a fault").to_string(), text);
        }
    }
}
