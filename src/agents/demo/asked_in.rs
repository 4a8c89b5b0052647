//! The language that a question is asked in.

use super::{
    handbook, samples,
    vocabulary::{is, plain},
};
use crate::{
    agents::{Message, attached::detach},
    language::Language,
    wire::Role,
};

/// That of the newest message of the person's that has words of one; English where none has.
pub(super) fn language(messages: &[Message]) -> Language {
    let own = messages.iter().rev().filter(|message| message.role == Role::User);
    own.into_iter()
        .find_map(|message| of(&detach(&message.text).0))
        .unwrap_or_default()
}

/// By the letters of its words. `None`: there are none, or all is code, names of variables and of products, which are the same in every
/// language.
fn of(text: &str) -> Option<Language> {
    let (mut cyrillic, mut latin) = (0, 0);
    for word in prose(text).split_whitespace() {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        if word.chars().any(is_cyrillic) {
            cyrillic += 1;
        } else if is_latin(word) && !is_name(word) {
            latin += 1;
        }
    }
    // Russian takes in Latin words easily, English hardly a Cyrillic one.
    match (cyrillic, latin) {
        (0, 0) => None,
        _ if cyrillic * 2 >= latin => Some(Language::Russian),
        _ => Some(Language::English),
    }
}

/// What is not code: neither fenced nor between backticks.
fn prose(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            for piece in line.split('`').step_by(2) {
                kept.push_str(piece);
                kept.push(' ');
            }
        }
    }
    kept
}

const fn is_cyrillic(c: char) -> bool {
    matches!(c, '\u{400}'..='\u{52f}')
}

/// Whether it is a word of Latin letters: no address, file name or variable.
fn is_latin(word: &str) -> bool {
    let mut letters = word.chars();
    letters.all(|c| matches!(c, '-' | '\'' | '’') || c.is_alphabetic() && c < '\u{250}') && !word.is_empty()
}

/// Whether it is the name of something that the demo model knows.
fn is_name(word: &str) -> bool {
    let word = plain(word);
    let servers = handbook::SERVERS.iter().flat_map(|(_, names)| *names).copied();
    let mut names = servers.chain(samples::names()).chain(["markdown", "anteroom"]);
    names.any(|name| is(&word, name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::attached::attach;

    fn said(role: Role, text: &str) -> Message {
        Message::said(role, text.to_owned())
    }

    #[test]
    fn a_question_is_in_the_language_of_its_words() {
        for (text, language) in [
            ("Как устроена очередь?", Some(Language::Russian)),
            (
                "что делает CHAT_CONCURRENCY_LIMIT и QUEUE_MAX_WAITING_PER_SESSION?",
                Some(Language::Russian),
            ),
            ("Покажи разметку Markdown", Some(Language::Russian)),
            ("подключи LM Studio", Some(Language::Russian)),
            ("а llama.cpp?", Some(Language::Russian)),
            ("сделай hello world", Some(Language::Russian)),
            ("Ещё", Some(Language::Russian)),
            ("How does the queue work?", Some(Language::English)),
            ("What does «очередь» mean?", Some(Language::English)),
            ("don't", Some(Language::English)),
            ("CAFÉ", Some(Language::English)),
            ("hello\n```\nпривет\n```", Some(Language::English)),
            (
                "объясни:\n```rust\nfn main() {}\nlet some = many + words;\n```",
                Some(Language::Russian),
            ),
            ("`let the = code` что это?", Some(Language::Russian)),
            ("QUEUE_ORDER", None),
            ("`hello there`", None),
            ("```\nfn main() {}\n```", None),
            ("Python?", None),
            ("https://example.org/a", None),
            ("42 + 1 = ?", None),
            ("👍", None),
            ("你好", None),
            ("", None),
        ] {
            assert_eq!(of(text), language, "{text}");
        }
    }

    #[test]
    fn what_has_no_language_keeps_to_the_one_before() {
        let history = |texts: &[&str]| {
            let turns = texts.iter();
            let messages: Vec<_> = turns
                .flat_map(|text| [said(Role::User, text), said(Role::Agent, "An answer with `code`.")])
                .collect();
            language(&messages[..messages.len().saturating_sub(1)])
        };
        assert_eq!(history(&[]), Language::English);
        assert_eq!(history(&["42"]), Language::English);
        assert_eq!(history(&["Привет", "42"]), Language::Russian);
        assert_eq!(history(&["Привет", "QUEUE_ORDER", "`x`"]), Language::Russian);
        assert_eq!(history(&["Привет", "hello", "1"]), Language::English);
        assert_eq!(history(&["hello", "привет"]), Language::Russian);
    }

    #[test]
    fn the_contents_of_a_file_are_nobodys_question() {
        let file = crate::agents::Attached {
            name: "notes.md".to_owned(),
            text: "many English words, one after the other".to_owned(),
        };
        let message = attach("Что это?", &[file]);
        assert_eq!(language(&[said(Role::User, &message)]), Language::Russian);
    }
}
