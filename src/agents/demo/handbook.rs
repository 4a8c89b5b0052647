//! The project's own page of models, which the demo model quotes: what it says is what the documentation says.

use crate::settings::Provider;

const MODELS: &str = include_str!("../../../docs/models.md");

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_server_has_its_part() {
        for (name, _) in SERVERS {
            assert!(server(name).is_some_and(|text| text.contains("MODEL=")), "{name}");
        }
    }
}
