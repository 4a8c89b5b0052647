//! Examples of code.

use super::{
    texts::Texts,
    vocabulary::{Said, Topic},
    voice::Voice,
};
use crate::say;

/// A programming language that there is an example in: its name, the words that mean it, and the example.
struct Sample {
    name: &'static str,
    words: Topic,
    text: fn(&Texts) -> &'static str,
}

const SAMPLES: [Sample; 6] = [
    Sample {
        name: "Rust",
        words: "rust cargo раст расте раста",
        text: |texts| texts.rust,
    },
    Sample {
        name: "Python",
        words: "python py питон- пайтон-",
        text: |texts| texts.python,
    },
    Sample {
        name: "JavaScript",
        words: "javascript js typescript ts джаваскрипт- тайпскрипт-",
        text: |texts| texts.javascript,
    },
    Sample {
        name: "SQL",
        words: "sql postgres sqlite query постгрес-",
        text: |texts| texts.sql,
    },
    Sample {
        name: "shell",
        words: "bash shell sh terminal curl баш шелл терминал-",
        text: |texts| texts.shell,
    },
    Sample {
        name: "HTML",
        words: "html css верстк-",
        text: |texts| texts.html,
    },
];

/// The programming language that these words name.
pub(super) fn language(said: &Said<'_>) -> Option<&'static str> {
    SAMPLES
        .iter()
        .find(|sample| said.has(sample.words))
        .map(|sample| sample.name)
}

/// The words that mean a programming language.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    SAMPLES.iter().flat_map(|sample| sample.words.split_whitespace())
}

/// An example in this language, or in one or two that were not asked for.
pub(super) fn code(voice: Voice, language: Option<&str>) -> String {
    let Voice { demo, texts, .. } = voice;
    match SAMPLES.iter().find(|sample| Some(sample.name) == language) {
        Some(sample) => say!(
            demo,
            "demo-code-one",
            language = sample.name,
            sample = (sample.text)(texts)
        ),
        None => {
            let names: Vec<_> = SAMPLES.iter().map(|sample| sample.name).collect();
            let [first, second, ..] = SAMPLES;
            say!(
                demo,
                "demo-code-two",
                first = (first.text)(texts),
                language = second.name,
                second = (second.text)(texts),
                rest = names[2..].join(", "),
            )
        }
    }
}
