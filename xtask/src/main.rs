//! Anteroom's build commands: `cargo xtask run | test | check | build | bench | fuzz`.
//!
//! Each command sets up what it needs itself (the WebAssembly target, npm packages, a browser) and skips what has not
//! changed. What takes longer than a moment says what it does, and how long it took.

mod assets;
mod bench;
mod browser;
mod budget;
mod check;
mod cli;
mod css;
mod fuzz;
mod lock;
mod project;
mod server;
mod setup;
mod site;
mod step;
mod test;
mod wasm;

use std::process::ExitCode;

use cli::Command;
use project::Project;

fn main() -> ExitCode {
    let command = match cli::parse(std::env::args().skip(1)) {
        Ok(command) => command,
        Err(fault) => {
            eprintln!("xtask: {fault}\n\n{}", cli::USAGE);
            return ExitCode::from(2);
        }
    };
    match execute(command) {
        Ok(code) => code,
        Err(fault) => {
            eprintln!("xtask: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

fn execute(command: Command) -> anyhow::Result<ExitCode> {
    let done = |()| ExitCode::SUCCESS;
    match command {
        Command::Help => {
            println!("{}", cli::USAGE);
            Ok(ExitCode::SUCCESS)
        }
        Command::Run { mode, arguments } => server::run(&Project::open()?, mode, &arguments),
        Command::Build { mode } => server::build_all(&Project::open()?, mode).map(done),
        Command::Test(options) => test::run(&Project::open()?, &options).map(done),
        Command::Bench(options) => bench::run(&Project::open()?, &options).map(done),
        Command::Fuzz(options) => fuzz::run(&Project::open()?, &options).map(done),
        Command::Check => check::run(&Project::open()?).map(done),
    }
}
