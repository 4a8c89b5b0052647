//! The longer texts of the demo model, one folder a language: those without figures or names in them. Whatever has such is a message in
//! `locales/<language>/demo.ftl`.

use crate::language::Language;

/// What is said in one language, as Markdown.
pub(super) struct Texts {
    /// The note under the first answer of a conversation, where the answer has not said so itself.
    pub(super) note: &'static str,
    /// Who I am and what I can do.
    pub(super) help: &'static str,
    /// How the line works.
    pub(super) works: &'static str,
    /// Each of several, as those below: [`one_of`].
    pub(super) greetings: &'static str,
    pub(super) thanks: &'static str,
    /// For a message that was not understood.
    pub(super) fallbacks: &'static str,
    /// What to ask instead.
    pub(super) suggestions: &'static str,
    /// A bit of everything that Markdown can do.
    pub(super) markdown: &'static str,
    pub(super) rust: &'static str,
    pub(super) python: &'static str,
    pub(super) javascript: &'static str,
    pub(super) sql: &'static str,
    pub(super) shell: &'static str,
    pub(super) html: &'static str,
    /// A page whose parts under headings of the second level are about one kind of model server each.
    pub(super) models: &'static str,
}

/// A language whose folder lacks one of the files does not compile.
macro_rules! texts {
    ($folder:literal, models: $models:literal) => {
        Texts {
            note: include_str!(concat!("texts/", $folder, "/note.md")).trim_ascii_end(),
            help: include_str!(concat!("texts/", $folder, "/help.md")).trim_ascii_end(),
            works: include_str!(concat!("texts/", $folder, "/works.md")).trim_ascii_end(),
            greetings: include_str!(concat!("texts/", $folder, "/greetings.md")).trim_ascii_end(),
            thanks: include_str!(concat!("texts/", $folder, "/thanks.md")).trim_ascii_end(),
            fallbacks: include_str!(concat!("texts/", $folder, "/fallbacks.md")).trim_ascii_end(),
            suggestions: include_str!(concat!("texts/", $folder, "/suggestions.md")).trim_ascii_end(),
            markdown: include_str!(concat!("texts/", $folder, "/sample_markdown.md")).trim_ascii_end(),
            rust: include_str!(concat!("texts/", $folder, "/sample_rust.md")).trim_ascii_end(),
            python: include_str!(concat!("texts/", $folder, "/sample_python.md")).trim_ascii_end(),
            javascript: include_str!(concat!("texts/", $folder, "/sample_javascript.md")).trim_ascii_end(),
            sql: include_str!(concat!("texts/", $folder, "/sample_sql.md")).trim_ascii_end(),
            shell: include_str!(concat!("texts/", $folder, "/sample_shell.md")).trim_ascii_end(),
            html: include_str!(concat!("texts/", $folder, "/sample_html.md")).trim_ascii_end(),
            models: include_str!($models),
        }
    };
}

impl Texts {
    pub(super) fn of(language: Language) -> &'static Self {
        match language {
            // The English page of models is the documentation itself.
            Language::English => const { &texts!("en", models: "../../../docs/models.md") },
            Language::Russian => const { &texts!("ru", models: "texts/ru/models.md") },
        }
    }
}

/// What stands between texts of which one is said.
const BETWEEN: &str = "\n\n%%\n\n";

/// One of several, by a number that differs from message to message.
pub(super) fn one_of(several: &'static str, seed: usize) -> &'static str {
    let count = several.split(BETWEEN).count();
    several.split(BETWEEN).nth(seed % count).unwrap_or_default()
}

/// How many there are.
pub(super) fn variants(several: &str) -> usize {
    several.split(BETWEEN).count()
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::{super::intent, *};

    fn files(language: Language) -> BTreeSet<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("src/agents/demo/texts")
            .join(language.code());
        let entries = fs::read_dir(folder).expect("a folder of texts");
        entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect()
    }

    fn several(language: Language) -> [&'static str; 4] {
        let texts = Texts::of(language);
        [texts.greetings, texts.thanks, texts.fallbacks, texts.suggestions]
    }

    #[test]
    fn every_language_has_the_same_texts() {
        let mut english = files(Language::English);
        english.insert("models.md".to_owned());
        for language in Language::ALL
            .into_iter()
            .filter(|language| *language != Language::English)
        {
            assert_eq!(files(language), english, "{language:?}");
            assert_eq!(
                several(language).map(variants),
                several(Language::English).map(variants),
                "{language:?}"
            );
        }
    }

    #[test]
    fn each_of_several_is_said() {
        for language in Language::ALL {
            for text in several(language) {
                let said: BTreeSet<_> = (0..variants(text)).map(|seed| one_of(text, seed)).collect();
                assert_eq!(said.len(), variants(text), "{text}");
                assert!(said.iter().all(|one| !one.is_empty() && !one.contains("%%")), "{text}");
            }
        }
    }

    #[test]
    fn what_it_suggests_to_ask_is_understood() {
        for language in Language::ALL {
            let texts = Texts::of(language);
            for text in [texts.help, texts.greetings, texts.suggestions] {
                // What is bold leaves nothing between its two stars.
                let plain = text.replace("**", "");
                let asked: Vec<_> = plain.split('*').skip(1).step_by(2).collect();
                assert!(!asked.is_empty(), "{text}");
                for question in asked {
                    assert_ne!(intent::of(question), intent::Intent::Unknown, "{question}");
                }
            }
        }
    }
}
