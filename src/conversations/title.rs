//! Titles of conversations.

use crate::wire::{FileView, is_blank};

/// Most characters of a title that is made.
const MADE: usize = 60;
/// Fewest characters of a sentence that can be a title by itself: `Hi!` says nothing of what follows it.
const SENTENCE: usize = 12;
/// Most characters of a title that somebody gives.
const GIVEN: usize = 200;

/// A conversation's title: the first sentence of its first message, without Markdown, or the name of its first file.
pub(super) fn title(text: &str, files: &[FileView]) -> String {
    let full = said(text).or_else(|| files.first().map(|file| file.name.clone()));
    cut(&full.unwrap_or_default())
}

/// As much of a text as a title holds, on one line.
fn cut(full: &str) -> String {
    let shown = || full.chars().filter(|c| !c.is_control());
    let mut title: String = shown().take(MADE).collect();
    if shown().nth(MADE).is_some() {
        // Rather a whole word less than half of one more.
        let words = title.chars().take(MADE / 2).map(char::len_utf8).sum();
        if let Some(space) = title.rfind(' ').filter(|&space| space > words) {
            title.truncate(space);
        }
        let end = title
            .trim_end_matches(|c: char| c.is_whitespace() || ",;:–—-".contains(c))
            .len();
        title.truncate(end);
        title.push('…');
    }
    title
}

/// The first sentence of a text that says something, without the marks of Markdown.
fn said(text: &str) -> Option<String> {
    let mut fenced = false;
    let mut code = None;
    for line in text.lines().map(str::trim).filter(|line| !is_blank(line)) {
        if line.starts_with("```") || line.starts_with("~~~") {
            fenced = !fenced;
            continue;
        }
        // What is quoted, or is code, is what the message is about; it is a title only where nothing else is said.
        if fenced || line.starts_with('>') {
            code = code.or(Some(line));
            continue;
        }
        let plain = plain(line);
        if plain.chars().any(char::is_alphanumeric)
            || plain.chars().any(|c| !c.is_ascii_punctuation() && !c.is_whitespace())
        {
            return Some(first_sentence(&plain));
        }
        code = code.or(Some(line));
    }
    code.map(|line| plain(line.trim_start_matches(['>', ' '])))
        .filter(|line| !is_blank(line))
        .or_else(|| code.map(str::to_owned))
}

/// A line without marks: those at its beginning, those around words, and the addresses of links.
fn plain(line: &str) -> String {
    let heading = line.trim_start_matches('#').strip_prefix(' ');
    let mut rest = heading.unwrap_or(line).trim_start();
    if heading.is_none() || !line.starts_with('#') {
        for mark in ["- [ ] ", "- [x] ", "- ", "* ", "+ "] {
            if let Some(after) = rest.strip_prefix(mark) {
                rest = after.trim_start();
                break;
            }
        }
        let number = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let listed = number.strip_prefix(". ").or_else(|| number.strip_prefix(") "));
        if let Some(after) = listed.filter(|_| number.len() < rest.len()) {
            rest = after.trim_start();
        }
    }
    let mut plain = String::with_capacity(rest.len());
    let mut chars = rest.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '`' => {}
            '*' => {
                let stars = rest[at..].bytes().take_while(|&byte| byte == b'*').count();
                while chars.next_if(|&(next, _)| next < at + stars).is_some() {}
                if !marks(&rest[..at], &rest[at + stars..], stars) {
                    plain.push_str(&rest[at..at + stars]);
                }
            }
            '[' => match link(&rest[at..]) {
                Some((text, length)) => {
                    if plain.ends_with('!') {
                        plain.pop();
                    }
                    plain.push_str(text);
                    while chars.next_if(|&(next, _)| next < at + length).is_some() {}
                }
                None => plain.push(c),
            },
            c => plain.push(c),
        }
    }
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether stars between these two are marks: `2 * 3` has none that is.
fn marks(before: &str, after: &str, stars: usize) -> bool {
    let (before, after) = (before.chars().next_back(), after.chars().next());
    let is_space = |c: Option<char>| c.is_none_or(char::is_whitespace);
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    !(is_space(before) && is_space(after)) && (stars > 1 || is_word(before) != is_word(after))
}

/// The text of the link that `text` begins with, and how long all of it is.
fn link(text: &str) -> Option<(&str, usize)> {
    let end = text.find("](")?;
    let close = end + text[end..].find(')')?;
    let inner = text.get(1..end)?;
    (!inner.is_empty() && !inner.contains('[')).then_some((inner, close + 1))
}

/// As far as a sentence goes, unless that says hardly anything.
fn first_sentence(text: &str) -> String {
    let ends = text.char_indices().filter(|(_, c)| ".!?…。！？".contains(*c));
    for (at, c) in ends {
        let end = at + c.len_utf8();
        let rest = &text[end..];
        // Of `e.g.`, `3.5` and `main.rs` the point is no end, and a question's mark belongs to it.
        let over = rest.starts_with(' ') || "。！？".contains(c);
        let starts = rest.trim_start().chars().next().is_none_or(|next| !next.is_lowercase());
        if over && starts && text[..at].chars().count() >= SENTENCE {
            return match c {
                '.' => text[..at].to_owned(),
                _ => text[..end].to_owned(),
            };
        }
    }
    text.to_owned()
}

/// A title of what a model has said when it was asked for one: its first line, as far as that is fit to be shown; `None`: nothing of it is.
///
/// It may be anything: an essay, marks, characters that turn the text around them about.
pub(super) fn model_made(said: &str) -> Option<String> {
    let line = said
        .lines()
        .map(|line| line.replace(turns_about, ""))
        .find(|line| !is_blank(line))?;
    let mut title = plain(line.trim());
    if let Some((name, rest)) = title.split_once(':')
        && matches!(
            name.trim_matches('*').to_lowercase().as_str(),
            "title" | "название" | "заголовок"
        )
    {
        title = rest.trim().to_owned();
    }
    for (left, right) in [('"', '"'), ('“', '”'), ('«', '»'), ('„', '“'), ('\'', '\''), ('‘', '’')] {
        let inside = title.strip_prefix(left).and_then(|title| title.strip_suffix(right));
        if let Some(inside) = inside.filter(|inside| !inside.contains([left, right])) {
            title = inside.trim().to_owned();
        }
    }
    let ended = title.strip_suffix('.').filter(|title| !title.ends_with('.'));
    let title = ended.map(str::to_owned).unwrap_or(title);
    let title = cut(&title);
    (!is_blank(&title)).then_some(title)
}

/// Whether a character changes the direction of the text around it, or is seen by nobody.
const fn turns_about(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A title as its owner gives it, on one line; `None`: nothing of it is left.
pub(super) fn given(text: &str) -> Option<String> {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let title: String = words.join(" ").chars().take(GIVEN).collect();
    (!is_blank(&title)).then_some(title)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_short_and_end_with_whole_words() {
        assert_eq!(
            title("\n  How does the line work?  \nThanks", &[]),
            "How does the line work?"
        );
        let long = title(
            "Please explain to me in detail how start-time fair queueing works, and why",
            &[],
        );
        assert_eq!(long, "Please explain to me in detail how start-time fair queueing…");
        assert_eq!(title("\u{200b}\n\u{2060}\u{feff}\nHello", &[]), "Hello");
        assert_eq!(title(&"ü".repeat(100), &[]), format!("{}…", "ü".repeat(60)));
        let russian = title(
            "Объясни, пожалуйста, как устроена честная очередь с учётом начала обслуживания",
            &[],
        );
        assert_eq!(russian, "Объясни, пожалуйста, как устроена честная очередь с учётом…");
    }

    #[test]
    fn a_title_is_the_first_sentence_that_says_something() {
        for (text, made) in [
            (
                "Explain the borrow checker. I know C++ well.",
                "Explain the borrow checker",
            ),
            ("Hi! Why is the sky blue? Be short.", "Hi! Why is the sky blue?"),
            (
                "Use e.g. serde or main.rs for version 3.5 of it",
                "Use e.g. serde or main.rs for version 3.5 of it",
            ),
            ("```rust\nfn main() {}\n```\nWhat does this do?", "What does this do?"),
            ("> what you said before\n\nIs that so?", "Is that so?"),
            ("> only a quote", "only a quote"),
            ("```\nlet x = 1;\n```", "let x = 1;"),
            ("Почему небо голубое? Ответь коротко.", "Почему небо голубое?"),
            (
                "空はなぜ青いのですか、教えてください。簡単に。",
                "空はなぜ青いのですか、教えてください。",
            ),
        ] {
            assert_eq!(title(text, &[]), made, "{text:?}");
        }
    }

    #[test]
    fn a_title_has_no_marks_of_markdown() {
        for (text, made) in [
            ("# **Plan** for `main.rs`", "Plan for main.rs"),
            ("1. First of *all* things", "First of all things"),
            ("Plan the **garden**, *then* rest", "Plan the garden, then rest"),
            ("- [ ] a task", "a task"),
            (
                "See [the docs](https://example.org/a) and ![a picture](x.png)",
                "See the docs and a picture",
            ),
            ("What is 2 * 3 * 4?", "What is 2 * 3 * 4?"),
            ("#include <stdio.h>", "#include <stdio.h>"),
            ("snake_case_name in C", "snake_case_name in C"),
            ("-5 degrees", "-5 degrees"),
            ("***", "***"),
            ("🎉", "🎉"),
        ] {
            assert_eq!(title(text, &[]), made, "{text:?}");
        }
    }

    #[test]
    fn what_a_model_calls_a_title_is_one_short_line_without_anything_around() {
        for (said, made) in [
            ("Borrow checker", "Borrow checker"),
            (
                "\n\n  \"Fair queueing explained.\"  \nIt is about…",
                "Fair queueing explained",
            ),
            ("**Title: Why the sky is blue**", "Why the sky is blue"),
            ("# «Почему небо голубое»", "Почему небо голубое"),
            ("Название: Почему небо голубое", "Почему небо голубое"),
            ("\"Hello\" and \"goodbye\"", "\"Hello\" and \"goodbye\""),
            ("Wait for it...", "Wait for it..."),
            ("\u{202e}evil\u{0} \u{7}name\u{2066}", "evil name"),
            ("</title><script>alert(1)</script>", "</title><script>alert(1)</script>"),
        ] {
            assert_eq!(model_made(said).as_deref(), Some(made), "{said:?}");
        }
        for nothing in ["", " \n\t", "\u{200b}\u{feff}\n", "\"\"", "\u{202e}"] {
            assert_eq!(model_made(nothing), None, "{nothing:?}");
        }
        let long = model_made(&"word ".repeat(1_000)).expect("a title");
        assert!(long.chars().count() <= MADE + 1 && long.ends_with("word…"), "{long}");
        let one = model_made(&"ü".repeat(10_000)).expect("a title");
        assert_eq!(one.chars().count(), MADE + 1);
    }

    #[test]
    fn given_titles_are_one_line_and_not_blank() {
        assert_eq!(given("  My\n\tplans \u{7} "), Some("My plans".into()));
        for blank in [" \n ", "\u{200b}\u{feff}", "\u{3164} \u{ad}"] {
            assert_eq!(given(blank), None, "{blank:?}");
        }
        assert_eq!(given(&"x".repeat(999)).map(|title| title.len()), Some(GIVEN));
    }
}
