//! What an answer says.

use crate::{
    calls,
    knobs::{Directed, Reply},
    request::ChatRequest,
};

/// A piece of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) of: Of,
}

/// What a piece is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// The answer itself.
    Text,
    /// Reasoning, which comes before the answer itself.
    Reasoning,
    /// A call of a tool.
    Call {
        /// Which of them, from 0.
        index: usize,
        /// It begins with this piece. The others are its arguments.
        name: Option<String>,
    },
}

impl Piece {
    /// The same with other words.
    pub(crate) fn saying(&self, text: String) -> Self {
        Self {
            text,
            of: self.of.clone(),
        }
    }

    /// Words of the answer itself.
    pub(crate) const fn text(text: String) -> Self {
        Self { text, of: Of::Text }
    }
}

/// The answer, in the pieces in which it is sent.
pub(crate) fn pieces(directed: &Directed, request: &ChatRequest, body: &str) -> Vec<Piece> {
    let thought = |text| Piece {
        text,
        of: Of::Reasoning,
    };
    let reasoning = reasoning(directed).map(thought);
    let answer = calls::pieces(directed, request)
        .unwrap_or_else(|| answer(directed, body).into_iter().map(Piece::text).collect());
    reasoning.chain(answer).collect()
}

/// The first piece repeats the question, as in an answer.
fn reasoning(directed: &Directed) -> impl Iterator<Item = String> {
    (0..directed.knobs.reasoning).map(|number| match number {
        0 => format!("Thinking about: {}\n\n", directed.rest.trim()),
        _ => format!("thought{number} "),
    })
}

fn answer(directed: &Directed, request: &str) -> Vec<String> {
    match directed.knobs.reply {
        // Where no tool is offered, there is nothing to call.
        Reply::Words | Reply::Tool => {
            let first = format!("Answer to: {}\n\n", directed.rest.trim());
            let words = (1..directed.knobs.tokens).map(|number| format!("word{number} "));
            std::iter::once(first).chain(words).collect()
        }
        Reply::Markdown => words(&format!("Answer to: {}\n\n{MARKDOWN}", directed.rest.trim())),
        Reply::Echo => words(&directed.rest),
        Reply::Request => words(request),
    }
}

/// Every word with the white space after it: no byte is lost.
fn words(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut last_was_space = false;
    for c in text.chars() {
        match pieces.last_mut() {
            Some(piece) if c.is_whitespace() || !last_was_space => piece.push(c),
            _ => pieces.push(c.to_string()),
        }
        last_was_space = c.is_whitespace();
    }
    pieces
}

const MARKDOWN: &str = r#"# A heading

A paragraph with **bold**, *italic*, ~~struck~~ words, `inline code`, a [link](https://example.com/) and an
automatic one: https://example.com/path?a=1&b=2.

## Lists

- first
- second
  - nested
  - nested too
- third

1. one
2. two
3. three

- [x] done
- [ ] not done

## A table

| language | typed | year |
| :--- | :---: | ---: |
| Rust | yes | 2015 |
| Python | no | 1991 |
| SQL | well… | 1974 |

> A quotation
> of two lines.

---

## Code

```rust
/// The nth Fibonacci number.
fn fibonacci(n: u32) -> u64 {
    (0..n).fold((0, 1), |(a, b), _| (b, a + b)).0
}
```

```python
def fibonacci(n: int) -> int:
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a  # "done" & <dusted>
```

```javascript
const fibonacci = (n) => (n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2));
```

```sql
SELECT name, count(*) FROM turns WHERE state = 'done' GROUP BY name;
```

```sh
curl --silent http://127.0.0.1:3000/health | head -n 1
```

```json
{"limit": 2, "running": 1, "waiting": ["a", "b"]}
```

```
no language: <b>not bold</b>
```

### The end

That was all.
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Knobs, knobs::direct};

    fn pieces_of(message: &str) -> Vec<String> {
        let directed = direct(message, &Knobs::from(Config::default())).expect("valid");
        let pieces = pieces(&directed, &ChatRequest::saying("m", message), "");
        assert!(
            pieces.is_sorted_by_key(|piece| piece.of != Of::Reasoning),
            "reasoning comes first"
        );
        pieces.into_iter().map(|piece| piece.text).collect()
    }

    #[test]
    fn reasoning_comes_before_the_answer() {
        let directed = direct("[[reasoning=2 tokens=1]] why?", &Knobs::from(Config::default())).expect("valid");
        let pieces: Vec<_> = pieces(&directed, &ChatRequest::saying("m", "why?"), "")
            .into_iter()
            .map(|piece| (piece.of == Of::Reasoning, piece.text))
            .collect();
        let expected = [
            (true, "Thinking about: why?\n\n"),
            (true, "thought1 "),
            (false, "Answer to: why?\n\n"),
        ];
        assert_eq!(pieces, expected.map(|(reasoning, text)| (reasoning, text.to_owned())));
    }

    #[test]
    fn words_repeat_the_question_and_are_counted() {
        assert_eq!(
            pieces_of("[[tokens=3]] why?"),
            ["Answer to: why?\n\n", "word1 ", "word2 "]
        );
        assert_eq!(pieces_of("[[tokens=0]] why?"), ["Answer to: why?\n\n"]);
    }

    #[test]
    fn echo_gives_every_byte_back() {
        let hostile = "    <img src=x onerror=alert(1)>\n\n[a](javascript:alert`1`)  \u{a0}\u{202e}é\n";
        assert_eq!(pieces_of(&format!("[[reply=echo]]\n{hostile}")).concat(), hostile);
        assert_eq!(pieces_of("[[reply=echo]]"), Vec::<String>::new());
    }
}
