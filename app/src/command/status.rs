//! One line of the terminal, written anew each time. Where there is no terminal nothing is said.

use std::io::{self, IsTerminal as _, Write as _};

/// To the beginning of the line, and away with what is on it.
const ANEW: &str = "\r\x1b[K";

/// The line.
pub(super) struct Status {
    shows: bool,
    said: String,
}

impl Status {
    /// Nothing is said yet. `quiet`: nothing ever is.
    pub(super) fn new(quiet: bool) -> Self {
        Self {
            shows: !quiet && io::stderr().is_terminal(),
            said: String::new(),
        }
    }

    /// Says this in place of what was said.
    pub(super) fn say(&mut self, line: String) {
        if self.shows && line != self.said {
            // A terminal that takes nothing any more is no reason to stop.
            let _ = write!(io::stderr(), "{ANEW}{line}");
            let _ = io::stderr().flush();
            self.said = line;
        }
    }

    /// Takes away what was said.
    pub(super) fn clear(&mut self) {
        if !self.said.is_empty() {
            self.say(String::new());
        }
    }
}

impl Drop for Status {
    fn drop(&mut self) {
        self.clear();
    }
}

/// A place in line, in words.
pub(super) fn place(data: &serde_json::Value) -> String {
    let number = |name: &str| data[name].as_u64().unwrap_or(0);
    let mut line = format!("Waiting: place {} of {}", number("position"), number("waiting"));
    let end = |name: &str| data["estimate"][name].as_f64();
    if let Some((low, high)) = end("low").zip(end("high")) {
        line.push_str(&format!(", about {}", time(low, high)));
    }
    line
}

fn time(low: f64, high: f64) -> String {
    if high < 100.0 {
        format!("{low:.0}–{high:.0} s")
    } else {
        format!("{:.0}–{:.0} min", (low / 60.0).floor(), (high / 60.0).ceil())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_place_is_said_with_what_is_known_of_its_time() {
        for (estimate, said) in [
            (json!(null), "Waiting: place 3 of 9"),
            (json!({ "low": 20, "high": 35 }), "Waiting: place 3 of 9, about 20–35 s"),
            (
                json!({ "low": 100.0, "high": 130.5 }),
                "Waiting: place 3 of 9, about 1–3 min",
            ),
        ] {
            assert_eq!(
                place(&json!({ "position": 3, "waiting": 9, "estimate": estimate })),
                said
            );
        }
    }
}
