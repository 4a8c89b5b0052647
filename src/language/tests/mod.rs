mod literals;
mod sources;

use std::collections::{BTreeMap, BTreeSet};

use intl_pluralrules::{PluralRuleType, PluralRules};
use unic_langid::LanguageIdentifier;

use super::{
    Arg, Language, Words, faults, labels,
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
        ("tlh, en;q=0.3, ru;q=0.7", Some(Russian)),
        ("RU", Some(Russian)),
        ("ru;q=0, en;q=0.1", Some(English)),
        ("*", None),
        ("tlh-KX, x-elvish", None),
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
    let [english, russian] = [Language::English, Language::Russian].map(Words::of);
    assert_eq!(
        [0, 999, 1000, 1_234_567].map(|number| english.number(number)).join(" "),
        "0 999 1,000 1,234,567"
    );
    assert_eq!(russian.number(1_234_567), "1\u{a0}234\u{a0}567");
    assert_eq!(
        (english.tenths(14), russian.tenths(14), english.tenths(30)),
        ("1.4".into(), "1,4".into(), "3".into())
    );
    assert_eq!(
        (english.hundredths(400), russian.hundredths(123_405)),
        ("4.00".into(), "1\u{a0}234,05".into())
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
fn every_mark_in_an_answer_becomes_a_word() {
    for language in Language::ALL {
        for mark in labels::ALL {
            let words = Words::of(language).labelled(&format!("<b>{mark}</b>{mark}."));
            let word = words.strip_prefix("<b>").and_then(|rest| rest.split("</b>").next());
            let word = word.expect("the mark's word");
            assert!(!word.is_empty() && !words.contains(['\u{e000}', '\u{e001}']), "{words}");
            assert_eq!(words, format!("<b>{word}</b>{word}."));
        }
    }
    assert_eq!(
        Words::of(Language::English).labelled("a\u{e000}b\u{e001}c\u{e000}d"),
        "acd"
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
