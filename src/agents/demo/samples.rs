//! What Markdown and code look like here.

/// A language that there is an example in: its name, the words that mean it, and the example.
struct Sample {
    name: &'static str,
    words: &'static [&'static str],
    text: &'static str,
}

/// The language that these words name.
pub(super) fn language(words: &[&str]) -> Option<&'static str> {
    SAMPLES
        .iter()
        .find(|sample| sample.words.iter().any(|word| words.contains(word)))
        .map(|sample| sample.name)
}

/// An example in this language, or in one or two that were not asked for.
pub(super) fn code(language: Option<&str>) -> String {
    match SAMPLES.iter().find(|sample| Some(sample.name) == language) {
        Some(sample) => format!("Something small in {}:\n\n{}", sample.name, sample.text),
        None => {
            let names: Vec<_> = SAMPLES.iter().map(|sample| sample.name).collect();
            let [first, second, ..] = SAMPLES;
            format!(
                "Two small examples, each with a button to copy it.\n\n{}\n\nAnd in {}:\n\n{}\n\nI also have one in each of: {}.",
                first.text,
                second.name,
                second.text,
                names[2..].join(", "),
            )
        }
    }
}

const SAMPLES: [Sample; 6] = [
    Sample {
        name: "Rust",
        words: &["rust", "cargo"],
        text: r#"```rust
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Ten guests, three chairs: nobody stands while a chair is free.
#[tokio::main]
async fn main() {
    let chairs = Arc::new(Semaphore::new(3));
    let mut guests = tokio::task::JoinSet::new();
    for guest in 1..=10 {
        let chairs = Arc::clone(&chairs);
        guests.spawn(async move {
            let _seat = chairs.acquire_owned().await.expect("never closed");
            println!("guest {guest} sits down");
        });
    }
    guests.join_all().await;
}
```

The permit is given back when `_seat` is dropped, also if the task panics."#,
    },
    Sample {
        name: "Python",
        words: &["python", "py"],
        text: r#"```python
from collections import deque


def take_turns(queues: dict[str, deque[str]]) -> list[str]:
    """Serves everybody once a round, however much one of them has brought."""
    served = []
    while any(queues.values()):
        served += [f"{name}: {queue.popleft()}" for name, queue in queues.items() if queue]
    return served


print(take_turns({"ann": deque("abc"), "ben": deque("x"), "eve": deque("12")}))
```"#,
    },
    Sample {
        name: "JavaScript",
        words: &["javascript", "js", "typescript", "ts"],
        text: r#"```javascript
// Runs at most `limit` jobs at a time and keeps the order of the results.
async function pool(jobs, limit) {
  const results = new Array(jobs.length);
  let next = 0;
  const worker = async () => {
    while (next < jobs.length) {
      const mine = next++;
      results[mine] = await jobs[mine]();
    }
  };
  await Promise.all(Array.from({ length: limit }, worker));
  return results;
}
```"#,
    },
    Sample {
        name: "SQL",
        words: &["sql", "postgres", "sqlite", "query"],
        text: r#"```sql
-- Everybody's place in line, one turn a round for each session.
SELECT session, ticket,
       row_number() OVER (ORDER BY round, arrived) AS position
FROM (
    SELECT session, ticket, arrived,
           row_number() OVER (PARTITION BY session ORDER BY arrived) AS round
    FROM waiting
) AS rounds
ORDER BY position;
```"#,
    },
    Sample {
        name: "shell",
        words: &["bash", "shell", "sh", "terminal", "curl"],
        text: r#"```sh
# Is the server well? Asks once a second until it is.
until curl --silent --fail http://127.0.0.1:3000/health > /dev/null; do
  sleep 1
done
echo "ready"
```"#,
    },
    Sample {
        name: "HTML",
        words: &["html", "css"],
        text: r#"```html
<label for="message">Message</label>
<textarea id="message" rows="3" placeholder="Say something…"></textarea>
<p role="status" aria-live="polite">You are 3rd of 7 in line</p>
```"#,
    },
];

/// A bit of everything.
pub(super) const MARKDOWN: &str = r#"Here is a bit of everything that I can format.

## Text

**Bold**, *italic*, ~~struck out~~, `code in a line`, and [a link](https://commonmark.org/).

> A quotation, for somebody else's words.

## Lists

1. First things first
2. then what follows
   - with a detail
   - and another one

- [x] learn Markdown
- [ ] use a real model

## A table

| you are | it means |
| :--- | ---: |
| 1st | you start next |
| 2nd | one starts before you |
| 7th of 7 | six do, and nobody is behind you |

## Code

```rust
fn position(before_you: usize) -> usize {
    before_you + 1
}
```

---

That is all there is to it."#;
