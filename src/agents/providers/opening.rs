//! Thoughts that come as text: servers that are not set up for a model that thinks pass on its `<think>…</think>` before the
//! answer. Only at the very beginning is that what it looks like.

const BEGIN: &str = "<think>";
const END: &str = "</think>";

/// Tells thoughts from the answer as text comes in. How it is cut makes no difference.
#[derive(Clone, Debug, Default)]
pub(super) struct Opening {
    at: At,
    /// What cannot be told yet.
    held: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    /// Nothing but white space, and what may be the beginning of the mark.
    #[default]
    Start,
    Thought,
    /// The white space after it.
    Between,
    Answer,
}

impl Opening {
    /// What the next piece adds to the thoughts, and what to the answer.
    pub(super) fn take(&mut self, piece: String) -> (String, String) {
        if self.at == At::Answer {
            return (String::new(), piece);
        }
        self.held.push_str(&piece);
        let mut thought = String::new();
        if self.at == At::Start {
            let begun = self.held.trim_start();
            if let Some(rest) = begun.strip_prefix(BEGIN) {
                self.at = At::Thought;
                self.held = rest.to_owned();
            } else if !BEGIN.starts_with(begun) {
                self.at = At::Answer;
            }
        }
        if self.at == At::Thought {
            if let Some((before, after)) = self.held.split_once(END) {
                thought = before.to_owned();
                self.at = At::Between;
                self.held = after.to_owned();
            } else {
                let rest = self.held.split_off(self.held.len() - begun_end(&self.held));
                thought = std::mem::replace(&mut self.held, rest);
            }
        }
        if self.at == At::Between {
            self.held = self.held.trim_start().to_owned();
            if !self.held.is_empty() {
                self.at = At::Answer;
            }
        }
        let answer = match self.at {
            At::Answer => std::mem::take(&mut self.held),
            At::Start | At::Thought | At::Between => String::new(),
        };
        (thought, answer)
    }

    /// Nothing more comes: the rest, likewise.
    pub(super) fn finish(&mut self) -> (String, String) {
        let rest = std::mem::take(&mut self.held);
        match std::mem::replace(&mut self.at, At::Answer) {
            At::Thought => (rest, String::new()),
            At::Start | At::Between | At::Answer => (String::new(), rest),
        }
    }
}

/// How many bytes at the end of a text may be the beginning of the mark that ends a thought.
fn begun_end(text: &str) -> usize {
    let begun = |length: &usize| text.ends_with(&END[..*length]);
    (1..END.len()).rev().find(begun).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn heard<'p>(pieces: impl IntoIterator<Item = &'p str>) -> (String, String) {
        let mut opening = Opening::default();
        let (mut thoughts, mut answer) = (String::new(), String::new());
        let mut take = |(thought, said): (String, String)| {
            thoughts.push_str(&thought);
            answer.push_str(&said);
        };
        for piece in pieces {
            take(opening.take(piece.to_owned()));
        }
        take(opening.finish());
        (thoughts, answer)
    }

    #[test]
    fn a_thought_before_the_answer_is_none_of_it() {
        for (text, thought, answer) in [
            ("<think>hm</think>Hi", "hm", "Hi"),
            ("\n <think>\nhm\n</think>\n\n Hi ", "\nhm\n", "Hi "),
            ("<think></think>Hi", "", "Hi"),
            (
                "<think>1 < 2 </thin k> </</think>Hi</think>",
                "1 < 2 </thin k> </",
                "Hi</think>",
            ),
            ("<think>no end </thi", "no end </thi", ""),
            ("Hi <think>hm</think>", "", "Hi <think>hm</think>"),
            ("<thinking>hm</thinking>", "", "<thinking>hm</thinking>"),
            ("<thin", "", "<thin"),
            ("  Hi", "", "  Hi"),
            (" ", "", " "),
            ("", "", ""),
        ] {
            assert_eq!(heard([text]), (thought.to_owned(), answer.to_owned()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn how_it_is_cut_makes_no_difference(text in "(<think>|</think>|<|/|th|é| |\n|a){0,12}", size in 1..5_usize) {
            let chars: Vec<char> = text.chars().collect();
            let pieces: Vec<String> = chars.chunks(size).map(String::from_iter).collect();
            prop_assert_eq!(heard(pieces.iter().map(String::as_str)), heard([&*text]));
        }
    }
}
