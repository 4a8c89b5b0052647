//! No words for people stand in the sources: whatever makes HTML, or a sentence that somebody reads, has them from the languages.

use std::{collections::BTreeSet, fs, path::Path};

use super::sources::sources;

/// What is read: all that draws pages or answers at a door, and what people take along as files.
const READ: [&str; 7] = [
    "app/src",
    "src/http",
    "src/markdown",
    "src/logs",
    "src/sessions",
    "src/conversations/export.rs",
    "src/conversations/view.rs",
];

/// What is not, since it is English for everybody.
const ENGLISH: [&str; 11] = [
    // The command line, and what a terminal and a log show of the server's start: for operators and programs.
    "app/src/command/",
    "app/src/server/backup.rs",
    "app/src/server/keys.rs",
    "app/src/server/listen.rs",
    "app/src/server/migrate.rs",
    "app/src/server/run.rs",
    // Programs are told everything in English, and their documentation is in English too.
    "src/http/programs/",
    "app/src/server/described.rs",
    // What load balancers and other nodes read.
    "src/http/health.rs",
    "src/http/link/",
    // Tests of these rooms.
    "/tests",
];

/// What is the same in every language, what only programs look at, and what is code of another language.
const AS_IT_IS: [&str; 25] = [
    "Anteroom",
    "Anteroom ",
    "{title} · Anteroom",
    "{heading} · Anteroom",
    "{} · Anteroom",
    "Ctrl K",
    "Shift + Enter",
    "Ctrl + K",
    "Enter",
    "Esc",
    "Escape",
    "Home",
    "End",
    "ArrowDown",
    "ArrowUp",
    "Notification",
    "Authorization: Bearer anteroom_…",
    // Of attributes and headers.
    "light dark",
    "external noopener",
    "xMinYMax meet",
    "noindex, nofollow",
    "private, no-store",
    "noopener noreferrer nofollow",
    // A command of TeX.
    "Large",
    // Derives the key of what is kept for readers; changed, nobody could read it any more.
    "reader of pages\\0",
];

/// What only policies of content and scripts have in them.
const CODE: [&str; 3] = ["-src 'self'", "const ", "import init"];

/// What is told to programs and to the log, or says that something of ours is wrong.
const UNHEARD: [&str; 18] = [
    "trace!",
    "debug!",
    "info!",
    "warn!",
    "error!",
    "error_span!",
    "info_span!",
    "expect",
    "panic!",
    "assert!",
    "assert_eq!",
    "unreachable!",
    "anyhow!",
    "context",
    // The reason of a WebSocket's end, which pages do not show.
    "end",
    "io::Error::new",
    // Queries of styles, which the browser evaluates.
    "match_media",
    "say!",
];

/// A text that stands in a source.
#[derive(Debug)]
struct Literal<'a> {
    text: &'a str,
    line: usize,
    /// What it is handed to, the outermost first: names of functions and macros.
    within: Vec<&'a str>,
    /// The attribute of HTML that it is; empty: none.
    attribute: &'a str,
}

/// All texts of a source that are no comment, attribute of Rust or character.
fn literals(source: &str) -> Vec<Literal<'_>> {
    let bytes = source.as_bytes();
    let (mut found, mut within, mut at, mut line) = (Vec::new(), Vec::new(), 0, 1);
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    while at < bytes.len() {
        let rest = &source[at..];
        let mut length = rest.chars().next().map_or(1, char::len_utf8);
        if rest.starts_with("//") {
            length = rest.find('\n').unwrap_or(rest.len());
        } else if rest.starts_with("#[") || rest.starts_with("#![") {
            length = attribute(rest);
        } else if let Some((text, whole)) = text_of(rest).filter(|_| at == 0 || !is_name(bytes[at - 1])) {
            let before = source[..at].trim_end();
            let name = before.strip_suffix('=').unwrap_or_default();
            let begin = name.rfind(|c: char| !c.is_ascii_alphabetic() && c != '-' && c != ':');
            found.push(Literal {
                text,
                line,
                within: within.clone(),
                attribute: &name[begin.map_or(0, |at| at + 1)..],
            });
            length = whole;
        } else if let Some(inner) = rest.strip_prefix('\'') {
            // A character, or a lifetime.
            let escaped = inner.starts_with('\\');
            let mut ends = inner.char_indices().skip(if escaped { 2 } else { 1 });
            let end = match escaped {
                true => ends.find(|(_, c)| *c == '\''),
                false => ends.next().filter(|(_, c)| *c == '\''),
            };
            length = end.map_or(1, |(end, _)| end + 2);
        } else if rest.starts_with(['(', '[', '{']) {
            let before = source[..at].trim_end();
            let begin = before.rfind(|c: char| !c.is_ascii_alphanumeric() && !"_:!".contains(c));
            within.push(&before[begin.map_or(0, |at| at + 1)..]);
        } else if rest.starts_with([')', ']', '}']) {
            within.pop();
        }
        line += rest[..length].matches('\n').count();
        at += length;
    }
    found
}

/// How long the attribute of Rust is that stands first here.
fn attribute(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        let here = &rest[at..];
        if let Some((_, whole)) = text_of(here) {
            at += whole;
            continue;
        }
        let first = here.chars().next().unwrap_or_default();
        at += first.len_utf8();
        match first {
            '[' => depth += 1,
            ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 && first == ']' {
            break;
        }
    }
    at
}

/// The text that stands first here, and how long it is with its quotes.
fn text_of(rest: &str) -> Option<(&str, usize)> {
    let bare = rest.strip_prefix('b').unwrap_or(rest);
    let prefix = rest.len() - bare.len();
    if let Some(text) = bare.strip_prefix('"') {
        let mut escaped = false;
        let end = text.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        })?;
        return Some((&text[..end], prefix + end + 2));
    }
    let hashes = bare.strip_prefix('r')?;
    let text = hashes.trim_start_matches('#');
    let marks = hashes.len() - text.len();
    let text = text.strip_prefix('"')?;
    let end = text.find(&format!("\"{}", "#".repeat(marks)))?;
    Some((&text[..end], prefix + 1 + marks + 1 + end + 1 + marks))
}

/// What is left of a text that people would read as words: without what is put in, tags of HTML, and names of classes.
fn words(text: &str, classes: &BTreeSet<String>) -> Option<String> {
    let (mut bare, mut depth) = (String::new(), [0_i32; 2]);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                // A line that goes on in the next one, or an escape.
                let _ = characters.next();
                bare.push('\n');
            }
            '{' => depth[0] += 1,
            '}' => depth[0] -= 1,
            '<' => depth[1] += 1,
            '>' if depth[1] > 0 => {
                depth[1] -= 1;
                bare.push('\n');
            }
            _ if depth == [0, 0] => bare.push(character),
            _ => {}
        }
    }
    let is_class = |word: &str| classes.contains(word);
    let is_read = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let spoken = |word: &str| {
            let word = word.trim_matches(|c: char| ",;:.!?…()\"".contains(c));
            !word.is_empty() && word.chars().all(char::is_alphabetic)
        };
        // Paths of drawings have no word with two small letters.
        let is_word = |word: &&str| word.chars().filter(|c| c.is_lowercase()).count() > 1;
        let several = words
            .windows(2)
            .any(|pair| pair.iter().all(|word| spoken(word)) && pair.iter().any(is_word));
        let is_name = |word: &str| word.starts_with(char::is_uppercase) && word.contains(char::is_lowercase);
        let alone = words.len() == 1 && spoken(words[0]) && is_name(words[0]);
        (several || alone) && !words.iter().all(|word| is_class(word))
    };
    let read: Vec<&str> = bare.lines().map(str::trim).filter(|line| is_read(line)).collect();
    (!read.is_empty()).then(|| read.join(" / "))
}

/// Attributes of HTML that people read, beside all that is no attribute.
const ATTRIBUTES: [&str; 6] = ["", "aria-label", "title", "placeholder", "alt", "data-label"];

/// The words that a source has for people.
fn spoken(source: &str, classes: &BTreeSet<String>) -> Vec<(usize, String)> {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let heard = literals(source).into_iter().filter(|literal| {
        let unheard = |name: &&str| {
            UNHEARD
                .iter()
                .any(|unheard| name == unheard || name.ends_with(&format!("::{unheard}")))
        };
        !literal.within.iter().any(unheard)
            && !AS_IT_IS.contains(&literal.text)
            && !CODE.iter().any(|code| literal.text.contains(code))
            && ATTRIBUTES.contains(&literal.attribute)
    });
    heard
        .filter_map(|literal| {
            // In a view, a single small word is read as well.
            let text = literal.text.trim();
            let is_word = text.len() > 1 && text.chars().all(char::is_lowercase);
            let small = is_word && !classes.contains(text) && literal.within.last() == Some(&"view!");
            let words = words(literal.text, classes).or_else(|| small.then(|| text.to_owned()))?;
            Some((literal.line, words))
        })
        .collect()
}

/// The names of classes that the style sheets know.
fn classes(root: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(root.join("style")).expect("the style sheets") {
        let sheet = fs::read_to_string(entry.expect("an entry").path()).expect("a style sheet");
        let names = sheet.split('.').skip(1);
        found.extend(names.map(|rest| {
            let name = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-');
            name.collect::<String>()
        }));
    }
    found
}

#[test]
fn words_are_told_from_code() {
    let classes: BTreeSet<String> = ["door", "busy", "button"].map(str::to_owned).into();
    let found = |source: &str| {
        let spoken = spoken(source, &classes);
        spoken.into_iter().map(|(_, words)| words).collect::<Vec<_>>()
    };
    for (source, words) in [
        ("view! { <p>\"Hello\"</p> }", "Hello"),
        ("view! { <p>\"hello \"</p> }", "hello"),
        ("view! { <i title=\"Send it\" class=\"a b\">\" · \"</i> }", "Send it"),
        ("\"A text\"", "A text"),
        ("const T: &str = \"never expires\";", "never expires"),
        ("format!(\"{n} wait here\")", "wait here"),
        (
            "write!(out, \"<h2 class=\\\"x y\\\">All of it</h2>{}\", \"door\")",
            "All of it",
        ),
        ("r#\"<b>Say \"yes\" now</b>\"#", "Say \"yes\" now"),
        ("Err(\"Kein Platz\".to_owned())", "Kein Platz"),
        ("('\"', '\\'', \"Send\", b'\"')", "Send"),
        ("\"Очередь пуста\"", "Очередь пуста"),
    ] {
        assert_eq!(found(source), [words], "{source}");
    }
    for code in [
        "// \"no comment\"",
        "#[doc = \"of Rust\"]",
        "warn!(%fault, \"it is told to the log\")",
        "tracing::info!(\"so is this\")",
        "let class = if busy { \"door busy\" } else { \"door\" };",
        "view! { <button class=\"button other\" type=\"button\">{say!(words, \"a-key\")}</button> }",
        "\"key\"",
        "\"/api/v1\"",
        "{ within: &'a str, other: 'b' }",
        "\"Anteroom\"",
    ] {
        assert_eq!(found(code), Vec::<String>::new(), "{code}");
    }
}

#[test]
fn no_words_for_people_stand_in_the_sources() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let classes = classes(root);
    let mut files = Vec::new();
    for place in READ.map(|place| root.join(place)) {
        match place.is_dir() {
            true => sources(&place, &mut files),
            false => files.push(place),
        }
    }
    assert!(files.len() > 150, "only {} sources are read", files.len());
    let mut found = Vec::new();
    for file in files {
        let name = file.strip_prefix(root).expect("within").display().to_string();
        if ENGLISH.iter().any(|english| name.contains(english)) {
            continue;
        }
        let source = fs::read_to_string(&file).expect("a source");
        let words = spoken(&source, &classes).into_iter();
        found.extend(words.map(|(line, words)| format!("{name}:{line}: {words}")));
    }
    assert!(found.is_empty(), "these are to have keys:\n{}", found.join("\n"));
}
