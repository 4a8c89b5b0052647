//! The project's own page of models, which the demo model quotes: what it says is what the documentation says.

use super::voice::Voice;
use crate::{say, settings::Provider};

/// The kinds of server that have a part of their own on the page of models, with words that mean them.
pub(super) const SERVERS: [(&str, &[&str]); 7] = [
    ("vLLM", &["vllm"]),
    ("llama.cpp", &["llama.cpp", "llamacpp", "llama-server", "gguf"]),
    ("LM Studio", &["lm studio", "lmstudio"]),
    ("Ollama", &["ollama", "оллам-"]),
    ("OpenAI", &["openai", "gpt", "chatgpt", "опенаи", "гпт", "чатгпт"]),
    ("Anthropic", &["anthropic", "claude", "антропик-", "клод-"]),
    ("Gemini", &["gemini", "google", "гемини", "джемини", "гугл-"]),
];

/// How a real model takes the demo's place: one kind of server, if it was named.
pub(super) fn real_model(voice: Voice, named: Option<&str>) -> String {
    match named.and_then(|name| server(voice, name).map(|how| (name, how))) {
        Some((name, how)) => say!(voice.demo, "demo-real-server", server = name, how = how),
        None => {
            let servers: Vec<_> = SERVERS.iter().map(|(name, _)| *name).collect();
            let providers: Vec<_> = providers().map(|name| format!("`{name}`")).collect();
            say!(
                voice.demo,
                "demo-real-model",
                providers = providers.join(", "),
                servers = servers.join(", "),
            )
        }
    }
}

/// What the page of models says about one kind of server.
fn server(voice: Voice, name: &str) -> Option<&'static str> {
    sections(voice.texts.models)
        .find(|(title, _)| title.eq_ignore_ascii_case(name))
        .map(|(_, text)| text.trim())
}

/// The providers' names, as `MODEL` takes them.
fn providers() -> impl Iterator<Item = &'static str> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    #[test]
    fn every_server_has_its_part_and_its_lines_in_every_language() {
        let code = |text: &'static str| text.split("```").skip(1).step_by(2).collect::<Vec<_>>();
        // What stands in the line as code is named in each, whatever the order of words.
        let names = |text: &'static str| {
            let prose: String = text.split("```").step_by(2).collect();
            let mut names: Vec<_> = prose.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            names.sort();
            names
        };
        for (name, _) in SERVERS {
            let english = server(Voice::of(Language::English), name).unwrap_or(name);
            assert!(english.contains("MODEL="), "{name}");
            for language in Language::ALL {
                let text = server(Voice::of(language), name).unwrap_or(name);
                assert_eq!(code(english), code(text), "{name} in {language:?}");
                assert_eq!(names(english), names(text), "{name} in {language:?}");
            }
        }
    }
}
