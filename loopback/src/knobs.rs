//! How a request is answered, and the directive in a message that changes it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    fault::Fault,
    values::{Given, KnobError},
};

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
    /// `request`: the JSON of the whole request, as the server got it.
    Request,
    /// `tool`: a call of the first tool that the request offers, with the rest of the message as its only argument, `question`, however often that has
    /// been called before.
    Tool,
}

/// What a refusal says of when to come again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RetryAfter {
    /// `usual`: 1 s with 429, else nothing.
    #[default]
    Usual,
    /// `none`: nothing.
    Never,
    /// This.
    In(Duration),
}

/// How a request is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knobs {
    /// `first_token`: time to the first piece (`200ms`, `1.5s`, `2m`, or a number of milliseconds).
    pub first_token: Duration,
    /// `prefill`: what each token of the prompt adds to that, likewise.
    pub prefill: Duration,
    /// `pace`: time between pieces, likewise. `rate` turns it, too: pieces a second.
    pub pace: Duration,
    /// `tokens`: pieces of an answer in words; at least 1, because the first repeats the question.
    pub tokens: usize,
    /// `reasoning`: pieces of reasoning before the answer, of the same pace. They count for whatever counts pieces.
    pub reasoning: usize,
    /// `before`: words before the calls of an answer that calls tools.
    pub before: usize,
    /// `reply`.
    pub reply: Reply,
    /// `called`: the model that the answer says it is from; `none`: the one that was asked for.
    pub called: Option<String>,
    /// `fault`; `none` takes it away.
    pub fault: Option<Fault>,
    /// `finish`: the reason that the answer is said to have ended for, as OpenAI names them; `stop` unless told.
    pub finish: Option<String>,
    /// `times`: only the first so many requests with the same text meet the fault.
    pub times: Option<u64>,
    /// `retry_after`: sent with a `status` fault, and where there is no room.
    pub retry_after: RetryAfter,
    /// `gate`: waits after some pieces until the gate of this name is open; `none` takes it away.
    pub gate: Option<String>,
    /// `after`: how many pieces come before the gate or the hold.
    pub after: usize,
    /// `hold`: waits there until it is released.
    pub hold: bool,
}

impl Knobs {
    /// Turns one knob.
    ///
    /// # Errors
    /// [`KnobError`]; nothing has changed then.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), KnobError> {
        let given = Given { name, value };
        match name {
            "first_token" => self.first_token = given.duration()?,
            "prefill" => self.prefill = given.duration()?,
            "pace" => self.pace = given.duration()?,
            "rate" => self.pace = pace_of(given)?,
            "tokens" => self.tokens = given.number()?,
            "reasoning" => self.reasoning = given.number()?,
            "before" => self.before = given.number()?,
            "after" => self.after = given.number()?,
            "finish" => self.finish = Some(value.to_owned()),
            "called" => self.called = (value != "none").then(|| value.to_owned()),
            "times" => self.times = given.unless_none(Given::number)?,
            "retry_after" => {
                self.retry_after = match value {
                    "usual" => RetryAfter::Usual,
                    "none" => RetryAfter::Never,
                    _ => RetryAfter::In(given.duration()?),
                };
            }
            "reply" => {
                self.reply = match value {
                    "words" => Reply::Words,
                    "markdown" => Reply::Markdown,
                    "echo" => Reply::Echo,
                    "request" => Reply::Request,
                    "tool" => Reply::Tool,
                    _ => return Err(given.wrong("words, markdown, echo, request or tool is needed")),
                };
            }
            "fault" => {
                self.fault =
                    given.unless_none(|fault| value.parse().map_err(|()| fault.wrong("there is no such fault")))?;
            }
            "gate" => self.gate = (value != "none").then(|| value.to_owned()),
            "hold" => self.hold = given.flag()?,
            _ => return Err(given.wrong("there is no such knob")),
        }
        Ok(())
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "first_token": self.first_token.as_millis(),
            "prefill": self.prefill.as_secs_f64() * 1e3,
            "pace": self.pace.as_millis(),
            "tokens": self.tokens,
            "reasoning": self.reasoning,
            "before": self.before,
            "reply": match self.reply { Reply::Words => "words", Reply::Markdown => "markdown", Reply::Echo => "echo", Reply::Request => "request", Reply::Tool => "tool" },
            "fault": self.fault.map(|fault| fault.to_string()),
            "called": self.called,
            "finish": self.finish,
            "times": self.times,
            "retry_after": match self.retry_after {
                RetryAfter::Usual => json!("usual"),
                RetryAfter::Never => Value::Null,
                RetryAfter::In(time) => json!(time.as_millis()),
            },
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
    /// Whether the directive says what the fault is.
    pub(crate) names_fault: bool,
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
        for &(name, value) in &pairs {
            knobs.set(name, value)?;
        }
        let after = &message[start + length + 2..];
        let after = after.strip_prefix(['\n', ' ']).unwrap_or(after);
        return Ok(Directed {
            knobs,
            rest: format!("{}{after}", &message[..start]),
            names_fault: pairs.iter().any(|&(name, _)| name == "fault"),
        });
    }
    Ok(Directed {
        knobs,
        rest: message.to_owned(),
        names_fault: false,
    })
}

/// Time between pieces of which so many come in a second.
fn pace_of(given: Given<'_>) -> Result<Duration, KnobError> {
    let wrong = || given.wrong("a number of pieces a second is needed");
    let rate: f64 = given.number()?;
    if rate <= 0.0 {
        return Err(wrong());
    }
    Duration::try_from_secs_f64(rate.recip()).map_err(|_| wrong())
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
            // What is the server's own is not for a message to say.
            "[[limit=1]]",
        ] {
            assert!(direct(text, &defaults).is_err(), "{text}");
        }
    }

    #[test]
    fn a_rate_is_a_pace() {
        let mut knobs = Knobs::from(Config::default());
        knobs.set("rate", "50").expect("valid");
        assert_eq!(knobs.pace, Duration::from_millis(20));
        for wrong in ["0", "-1", "fast", "NaN"] {
            assert!(knobs.set("rate", wrong).is_err(), "{wrong}");
        }
    }
}
