//! Every example of `README.md` and `docs/`, run as a reader would: each fenced block has a way in which it is run, and a block without one makes a
//! test fail.

mod answers;
mod blocks;
mod programs;
mod settings;
mod shell;

use self::blocks::{Block, all};

/// How a block is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// By a shell, in front of a server.
    Shell,
    /// By Python, with what it imports, in front of a server.
    Python,
    /// Sent as a batch of tasks.
    Batch,
    /// Compared with the events of a stream.
    Stream,
    /// Compared with the headers of an answer.
    Rates,
    /// Compared with what a server says as it starts.
    Greeting,
    /// Read as settings, or as a file that settings name.
    Settings,
    /// Looked for among the commands of this repository, one of which runs this test.
    Build,
    /// Not run: it is for other programs, see [`OTHERS`].
    Others,
}

/// The first lines of blocks that are for other programs, which need not be here.
const OTHERS: [&str; 7] = [
    // Model servers.
    "vllm serve Qwen/Qwen3-8B --port 8000",
    "llama-server -m model.gguf --port 8080 --parallel 2",
    "ollama pull llama3.2",
    // Databases, and what starts services.
    "createuser --pwprompt anteroom",
    "systemctl stop anteroom",
    "pg_dump --format=custom --file=anteroom-$(date +%F).dump postgres://anteroom@db.example.org/anteroom",
    "cp -r data rescue && cd rescue",
];

/// What a block for a shell has where it is for Anteroom.
const COMMANDS: [&str; 4] = ["curl ", "anteroom ", "id=$(curl ", "echo "];

fn way(block: &Block) -> Option<Way> {
    let text = &block.text;
    let lines = || text.lines().filter(|line| !line.trim().is_empty());
    let all = |is_so: fn(&str) -> bool| lines().all(is_so);
    let any = |begins: &[&str]| lines().any(|line| begins.iter().any(|begin| line.starts_with(begin)));
    match block.language.as_str() {
        "python" => Some(Way::Python),
        "ini" | "toml" => Some(Way::Settings),
        "json" if text.contains("\"mcpServers\"") => Some(Way::Settings),
        "json" if text.contains("\"tasks\"") => Some(Way::Batch),
        "sh" if OTHERS.contains(&block.first()) => Some(Way::Others),
        "sh" if all(|line| line.starts_with("cargo xtask ")) => Some(Way::Build),
        "sh" if any(&COMMANDS) => Some(Way::Shell),
        "sh" if all(is_setting) => Some(Way::Settings),
        // A line of cron's.
        "" if text.contains("* * *  cd ") => Some(Way::Shell),
        "" if text.starts_with("id: ") => Some(Way::Stream),
        "" if text.starts_with("RateLimit") => Some(Way::Rates),
        "" if text.starts_with("The operator's link: ") => Some(Way::Greeting),
        _ => None,
    }
}

fn is_setting(line: &str) -> bool {
    let is_name = |name: &str| name.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_');
    line.starts_with('#') || line.split_once('=').is_some_and(|(name, _)| is_name(name))
}

/// The blocks that are run so. There are some, or the test that runs them would test nothing.
fn of(wanted: Way) -> Vec<Block> {
    let blocks: Vec<_> = all().into_iter().filter(|block| way(block) == Some(wanted)).collect();
    assert!(!blocks.is_empty(), "no example is run so any more: {wanted:?}");
    blocks
}

#[test]
fn every_example_of_the_documents_is_run_somehow() {
    let blocks = all();
    let unknown: Vec<_> = blocks.iter().filter(|block| way(block).is_none()).collect();
    assert!(
        unknown.is_empty(),
        "nothing runs these examples; `way` in app/tests/commands/documents/mod.rs says how the others are run: {unknown:#?}"
    );
    for other in OTHERS {
        assert!(
            blocks.iter().any(|block| block.first() == other),
            "no longer shown: {other}"
        );
    }
    let documents = |wanted: Way| of(wanted).into_iter().map(|block| block.document);
    for document in ["README.md", "docs/api.md", "docs/tasks.md"] {
        assert!(documents(Way::Shell).any(|shown| shown == document), "{document}");
    }
}

#[test]
fn the_commands_to_build_with_are_there() {
    let known = blocks::read("xtask/src/cli.rs");
    for block in of(Way::Build) {
        for line in block.text.lines() {
            let name = line.split_whitespace().nth(2).expect("a command");
            assert!(known.contains(&format!("cmd {name} {{")), "{block:?}");
        }
    }
}
