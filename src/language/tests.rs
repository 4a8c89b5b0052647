use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use intl_pluralrules::{PluralRuleType, PluralRules};
use unic_langid::LanguageIdentifier;

use super::{
    Arg, Language, Words, faults,
    pattern::{Pattern, Piece},
};
use crate::say;

fn names<'a>(pattern: &'a Pattern, found: &mut BTreeSet<&'a str>) {
    for piece in pattern {
        match piece {
            Piece::Text(_) => {}
            Piece::Value(name) => {
                found.insert(name);
            }
            Piece::Choice(name, cases) => {
                found.insert(name);
                for (_, pattern) in cases {
                    names(pattern, found);
                }
            }
        }
    }
}

/// Each key, with the arguments that its message asks for.
fn keys(language: Language) -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let messages = [Words::of(language), Words::of_demo(language)]
        .into_iter()
        .flat_map(Words::messages);
    let arguments = |pattern: &'static Pattern| {
        let mut found = BTreeSet::new();
        names(pattern, &mut found);
        found
    };
    messages
        .map(|(key, pattern)| (key.as_str(), arguments(pattern)))
        .collect()
}

#[test]
fn the_files_can_be_read() {
    for language in Language::ALL {
        let faults: Vec<String> = faults(language).map(ToString::to_string).collect();
        assert_eq!(faults, Vec::<String>::new(), "{language:?}");
    }
}

/// The demo's messages and those of browsers are told apart by their keys, so that no key means two things.
#[test]
fn what_the_demo_says_is_not_sent_to_browsers() {
    let is_demo = |(key, _): &(String, Pattern)| key.starts_with("demo-");
    for language in Language::ALL {
        assert!(!Words::of(language).messages().iter().any(is_demo), "{language:?}");
        assert!(Words::of_demo(language).messages().iter().all(is_demo), "{language:?}");
    }
}

#[test]
fn every_language_says_the_same_things_of_what_it_is_given() {
    let english = keys(Language::English);
    for language in Language::ALL {
        let own = keys(language);
        for (key, arguments) in &english {
            let asked = own
                .get(key)
                .unwrap_or_else(|| panic!("{key} is missing in {language:?}"));
            // Not every language needs all of it: an ordinal's ending, say.
            let unknown: Vec<_> = asked.difference(arguments).collect();
            assert!(unknown.is_empty(), "{key} in {language:?} asks for {unknown:?}");
        }
        for key in own.keys() {
            assert!(english.contains_key(key), "{key} is only there in {language:?}");
        }
    }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The key and the names of the arguments of each `say!` in a source.
fn said(source: &str) -> Vec<(String, BTreeSet<String>)> {
    let mut found = Vec::new();
    for (at, start) in source.match_indices("say!(") {
        let rest = &source[at + start.len()..];
        let mut depth = 1;
        let end = rest.find(|character| {
            depth += match character {
                '(' | '[' | '{' => 1,
                ')' | ']' | '}' => -1,
                _ => 0,
            };
            depth == 0
        });
        let inside = &rest[..end.expect("the end of a call")];
        // What is within brackets of its own is an argument's value.
        let (mut parts, mut depth) = (vec![String::new()], 0);
        for character in inside.chars() {
            match character {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth -= 1,
                ',' if depth == 0 => parts.push(String::new()),
                character if depth == 0 => parts.last_mut().expect("a part").push(character),
                _ => {}
            }
        }
        let mut parts = parts.into_iter().map(|part| part.trim().to_owned());
        let Some(key) = parts.nth(1) else { continue };
        let Some(key) = key.strip_prefix('"').and_then(|key| key.strip_suffix('"')) else {
            continue;
        };
        let arguments = parts.filter_map(|part| Some(part.split_once('=')?.0.trim().to_owned()));
        found.push((key.to_owned(), arguments.collect()));
    }
    found
}

#[test]
fn what_is_said_is_there_and_what_is_there_is_said() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    sources(&root.join("app/src"), &mut files);
    let known = keys(Language::English);
    let mut used = BTreeSet::new();
    for file in files {
        let name = file.display().to_string();
        // This room's own examples.
        if name.ends_with("language/tests.rs") || name.ends_with("language/words.rs") {
            continue;
        }
        for (key, arguments) in said(&fs::read_to_string(&file).expect("a source")) {
            let asked = known.get(key.as_str());
            let asked = asked.unwrap_or_else(|| panic!("{name} says {key}, which no language has"));
            let missing: Vec<_> = asked.iter().filter(|name| !arguments.contains(**name)).collect();
            assert!(missing.is_empty(), "{name} says {key} without {missing:?}");
            let idle: Vec<_> = arguments.iter().filter(|name| !asked.contains(name.as_str())).collect();
            assert!(
                idle.is_empty(),
                "{name} says {key} with {idle:?}, which it does not ask for"
            );
            used.insert(key);
        }
    }
    let idle: Vec<_> = known.keys().filter(|key| !used.contains(**key)).collect();
    // Those that only stand within others.
    assert!(idle.is_empty(), "nobody says {idle:?}");
}

/// The words that stand in a source of the pages as they are: text of a view, attributes that people read, sentences that are put together.
fn literals(source: &str) -> Vec<&str> {
    const READ: [&str; 5] = ["aria-label=\"", "title=\"", "placeholder=\"", "alt=\"", "data-label=\""];
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = source.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    let spoken = |text: &&str| {
        // What stands in braces is put in.
        let own: String = text
            .split('{')
            .map(|part| part.split('}').next_back().unwrap_or_default())
            .collect();
        let mut words = own.split(|c: char| !c.is_alphabetic()).filter(|word| word.len() > 1);
        words.next().is_some()
    };
    let quoted = |text: &str| text.strip_prefix('"')?.split('"').next().map(str::len);
    lines
        .flat_map(|line| {
            let mut found = Vec::new();
            // A line of nothing but a text, in a view.
            if line.len() > 2 && quoted(line) == Some(line.len() - 2) {
                found.push(&line[1..line.len() - 1]);
            }
            for start in READ.into_iter().chain([">\"", "format!(\""]) {
                for (at, _) in line.match_indices(start) {
                    let text = line[at + start.len()..].split('"').next().unwrap_or_default();
                    // Of what is put together, a word by itself is an address or a class.
                    if start != "format!(\"" || text.contains(' ') {
                        found.push(text);
                    }
                }
            }
            found
        })
        .filter(spoken)
        .collect()
}

#[test]
fn no_words_stand_in_the_pages_themselves() {
    assert_eq!(
        literals(
            "<p>\"Hello\"</p>\n\"A text\"\n<i title=\"Send\" class=\"a b\">\" · \"</i>\nformat!(\"{n} wait\")\n\"key\",\n// \"no\""
        ),
        ["Hello", "A text", "Send", "{n} wait"]
    );
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("app/src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    for file in files.iter().filter(|file| !file.ends_with("tests.rs")) {
        let source = fs::read_to_string(file).expect("a source");
        let found: Vec<&str> = literals(&source)
            .into_iter()
            .filter(|text| !NAMES.contains(text) && !text.starts_with("/"))
            .collect();
        assert_eq!(found, Vec::<&str>::new(), "{}", file.display());
    }
}

/// What is the same in every language.
const NAMES: [&str; 3] = ["Anteroom", "Anteroom ", "Ctrl K"];

#[test]
fn plurals_follow_the_unicode_cldr() {
    for language in Language::ALL {
        let tag: LanguageIdentifier = language.code().parse().expect("a tag");
        let rules = |kind| PluralRules::create(tag.clone(), kind).expect("rules of the language");
        let (cardinal, ordinal) = (rules(PluralRuleType::CARDINAL), rules(PluralRuleType::ORDINAL));
        let category = |rules: &PluralRules, count: u64| {
            let category = rules.select(count).expect("a category");
            format!("{category:?}").to_lowercase()
        };
        for count in (0..=1200).chain([10_011, 1_000_001, 1_000_002]) {
            assert_eq!(
                language.plural(count),
                category(&cardinal, count),
                "{count} in {language:?}"
            );
            assert_eq!(
                language.ordinal(count),
                category(&ordinal, count),
                "{count}. in {language:?}"
            );
        }
    }
}

#[test]
fn a_browser_gets_the_language_that_it_likes_best() {
    use Language::{English, Russian};
    for (accepted, preferred) in [
        ("ru-RU,ru;q=0.9,en;q=0.8", Some(Russian)),
        ("en-GB, ru", Some(English)),
        ("de, en;q=0.3, ru;q=0.7", Some(Russian)),
        ("RU", Some(Russian)),
        ("ru;q=0, en;q=0.1", Some(English)),
        ("*", None),
        ("de-DE, fr", None),
        ("", None),
        ("ru;q=nonsense", None),
        ("rug, enm", None),
    ] {
        assert_eq!(Language::preferred(accepted), preferred, "{accepted}");
    }
    for language in Language::ALL {
        assert_eq!(Language::of_tag(language.code()), Some(language));
    }
}

#[test]
fn figures_are_written_as_the_language_does() {
    let [english, russian] = Language::ALL.map(Words::of);
    assert_eq!(
        [0, 999, 1000, 1_234_567].map(|number| english.number(number)).join(" "),
        "0 999 1,000 1,234,567"
    );
    assert_eq!(russian.number(1_234_567), "1\u{a0}234\u{a0}567");
    assert_eq!(
        (english.tenths(14), russian.tenths(14), english.tenths(30)),
        ("1.4".into(), "1,4".into(), "3".into())
    );
    for (bytes, text) in [
        (0, "0 B"),
        (812, "812 B"),
        (1_000, "1 KB"),
        (1_450, "1.5 KB"),
        (9_960, "10 KB"),
        (999_499, "999 KB"),
        (999_500, "1 MB"),
        (1_048_576, "1 MB"),
        (20_000_000, "20 MB"),
        (25_000_000, "25 MB"),
        (1_200_000_000, "1.2 GB"),
        (u64::MAX, "18,446,744 TB"),
    ] {
        assert_eq!(english.size(bytes), text, "{bytes}");
    }
    assert_eq!(russian.size(1_450), "1,5 КБ");
    assert_eq!(
        [1, 90, 120, 330].map(|seconds| english.span(seconds)).join("; "),
        "1 second; 90 seconds; 2 minutes; 5 minutes and 30 seconds"
    );
    assert_eq!(
        [21, 60, 330].map(|seconds| russian.span(seconds)).join("; "),
        "21 секунды; 60 секунд; 5 минут 30 секунд"
    );
}

#[test]
fn a_choice_goes_by_text_then_number_then_plural() {
    let words = Words::new(
        Language::Russian,
        vec![(
            "key".to_owned(),
            vec![Piece::Choice(
                "of".to_owned(),
                ["0", "few", "name", "other"]
                    .map(|case| (case.to_owned(), vec![Piece::Text(case.to_owned())]))
                    .into(),
            )],
        )],
    );
    let chosen = |arg: Arg| words.say("key", &[("of", arg)]);
    assert_eq!(chosen(0_u64.into()), "0");
    assert_eq!(chosen(3_u64.into()), "few");
    assert_eq!(chosen(5_u64.into()), "other");
    assert_eq!(chosen("name".into()), "name");
    assert_eq!(say!(words, "key"), "other");
    assert_eq!(say!(words, "nothing"), "nothing");
}
