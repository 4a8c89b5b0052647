//! The fenced blocks of the documents.

use std::{fs, path::Path};

/// What begins and ends a block.
const FENCE: &str = "```";

/// An example.
#[derive(Debug)]
pub(super) struct Block {
    /// Where it stands, from the root of the repository.
    pub(super) document: String,
    /// In which line it begins.
    #[expect(dead_code, reason = "it is for whoever reads why a test has failed")]
    pub(super) line: usize,
    /// What the fence says that it is; often nothing.
    pub(super) language: String,
    pub(super) text: String,
}

impl Block {
    pub(super) fn first(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }
}

/// A file of the repository.
pub(super) fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All of them, page by page.
pub(super) fn all() -> Vec<Block> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let pages = fs::read_dir(docs).expect("the documents").map(|page| {
        let name = page.expect("a file").file_name();
        format!("docs/{}", name.to_str().expect("text"))
    });
    let mut pages: Vec<_> = pages.filter(|page| page.ends_with(".md")).collect();
    pages.sort();
    let beside = ["README.md", "CONTRIBUTING.md"].map(str::to_owned);
    beside
        .into_iter()
        .chain(pages)
        .flat_map(|page| of(&page, &read(&page)))
        .collect()
}

fn of(document: &str, text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (at, line) in text.lines().enumerate() {
        match (line.trim_start().strip_prefix(FENCE), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(language), None) => {
                open = Some(Block {
                    document: document.to_owned(),
                    line: at + 1,
                    language: language.trim().to_owned(),
                    text: String::new(),
                });
            }
            (None, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{document} has a block without an end");
    blocks
}

#[test]
fn blocks_are_found_with_their_language() {
    let text = "One\n```sh\na\nb\n```\ntwo\n  ```\n  c\n  ```\n";
    let found = of("page", text);
    let found: Vec<_> = found
        .iter()
        .map(|block| (block.language.as_str(), block.text.as_str(), block.first()))
        .collect();
    assert_eq!(found, [("sh", "a\nb\n", "a"), ("", "  c\n", "  c")]);
}
