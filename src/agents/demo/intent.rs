//! What a message is about, by its words.

use super::{handbook, samples};
use crate::settings::groups;

/// What a message is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Intent {
    /// These settings.
    Variables(Vec<&'static str>),
    /// Settings at large: all of them, or those of the part with this title.
    Settings {
        /// `None`: an overview.
        group: Option<&'static str>,
        /// Every one.
        all: bool,
    },
    /// How things stand in the line.
    LineNow,
    /// How the line works.
    LineWorks,
    /// A real model; one kind of server, if it was named.
    RealModel(Option<&'static str>),
    /// What Markdown looks like here.
    Markdown,
    /// Code, in one language if it was named.
    Code(Option<&'static str>),
    /// `count to 30`.
    Count(u32),
    /// Hello.
    Greeting,
    /// Thanks, or goodbye.
    Thanks,
    /// Who or what are you, what can you do.
    Help,
    /// Anything else.
    Unknown,
}

/// The most that is counted to.
const MOST: u32 = 1000;

/// The most telling match wins: a variable's name before a topic, a topic before small talk.
pub(super) fn of(message: &str) -> Intent {
    let lower = message.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_alphanumeric() && c != '_' && c != '#' && c != '+')
        .filter(|word| !word.is_empty())
        .collect();
    let has = |any: &[&str]| any.iter().any(|word| words.contains(word));
    let variables = variables(&words);
    if !variables.is_empty() {
        return Intent::Variables(variables);
    }
    if let Some(number) = count(&words) {
        return Intent::Count(number);
    }
    if has(&[
        "settings",
        "setting",
        "configuration",
        "config",
        "configure",
        "configured",
        "env",
        "variable",
        "variables",
    ]) {
        return Intent::Settings {
            group: group(&words),
            all: has(&["all", "every", "list", "complete", "everything"]),
        };
    }
    if has(&["markdown", "formatting"]) {
        return Intent::Markdown;
    }
    let server = handbook::SERVERS
        .iter()
        .find(|(_, names)| names.iter().any(|name| says(&lower, &words, name)));
    let model = has(&["model", "models", "llm", "api", "key", "gpu", "provider"]);
    if server.is_some() || model && !has(&["slots", "limit"]) {
        return Intent::RealModel(server.map(|(name, _)| *name));
    }
    if has(&["fair", "fairness", "fifo", "concurrency", "unfair"]) {
        return Intent::LineWorks;
    }
    if has(&[
        "line", "queue", "queued", "wait", "waiting", "waits", "position", "place", "slot", "slots", "busy", "ahead",
    ]) {
        let works = has(&[
            "explain", "why", "work", "works", "mean", "means", "rule", "rules", "order",
        ]);
        let now = has(&[
            "now",
            "long",
            "many",
            "my",
            "state",
            "status",
            "currently",
            "busy",
            "soon",
            "when",
            "ahead",
        ]);
        let asks = has(&["how", "what"]);
        return if works || asks && !now {
            Intent::LineWorks
        } else {
            Intent::LineNow
        };
    }
    let language = samples::language(&words);
    if language.is_some() || has(&["code", "program", "function", "snippet", "script", "algorithm"]) {
        return Intent::Code(language);
    }
    if has(&["table", "list", "heading", "headings", "bold", "quote"]) {
        return Intent::Markdown;
    }
    if has(&["help", "demo", "who", "anteroom", "yourself"])
        || lower.contains("can you do")
        || lower.contains("are you")
    {
        return Intent::Help;
    }
    if has(&["thanks", "thank", "thx", "bye", "goodbye", "cheers"]) {
        return Intent::Thanks;
    }
    // A greeting with a question behind it is a question.
    if words.len() <= 6
        && has(&[
            "hello",
            "hi",
            "hey",
            "hallo",
            "morning",
            "evening",
            "afternoon",
            "greetings",
            "test",
            "ping",
        ])
    {
        return Intent::Greeting;
    }
    Intent::Unknown
}

fn variables(words: &[&str]) -> Vec<&'static str> {
    let mut named = Vec::new();
    for row in groups().flat_map(|group| group.variables) {
        // MODEL alone is an ordinary word.
        let is_named = words
            .iter()
            .any(|word| row.name.contains('_') && row.name.eq_ignore_ascii_case(word));
        if is_named && !named.contains(&row.name) {
            named.push(row.name);
        }
    }
    named
}

fn group(words: &[&str]) -> Option<&'static str> {
    let has = |any: &[&str]| any.iter().any(|word| words.contains(word));
    let index = if has(&["line", "queue", "limit", "limits", "concurrency", "waiting"]) {
        1
    } else if has(&["model", "models", "demo"]) {
        0
    } else if has(&["session", "sessions", "file", "files", "upload", "uploads"]) {
        2
    } else if has(&["server", "log", "logs", "address", "port", "cookie", "cookies"]) {
        3
    } else {
        return None;
    };
    groups().nth(index).map(|group| group.title)
}

/// Whether a name was said: a word, or a phrase that is no single word.
fn says(lower: &str, words: &[&str], name: &str) -> bool {
    if name.contains(|c: char| !c.is_alphanumeric()) {
        lower.contains(name)
    } else {
        words.contains(&name)
    }
}

/// `count to 30`, `count from 1 to 30`.
fn count(words: &[&str]) -> Option<u32> {
    words
        .contains(&"count")
        .then(|| words.iter().rev().find_map(|word| word.parse().ok()))?
        .map(|number: u32| number.clamp(1, MOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_understood_by_their_words() {
        let cases = [
            ("Hello!", Intent::Greeting),
            (
                "what does CHAT_CONCURRENCY_LIMIT do?",
                Intent::Variables(vec!["CHAT_CONCURRENCY_LIMIT"]),
            ),
            (
                "explain queue_order and chat_timeout",
                Intent::Variables(vec!["QUEUE_ORDER", "CHAT_TIMEOUT"]),
            ),
            (
                "Which settings are there?",
                Intent::Settings {
                    group: None,
                    all: false,
                },
            ),
            ("list all settings", Intent::Settings { group: None, all: true }),
            (
                "settings of the queue",
                Intent::Settings {
                    group: Some("The line"),
                    all: false,
                },
            ),
            (
                "model settings",
                Intent::Settings {
                    group: Some("The model"),
                    all: false,
                },
            ),
            ("How long is the line right now?", Intent::LineNow),
            ("what's my place?", Intent::LineNow),
            ("how many are waiting", Intent::LineNow),
            ("how does the queue work", Intent::LineWorks),
            ("why do I have to wait?", Intent::LineWorks),
            ("is it fair", Intent::LineWorks),
            ("how do I use a real model", Intent::RealModel(None)),
            ("Can you run Ollama?", Intent::RealModel(Some("Ollama"))),
            ("connect LM Studio please", Intent::RealModel(Some("LM Studio"))),
            ("I have a llama.cpp server", Intent::RealModel(Some("llama.cpp"))),
            ("show me markdown", Intent::Markdown),
            ("a code example", Intent::Code(None)),
            ("write a python function", Intent::Code(Some("Python"))),
            ("something in C++", Intent::Unknown),
            ("count to 30", Intent::Count(30)),
            ("count to 99999", Intent::Count(1000)),
            ("who are you", Intent::Help),
            ("thanks a lot", Intent::Thanks),
            ("What is the capital of Peru?", Intent::Unknown),
            ("", Intent::Unknown),
        ];
        for (message, intent) in cases {
            assert_eq!(of(message), intent, "{message}");
        }
    }
}
