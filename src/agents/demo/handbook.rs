//! The project's own pages, which the demo model quotes: what it says is what the documentation says.

use crate::settings::Provider;

const SETTINGS: &str = include_str!("../../../docs/settings.md");
const MODELS: &str = include_str!("../../../docs/models.md");

/// One row of a table of settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Variable {
    pub(super) name: &'static str,
    pub(super) allowed: &'static str,
    pub(super) meaning: &'static str,
}

/// One part of the page of settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) title: &'static str,
    pub(super) variables: Vec<Variable>,
}

/// The settings, in the page's order.
pub(super) fn groups() -> Vec<Group> {
    let groups = sections(SETTINGS).map(|(title, text)| Group {
        title,
        variables: text.lines().filter_map(row).collect(),
    });
    groups.filter(|group| !group.variables.is_empty()).collect()
}

/// What the page of models says about one kind of server.
pub(super) fn server(name: &str) -> Option<&'static str> {
    sections(MODELS)
        .find(|(title, _)| title.eq_ignore_ascii_case(name))
        .map(|(_, text)| text.trim())
}

/// The kinds of server that have a part of their own on the page of models, with words that mean them.
pub(super) const SERVERS: [(&str, &[&str]); 7] = [
    ("vLLM", &["vllm"]),
    ("llama.cpp", &["llama.cpp", "llamacpp", "llama-server", "gguf"]),
    ("LM Studio", &["lm studio", "lmstudio"]),
    ("Ollama", &["ollama"]),
    ("OpenAI", &["openai", "gpt", "chatgpt"]),
    ("Anthropic", &["anthropic", "claude"]),
    ("Gemini", &["gemini", "google"]),
];

/// The providers' names, as `MODEL` takes them.
pub(super) fn providers() -> impl Iterator<Item = &'static str> {
    Provider::ALL
        .into_iter()
        .filter(|provider| *provider != Provider::Builtin)
        .map(Provider::name)
}

/// The parts of a page under headings of the second level.
fn sections(page: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    page.split("\n## ")
        .skip(1)
        .filter_map(|section| section.split_once('\n'))
}

/// `` | `NAME` … | default | allowed | meaning | ``
fn row(line: &'static str) -> Option<Variable> {
    let mut cells = line
        .strip_prefix('|')?
        .trim_end()
        .strip_suffix('|')?
        .split(" | ")
        .map(str::trim);
    let name = cells.next()?.strip_prefix('`')?.split('`').next()?;
    let is_name = name
        .chars()
        .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    let (_default, allowed, meaning) = (cells.next()?, cells.next()?, cells.next()?);
    is_name.then_some(Variable { name, allowed, meaning })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::settings::Settings;

    #[test]
    fn every_setting_has_its_row() {
        let loaded = Settings::load(HashMap::new(), None).expect("the defaults are sound");
        let known: Vec<_> = groups()
            .iter()
            .flat_map(|group| group.variables.clone())
            .map(|row| row.name)
            .collect();
        for row in loaded.rows {
            assert!(known.contains(&row.name.as_str()), "{} is not on the page", row.name);
        }
        assert!(
            groups()
                .iter()
                .all(|group| group.variables.iter().all(|row| row.meaning.ends_with(['.', '`'])))
        );
    }

    #[test]
    fn every_server_has_its_part() {
        for (name, _) in SERVERS {
            assert!(server(name).is_some_and(|text| text.contains("MODEL=")), "{name}");
        }
    }
}
