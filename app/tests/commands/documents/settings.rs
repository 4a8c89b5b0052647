//! What is for `.env`, and for the files that it names: read as a server reads it.

use std::path::Path;

use anteroom::settings::Settings;

use super::{
    Way,
    blocks::{Block, all},
    of,
};

/// Servers of tools that a reader has installed; they are looked for.
const PROGRAMS: [&str; 2] = ["npx", "github-mcp-server"];

/// The file of back ends that this page shows.
fn backends(page: &str) -> Option<Block> {
    let is_it = |block: &Block| block.document == page && block.text.contains("[[backend]]");
    all().into_iter().find(is_it)
}

#[test]
fn every_setting_of_the_documents_can_be_copied() {
    for block in of(Way::Settings) {
        let file = match &block.text {
            text if text.contains("[[backend]]") => Some("BACKENDS_FILE"),
            text if text.contains("[[prompt]]") => Some("PROMPTS_FILE"),
            text if text.contains("\"mcpServers\"") => Some("MCP_FILE"),
            _ => None,
        };
        // What a reader has to put in.
        let text = block.text.replace('…', &"k".repeat(40));
        let there = |text: String, program| text.replace(&format!("\"command\": \"{program}\""), "\"command\": \"sh\"");
        let text = PROGRAMS.into_iter().fold(text, there);
        let read = |_: &Path| {
            let file = file
                .map(|_| text.clone())
                .or_else(|| Some(backends(&block.document)?.text));
            Ok(file.unwrap_or_default().into_bytes())
        };
        let named = file.map(|name| (name, "a file"));
        let keys = [("OPENAI_API_KEY", "a-key"), ("TICKETS_KEY", "another")].map(|key| file.map(|_| key));
        let environment = named.into_iter().chain(keys.into_iter().flatten());
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let dotenv = file.is_none().then_some(text.as_str());
        let loaded = Settings::load_with(environment, dotenv, &read);
        let loaded = loaded.unwrap_or_else(|faults| panic!("{block:#?}{faults}"));
        assert!(!loaded.rows.is_empty());
    }
}
