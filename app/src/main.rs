//! Anteroom's server.

use std::process::ExitCode;

use anteroom_app::server::run::{Failure, serve};

const HELP: &str = "Anteroom: a fair line in front of a language model.

Usage: anteroom [--help | --version]

It reads its settings from the environment and from .env in the current folder;
.env.example and docs/settings.md name them all.";

#[tokio::main]
async fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        None => {}
        Some("--help" | "-h") => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Some("--version" | "-V") => {
            println!("anteroom {}", anteroom::engine::VERSION);
            return ExitCode::SUCCESS;
        }
        Some(unknown) => {
            eprintln!("anteroom does not know the argument {unknown}.\n\n{HELP}");
            return ExitCode::from(2);
        }
    }
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Settings(faults)) => {
            eprintln!("{faults}");
            ExitCode::from(2)
        }
        Err(Failure::Other(error)) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
